create table invitations (
    id               text primary key,
    instance_id      text not null,
    position         bigint not null,
    email_address    text not null,
    -- The address, at one of those that are pending for it: no second one is made by accident.
    claim            text,
    -- Of the ticket, which itself is not kept.
    digest           text not null,
    public_metadata  text not null,
    redirect_url     text,
    lifetime_seconds bigint not null,
    expires_at       bigint not null,
    accepted_at      bigint,
    revoked_at       bigint,
    created_at       bigint not null,
    updated_at       bigint not null
);
create unique index invitations_digest on invitations (instance_id, digest);
create unique index invitations_claim on invitations (instance_id, claim);
-- The text index knows invitations by their position alone, whatever their instance.
create unique index invitations_position_alone on invitations (position);
-- One index per order that lists can have, and one per state.
create index invitations_by_email on invitations (instance_id, email_address, position);
create index invitations_by_expiry on invitations (instance_id, expires_at, position);
create index invitations_listed on invitations (instance_id, position) where revoked_at is null;
create index invitations_revoked on invitations (instance_id, position)
    where revoked_at is not null;
create index invitations_accepted on invitations (instance_id, position)
    where accepted_at is not null;
create index invitations_open on invitations (instance_id, position)
    where accepted_at is null and revoked_at is null;
-- How many of the open ones have expired.
create index invitations_open_until on invitations (instance_id, expires_at)
    where accepted_at is null and revoked_at is null;

create search index invitations;

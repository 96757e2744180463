create table waitlist_entries (
    id            text primary key,
    instance_id   text not null,
    position      bigint not null,
    email_address text not null,
    status        text not null,
    -- The latest one.
    invitation_id text references invitations (id) on delete set null,
    -- Until when something larger works on it, by the wall clock.
    locked_until  bigint,
    invited_at    bigint,
    created_at    bigint not null,
    updated_at    bigint not null
);
create unique index waitlist_entries_email on waitlist_entries (instance_id, email_address);
-- The text index knows entries by their position alone, whatever their instance.
create unique index waitlist_entries_position_alone on waitlist_entries (position);
create index waitlist_entries_position on waitlist_entries (instance_id, position);
create index waitlist_entries_status on waitlist_entries (instance_id, status, position);
create index waitlist_entries_by_invitation_time
    on waitlist_entries (instance_id, coalesce(invited_at, 0), position);
-- For what cascades.
create index waitlist_entries_of_invitation on waitlist_entries (invitation_id);

create search index waitlist_entries;

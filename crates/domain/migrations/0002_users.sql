create table users (
    id                          text primary key,
    instance_id                 text not null,
    position                    bigint not null,
    external_id                 text,
    username                    text,
    first_name                  text,
    last_name                   text,
    name_key                    text not null,
    image_id                    text,
    primary_email_address_id    text,
    primary_phone_number_id     text,
    primary_web3_wallet_id      text,
    primary_email_address       text,
    primary_phone_number        text,
    primary_web3_wallet         text,
    password                    text,
    password_updated_at         bigint,
    password_compromised        boolean not null,
    totp_secret                 text,
    totp_used_step              bigint,
    backup_codes                text,
    mfa_enabled_at              bigint,
    mfa_disabled_at             bigint,
    public_metadata             text not null,
    private_metadata            text not null,
    unsafe_metadata             text not null,
    banned                      boolean not null,
    failed_attempts             bigint not null,
    locked_until                bigint,
    delete_self_enabled         boolean not null,
    create_organization_enabled boolean not null,
    create_organizations_limit  bigint,
    bypass_client_trust         boolean not null,
    locale                      text,
    legal_accepted_at           bigint,
    last_sign_in_at             bigint,
    last_active_at              bigint,
    created_at                  bigint not null,
    updated_at                  bigint not null
);
-- One index per order that lists can have; what is absent comes first.
create unique index users_position on users (instance_id, position);
create unique index users_username on users (instance_id, username);
create unique index users_external_id on users (instance_id, external_id);
create index users_by_username on users (instance_id, coalesce(username, ''), position);
create index users_by_first_name on users (instance_id, coalesce(first_name, ''), position);
create index users_by_last_name on users (instance_id, coalesce(last_name, ''), position);
create index users_by_email on users (instance_id, coalesce(primary_email_address, ''), position);
create index users_by_phone on users (instance_id, coalesce(primary_phone_number, ''), position);
create index users_by_wallet on users (instance_id, coalesce(primary_web3_wallet, ''), position);
create index users_by_update on users (instance_id, updated_at, position);
create index users_by_activity on users (instance_id, coalesce(last_active_at, 0), position);
create index users_by_sign_in on users (instance_id, coalesce(last_sign_in_at, 0), position);
create index users_banned on users (instance_id, position) where banned;

-- E-mail addresses, phone numbers, wallets, passkeys and external accounts in one table, since
-- a user is shown with all of them.
create table identifications (
    id                         text primary key,
    instance_id                text not null,
    user_id                    text not null references users (id) on delete cascade,
    kind                       text not null,
    value                      text not null,
    -- The value where it is verified or reserved, and so nobody else's.
    claim                      text,
    verification               text,
    reserved                   boolean not null,
    reserved_for_second_factor boolean not null,
    default_second_factor      boolean not null,
    linked_to                  text not null,
    -- What only its kind has, as JSON.
    detail                     text,
    created_at                 bigint not null,
    updated_at                 bigint not null
);
create index identifications_user on identifications (instance_id, user_id, created_at, id);
create index identifications_value on identifications (instance_id, kind, value);
create unique index identifications_claim on identifications (instance_id, kind, claim);

create table images (
    id          text primary key,
    instance_id text not null,
    owner_id    text not null,
    media_type  text not null,
    bytes       bytea not null,
    created_at  bigint not null
);
create index images_owner on images (instance_id, owner_id);

create search index users;

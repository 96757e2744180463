-- Devices whose apps sign in with a key of their own.
create table trusted_devices (
    id             text primary key,
    instance_id    text not null,
    position       bigint not null,
    user_id        text not null references users (id) on delete cascade,
    platform       text not null,
    app_identifier text not null,
    name           text,
    algorithm      text not null,
    public_key     text not null,
    last_used_at   bigint,
    revoked_at     bigint,
    created_at     bigint not null,
    updated_at     bigint not null
);
create index trusted_devices_user on trusted_devices (instance_id, user_id, position);
-- For what cascades.
create index trusted_devices_of_user on trusted_devices (user_id);

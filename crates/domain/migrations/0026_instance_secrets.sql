-- Secrets among the settings of an instance, whose document says only that they are there.
create table instance_secrets (
    -- The instance, and the setting.
    id          text primary key,
    instance_id text not null,
    -- The secret, under the root key.
    sealed      text not null,
    updated_at  bigint not null
);

create table applications (
    id         text primary key,
    name       text not null,
    created_at bigint not null
);

create table instances (
    id              text primary key,
    application_id  text not null references applications (id),
    environment     text not null,
    frontend_host   text not null,
    settings        text not null,
    clock_offset_ms bigint not null,
    created_at      bigint not null,
    updated_at      bigint not null
);
create unique index instances_frontend_host on instances (frontend_host);

create table secret_keys (
    id          text primary key,
    instance_id text not null references instances (id),
    digest      text not null,
    sealed      text,
    created_at  bigint not null,
    revoked_at  bigint
);
create unique index secret_keys_digest on secret_keys (digest);
create index secret_keys_instance on secret_keys (instance_id, created_at);

create table signing_keys (
    id          text primary key,
    instance_id text not null references instances (id),
    sealed      text not null,
    jwk         text not null,
    created_at  bigint not null,
    retired_at  bigint
);
create index signing_keys_instance on signing_keys (instance_id, created_at);

create table outbox (
    id          text primary key,
    instance_id text not null,
    kind        text not null,
    payload     text not null,
    is_sealed   boolean not null,
    happened_at bigint not null,
    due_at      bigint not null,
    attempts    bigint not null
);
create index outbox_due_at on outbox (due_at);

create table server_facts (
    name  text primary key,
    value text not null
);

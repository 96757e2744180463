create table clients (
    id                           text primary key,
    instance_id                  text not null,
    position                     bigint not null,
    -- Digest of the secret in the client's cookie; one that was rotated away opens nothing.
    secret_digest                text,
    last_active_session_id       text,
    last_authentication_strategy text,
    created_at                   bigint not null,
    updated_at                   bigint not null
);
create unique index clients_position on clients (instance_id, position);

create table sessions (
    id                          text primary key,
    instance_id                 text not null,
    position                    bigint not null,
    user_id                     text not null references users (id) on delete cascade,
    client_id                   text not null references clients (id) on delete cascade,
    -- As it was left; what time makes of it is told when it is read.
    status                      text not null,
    actor                       text,
    tasks                       text,
    last_active_organization_id text,
    latest_activity             text,
    first_factor_verified_at    bigint,
    second_factor_verified_at   bigint,
    last_active_at              bigint not null,
    expire_at                   bigint not null,
    abandon_at                  bigint not null,
    created_at                  bigint not null,
    updated_at                  bigint not null
);
create unique index sessions_position on sessions (instance_id, position);
create index sessions_user on sessions (instance_id, user_id, position);
create index sessions_client on sessions (instance_id, client_id, position);
create index sessions_status on sessions (instance_id, status, position);
-- For what cascades.
create index sessions_of_user on sessions (user_id);
create index sessions_of_client on sessions (client_id);

-- What lets a server renew a session token without the browser.
create table refresh_tokens (
    digest      text primary key,
    instance_id text not null,
    session_id  text not null references sessions (id) on delete cascade,
    created_at  bigint not null
);
create index refresh_tokens_session on refresh_tokens (session_id);

-- Session tokens that were renewed: each is good for one renewal.
create table consumed_tokens (
    id          text primary key,
    instance_id text not null,
    session_id  text not null references sessions (id) on delete cascade,
    forget_at   bigint not null
);
create index consumed_tokens_session on consumed_tokens (session_id, forget_at);

-- Browsers of developers, which development instances know by a token instead of a cookie.
create table dev_browsers (
    id          text primary key,
    instance_id text not null,
    -- Of the token, which itself is not kept.
    digest      text not null,
    client_id   text references clients (id) on delete set null,
    created_at  bigint not null
);
create unique index dev_browsers_digest on dev_browsers (instance_id, digest);
create index dev_browsers_of_client on dev_browsers (client_id);

-- When the cookie of a client ends that has one.
alter table clients add column cookie_expires_at bigint;

-- What people have said and proven of themselves on their way in. Which factors are left is told
-- by the settings when a row is read, so it is not kept.
create table sign_ins (
    id                         text primary key,
    instance_id                text not null,
    client_id                  text not null references clients (id) on delete cascade,
    -- A client has at most one that is.
    is_open                    boolean not null,
    -- As it was given.
    identifier                 text,
    user_id                    text references users (id) on delete cascade,
    -- How each factor is being or was verified, as the JSON of a verification.
    first_factor_verification  text,
    second_factor_verification text,
    -- The identification that a factor was prepared with.
    first_factor_id            text,
    second_factor_id           text,
    -- What only some strategies need, as JSON.
    detail                     text,
    created_session_id         text,
    abandon_at                 bigint not null,
    created_at                 bigint not null,
    updated_at                 bigint not null
);
create unique index sign_ins_open on sign_ins (instance_id, client_id) where is_open;
-- For what cascades.
create index sign_ins_of_client on sign_ins (client_id);
create index sign_ins_of_user on sign_ins (user_id);

create table actor_tokens (
    id                       text primary key,
    instance_id              text not null,
    user_id                  text not null references users (id) on delete cascade,
    -- Who acts as the user, as JSON.
    actor                    text not null,
    -- Of the ticket, which itself is not kept.
    digest                   text not null,
    lifetime_seconds         bigint not null,
    session_lifetime_seconds bigint not null,
    expires_at               bigint not null,
    accepted_at              bigint,
    revoked_at               bigint,
    created_at               bigint not null,
    updated_at               bigint not null
);
create unique index actor_tokens_digest on actor_tokens (instance_id, digest);
-- For what cascades.
create index actor_tokens_of_user on actor_tokens (user_id);

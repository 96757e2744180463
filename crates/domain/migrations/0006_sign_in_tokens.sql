create table sign_in_tokens (
    id               text primary key,
    instance_id      text not null,
    user_id          text not null references users (id) on delete cascade,
    -- Of the ticket, which itself is not kept.
    digest           text not null,
    lifetime_seconds bigint not null,
    expires_at       bigint not null,
    accepted_at      bigint,
    revoked_at       bigint,
    created_at       bigint not null,
    updated_at       bigint not null
);
create unique index sign_in_tokens_digest on sign_in_tokens (instance_id, digest);
-- For what cascades.
create index sign_in_tokens_of_user on sign_in_tokens (user_id);

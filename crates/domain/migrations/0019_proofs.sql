-- Codes and links by which somebody who signs in or up proves an address or a number. There is one
-- for each part of an attempt; a new one takes the place of the one before it.
create table proofs (
    id           text primary key,
    instance_id  text not null,
    -- The sign-in or the sign-up.
    owner_id     text not null,
    -- What of it is proven.
    part         text not null,
    strategy     text not null,
    -- Who asked for it.
    client_id    text not null references clients (id) on delete cascade,
    -- A code under a key of the server, or the digest of what is in a link.
    mark         text not null,
    -- Where a link leads.
    redirect_url text,
    status       text not null,
    attempts     bigint not null,
    expires_at   bigint not null
);
create unique index proofs_part on proofs (instance_id, owner_id, part);
create index proofs_mark on proofs (instance_id, mark);
-- For what cascades.
create index proofs_of_client on proofs (client_id);

-- How often something was asked for that guards codes, passwords or messages. Unlike other limits
-- these hold on all nodes together.
create table rate_windows (
    -- What is counted, and a digest of whom.
    name        text not null,
    instance_id text not null,
    requests    bigint not null,
    ends_at     bigint not null,
    primary key (instance_id, name)
);
create index rate_windows_end on rate_windows (instance_id, ends_at);

-- Cookies that a server fetches by a nonce, after the browser was sent to it with that.
create table handshakes (
    -- Digest of the nonce.
    id          text primary key,
    instance_id text not null,
    -- The cookies, under the root key.
    directives  text not null,
    used_at     bigint,
    expires_at  bigint not null
);
create index handshakes_expiry on handshakes (instance_id, expires_at);

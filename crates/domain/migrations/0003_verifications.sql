-- The code that was last sent to an identification.
create table verifications (
    id                text primary key,
    instance_id       text not null,
    identification_id text not null references identifications (id) on delete cascade,
    strategy          text not null,
    status            text not null,
    -- The code, under a key of the server.
    mark              text not null,
    attempts          bigint not null,
    sent_at           bigint not null,
    expires_at        bigint not null,
    -- Codes sent since then; there are only so many in a day.
    counted_from      bigint not null,
    count_sent        bigint not null
);
create unique index verifications_identification on verifications (instance_id, identification_id);

-- Messages to people, which a development server reads again.
create index outbox_messages on outbox (instance_id, happened_at) where is_sealed;

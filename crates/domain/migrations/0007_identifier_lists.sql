-- Allowlist and blocklist in one table, since who comes in is looked up in both at once.
create table listed_identifiers (
    id              text primary key,
    instance_id     text not null,
    position        bigint not null,
    list            text not null,
    -- An address, a number, a wallet, or `*@example.com` and `*@*.example.com`.
    identifier      text not null,
    -- The same, without the dots that Gmail does not read.
    dotless         text not null,
    identifier_type text not null,
    invitation_id   text,
    created_at      bigint not null,
    updated_at      bigint not null
);
create unique index listed_identifiers_position on listed_identifiers (instance_id, list, position);
create unique index listed_identifiers_identifier on listed_identifiers (instance_id, list, identifier);
create index listed_identifiers_dotless on listed_identifiers (instance_id, list, dotless);

-- Gmail addresses without their dots; null for all else.
alter table identifications add column dotless text;
create index identifications_dotless on identifications (instance_id, dotless) where dotless is not null;

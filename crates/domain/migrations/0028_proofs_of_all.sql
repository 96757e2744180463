-- Codes of users' addresses and numbers are proofs now as well. Those that were under way are asked
-- for again: they are good for ten minutes.
drop table verifications;

create table proofs_of_all (
    id                text primary key,
    instance_id       text not null,
    -- The sign-in, the sign-up, or the identification of a user.
    owner_id          text not null,
    -- What of it is proven.
    part              text not null,
    -- The identification, if it is one.
    identification_id text references identifications (id) on delete cascade,
    strategy          text not null,
    -- Who asked for it; nobody where the Backend API did.
    client_id         text references clients (id) on delete cascade,
    -- A code under a key of the server, or the digest of what is in a link.
    mark              text not null,
    -- Where a link leads.
    redirect_url      text,
    status            text not null,
    attempts          bigint not null,
    expires_at        bigint not null
);
insert into proofs_of_all
    (id, instance_id, owner_id, part, strategy, client_id, mark, redirect_url, status, attempts,
     expires_at)
select id, instance_id, owner_id, part, strategy, client_id, mark, redirect_url, status, attempts,
    expires_at
from proofs where owner_id not like 'idn%';
drop table proofs;
alter table proofs_of_all rename to proofs;
create unique index proofs_part on proofs (instance_id, owner_id, part);
create index proofs_mark on proofs (instance_id, mark);
-- For what cascades.
create index proofs_of_client on proofs (client_id);
create index proofs_of_identification on proofs (identification_id);

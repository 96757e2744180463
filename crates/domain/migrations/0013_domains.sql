create table domains (
    id           text primary key,
    instance_id  text not null references instances (id),
    position     bigint not null,
    -- In development with its port.
    name         text not null,
    -- The name where it is in production, and so nobody else's on this server.
    claim        text,
    is_satellite boolean not null,
    is_secondary boolean not null,
    proxy_url    text,
    created_at   bigint not null,
    updated_at   bigint not null
);
create unique index domains_position on domains (instance_id, position);
create unique index domains_name on domains (instance_id, name);
create unique index domains_claim on domains (claim);
create unique index domains_primary on domains (instance_id) where not is_satellite;

-- The primary domains of the instances there are, named by their frontend hosts.
insert into domains
select 'dmn_' || substr(id, 5), id, created_at * 1048576,
    case when environment = 'production' and frontend_host like 'clerk.%'
        then substr(frontend_host, 7) else frontend_host end,
    case when environment <> 'production' then null
        when frontend_host like 'clerk.%' then substr(frontend_host, 7)
        else frontend_host end,
    false, false, null, created_at, created_at
from instances;

create table proxy_checks (
    id          text primary key,
    instance_id text not null,
    domain_id   text not null references domains (id) on delete cascade,
    proxy_url   text not null,
    successful  boolean not null,
    last_run_at bigint not null,
    created_at  bigint not null,
    updated_at  bigint not null
);
create unique index proxy_checks_proxy on proxy_checks (domain_id, proxy_url);

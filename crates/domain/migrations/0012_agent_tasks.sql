-- Agents, each with one id for each name.
create table agents (
    id          text primary key,
    instance_id text not null,
    name        text not null,
    created_at  bigint not null
);
create unique index agents_name on agents (instance_id, name);

create table agent_tasks (
    id                       text primary key,
    instance_id              text not null,
    agent_id                 text not null references agents (id),
    user_id                  text not null references users (id) on delete cascade,
    task_description         text not null,
    redirect_url             text not null,
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
create unique index agent_tasks_digest on agent_tasks (instance_id, digest);
-- For what cascades.
create index agent_tasks_of_user on agent_tasks (user_id);
create index agent_tasks_of_agent on agent_tasks (agent_id);

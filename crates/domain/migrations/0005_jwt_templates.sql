create table jwt_templates (
    id                 text primary key,
    instance_id        text not null,
    position           bigint not null,
    name               text not null,
    claims             text not null,
    lifetime           bigint not null,
    allowed_clock_skew bigint not null,
    -- The algorithm and the key of its own, under the root key; null: those of the instance.
    signing_algorithm  text,
    signing_key        text,
    created_at         bigint not null,
    updated_at         bigint not null
);
create unique index jwt_templates_position on jwt_templates (instance_id, position);
create unique index jwt_templates_name on jwt_templates (instance_id, name);

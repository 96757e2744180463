create table accountless_applications (
    id           text primary key,
    instance_id  text not null references instances (id),
    created_at   bigint not null,
    claimed_at   bigint,
    completed_at bigint
);
create unique index accountless_applications_instance on accountless_applications (instance_id);
create index accountless_applications_created on accountless_applications (created_at);

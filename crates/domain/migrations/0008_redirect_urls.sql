create table redirect_urls (
    id          text primary key,
    instance_id text not null,
    position    bigint not null,
    -- As it was given.
    url         text not null,
    -- As it is written when all of its parts are in their normal form.
    normal      text not null,
    created_at  bigint not null,
    updated_at  bigint not null
);
create unique index redirect_urls_position on redirect_urls (instance_id, position);
create unique index redirect_urls_normal on redirect_urls (instance_id, normal);

-- The text index knows users by their position alone, whatever their instance.
create unique index users_position_alone on users (position);

-- What the planner shall think of, whatever the tables hold by now: a million users of one
-- instance. Knowing nothing, it would walk all of an instance for the sake of an order or a count,
-- although the ids it looks for are given.
analyze users;
analyze identifications;
delete from sqlite_stat1 where tbl in ('users', 'identifications');
insert into sqlite_stat1 (tbl, idx, stat) values
    ('users', 'sqlite_autoindex_users_1', '1000000 1'),
    ('users', 'users_position', '1000000 1000000 1'),
    ('users', 'users_username', '1000000 1000000 1'),
    ('users', 'users_external_id', '1000000 1000000 1'),
    ('users', 'users_by_username', '1000000 1000000 1 1'),
    ('users', 'users_by_first_name', '1000000 1000000 100 1'),
    ('users', 'users_by_last_name', '1000000 1000000 100 1'),
    ('users', 'users_by_email', '1000000 1000000 1 1'),
    ('users', 'users_by_phone', '1000000 1000000 1 1'),
    ('users', 'users_by_wallet', '1000000 1000000 100 1'),
    ('users', 'users_by_update', '1000000 1000000 1 1'),
    ('users', 'users_by_activity', '1000000 1000000 1 1'),
    ('users', 'users_by_sign_in', '1000000 1000000 1 1'),
    ('users', 'users_banned', '1000 1000 1'),
    ('identifications', 'sqlite_autoindex_identifications_1', '3000000 1'),
    ('identifications', 'identifications_user', '3000000 3000000 3 1 1'),
    ('identifications', 'identifications_value', '3000000 3000000 1000000 1'),
    ('identifications', 'identifications_claim', '3000000 3000000 1000000 1');
analyze sqlite_schema;

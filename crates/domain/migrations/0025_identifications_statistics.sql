-- As in 0002_users_statistics.
insert into sqlite_stat1 (tbl, idx, stat) values
    ('identifications', 'identifications_user', '3000000 3 1 1');
analyze sqlite_schema;

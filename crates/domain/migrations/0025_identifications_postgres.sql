-- With all that is asked for: a planner that knows nothing of the table yet would read another
-- index of the instance beside this one, and all of it.
create index identifications_user on identifications (user_id, instance_id);

-- Clients on which nobody was ever signed in, and browsers that have no client any more, are deleted
-- in the order of their ids, which is that of their age.
create index clients_idle on clients (id) where last_active_session_id is null;
create index dev_browsers_idle on dev_browsers (id) where client_id is null;

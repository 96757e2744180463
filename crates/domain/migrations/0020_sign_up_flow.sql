-- A client shows the sign-up that is under way on it.
alter table sign_ups add column is_open boolean not null default false;
-- The code that was last sent, under a key of the server.
alter table sign_ups add column email_address_mark text;
alter table sign_ups add column phone_number_mark text;
create unique index sign_ups_open on sign_ups (instance_id, client_id) where is_open;

-- Codes of sign-ups are proofs now, as those of sign-ins.
alter table sign_ups drop column email_address_mark;
alter table sign_ups drop column phone_number_mark;
-- Those that nobody finished are deleted in the order of their ids, which is that of their age.
create index sign_ups_unfinished on sign_ups (id) where created_user_id is null;

-- A user's own come first by the user alone: deleting a user looks for them without the instance,
-- and the index is smaller by a third.
drop index identifications_user;
create index identifications_user on identifications (user_id, created_at, id);
drop index verifications_identification;
create unique index verifications_identification on verifications (identification_id);

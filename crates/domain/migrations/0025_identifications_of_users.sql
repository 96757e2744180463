-- A user's own come first by the user alone, since deleting a user looks for them without the
-- instance. Each engine has the index that suits it.
drop index identifications_user;
drop index verifications_identification;
create unique index verifications_identification on verifications (identification_id);

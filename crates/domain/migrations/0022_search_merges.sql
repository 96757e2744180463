-- Indexes made before are merged as far as new ones, two segments at a time, when nobody waits.
insert into search_users (search_users, rank) values ('usermerge', 2);
insert into search_users_short (search_users_short, rank) values ('usermerge', 2);
insert into search_invitations (search_invitations, rank) values ('usermerge', 2);
insert into search_invitations_short (search_invitations_short, rank) values ('usermerge', 2);
insert into search_waitlist_entries (search_waitlist_entries, rank) values ('usermerge', 2);
insert into search_waitlist_entries_short (search_waitlist_entries_short, rank) values ('usermerge', 2);

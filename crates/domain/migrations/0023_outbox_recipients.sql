-- Whom a message is for, as a digest: an inbox is asked for somebody's all the time.
alter table outbox add column recipient text;
create index outbox_recipients on outbox (instance_id, recipient, happened_at)
    where recipient is not null;

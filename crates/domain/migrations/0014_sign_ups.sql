-- What people have said and proven of themselves so far. What is still missing is told by the
-- settings when a row is read, so it is not kept.
create table sign_ups (
    id                            text primary key,
    instance_id                   text not null,
    client_id                     text not null references clients (id) on delete cascade,
    username                      text,
    email_address                 text,
    phone_number                  text,
    web3_wallet                   text,
    -- How each is being or was verified, as the JSON of a verification.
    email_address_verification    text,
    phone_number_verification     text,
    web3_wallet_verification      text,
    external_account_verification text,
    -- The account elsewhere that the sign-up came with, as JSON.
    external_account              text,
    -- A digest, with the name of its algorithm.
    password                      text,
    first_name                    text,
    last_name                     text,
    locale                        text,
    unsafe_metadata               text not null,
    public_metadata               text not null,
    external_id                   text,
    custom_action                 boolean not null,
    legal_accepted_at             bigint,
    -- The invitation whose ticket it came with.
    invitation_id                 text,
    created_user_id               text references users (id) on delete cascade,
    created_session_id            text,
    abandon_at                    bigint not null,
    created_at                    bigint not null,
    updated_at                    bigint not null
);
-- For what cascades.
create index sign_ups_of_client on sign_ups (client_id);
create index sign_ups_of_user on sign_ups (created_user_id);

//! Passkeys and accounts elsewhere, which only people at a browser make.

use domain::{
    Error,
    users::{self, NewExternalAccount, NewPasskey, NewUser},
};
use wire::backend::users::{
    CreateUser, DeleteExternalAccount, GetUserList, User, UserPasskeyDelete,
};

use crate::stage::Stage;

async fn ada(outside: &domain::Outside) -> User {
    let request =
        CreateUser { email_address: vec!["ada@example.com".to_owned()], ..CreateUser::new() };
    let new = NewUser { id: outside.id(), request, credentials: users::Credentials::default() };
    outside.write(users::insert, new).await.expect("created")
}

fn code(error: &Error) -> &str {
    match error {
        Error::Refused(refusal) => refusal.code(),
        _ => "broken",
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_elsewhere_vouches_for_an_address_until_it_is_deleted() {
    let stage = Stage::new().await;
    let outside = stage.outside();
    let ada = ada(&outside).await;
    let new = NewExternalAccount {
        user_id: ada.id.clone(),
        provider: "google".to_owned(),
        provider_user_id: "1234".to_owned(),
        email_address: "ada@example.com".to_owned(),
    };
    let linked = outside.write(users::add_external_account, new.clone()).await.expect("added");
    let account = &linked.external_accounts[0];
    assert_eq!(account.provider, "oauth_google");
    assert_eq!(linked.email_addresses[0].linked_to[0].id, account.identification_id);
    let twice = outside.write(users::add_external_account, new).await.expect_err("taken");
    assert_eq!(code(&twice), "form_identifier_exists");

    for (id, found) in [("1234", 1), ("4321", 0)] {
        let list = GetUserList {
            provider: Some("google".to_owned()),
            provider_user_id: vec![id.to_owned()],
            ..GetUserList::new()
        };
        assert_eq!(users::list(&outside, list).await.expect("listed").len(), found, "{id}");
    }

    let delete = DeleteExternalAccount::new(ada.id.clone(), account.id.clone());
    outside.write(users::delete_external_account, delete.clone()).await.expect("deleted");
    let get = wire::backend::users::GetUser::new(ada.id);
    let left = outside.read(users::get, get).await.expect("read");
    assert!(left.external_accounts.is_empty());
    assert!(left.email_addresses[0].linked_to.is_empty(), "nothing vouches any more");
    let gone = outside.write(users::delete_external_account, delete).await.expect_err("gone");
    assert_eq!(code(&gone), "external_account_not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_passkey_is_shown_and_deleted() {
    let stage = Stage::new().await;
    let outside = stage.outside();
    let ada = ada(&outside).await;
    let new = NewPasskey {
        user_id: ada.id.clone(),
        credential_id: "Y3JlZGVudGlhbA".to_owned(),
        name: "Phone".to_owned(),
    };
    let user = outside.write(users::add_passkey, new).await.expect("added");
    assert_eq!(user.passkeys[0].name, "Phone");
    let verification = user.passkeys[0].verification.as_ref().expect("verified");
    assert_eq!(verification.strategy, "passkey");

    let delete = UserPasskeyDelete::new(ada.id, user.passkeys[0].id.clone());
    let deleted = outside.write(users::delete_passkey, delete.clone()).await.expect("deleted");
    assert_eq!(deleted.id, user.passkeys[0].id);
    let gone = outside.write(users::delete_passkey, delete).await.expect_err("gone");
    assert_eq!(code(&gone), "passkey_not_registered");
}

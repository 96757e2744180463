//! E-mail addresses and phone numbers of users.

use testkit::{TestServer, somebody};
use wire::{
    Patch,
    backend::{
        email_addresses::{
            CreateEmailAddress, DeleteEmailAddress, GetEmailAddress, UpdateEmailAddress,
        },
        phone_numbers::CreatePhoneNumber,
        users::{CreateUser, GetUser, User},
    },
};

async fn user(server: &TestServer, email: &str) -> User {
    let user = CreateUser { email_address: vec![email.into()], ..CreateUser::new() };
    server.backend.send(&user).await.expect("created")
}

#[tokio::test]
async fn another_address_can_become_the_primary_one() {
    let server = TestServer::start().await;
    let ada = user(&server, "ada@example.com").await;
    let other = CreateEmailAddress {
        verified: Patch::Set(true),
        ..CreateEmailAddress::new(ada.id.clone(), "Countess@Example.com".into())
    };
    let other = server.backend.send(&other).await.expect("added");
    assert_eq!(other.email_address, "countess@example.com");

    let primary = UpdateEmailAddress {
        primary: Patch::Set(true),
        ..UpdateEmailAddress::new(other.id.clone())
    };
    server.backend.send(&primary).await.expect("made primary");

    let ada = server.backend.send(&GetUser::new(ada.id)).await.expect("there");
    assert_eq!(ada.primary_email_address_id, Some(other.id));
    assert_eq!(ada.email_addresses.len(), 2);
}

#[tokio::test]
async fn a_verified_address_is_one_users() {
    let server = TestServer::start().await;
    user(&server, "ada@example.com").await;
    let bob = user(&server, "bob@example.com").await;
    let taken = CreateEmailAddress {
        verified: Patch::Set(true),
        ..CreateEmailAddress::new(bob.id, "ada@example.com".into())
    };

    let refused = server.backend.send(&taken).await.expect_err("taken");

    assert_eq!(refused.code(), Some("form_identifier_exists"));
    assert_eq!(refused.param_name(), Some("email_address"));
}

#[tokio::test]
async fn a_deleted_address_is_free_again() {
    let server = TestServer::start().await;
    let ada = user(&server, "ada@example.com").await;
    let other = CreateEmailAddress {
        verified: Patch::Set(true),
        ..CreateEmailAddress::new(ada.id, "countess@example.com".into())
    };
    let other = server.backend.send(&other).await.expect("added");

    server.backend.send(&DeleteEmailAddress::new(other.id.clone())).await.expect("deleted");

    let refused = server.backend.send(&GetEmailAddress::new(other.id)).await.expect_err("gone");
    assert_eq!(refused.status(), Some(404));
    user(&server, "countess@example.com").await;
}

#[tokio::test]
async fn inp_09_and_inp_10_what_cannot_be_reached_is_refused() {
    let server = TestServer::start().await;
    let ada = server.backend.send(&somebody()).await.expect("created");
    let long = format!("{}@example.com", "a".repeat(300));
    for email in ["", "ada", "@example.com", "ada@", "a b@example.com", "ada@exa mple.com", &long] {
        let request = CreateEmailAddress::new(ada.id.clone(), email.into());
        let refused = server.backend.send(&request).await.expect_err(email);
        assert_eq!((refused.status(), refused.param_name()), (Some(422), Some("email_address")));
    }
    for phone in ["", "12015550123", "+", "+1", "+1201555012x", "+٣٤٥٦٧٨٩٠١٢"] {
        let request = CreatePhoneNumber::new(ada.id.clone(), phone.into());
        let refused = server.backend.send(&request).await.expect_err(phone);
        assert_eq!((refused.status(), refused.param_name()), (Some(422), Some("phone_number")));
    }
}

//! Tickets: made, taken once, revoked, expired.

use domain::{Cx, Error, Outside, Result, sign_in_tokens::redeem};
use serde_json::{Value, json};
use wire::{Refusal, backend::users::UserId, refusal};

use crate::stage::Stage;

async fn ticket(stage: &Stage, user: &UserId, seconds: u32) -> (String, String) {
    let body = json!({ "user_id": user, "expires_in_seconds": seconds });
    let token = stage.call("CreateSignInToken", &[], body).await.expect("created");
    let text = |name: &str| token[name].as_str().expect("a text").to_owned();
    (text("id"), text("token"))
}

async fn redeemed(outside: &Outside, ticket: &str) -> std::result::Result<UserId, Refusal> {
    outside.write(redeem, ticket.to_owned()).await.map_err(Error::into_refusal)
}

async fn code(outside: &Outside, ticket: &str) -> String {
    redeemed(outside, ticket).await.expect_err("refused").code().to_owned()
}

#[tokio::test]
async fn a_ticket_lets_its_user_in_once() {
    let stage = Stage::new().await;
    let user = stage.user("Ada").await;
    let (_, ticket) = ticket(&stage, &user, 60).await;
    let outside = stage.outside();
    assert_eq!(redeemed(&outside, &ticket).await, Ok(user));
    assert_eq!(code(&outside, &ticket).await, "sign_in_token_already_used_code");
    assert_eq!(code(&outside, "abc").await, "ticket_invalid_code");
    assert_eq!(code(&outside, &format!("{ticket}A")).await, "ticket_invalid_code");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_with_the_same_ticket_one_is_let_in() {
    let stage = Stage::new().await;
    let user = stage.user("Ada").await;
    let (_, ticket) = ticket(&stage, &user, 60).await;
    let tries: Vec<_> = (0..20)
        .map(|_| {
            let (outside, ticket) = (stage.outside(), ticket.clone());
            tokio::spawn(async move { redeemed(&outside, &ticket).await })
        })
        .collect();
    let mut let_in = 0;
    for one in tries {
        match one.await.expect("ran") {
            Ok(_) => let_in += 1,
            Err(refusal) => assert_eq!(refusal.code(), "sign_in_token_already_used_code"),
        }
    }
    assert_eq!(let_in, 1);
}

#[tokio::test]
async fn a_ticket_stays_good_when_what_it_was_for_is_undone() {
    async fn fail_after(cx: &mut Cx, ticket: String) -> Result<()> {
        redeem(cx, ticket).await?;
        Err(refusal::user_locked().into())
    }
    let stage = Stage::new().await;
    let user = stage.user("Ada").await;
    let (_, ticket) = ticket(&stage, &user, 60).await;
    let outside = stage.outside();
    let refused = outside.write(fail_after, ticket.clone()).await.map_err(Error::into_refusal);
    assert_eq!(refused.expect_err("refused").code(), "user_locked");
    assert_eq!(redeemed(&outside, &ticket).await, Ok(user));
}

#[tokio::test]
async fn a_ticket_of_another_instance_is_unknown() {
    let stage = Stage::new().await;
    let user = stage.user("Ada").await;
    let (id, ticket) = ticket(&stage, &user, 60).await;
    let neighbour = stage.outside_of(&stage.neighbour);
    assert_eq!(code(&neighbour, &ticket).await, "ticket_invalid_code");
    let revoked = stage.call_of(&stage.neighbour, "RevokeSignInToken", &[&id], Value::Null).await;
    assert_eq!(revoked.expect_err("refused").status, 404);
    let body = json!({ "user_id": user });
    let made = stage.call_of(&stage.neighbour, "CreateSignInToken", &[], body).await;
    assert_eq!(made.expect_err("refused").status, 404);
    assert_eq!(redeemed(&stage.outside(), &ticket).await, Ok(user));
}

#[tokio::test]
async fn a_ticket_expires_and_cannot_be_revoked_then() {
    let stage = Stage::new().await;
    let user = stage.user("Ada").await;
    let (id, ticket) = ticket(&stage, &user, 60).await;
    stage.advance(60_000);
    assert_eq!(code(&stage.outside(), &ticket).await, "ticket_expired_code");
    let refused = stage.refusal("RevokeSignInToken", &[&id], Value::Null).await;
    assert_eq!((refused.status, refused.code()), (400, "sign_in_token_cannot_be_revoked_code"));
}

#[tokio::test]
async fn a_revoked_ticket_is_shown_once_more_and_opens_nothing() {
    let stage = Stage::new().await;
    let user = stage.user("Ada").await;
    let (id, ticket) = ticket(&stage, &user, 60).await;
    let stored = stage.peek("select digest from sign_in_tokens").await.expect("stored");
    assert!(!ticket.contains(&stored));
    stage.advance(5_000);
    let revoked = stage.call("RevokeSignInToken", &[&id], Value::Null).await.expect("revoked");
    assert_eq!(revoked["token"], json!(ticket));
    assert_eq!(revoked["status"], json!("revoked"));
    assert_eq!(code(&stage.outside(), &ticket).await, "sign_in_token_revoked_code");
}

#[tokio::test]
async fn tickets_go_with_their_user() {
    let stage = Stage::new().await;
    let user = stage.user("Ada").await;
    let (_, ticket) = ticket(&stage, &user, 60).await;
    stage.call("DeleteUser", &[user.as_str()], Value::Null).await.expect("deleted");
    assert_eq!(code(&stage.outside(), &ticket).await, "ticket_invalid_code");
}

#[tokio::test]
async fn what_does_not_exist_or_is_out_of_bounds_is_refused() {
    let stage = Stage::new().await;
    let user = stage.user("Ada").await;
    let cases = [
        (json!({ "user_id": "user_none" }), 404, None),
        (json!({ "user_id": user, "org_id": "org_none" }), 404, None),
        (json!({ "user_id": user, "expires_in_seconds": 0 }), 422, Some("expires_in_seconds")),
        (
            json!({ "user_id": user, "expires_in_seconds": 315_360_001 }),
            422,
            Some("expires_in_seconds"),
        ),
    ];
    for (body, status, param) in cases {
        let refused = stage.refusal("CreateSignInToken", &[], body.clone()).await;
        assert_eq!((refused.status, refused.param_name()), (status, param), "{body}");
    }
    let body = json!({ "user_id": user, "expires_in_seconds": null, "org_id": null });
    stage.call("CreateSignInToken", &[], body).await.expect("created");
}

//! Invitations accepted, and what that means for the waitlist.

use domain::{
    Cx, Error, Outside, Result, TicketKind,
    invitations::{Accepted, redeem},
    sign_in_tokens,
};
use serde_json::{Value, json};
use wire::{Refusal, backend::users::UserId, refusal};

use crate::stage::Stage;

const DAY_MS: i64 = 24 * 3600 * 1000;

async fn invited(stage: &Stage, body: Value) -> (String, String) {
    let invitation = stage.call("CreateInvitation", &[], body).await.expect("created");
    (text(&invitation["id"]), ticket(&invitation))
}

fn ticket(invitation: &Value) -> String {
    let url = text(&invitation["url"]);
    url.split_once("?ticket=").expect("a ticket").1.to_owned()
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

async fn accepted(outside: &Outside, ticket: &str) -> std::result::Result<Accepted, Refusal> {
    outside.write(redeem, ticket.to_owned()).await.map_err(Error::into_refusal)
}

async fn code(outside: &Outside, ticket: &str) -> String {
    accepted(outside, ticket).await.expect_err("refused").code().to_owned()
}

async fn status(stage: &Stage, id: &str) -> String {
    let list = stage.call("ListInvitations", &[], Value::Null).await.expect("listed");
    let found = list.as_array().and_then(|list| list.iter().find(|one| one["id"] == id));
    text(&found.expect("it is listed")["status"])
}

#[tokio::test]
async fn whoever_accepts_gets_the_address_and_the_metadata() {
    let stage = Stage::new().await;
    let body = json!({ "email_address": "Ada@Example.com", "public_metadata": { "plan": "pro" } });
    let (id, ticket) = invited(&stage, body).await;
    assert_eq!(TicketKind::of(&ticket), Some(TicketKind::Invitation));

    let accepted = accepted(&stage.outside(), &ticket).await.expect("accepted");

    assert_eq!(
        (accepted.invitation_id.as_str(), &*accepted.email_address),
        (&*id, "ada@example.com")
    );
    assert_eq!(Value::Object(accepted.public_metadata), json!({ "plan": "pro" }));
    assert_eq!(accepted.verification.strategy, "ticket");
    assert_eq!(status(&stage, &id).await, "accepted");
    assert_eq!(code(&stage.outside(), &ticket).await, "invitation_already_accepted");
    let refused = stage.refusal("RevokeInvitation", &[&id], Value::Null).await;
    assert_eq!((refused.status, refused.code()), (400, "invitation_already_accepted"));
}

#[tokio::test]
async fn a_ticket_that_is_not_good_is_refused_and_changes_nothing() {
    let stage = Stage::new().await;
    let (id, ticket) = invited(&stage, json!({ "email_address": "ada@example.com" })).await;
    let outside = stage.outside();
    for wrong in ["", "abc", &format!("{ticket}A"), &ticket[..ticket.len() - 1]] {
        assert_eq!(code(&outside, wrong).await, "ticket_invalid_code", "{wrong}");
    }
    let neighbour = stage.outside_of(&stage.neighbour);
    assert_eq!(code(&neighbour, &ticket).await, "ticket_invalid_code");
    assert_eq!(status(&stage, &id).await, "pending");
    stage.call("RevokeInvitation", &[&id], Value::Null).await.expect("revoked");
    assert_eq!(code(&outside, &ticket).await, "revoked_invitation");
    let body = json!({ "email_address": "ada@example.com", "expires_in_days": 1 });
    let (id, ticket) = invited(&stage, body).await;
    stage.advance(DAY_MS);
    assert_eq!(code(&stage.outside(), &ticket).await, "ticket_expired_code");
    assert_eq!(status(&stage, &id).await, "expired");
}

#[tokio::test]
async fn ses_21_a_ticket_is_for_one_thing_alone() {
    let stage = Stage::new().await;
    let user = stage.user("Ada").await;
    let (_, invitation) = invited(&stage, json!({ "email_address": "bob@example.com" })).await;
    let token = stage.call("CreateSignInToken", &[], json!({ "user_id": user })).await;
    let token = text(&token.expect("created")["token"]);
    let outside = stage.outside();
    assert_eq!(code(&outside, &token).await, "ticket_invalid_code");
    let signed_in: std::result::Result<UserId, _> =
        outside.write(sign_in_tokens::redeem, invitation.clone()).await;
    let refused = signed_in.map_err(Error::into_refusal).expect_err("refused");
    assert_eq!(refused.code(), "ticket_invalid_code");
    accepted(&outside, &invitation).await.expect("it is good still");
}

#[tokio::test]
async fn an_invitation_stays_good_when_what_it_was_for_is_undone() {
    async fn fail_after(cx: &mut Cx, ticket: String) -> Result<()> {
        redeem(cx, ticket).await?;
        Err(refusal::user_locked().into())
    }
    let stage = Stage::new().await;
    let (_, ticket) = invited(&stage, json!({ "email_address": "ada@example.com" })).await;
    let outside = stage.outside();
    outside.write(fail_after, ticket.clone()).await.expect_err("refused");
    accepted(&outside, &ticket).await.expect("accepted");
}

#[tokio::test(flavor = "multi_thread")]
async fn rac_07_of_many_who_accept_one_is_let_in() {
    let stage = Stage::new().await;
    let (_, ticket) = invited(&stage, json!({ "email_address": "ada@example.com" })).await;
    let tries: Vec<_> = (0..64)
        .map(|_| {
            let (outside, ticket) = (stage.outside(), ticket.clone());
            tokio::spawn(async move { accepted(&outside, &ticket).await })
        })
        .collect();
    let mut won = 0;
    for one in tries {
        match one.await.expect("ran") {
            Ok(_) => won += 1,
            Err(refusal) => {
                assert!(matches!(
                    refusal.code(),
                    "invitation_already_accepted" | "service_unavailable"
                ));
            }
        }
    }
    assert_eq!(won, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_is_accepted_or_revoked_and_not_both() {
    let stage = Stage::new().await;
    for round in 0..16 {
        let body = json!({ "email_address": format!("person{round}@example.com") });
        let (id, ticket) = invited(&stage, body).await;
        let outside = stage.outside();
        let accepting = tokio::spawn(async move { accepted(&outside, &ticket).await.is_ok() });
        let revoked = stage.call("RevokeInvitation", &[&id], Value::Null).await.is_ok();
        let accepted = accepting.await.expect("ran");
        assert!(accepted != revoked, "round {round}: {accepted} {revoked}");
    }
}

#[tokio::test]
async fn whoever_accepts_leaves_the_waitlist() {
    let stage = Stage::new().await;
    let body = json!({ "email_address": "ada@example.com" });
    let entry = stage.call("CreateWaitlistEntry", &[], body).await.expect("created");
    let id = text(&entry["id"]);
    let entry = stage.call("InviteWaitlistEntry", &[&id], json!({})).await.expect("invited");
    assert_eq!(entry["status"], "invited");
    accepted(&stage.outside(), &ticket(&entry["invitation"])).await.expect("accepted");
    let list = stage.call("ListWaitlistEntries", &[], Value::Null).await.expect("listed");
    assert_eq!(list["data"][0]["status"], "completed");
    assert_eq!(list["data"][0]["invitation"]["status"], "accepted");
    for operation in ["InviteWaitlistEntry", "RejectWaitlistEntry", "DeleteWaitlistEntry"] {
        let refused = stage.refusal(operation, &[&id], Value::Null).await;
        let expected = (409, "waitlist_entry_already_completed");
        assert_eq!((refused.status, refused.code()), expected, "{operation}");
    }
}

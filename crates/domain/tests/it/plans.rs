//! How the embedded database goes about the lists of users: never through all of an instance when
//! what is wanted is named.

use db::{EngineKind, Mode, Unit, Value};

use crate::stage::Stage;

#[tokio::test(flavor = "multi_thread")]
async fn named_users_are_looked_up() {
    let stage = Stage::new().await;
    let outside = stage.outside();
    if outside.world.db.engine() != EngineKind::Sqlite {
        return;
    }
    let newest = "order by position desc limit 10 offset 0";
    let known_by = "id in (select user_id from identifications where instance_id = $1 \
                    and kind = $2 and value in ($3, $4))";
    let cases = [
        (format!("select * from users where instance_id = $1 and id in ($2) {newest}"), "id=?"),
        (format!("select count(*) from users where instance_id = $1 and {known_by}"), "(id=?"),
        (format!("select * from users where instance_id = $1 and {known_by} {newest}"), "(id=?"),
        (
            format!("select * from users where instance_id = $1 and username in ($2) {newest}"),
            "users_username",
        ),
        (format!("select * from users where instance_id = $1 {newest}"), "users_position"),
        (format!("select * from users where instance_id = $1 and banned {newest}"), "users_banned"),
        (
            "select * from identifications where instance_id = $1 and user_id in ($2, $3)".into(),
            "identifications_user (user_id=?)",
        ),
        (
            format!(
                "select * from sessions where instance_id = $1 and user_id = $2 and status = $3 \
                 and expire_at > $4 and abandon_at > $5 {newest}"
            ),
            "sessions_user",
        ),
    ];
    for (sql, index) in cases {
        let explained = plan(&outside, &sql).await;
        assert!(explained[0].contains(index), "{sql}: {explained:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn invitations_and_entries_come_by_an_index_of_their_order() {
    let stage = Stage::new().await;
    let outside = stage.outside();
    if outside.world.db.engine() != EngineKind::Sqlite {
        return;
    }
    let invitations = "select * from invitations where instance_id = $1";
    let entries = "select * from waitlist_entries where instance_id = $1";
    let part = "limit 10 offset 0";
    let open = "accepted_at is null and revoked_at is null and";
    let newest = "order by position desc";
    let cases = [
        (format!("{invitations} and revoked_at is null {newest} {part}"), "invitations_listed"),
        (format!("{invitations} and revoked_at is not null {newest} {part}"), "tions_revoked"),
        (format!("{invitations} and accepted_at is not null {newest} {part}"), "tions_accepted"),
        (format!("{invitations} and {open} +expires_at > $2 {newest} {part}"), "invitations_open "),
        (
            format!(
                "{invitations} and revoked_at is null \
                 order by email_address desc, position desc {part}"
            ),
            "invitations_by_email",
        ),
        (
            format!(
                "{invitations} and revoked_at is null \
                 order by expires_at asc, position asc {part}"
            ),
            "invitations_by_expiry",
        ),
        (
            format!(
                "select count(*) from invitations where instance_id = $1 and {open} expires_at <= $2"
            ),
            "invitations_open_until",
        ),
        (
            format!("{invitations} and email_address = $2 and {open} expires_at > $3 {newest}"),
            "invitations_by_email",
        ),
        (format!("{entries} {newest} {part}"), "waitlist_entries_position"),
        (
            format!("{entries} and status = $2 order by coalesce(invited_at, 0), position {part}"),
            "waitlist_entries_by_invitation_time",
        ),
        (format!("{entries} and status = $2 {newest} {part}"), "waitlist_entries_status"),
        (format!("{entries} order by email_address asc {part}"), "waitlist_entries_email"),
        (
            format!("{entries} order by coalesce(invited_at, 0) desc, position desc {part}"),
            "waitlist_entries_by_invitation_time",
        ),
    ];
    for (sql, index) in cases {
        let explained = plan(&outside, &sql).await;
        assert!(format!("{} ", explained[0]).contains(index), "{sql}: {explained:?}");
        assert!(explained.len() == 1, "{sql}: {explained:?}");
    }
}

/// A planner that knows nothing of one index prefers it for being short.
#[tokio::test(flavor = "multi_thread")]
async fn every_index_of_what_grows_has_its_statistics() {
    let stage = Stage::new().await;
    let outside = stage.outside();
    if outside.world.db.engine() != EngineKind::Sqlite {
        return;
    }
    let few = "('applications', 'domains', 'instance_secrets', 'instances', 'jwt_templates', \
               'migrations', 'redirect_urls', 'search_indexes', 'secret_keys', 'server_facts', \
               'signing_keys')";
    let indexes = format!(
        "from sqlite_schema as it, pragma_index_list(it.name) as one where it.type = 'table' \
         and it.name not like 'search\\_%' escape '\\' and it.name not in {few}"
    );
    // A number for the rows, and one for each column.
    let columns = "(select count(*) from pragma_index_info(one.name))";
    let told = format!(
        "select 1 from sqlite_stat1 as told where told.tbl = it.name and told.idx = one.name \
         and length(stat) - length(replace(stat, ' ', '')) = {columns}"
    );
    let untold = format!("select one.name {indexes} and not exists ({told})");
    assert_eq!(texts(&outside, &untold, 0).await, Vec::<String>::new());
    let all = texts(&outside, &format!("select one.name {indexes}"), 0).await;
    assert!(all.len() > 80, "{all:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_with_a_row_is_found_by_it_alone() {
    let stage = Stage::new().await;
    let outside = stage.outside();
    if outside.world.db.engine() != EngineKind::Sqlite {
        return;
    }
    let keys = "from sqlite_schema as it, pragma_foreign_key_list(it.name) as key
                where it.type = 'table' and key.on_delete <> 'NO ACTION'";
    let indexed = "exists (select 1 from pragma_index_list(it.name) as one,
                   pragma_index_info(one.name) as part
                   where not one.partial and part.seqno = 0 and part.name = key.\"from\")";
    let name = "it.name || '.' || key.\"from\"";
    let bare = texts(&outside, &format!("select {name} {keys} and not {indexed}"), 0).await;
    assert_eq!(bare, Vec::<String>::new());
    let all = texts(&outside, &format!("select {name} {keys}"), 0).await;
    assert!(all.len() > 10, "{all:?}");
}

async fn plan(outside: &domain::Outside, sql: &str) -> Vec<String> {
    texts(outside, &format!("explain query plan {sql}"), 3).await
}

/// The texts behind some numbers in the rows that a statement answers.
async fn texts(outside: &domain::Outside, sql: &str, numbers: usize) -> Vec<String> {
    let values = vec![Value::Text("x".to_owned()); sql.matches('$').count()];
    let sql = sql.to_owned();
    let unit = Unit { name: "plan", mode: Mode::Read, scope: db::Scope::Server };
    let texts = outside.world.db.run(unit, move |mut tx| {
        let (sql, values) = (sql.clone(), values.clone());
        Box::pin(async move {
            let rows = tx.rows(&sql, values).await?;
            rows.into_iter()
                .map(|mut row| {
                    for _ in 0..numbers {
                        row.take::<i64>()?;
                    }
                    row.take()
                })
                .collect::<db::Result<Vec<String>>>()
        })
    });
    texts.await.expect("answered")
}

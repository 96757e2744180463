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
    ];
    for (sql, index) in cases {
        let explained = plan(&outside, &sql).await;
        assert!(explained[0].contains(index), "{sql}: {explained:?}");
    }
}

async fn plan(outside: &domain::Outside, sql: &str) -> Vec<String> {
    let values = vec![Value::Text("x".to_owned()); sql.matches('$').count()];
    let sql = format!("explain query plan {sql}");
    let unit = Unit { name: "plan", mode: Mode::Read, scope: db::Scope::Server };
    let plan = outside.world.db.run(unit, move |mut tx| {
        let (sql, values) = (sql.clone(), values.clone());
        Box::pin(async move {
            let rows = tx.rows(&sql, values).await?;
            rows.into_iter()
                .map(|mut row| {
                    let _: (i64, i64, i64) = (row.take()?, row.take()?, row.take()?);
                    row.take()
                })
                .collect::<db::Result<Vec<String>>>()
        })
    });
    plan.await.expect("explained")
}

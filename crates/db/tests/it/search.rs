//! Substring search.

use db::{BoxFuture, Db, Migration, Mode, Record, Result, Scope, Tx, Unit, Value};
use macros::Record;

use crate::fixture::Store;

const MIGRATIONS: &[Migration] = &[Migration::new(
    "0001_users",
    "create table users (
         id text primary key, instance_id text not null, position bigint not null,
         search text not null, banned boolean not null
     );
     create unique index users_position on users (instance_id, position);
     create search index users;",
)];

#[derive(Record)]
#[record(table = "users")]
struct User {
    id: String,
    instance_id: String,
    position: i64,
    search: String,
    banned: bool,
}

fn unit(mode: Mode, instance: &str) -> Unit {
    Unit { name: "users", mode, scope: Scope::Instance(instance.to_owned()) }
}

async fn put(db: &Db, instance: &'static str, users: Vec<(i64, String)>) {
    let work = move |mut tx: Tx| -> BoxFuture<Result<()>> {
        let users = users.clone();
        Box::pin(async move {
            for (position, search) in users {
                tx.search_put("users", position, &search).await?;
                let user = User {
                    id: format!("user_{position}"),
                    instance_id: instance.to_owned(),
                    position,
                    banned: position % 2 == 1,
                    search,
                };
                user.insert(&mut tx).await?;
            }
            Ok(())
        })
    };
    db.run(unit(Mode::Write, instance), work).await.expect("put");
}

async fn find(db: &Db, instance: &'static str, needle: &str) -> Vec<i64> {
    let needle = needle.to_owned();
    let work = move |mut tx: Tx| -> BoxFuture<Result<Vec<i64>>> {
        let needle = needle.clone();
        Box::pin(async move {
            let users = User::select(&tx).matching("users", "position", &needle);
            let users = users.order("position desc").limit(500).all(&mut tx).await?;
            let count = User::select(&tx).matching("users", "position", &needle);
            assert_eq!(count.count(&mut tx).await?, users.len() as u64);
            Ok(users.into_iter().map(|user| user.position).collect())
        })
    };
    db.run(unit(Mode::Scan, instance), work).await.expect("found")
}

#[tokio::test]
async fn a_needle_finds_exactly_the_texts_that_contain_it() {
    let db = Store::open(MIGRATIONS).await;
    let texts = [
        "ada lovelace\nada@example.com",
        "bob 100%\nbob_1@example.com",
        "a_b",
        "c\\d\\",
        "\"quoted\" 'too'",
        "ærøskøbing ß",
        "日本語の名前",
        "\u{e041}\u{e0ff}x a",
        "a-b a.b a b",
        "UPPER lower",
        "x",
        "",
        "éé",
        "🦀🦀🦀 crab",
        "or and not near(",
        "x\u{301}y",
    ];
    let users: Vec<_> = (1..).zip(texts).map(|(key, text)| (key, text.to_owned())).collect();
    put(&db, "ins_one", users).await;
    put(&db, "ins_two", vec![(100, "ada of another instance".to_owned())]).await;

    let mut needles: Vec<String> =
        ["zzz", "q", "qz", "a%", "___", "A", "upper", "lovelacf", "\u{e0ff}", "A041"]
            .map(str::to_owned)
            .into();
    for text in texts {
        let letters: Vec<_> = text.chars().collect();
        for width in 1..=letters.len().min(5) {
            needles
                .extend(letters.windows(width).map(|letters| letters.iter().collect::<String>()));
        }
        needles.push(text.to_owned());
    }
    for needle in needles {
        let hits = (1..).zip(texts).filter(|(_, text)| text.contains(&needle));
        let mut expected: Vec<i64> = hits.map(|(key, _)| key).collect();
        expected.reverse();
        assert_eq!(find(&db, "ins_one", &needle).await, expected, "{needle:?}");
    }
    assert_eq!(find(&db, "ins_two", "ada").await, [100]);
}

#[tokio::test]
async fn an_index_follows_its_rows() {
    let db = Store::open(MIGRATIONS).await;
    for key in 1..=60 {
        put(&db, "ins_one", vec![(key, format!("user {key} common"))]).await;
        db.tidy().await.expect("tidied");
    }
    assert_eq!(find(&db, "ins_one", "common").await.len(), 60);
    let change = |text: Option<&'static str>, key: i64| {
        db.run(unit(Mode::Write, "ins_one"), move |mut tx: Tx| -> BoxFuture<Result<()>> {
            Box::pin(async move {
                match text {
                    Some(text) => tx.search_put("users", key, text).await,
                    None => tx.search_remove("users", key).await,
                }
            })
        })
    };
    change(Some("changed"), 7).await.expect("changed");
    change(None, 8).await.expect("removed");
    assert_eq!(find(&db, "ins_one", "common").await.len(), 58);
    assert_eq!(find(&db, "ins_one", "change").await, [7]);
    assert_eq!(find(&db, "ins_one", "ch").await, [7]);
    assert_eq!(find(&db, "ins_one", "co").await.len(), 58);

    while db.tidy().await.expect("tidied") {}
    for _ in 0..8 {
        change(Some("changed"), 7).await.expect("said again");
    }
    assert!(!db.tidy().await.expect("tidied"), "what stays as it is makes no work");
    change(Some("altered"), 7).await.expect("changed");
    assert!(find(&db, "ins_one", "change").await.is_empty());
    assert_eq!(find(&db, "ins_one", "altered").await, [7]);

    let undone = db.run(unit(Mode::Write, "ins_one"), |mut tx: Tx| -> BoxFuture<Result<()>> {
        Box::pin(async move {
            tx.search_put("users", 9, "never").await?;
            tx.execute("select nothing", vec![Value::Null]).await
        })
    });
    undone.await.expect_err("undone");
    assert!(find(&db, "ins_one", "never").await.is_empty());
    assert_eq!(find(&db, "ins_one", "user 9").await, [9]);

    let banned =
        db.run(unit(Mode::Scan, "ins_one"), |mut tx: Tx| -> BoxFuture<Result<Vec<User>>> {
            Box::pin(async move {
                let users = User::select(&tx).filter("banned = true", []);
                users
                    .matching("users", "position", "comm")
                    .order("position desc")
                    .limit(2)
                    .all(&mut tx)
                    .await
            })
        });
    let banned: Vec<_> =
        banned.await.expect("found").into_iter().map(|user| user.position).collect();
    assert_eq!(banned, [59, 57]);
}

#[tokio::test]
async fn two_needles_are_both_in_the_text() {
    let db = Store::open(MIGRATIONS).await;
    let texts = ["ada lovelace", "ada byron", "bob lovelace", "lady ada of lovelace"];
    put(&db, "ins_one", (1..).zip(texts.map(str::to_owned)).collect()).await;
    for (first, second, expected) in [
        ("ada", "lovelace", vec![4, 1]),
        ("ad", "lovelace", vec![4, 1]),
        ("lovelace", "bo", vec![3]),
        ("lovelace", "zz", vec![]),
        ("lad", "of lo", vec![4]),
    ] {
        let both = db.run(unit(Mode::Scan, "ins_one"), move |mut tx: Tx| -> BoxFuture<Result<_>> {
            Box::pin(async move {
                let users = User::select(&tx).matching("users", "position", first);
                let users = users.matching("users", "position", second);
                users.order("position desc").limit(9).all(&mut tx).await
            })
        });
        let found: Vec<_> = both.await.expect("found").iter().map(|user| user.position).collect();
        assert_eq!(found, expected, "{first} {second}");
    }
}

//! Scopes, batches, counters and what text may hold.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use db::{BoxFuture, Error, Migration, Mode, Record, Result, Scope, Statement, Tx, Unit, Value};
use macros::Record;

use crate::{
    fixture::{Store, on_postgres},
    units::{MIGRATIONS, Thing, names, put, unit},
};

const MORE: &[Migration] = &[
    MIGRATIONS[0],
    Migration::new(
        "0002_places",
        "create table places (id text primary key, instance_id text not null, position bigint not null);
         create unique index places_position on places (position);
         create table instances (id text primary key);",
    ),
];

#[derive(Record)]
#[record(table = "places")]
struct Place {
    id: String,
    instance_id: String,
    position: i64,
}

#[derive(Record)]
#[record(table = "instances")]
struct Instance {
    id: String,
}

fn place(id: &str, position: i64) -> Place {
    Place { id: id.to_owned(), instance_id: "ins_one".to_owned(), position }
}

#[tokio::test]
async fn a_unit_writes_no_row_of_another_instance() {
    let db = Store::open(MORE).await;
    put(&db, "ada", 1).await.expect("put");
    for way in 0..3 {
        let strange =
            db.run(unit("strange", Mode::Write), move |mut tx| -> BoxFuture<Result<()>> {
                Box::pin(async move {
                    let row = Thing { instance_id: "ins_two".to_owned(), ..Thing::new("ada", 2) };
                    let refused = match way {
                        0 => row.insert(&mut tx).await,
                        1 => row.update(&mut tx).await,
                        _ => Thing::insert_all(&[Thing::new("eve", 3), row], &mut tx).await,
                    };
                    assert!(matches!(refused, Err(Error::Unit(_))), "{refused:?}");
                    Ok(())
                })
            });
        let error = strange.await.expect_err("kept");
        assert_eq!(error.to_string(), "a unit would keep what failed");
    }
    assert_eq!(names(&db).await, ["ada"]);
}

#[tokio::test]
async fn a_table_without_instances_is_for_the_server_alone() {
    let db = Store::open(MORE).await;
    for write in [true, false] {
        let refused = db.run(unit("stray", Mode::Write), move |mut tx| -> BoxFuture<Result<()>> {
            Box::pin(async move {
                let row = Instance { id: "ins_one".to_owned() };
                if write {
                    row.insert(&mut tx).await
                } else {
                    Instance::select(&tx).all(&mut tx).await.map(drop)
                }
            })
        });
        let error = refused.await.expect_err("refused");
        assert_eq!(error.to_string(), "instances belongs to no instance");
    }
    let server = Unit { name: "serve", mode: Mode::Write, scope: Scope::Server };
    let all = db.run(server, |mut tx| -> BoxFuture<Result<(usize, bool)>> {
        Box::pin(async move {
            Instance { id: "ins_one".to_owned() }.insert(&mut tx).await?;
            Thing::insert_all(&[Thing::new("ada", 1), Thing::new("eve", 2)], &mut tx).await?;
            let things = Thing::select(&tx).all(&mut tx).await?.len();
            Ok((things, Instance::select(&tx).exists(&mut tx).await?))
        })
    });
    assert_eq!(all.await.expect("seen"), (2, true));
}

#[tokio::test]
async fn a_position_that_is_taken_is_drawn_again() {
    let db = Store::open(MORE).await;
    let next = Arc::new(AtomicI64::new(0));
    for id in ["a", "b"] {
        next.store(0, Ordering::Relaxed);
        let drawn = Arc::clone(&next);
        let work = move |mut tx: Tx| -> BoxFuture<Result<()>> {
            let position = drawn.fetch_add(1, Ordering::Relaxed);
            Box::pin(async move { place(id, position).insert(&mut tx).await })
        };
        db.run(unit("place", Mode::Write), work).await.expect("placed");
    }
    assert_eq!(next.load(Ordering::Relaxed), 2);
    let work = |mut tx: Tx| -> BoxFuture<Result<()>> {
        Box::pin(async move { place("c", 0).insert(&mut tx).await })
    };
    let error = db.run(unit("place", Mode::Write), work).await.expect_err("never free");
    assert!(matches!(error, Error::Conflict), "{error:?}");
    let work = |mut tx: Tx| -> BoxFuture<Result<()>> {
        Box::pin(async move { place("a", 9).insert(&mut tx).await })
    };
    let error = db.run(unit("place", Mode::Write), work).await.expect_err("taken");
    assert!(
        matches!(&error, Error::Taken { table, column } if table == "places" && column == "id"),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_batch_answers_in_order_in_every_mode() {
    let db = Store::open(MORE).await;
    put(&db, "ada", 1).await.expect("put");
    put(&db, "bob", 2).await.expect("put");
    for mode in [Mode::Read, Mode::Scan, Mode::Write] {
        let found = db.run(unit("batch", mode), |mut tx| -> BoxFuture<Result<_>> {
            Box::pin(async move {
                let ada = Thing::select(&tx).filter("name = ?", [Value::Text("ada".to_owned())]);
                let all = Thing::select(&tx).order("name desc").limit(5);
                let none = Place::select(&tx);
                let (ada, all, none) = tx.three(ada, all, none).await?;
                Ok((
                    ada.len(),
                    all.into_iter().map(|thing| thing.name).collect::<Vec<_>>(),
                    none.len(),
                ))
            })
        });
        let found = found.await.expect("found");
        assert_eq!(found, (1, vec!["bob".to_owned(), "ada".to_owned()], 0), "{mode:?}");
        let broken = db.run(unit("broken", mode), |mut tx| -> BoxFuture<Result<()>> {
            Box::pin(async move {
                let good = Thing::select(&tx).statement()?;
                let bad = Statement::new("select nothing from things", vec![]);
                tx.batch(vec![good, bad]).await.map(drop)
            })
        });
        assert!(matches!(broken.await, Err(Error::Driver(_))));
    }
    let twice = db.run(unit("batch and more", Mode::Read), |mut tx| -> BoxFuture<Result<_>> {
        Box::pin(async move {
            let (things, more) = (Thing::select(&tx), Thing::select(&tx));
            let (things, _) = tx.both(things, more).await?;
            Ok((things.len(), Thing::select(&tx).count(&mut tx).await?))
        })
    });
    assert_eq!(twice.await.expect("both"), (2, 2));
}

#[tokio::test]
async fn a_written_batch_stays() {
    let db = Store::open(MIGRATIONS).await;
    let written = db.run(unit("write", Mode::Write), |mut tx| -> BoxFuture<Result<()>> {
        Box::pin(async move {
            let insert = |name: &str, count| {
                let sql =
                    "insert into things (name, instance_id, count) values ($1, 'ins_one', $2)";
                Statement::new(sql, vec![Value::Text(name.to_owned()), Value::Int(count)])
            };
            tx.batch(vec![insert("ada", 1), insert("bob", 2)]).await.map(drop)
        })
    });
    written.await.expect("written");
    assert_eq!(names(&db).await, ["ada", "bob"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn counters_count_within_their_instance() {
    let db = Arc::new(Store::open(MIGRATIONS).await);
    let runs = Arc::new(AtomicI64::new(0));
    let adding = (0..40).map(|_| {
        let (db, runs) = (Arc::clone(&db), Arc::clone(&runs));
        tokio::spawn(async move {
            let work = move |mut tx: Tx| -> BoxFuture<Result<()>> {
                runs.fetch_add(1, Ordering::Relaxed);
                Box::pin(async move { tx.add("users", 2).await })
            };
            db.run(unit("add", Mode::Write), work).await
        })
    });
    for added in adding.collect::<Vec<_>>() {
        added.await.expect("joined").expect("added");
    }
    assert_eq!(runs.load(Ordering::Relaxed), 40, "nobody is in another's way");
    let count = |instance: &str, mode| {
        let scope = Scope::Instance(instance.to_owned());
        db.run(Unit { name: "count", mode, scope }, |mut tx: Tx| -> BoxFuture<Result<u64>> {
            Box::pin(async move { tx.counter("users").await })
        })
    };
    assert_eq!(count("ins_one", Mode::Read).await.expect("counted"), 80);
    assert_eq!(db.fold_counters().await.expect("folded"), on_postgres());
    assert!(!db.fold_counters().await.expect("nothing left"));
    assert_eq!(count("ins_one", Mode::Write).await.expect("counted"), 80);
    assert_eq!(count("ins_two", Mode::Read).await.expect("counted"), 0);
}

#[tokio::test]
async fn a_nul_byte_is_refused_alike() {
    let db = Store::open(MIGRATIONS).await;
    let error = put(&db, "a\0b", 1).await.expect_err("refused");
    assert!(matches!(error, Error::Nul), "{error:?}");
    let read = db.run(unit("find", Mode::Read), |mut tx| -> BoxFuture<Result<_>> {
        Box::pin(async move { Thing::find(&mut tx, &"a\0".to_owned()).await.map(|_| ()) })
    });
    assert!(matches!(read.await, Err(Error::Nul)));
    assert!(names(&db).await.is_empty());
    db.health().await.expect("well");
}

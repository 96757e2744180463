//! What brings the schema up to date.

use db::EngineKind;

/// A database tells what it has by name: in another order it would be refused at the next start.
#[test]
fn migrations_stand_in_the_order_of_their_names() {
    for engine in [EngineKind::Sqlite, EngineKind::Postgres] {
        let meant = domain::MIGRATIONS.iter().filter(|one| one.engine.is_none_or(|e| e == engine));
        let names: Vec<_> = meant.map(|one| one.name).collect();
        assert!(names.is_sorted(), "{names:?}");
    }
}

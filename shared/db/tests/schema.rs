//! The two sets of migrations say the same.
#![expect(clippy::unwrap_used, reason = "a story fails where it breaks")]

use std::collections::BTreeMap;

use nexus_db::{Db, Dialect, Query};
use nexus_test_databases::{on_postgres, on_sqlite};
use std::sync::Mutex;

type Columns = BTreeMap<(String, String), (String, bool)>;

async fn columns(db: &Db) -> Columns {
    let sql = match db.dialect() {
        Dialect::Sqlite => {
            "SELECT t.name, c.name, c.type, c.\"notnull\" = 0 FROM sqlite_master t, pragma_table_info(t.name) c \
             WHERE t.type = 'table'"
        }
        Dialect::Postgres => {
            "SELECT table_name::text, column_name::text, data_type::text, is_nullable = 'YES' \
             FROM information_schema.columns WHERE table_schema = current_schema()"
        }
    };
    let rows = db.all::<(String, String, String, bool)>(Query::new(sql)).await.unwrap();
    rows.into_iter()
        .filter(|(table, ..)| !table.starts_with("sqlite_") && table != "_sqlx_migrations" && !is_search(table))
        .map(|(table, column, kind, nullable)| {
            let kind = match kind.to_lowercase().as_str() {
                "integer" | "bigint" => "number",
                "text" | "jsonb" => "text",
                "boolean" => "boolean",
                other => panic!("{table}.{column} is {other}: a type that the two databases do not share"),
            };
            // SQLite's rowid keys report as nullable when made by AUTOINCREMENT alone, though they never are null.
            let nullable = nullable && column != "id";
            ((table, column), (kind.to_owned(), nullable))
        })
        .collect()
}

/// Words are found by other means in each of the two: tables of FTS5, indexes of `pg_trgm`.
fn is_search(name: &str) -> bool {
    ["companies", "locations", "contacts", "assets"]
        .iter()
        .any(|table| name.starts_with(&format!("{table}_search")) || name == format!("{table}_unsearched"))
}

type Indexes = Vec<(String, String)>;

async fn indexes(db: &Db) -> Indexes {
    let sql = match db.dialect() {
        Dialect::Sqlite => "SELECT tbl_name, name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL",
        Dialect::Postgres => {
            "SELECT tablename::text, indexname::text FROM pg_indexes \
             WHERE schemaname = current_schema() AND indexname NOT LIKE '%_pkey'"
        }
    };
    let mut all = db.all::<(String, String)>(Query::new(sql)).await.unwrap();
    all.retain(|(table, name)| table != "_sqlx_migrations" && !is_search(name));
    all.sort();
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn both_databases_have_the_same_tables_columns_and_indexes() {
    static SEEN: Mutex<Vec<(Columns, Indexes)>> = Mutex::new(Vec::new());
    on_sqlite(|world| async move {
        let seen = (columns(&world.db).await, indexes(&world.db).await);
        SEEN.lock().unwrap().push(seen);
    })
    .await;
    on_postgres(|world| async move {
        let (columns, indexes) = (columns(&world.db).await, indexes(&world.db).await);
        let sqlite = SEEN.lock().unwrap().pop().unwrap();
        assert_eq!(sqlite.0, columns);
        assert_eq!(sqlite.1, indexes);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_field_of_the_records_is_a_column_of_both() {
    on_sqlite(|world| async move {
        let columns = columns(&world.db).await;
        for entity in nexus_core::Entity::ALL {
            for field in entity.fields().iter().filter(|field| field.is_column()) {
                let key = (entity.table().to_owned(), field.name.to_owned());
                assert!(columns.contains_key(&key), "{key:?}");
            }
        }
    })
    .await;
}

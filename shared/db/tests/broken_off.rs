//! What nobody waits for any more leaves nothing behind in a connection that the next one gets.
#![expect(clippy::unwrap_used, reason = "a story fails where it breaks")]

use std::future::Future;
use std::pin::pin;
use std::task::Poll;

use nexus_core::Clock;
use nexus_db::{Db, Dialect, Options};
use nexus_test_databases::{both, options, start};

/// Drops a future that has waited so often and waits again: whether it did.
async fn broken_off<T>(mut waits: u32, future: impl Future<Output = T>) -> bool {
    let mut future = pin!(future);
    std::future::poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(_) => Poll::Ready(false),
        Poll::Pending if waits == 0 => Poll::Ready(true),
        Poll::Pending => {
            waits -= 1;
            Poll::Pending
        }
    })
    .await
}

both! {
    async fn a_transaction_that_is_broken_off_as_it_begins_is_over(world: World) {
        // One connection: the next who asks gets the one of whom was broken off.
        let one = Options { max_connections: 1, ..options() };
        let db = Db::open(&world.url, one, Clock::fixed(start())).await.unwrap();
        let mut broken = 0;
        for round in 0..24 {
            // It waits for the connection, if that is still on its way back, then for the database.
            let waits = round % 3;
            broken += u32::from(broken_off(waits, db.read()).await);
            // Within a transaction this would see what was before, and the next beginning would be refused.
            let before = db.revision().await.unwrap();
            world.run("UPDATE sequences SET value = value + 1 WHERE name = 'revision'").await;
            assert_eq!(db.revision().await.unwrap(), before + 1);
            drop(db.read().await.unwrap());
            broken += u32::from(broken_off(waits, db.write()).await);
            assert_eq!(db.revision().await.unwrap(), before + 1);
            drop(db.read().await.unwrap());
        }
        assert!(broken > 0 || db.dialect() == Dialect::Sqlite, "nothing was broken off");
        db.close().await;
    }
}

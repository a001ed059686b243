//! A Nexus that serves its instance: database, routers, port and lock together.

use std::net::SocketAddr;

use nexus_core::Clock;
use nexus_db::{Db, Dialect, runs};
use nexus_events::Bus;

use crate::lock::InstanceLock;
use crate::server::{Bound, Running, Signals, Transport};
use crate::{Instance, RunnerError, database, mount, server};

/// An instance that is being served.
#[derive(Debug)]
pub struct Serving {
    /// The server.
    pub running: Running,
    /// The database.
    pub db: Db,
    /// What the functions send.
    pub bus: Bus,
    /// Let go last: whoever takes it may open the database.
    lock: InstanceLock,
}

impl Serving {
    /// Listens, over HTTPS or (on this machine only) over plain HTTP. With the default password it listens on this
    /// machine only.
    pub async fn start(
        instance: &Instance,
        listen: SocketAddr,
        http: bool,
        clock: &Clock,
    ) -> Result<Self, RunnerError> {
        if http {
            server::refuse_plain(listen)?;
        }
        let mut lock = InstanceLock::take(&instance.directory).await?;
        let transport = if http { Transport::Http } else { Transport::Https(instance.tls(clock.now())?) };
        let opened = database::open(instance, !http, clock).await?;
        if opened.default_password {
            server::refuse_exposed(listen)?;
        }
        let bound = Bound::bind(listen, transport)?;
        if opened.state.db.dialect() == Dialect::Sqlite {
            // The lock says that whoever ran a job in this file is gone; the job may begin anew at once.
            runs::interrupt_all(&opened.state.db).await?;
        }
        let db = opened.state.db.clone();
        let bus = Bus::local();
        let running = bound.start(mount::router(opened.state, bus.clone(), opened.limits))?;
        lock.announce(running.base_url())?;
        Ok(Self { running, db, bus, lock })
    }

    /// Takes no new request, ends those under way (at once on another signal), and closes the database.
    pub async fn stop(self, signals: &mut Signals) -> Result<(), RunnerError> {
        self.running.drain(signals).await?;
        self.db.close().await;
        drop(self.lock);
        Ok(())
    }
}

//! The bus in the process.

use std::sync::{Arc, Mutex, PoisonError};

use nexus_core::Clock;
use serde_json::Value;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::event::{Event, SOURCE, envelope};

#[derive(Clone, Debug, Default)]
pub(crate) struct Local {
    subscribers: Arc<Mutex<Vec<UnboundedSender<Value>>>>,
}

impl Local {
    /// Each event goes to everybody; who has gone away is forgotten.
    pub(crate) fn send(&self, events: &[Event]) {
        let now = Clock::system().now();
        let mut subscribers = self.subscribers.lock().unwrap_or_else(PoisonError::into_inner);
        for event in events {
            let event = envelope(SOURCE, &[], event, now);
            subscribers.retain(|subscriber| subscriber.send(event.clone()).is_ok());
        }
    }

    pub(crate) fn subscribe(&self) -> UnboundedReceiver<Value> {
        let (sender, receiver) = unbounded_channel();
        self.subscribers.lock().unwrap_or_else(PoisonError::into_inner).push(sender);
        receiver
    }
}

#[cfg(test)]
mod tests {
    use crate::{Bus, Event};

    #[tokio::test]
    async fn every_subscriber_gets_every_event_in_order() {
        let bus = Bus::local();
        let (mut one, gone, mut other) = (bus.subscribe(), bus.subscribe(), bus.subscribe());
        drop(gone);
        bus.send(&[Event::run_requested("sync-datto", 1), Event::run_requested("sync-datto", 2)]).await.unwrap();
        for receiver in [&mut one, &mut other] {
            for run_id in [1, 2] {
                let event = receiver.recv().await.unwrap();
                assert_eq!((&event["source"], &event["detail-type"]), (&"nexus".into(), &"run requested".into()));
                assert_eq!(event["detail"]["run_id"], run_id);
            }
        }
    }
}

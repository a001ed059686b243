//! A batch of observations, kept as the bytes that are sent.

use std::io;

use bytes::Bytes;
use nexus_core::sync::{Batch, Observation};

const HEAD: &[u8] = b"{\"observations\":[";
const TAIL: &[u8] = b"]}";

/// A [`Batch`] that is written as it grows.
///
/// A job holds the bytes of its next batch, whose size is thereby known, and not the records a second time.
#[derive(Clone, Debug)]
pub struct EncodedBatch {
    /// All but [`TAIL`].
    body: Vec<u8>,
    count: usize,
}

impl Default for EncodedBatch {
    fn default() -> Self {
        Self { body: HEAD.to_vec(), count: 0 }
    }
}

impl EncodedBatch {
    /// Adds a record, unless the whole would then have more than `limit` bytes.
    pub fn push(&mut self, observation: &Observation, limit: usize) -> Result<(), BatchFull> {
        let before = self.body.len();
        if self.count > 0 {
            self.body.push(b',');
        }
        let room = limit.saturating_sub(self.body.len() + TAIL.len());
        let written = serde_json::to_writer(Limited { room, into: &mut self.body }, observation);
        if written.is_err() {
            self.body.truncate(before);
            return Err(BatchFull);
        }
        self.count += 1;
        Ok(())
    }

    /// Records in it.
    #[must_use]
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    pub(crate) fn into_body(mut self) -> Bytes {
        self.body.extend_from_slice(TAIL);
        self.body.into()
    }
}

impl From<&Batch> for EncodedBatch {
    fn from(batch: &Batch) -> Self {
        let mut encoded = Self::default();
        for observation in &batch.observations {
            // Without a limit there is always room: an observation has text keys only, and so can be written.
            let _ = encoded.push(observation, usize::MAX);
        }
        encoded
    }
}

/// The record does not fit any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the batch has no room for the record")]
pub struct BatchFull;

/// Refuses to write more than there is room for, so that a huge record is not first written out.
struct Limited<'a> {
    room: usize,
    into: &'a mut Vec<u8>,
}

impl io::Write for Limited<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.room = self.room.checked_sub(bytes.len()).ok_or(io::ErrorKind::StorageFull)?;
        self.into.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use nexus_core::{Entity, Fields};
    use serde_json::json;

    use super::*;

    fn observation(name: &str) -> Observation {
        Observation {
            entity: Entity::Contact,
            external_id: "39000000001".into(),
            scope: "contacts".into(),
            fields: Fields::from_iter([("name".to_owned(), json!(name))]),
            links: BTreeMap::from([("company_ids".to_owned(), vec!["7".to_owned()])]),
        }
    }

    #[test]
    fn what_is_sent_is_the_batch_of_the_contract() {
        for names in [&[][..], &["Ada \"Q\" Byron"], &["Ada", "Zoë", "\u{1}"]] {
            let batch = Batch { observations: names.iter().map(|name| observation(name)).collect() };
            let encoded = EncodedBatch::from(&batch);
            assert_eq!((encoded.len(), encoded.is_empty()), (names.len(), names.is_empty()));
            assert_eq!(encoded.into_body(), serde_json::to_vec(&batch).unwrap());
        }
    }

    #[test]
    fn a_record_without_room_leaves_the_batch_as_it_was() {
        let one = EncodedBatch::from(&Batch { observations: vec![observation("Ada")] }).into_body();
        let mut batch = EncodedBatch::default();
        assert_eq!(batch.push(&observation("Ada"), one.len() - 1), Err(BatchFull));
        assert_eq!(batch.push(&observation("Ada"), one.len()), Ok(()));
        assert_eq!(batch.push(&observation("Zoë"), one.len() + 10), Err(BatchFull));
        assert_eq!(batch.into_body(), one);
    }
}

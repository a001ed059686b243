//! Writes with certainty: look at the record, write, look again.

use thiserror::Error as ThisError;

use crate::error::Error;

/// Times that a change is sent: once, and once more when a look has shown that the first did not take.
const SENT_AT_MOST: u32 = 2;

/// A record at a vendor, and what it should be.
pub trait Target: Sync {
    /// What is read of the record.
    type Seen: Send + Sync;

    /// Reads the record.
    fn read(&self) -> impl Future<Output = Result<Self::Seen, Error>> + Send;

    /// What is to be done about the record as it is `now`. `before` is what a change was sent upon, if one was.
    fn judge(&self, before: Option<&Self::Seen>, now: &Self::Seen) -> Verdict;

    /// Sends the change of the record as it was read.
    fn write(&self, now: &Self::Seen) -> impl Future<Output = Result<(), Error>> + Send;
}

/// What is to be done about a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing: it is as it should be.
    Done,
    /// The change is to be sent.
    Due,
    /// Nothing may be done. The sentence says why.
    Stop(String),
}

/// How a write ended well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Settled {
    /// The change was sent, and the record was seen to be as it should.
    Written,
    /// The record was as it should be; nothing was sent.
    Already,
    /// The verdict of the first look was to stop; nothing was sent.
    Stopped(String),
}

/// How a write ended otherwise. The text is for the person who has to look.
#[derive(Clone, Debug, PartialEq, Eq, ThisError)]
#[non_exhaustive]
pub enum Unsettled {
    /// The first look failed; nothing was sent.
    #[error("It could not be read before the write, so nothing was written: {0}")]
    Unread(Error),
    /// The change was refused, or did not take twice.
    #[error("It was not written: {0}")]
    Refused(Error),
    /// The vendor said yes, and nothing has changed.
    #[error("The vendor said that it was written, but it was not.")]
    Ignored,
    /// The change was sent, and nobody knows whether it took.
    #[error("It was sent, but could not be read back: {0}")]
    Unverified(Error),
    /// The verdict after the change was to stop.
    #[error("{0}")]
    Spoilt(String),
}

impl Unsettled {
    /// The failed call, if one is the reason.
    #[must_use]
    pub fn error(&self) -> Option<&Error> {
        match self {
            Self::Unread(error) | Self::Refused(error) | Self::Unverified(error) => Some(error),
            Self::Ignored | Self::Spoilt(_) => None,
        }
    }
}

/// Makes a record what it should be, and sees that it is.
///
/// The record is read before each change, so that a change is made upon what is there and not upon what was planned from,
/// and read back after it. When a change met an answer that leaves open whether it took ([`Error::is_unclear`], a conflict
/// among them), the record is read again, and the change sent once more only if it is still due.
pub async fn settle<T: Target>(target: &T) -> Result<Settled, Unsettled> {
    let mut now = target.read().await.map_err(Unsettled::Unread)?;
    match target.judge(None, &now) {
        Verdict::Done => return Ok(Settled::Already),
        Verdict::Stop(reason) => return Ok(Settled::Stopped(reason)),
        Verdict::Due => {}
    }
    let mut sent = 1;
    loop {
        let answer = target.write(&now).await;
        if let Err(error) = &answer
            && !error.is_unclear()
        {
            return Err(Unsettled::Refused(error.clone()));
        }
        let before = now;
        now = target.read().await.map_err(Unsettled::Unverified)?;
        match (target.judge(Some(&before), &now), answer) {
            (Verdict::Done, _) => return Ok(Settled::Written),
            (Verdict::Stop(reason), _) => return Err(Unsettled::Spoilt(reason)),
            (Verdict::Due, Ok(())) => return Err(Unsettled::Ignored),
            (Verdict::Due, Err(error)) if sent >= SENT_AT_MOST => return Err(Unsettled::Refused(error)),
            (Verdict::Due, Err(error)) => {
                tracing::warn!(%error, "the change did not take; sending it once more");
                sent += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::sync::Mutex;

    use super::*;
    use crate::error::TransportKind;

    /// A record whose looks and whose answers to changes are written down.
    struct Script {
        looks: Mutex<VecDeque<Result<&'static str, Error>>>,
        answers: Mutex<VecDeque<Result<(), Error>>>,
        /// What each change was made upon.
        sent: Mutex<Vec<&'static str>>,
    }

    impl Target for Script {
        type Seen = &'static str;

        async fn read(&self) -> Result<&'static str, Error> {
            self.looks.lock().unwrap().pop_front().expect("a look that was foreseen")
        }

        fn judge(&self, before: Option<&&'static str>, now: &&'static str) -> Verdict {
            match (before, *now) {
                (_, "wanted") => Verdict::Done,
                (None, "masked") => Verdict::Stop("it is masked".to_owned()),
                (Some(_), "spoilt") => Verdict::Stop("it was spoilt".to_owned()),
                _ => Verdict::Due,
            }
        }

        async fn write(&self, now: &&'static str) -> Result<(), Error> {
            self.sent.lock().unwrap().push(now);
            self.answers.lock().unwrap().pop_front().expect("a change that was foreseen")
        }
    }

    /// How it ends, and what the changes were made upon. Every look and every answer is used up.
    async fn play(
        looks: impl IntoIterator<Item = Result<&'static str, Error>>,
        answers: impl IntoIterator<Item = Result<(), Error>>,
    ) -> (Result<Settled, Unsettled>, Vec<&'static str>) {
        let script = Script {
            looks: Mutex::new(looks.into_iter().collect()),
            answers: Mutex::new(answers.into_iter().collect()),
            sent: Mutex::default(),
        };
        let ended = settle(&script).await;
        assert!(script.looks.lock().unwrap().is_empty() && script.answers.lock().unwrap().is_empty());
        (ended, script.sent.into_inner().unwrap())
    }

    fn status(status: u16) -> Error {
        Error::Rejected { status, excerpt: String::new() }
    }

    fn lost(kind: TransportKind) -> Error {
        Error::Transport { kind, detail: "reset".into() }
    }

    #[tokio::test]
    async fn a_change_is_sent_upon_what_is_there_and_read_back() {
        assert_eq!(play([Ok("old"), Ok("wanted")], [Ok(())]).await, (Ok(Settled::Written), vec!["old"]));
        assert_eq!(play([Ok("wanted")], []).await, (Ok(Settled::Already), vec![]));
        assert_eq!(play([Ok("masked")], []).await, (Ok(Settled::Stopped("it is masked".into())), vec![]));
        assert_eq!(play([Err(status(404))], []).await, (Err(Unsettled::Unread(status(404))), vec![]));
    }

    #[tokio::test]
    async fn a_yes_that_changes_nothing_or_something_else_is_no_success() {
        assert_eq!(play([Ok("old"), Ok("old")], [Ok(())]).await, (Err(Unsettled::Ignored), vec!["old"]));
        let spoilt = Err(Unsettled::Spoilt("it was spoilt".into()));
        assert_eq!(play([Ok("old"), Ok("spoilt")], [Ok(())]).await, (spoilt, vec!["old"]));
        let unread = Err(Unsettled::Unverified(status(502)));
        assert_eq!(play([Ok("old"), Err(status(502))], [Ok(())]).await, (unread, vec!["old"]));
    }

    #[tokio::test]
    async fn an_answer_that_leaves_it_open_is_cleared_up_by_a_look_and_not_by_chance() {
        for open in [status(409), status(408), status(500), status(504), lost(TransportKind::TimedOut)] {
            let took = play([Ok("old"), Ok("wanted")], [Err(open.clone())]).await;
            assert_eq!(took, (Ok(Settled::Written), vec!["old"]), "{open}");
            let again = play([Ok("old"), Ok("newer"), Ok("wanted")], [Err(open.clone()), Ok(())]).await;
            assert_eq!(again, (Ok(Settled::Written), vec!["old", "newer"]), "{open}");
            let twice = play([Ok("old"), Ok("old"), Ok("old")], [Err(open.clone()), Err(open.clone())]).await;
            assert_eq!(twice, (Err(Unsettled::Refused(open)), vec!["old", "old"]), "not a third time");
        }
    }

    #[tokio::test]
    async fn a_clear_no_is_taken_as_such() {
        for no in [status(400), status(403), Error::Auth, lost(TransportKind::Connect)] {
            let refused = play([Ok("old")], [Err(no.clone())]).await;
            assert_eq!(refused, (Err(Unsettled::Refused(no)), vec!["old"]));
        }
    }
}

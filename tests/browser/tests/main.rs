//! What people do with the pages, in a real browser over HTTPS, on both databases. One file, one subject.

#![expect(clippy::unwrap_used, reason = "a story fails where it breaks")]

mod accessible;
mod editing;
mod portal;
mod searching;
mod syncing;

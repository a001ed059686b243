//! The records and the rules of the directory: what a company, contact or asset is, who may see it, and the words that
//! the jobs and the server exchange.
//!
//! No I/O and no async live here; neither does SQL (`nexus-db`), HTTP (`nexus-web`) or anything of a vendor
//! (`nexus-vendors`). What is here is the same on a Lambda, in a test and in a job.

pub mod access;
pub mod clock;
pub mod config;
pub mod entity;
pub mod fields;
pub mod instant;
pub mod phone;
pub mod policy;
pub mod records;
pub mod schedule;
pub mod sync;
pub mod views;

pub use access::{Actor, Role, Scope};
pub use clock::Clock;
pub use entity::Entity;
pub use fields::{FieldError, Fields};

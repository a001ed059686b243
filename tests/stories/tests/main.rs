//! What Nexus promises, as stories over HTTP on both databases. One file, one subject.

mod architecture;
mod assets;
mod auth;
mod bad_input;
mod companies;
mod contacts;
mod docs;
mod lists;
mod lockout;
mod openapi;
mod pages;
mod sessions;
mod sync;
mod sync_faults;
mod users;

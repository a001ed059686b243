//! What Nexus promises, as stories over HTTP on both databases. One file, one subject.

mod architecture;
mod assets;
mod auth;
mod bad_input;
mod client;
mod companies;
mod contacts;
mod contract;
mod docs;
mod feed;
mod kept;
mod lists;
mod locations;
mod lockout;
mod long_lists;
mod matrix;
mod once;
mod openapi;
mod pages;
mod pins;
mod plans;
mod search;
mod sessions;
mod sync;
mod sync_faults;
mod users;

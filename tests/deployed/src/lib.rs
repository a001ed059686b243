//! What `infra/template.yaml` deploys, proved without an AWS account: the template as `CloudFormation` gets it, the routes of
//! its API, and moto, a server that plays AWS.
//!
//! ```no_run
//! use nexus_deployed::{Moto, Python, Routes, Template};
//! let python = Python::ready(std::path::Path::new("target/tmp")); // in a test: env!("CARGO_TARGET_TMPDIR")
//! let template = Template::translated(&python);
//! assert_eq!(Routes::of(&template).function("/settings/users/3"), Some("users"));
//! let aws = Moto::start(&python); // its endpoint: aws.url()
//! ```
//!
//! The Python parts stand beside `Cargo.toml`, with the versions of what they use in `requirements.txt`. Where there is no
//! Python, or no package index and no earlier environment, a test fails and says so: a skipped proof looks like one.

#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "this crate serves tests only"
)]

pub mod deployment;
pub mod gateway;
pub mod moto;
pub mod platform;
pub mod python;
pub mod routes;
pub mod template;
mod time;
pub mod weight;

pub use deployment::Deployment;
pub use moto::Moto;
pub use python::Python;
pub use routes::Routes;
pub use template::Template;

//! The job as a Lambda function.

use std::process::ExitCode;

fn main() -> ExitCode {
    nexus_jobs::lambda::main(|_| Ok::<_, std::convert::Infallible>(publish_changes::job(nexus_events::Bus::local())))
}

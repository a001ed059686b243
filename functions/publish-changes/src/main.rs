//! The job as a Lambda function.

use std::process::ExitCode;

use nexus_events::Bus;

fn main() -> ExitCode {
    nexus_jobs::lambda::main(|_, environment| Bus::aws(|name| environment.get(name)).map(publish_changes::job))
}

//! The job as a Lambda function.

use std::process::ExitCode;

fn main() -> ExitCode {
    nexus_jobs::lambda::main(|config, _| push_account_numbers::job(config))
}

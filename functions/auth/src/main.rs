//! The deployed function: see the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    nexus_web::lambda::main(|_| Ok(auth::router().split_for_parts().0))
}

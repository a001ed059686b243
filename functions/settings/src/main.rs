//! The deployed function: see the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    nexus_web::lambda::main(|| settings::router(nexus_events::Bus::local()).split_for_parts().0)
}

//! The deployed function: see the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    setup::main()
}

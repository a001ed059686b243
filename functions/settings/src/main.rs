//! The deployed function: see the library.

use std::process::ExitCode;

use nexus_events::Bus;
use nexus_web::lambda::Fault;

fn main() -> ExitCode {
    nexus_web::lambda::main(|environment| {
        let bus = Bus::aws(|name| environment.get(name)).map_err(Fault::of)?;
        Ok(settings::router(bus).split_for_parts().0)
    })
}

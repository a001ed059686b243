//! An instance with a world in it, and how to ask as its users.

use std::path::Path;

use local_runner::{Instance, database};
use nexus_core::Clock;
use secrecy::SecretString;

use crate::world::{Size, World};

/// The password of every user of a world.
pub const PASSWORD: &str = "correct horse battery staple";

/// Makes the instance in a folder, with a world of that size. Nobody has it open afterwards.
pub async fn make(folder: &Path, size: Size) -> World {
    let clock = Clock::system();
    let instance = Instance::prepare(folder, [], clock.now()).unwrap();
    let state = database::open(&instance, false, &clock).await.unwrap().state;
    let password = SecretString::from(PASSWORD);
    let hash = state.auth.passwords().hash(&password).await.unwrap();
    let world = World::write(&state.db, size, &hash).await;
    state.db.close().await;
    world
}

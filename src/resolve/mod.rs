//! What a manifest leaves open -> `drivers.lock`: asked of git servers, registries, repositories and web servers.
//!
//! [`settle`](fn@settle) tells it: it plans with the lock as it is, has what that lacks [resolved](Resolver), side by
//! side, and plans again, until nothing is missing. Kernels and releases come first, since they decide what else is
//! needed. Nothing here writes a file, and whatever a server says passes the types of [`crate::ids`].

mod answer;
mod changes;
mod openshift;
mod settle;
mod single;
mod work;

pub use answer::{Answer, Problem};
pub use changes::{Change, ChangeKind, changes};
pub use settle::{Job, Progress, Refusal, Settled, Update, settle};

use crate::http::Client;
use crate::oci::Registry;

/// Asks servers.
#[derive(Debug)]
pub struct Resolver {
    registry: Registry,
}

impl Resolver {
    /// One that goes where this client may go, as the user of its environment.
    #[must_use]
    pub fn new(client: Client) -> Self {
        Self { registry: Registry::new(client) }
    }

    /// The client that asks.
    #[must_use]
    pub const fn client(&self) -> &Client {
        self.registry.client()
    }
}

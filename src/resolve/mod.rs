//! What a manifest leaves open -> `drivers.lock`: asked of git servers, registries, repositories and web servers.
//!
//! [`settle`](fn@settle) tells it: it plans with the lock as it is, has what that lacks [resolved](Resolver), side by
//! side, and plans again, until nothing is missing. Kernels and releases come first, since they decide what else is
//! needed. Nothing here writes a file, and whatever a server says passes the types of [`crate::text::ids`].

pub mod repository;

mod answer;
mod builders;
mod changes;
mod headers;
mod kernels;
mod login;
mod openshift;
mod planned;
mod selection;
mod settle;
mod single;
mod work;

pub use answer::Answer;
pub use changes::{Change, ChangeKind, changes};
pub use headers::{difference, pins};
pub use settle::{Job, Refusal, Settled, Unresolved, settle};
pub use work::Progress;

use crate::system::http::Client;
use crate::system::oci::Registry;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// Asks servers.
pub struct Resolver {
    registry: Registry,
    /// As package repositories see the client.
    repositories: Client,
    subscribed: bool,
    /// Contents of build secrets, by their ids.
    secrets: BTreeMap<String, Vec<u8>>,
    notes: Mutex<Vec<String>>,
}

impl Resolver {
    /// One that goes where this client may go, as the user of its environment.
    #[must_use]
    pub fn new(client: Client) -> Self {
        Self {
            repositories: client.clone(),
            registry: Registry::new(client),
            subscribed: false,
            secrets: BTreeMap::new(),
            notes: Mutex::default(),
        }
    }

    /// The same with a client of its own for package repositories, which may have the certificate of a subscription.
    #[must_use]
    pub fn with_repositories(self, repositories: Client, subscribed: bool) -> Self {
        Self { repositories, subscribed, ..self }
    }

    /// The same with these build secrets, for sources that name them.
    #[must_use]
    pub fn with_secrets(self, secrets: BTreeMap<String, Vec<u8>>) -> Self {
        Self { secrets, ..self }
    }

    /// What is worth telling of what was asked so far, once.
    #[must_use]
    pub fn notes(&self) -> Vec<String> {
        let mut notes = std::mem::take(&mut *self.notes.lock().unwrap_or_else(PoisonError::into_inner));
        notes.sort();
        notes.dedup();
        notes
    }

    fn note(&self, note: String) {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner).push(note);
    }

    const fn repositories(&self) -> &Client {
        &self.repositories
    }

    const fn is_subscribed(&self) -> bool {
        self.subscribed
    }

    /// The client that asks.
    #[must_use]
    pub const fn client(&self) -> &Client {
        self.registry.client()
    }
}

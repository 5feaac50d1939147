//! An address -> what a server says: the one client that every request of drvc goes through.
//!
//! A request is checked against the [`Policy`] first, asked again where that may help, bounded in time and size, and
//! counted. Redirects are followed on the same server; to another one where the [`Request`] says that what comes back
//! is checked by its digest, and then without any header that names the user. Whatever goes wrong is an
//! [`Error`](crate::text::error::Error) that names the address.

mod body;
mod cache;
mod client;
mod failure;
mod message;
mod policy;
mod proxy;
mod request;
mod url;

pub use cache::{Cache, Key};
pub use client::{Client, Identity, Options, Site, Statistics};
pub use message::{Head, Method};
pub use policy::Policy;
pub use request::{Request, Response};
pub use url::{Scheme, Url, form};

//! From addresses to files, by the one client that every request goes through.

use super::Fetch;
use crate::system::http::{Client, Url};
use crate::text::error::Error;
use std::time::{SystemTime, UNIX_EPOCH};

impl Fetch for Client {
    fn get(&self, url: &str, limit: u64) -> Result<Option<Vec<u8>>, Error> {
        let url = &self.site().mirrors.packages.lead(url);
        let address = Url::parse(url).map_err(|rule| Error::new("fetch", url, format!("write {rule}")))?;
        let response = Client::get(self, &address).limit(limit).cached().send()?;
        match response.head.status {
            404 | 410 => Ok(None),
            _ => Ok(Some(response.success()?.body)),
        }
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "whether a server's file has expired depends on it, and nothing else"
    )]
    fn now(&self) -> u64 {
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
    }
}

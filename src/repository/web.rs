//! From addresses to files, by the one client that every request goes through.

use super::Fetch;
use crate::error::Error;
use crate::http::{Client, Url};

impl Fetch for Client {
    fn get(&self, url: &str, limit: u64) -> Result<Option<Vec<u8>>, Error> {
        let address = Url::parse(url).map_err(|rule| Error::new("fetch", url, format!("write {rule}")))?;
        let response = Client::get(self, &address).limit(limit).cached().send()?;
        match response.head.status {
            404 | 410 => Ok(None),
            _ => Ok(Some(response.success()?.body)),
        }
    }
}

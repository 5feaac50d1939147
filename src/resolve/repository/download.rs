//! A package's file that a repository names -> its bytes: from the user's cache, or fetched, and what was named in any case.

use super::{PackageFile, damaged};
use crate::system::http::{Client, Key, Url};
use crate::text::error::Error;

/// The largest file of a package, in bytes: kernels with their modules stay below 200 MiB.
const LIMIT: u64 = 1 << 30;

/// The file of a package. It is kept under its checksum, so that it is fetched once.
///
/// # Errors
/// It is too large, cannot be fetched, or is not what the repository says.
pub fn download(client: &Client, file: &PackageFile) -> Result<Vec<u8>, Error> {
    let url = &client.site().mirrors.packages.lead(&file.url);
    if file.size > LIMIT {
        return Err(damaged(url, format!("the repository says that it has {} bytes", file.size)));
    }
    let key = Key::of_digest("package", file.sum.hex());
    if let Some(bytes) = client.cache().kept(&key, file.size) {
        return Ok(bytes);
    }
    let address = Url::parse(url).map_err(|rule| Error::new("fetch", url, format!("write {rule}")))?;
    let bytes = client.get(&address).limit(file.size).send()?.success()?.body;
    file.sum.check(url, &bytes)?;
    client.cache().keep(&key, &bytes);
    Ok(bytes)
}

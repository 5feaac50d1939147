//! The body of an answer: bounded in size and time, and counted.

use std::io::{self, Read};
use std::time::{Duration, Instant};

/// Bytes a second that an answer has to come with, measured from its beginning, once it has taken as long as a server
/// may stay silent.
const RATE: u64 = 1_024;
/// All of a body, if it has at most `limit` bytes.
pub(super) fn bounded(reader: &mut dyn Read, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reader.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(io::Error::other(format!("the answer has more than {limit} bytes")));
    }
    Ok(bytes)
}

/// A body that is counted, and that tells its own failures from its reader's.
pub(super) struct Counted<'a> {
    pub(super) inner: ureq::BodyReader<'a>,
    pub(super) failed: Option<io::Error>,
    pub(super) read: u64,
    pub(super) begin: Instant,
    pub(super) silence: Duration,
}

impl Counted<'_> {
    fn is_too_slow(&self) -> bool {
        let time = self.begin.elapsed();
        time > self.silence && self.read < RATE.saturating_mul(time.as_secs().max(1))
    }
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.inner.read(buffer) {
            Ok(number) => {
                self.read += number as u64;
                if number > 0 && self.is_too_slow() {
                    let slow = || io::Error::new(io::ErrorKind::TimedOut, "less than 1 KiB a second");
                    self.failed = Some(slow());
                    return Err(slow());
                }
                Ok(number)
            }
            Err(cause) => {
                let copy = io::Error::new(cause.kind(), cause.to_string());
                self.failed = Some(cause);
                Err(copy)
            }
        }
    }
}

//! What goes wrong outside the user's files: a disk, a network, a program that does not answer.
//!
//! Every [`Error`] names the path or address that it is about, the cause, and what to do next.

use std::fmt;
use std::sync::Arc;

/// A failure of the outside world; exit code 4.
#[derive(Clone, Debug)]
#[must_use]
pub struct Error {
    doing: &'static str,
    place: String,
    cause: Arc<dyn std::error::Error + Send + Sync>,
    help: Option<String>,
}

impl Error {
    /// An error met while `doing` something ("write", "list") with the file, directory or address `place`.
    pub fn new(
        doing: &'static str,
        place: impl Into<String>,
        cause: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self { doing, place: place.into(), cause: Arc::from(cause.into()), help: None }
    }

    /// One error for all that have the same cause at the same server, which counts the others.
    #[must_use]
    pub fn one_for_each_cause(errors: Vec<Self>) -> Vec<Self> {
        let mut kept: Vec<(Self, usize)> = Vec::new();
        for error in errors {
            let same = |other: &Self| other.host() == error.host() && other.reason() == error.reason();
            match kept.iter_mut().find(|(other, _)| same(other)) {
                Some((_, more)) => *more += 1,
                None => kept.push((error, 0)),
            }
        }
        let told = kept.into_iter().map(|(error, more)| match more {
            0 => error,
            more => {
                let cause = format!("{}; and {more} more of that server", error.cause);
                Self { cause: Arc::from(Box::from(cause)), ..error }
            }
        });
        told.collect()
    }

    /// The server of an address, or the whole place.
    fn host(&self) -> &str {
        let rest = self.place.split_once("://").map_or(self.place.as_str(), |(_, rest)| rest);
        rest.split('/').next().unwrap_or(rest)
    }

    /// The cause without the address, which other programs repeat in what they say.
    fn reason(&self) -> String {
        self.cause.to_string().replace(&self.place, "")
    }

    /// Says what to do next.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// What to do next.
    #[must_use]
    pub fn next_step(&self) -> Option<&str> {
        self.help.as_deref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot {} `{}`: {}", self.doing, self.place, self.cause)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&*self.cause)
    }
}

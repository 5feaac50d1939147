//! What a run saw and made <-> `.drvc/state`, so that the next run can tell whether anything would differ.
//!
//! The state is a hint of this machine's, never a source: one that is lost, cut short, edited, made by another
//! drvc, or copied here from elsewhere is not believed, and then everything is compiled again.

mod freshness;

pub use freshness::{Freshness, freshness, inputs_hold};

use crate::system::fs::{Answer, Dir, Folder, Hash, Sig};
use crate::text::ids::FilePath;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::time::{Duration, Instant};

/// drvc's own directory beneath the output directory.
pub const HOME: &str = ".drvc";
/// In it, the file whose lock a run holds while it writes. It is made once and never written to.
pub const LOCK: &str = "lock";
const STATE: &str = "state";

const MAGIC: &[u8; 8] = b"drvc\nst\x01";
const SIZE_LIMIT: u64 = 1 << 30;

/// Digest of drvc's own sources, templates and profiles; see `build.rs`.
const IDENTITY: &str = env!("DRVC_IDENTITY");

/// The longest that a file system's clock may stand still (`CONFIG_HZ=100`), doubled.
const TICK: Duration = Duration::from_millis(20);

/// What the last run saw and made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    drvc: String,
    /// Signature of the lock file. A copy of the whole directory has another one.
    home: Sig,
    request: Hash,
    memo: String,
    inputs: Vec<Folder<Answer>>,
    /// Every directory at or beneath the output directory, with its signature.
    outputs: Vec<(Sig, Folder<Known>)>,
}

/// What stands in the output directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Known {
    Directory,
    /// An output with this seal.
    Output(Sig, Hash),
    /// A file of somebody else's: one without a seal.
    Foreign(Sig),
    /// A link, FIFO or the like.
    Other,
}

/// What a run has to remember.
#[derive(Clone, Debug, Default)]
pub struct Record {
    /// What was asked for: digest of everything from the command line that outputs depend on.
    pub request: Hash,
    /// A note to the next run that finds nothing to do.
    pub memo: String,
    /// Every answer of the [`crate::system::fs::Reader`].
    pub inputs: Vec<(FilePath, Answer)>,
    /// What stands in the output directory, but for `.drvc`.
    pub outputs: Listing,
}

/// What stands in the output directory, by path relative to it.
#[derive(Clone, Debug, Default)]
pub struct Listing {
    /// Every name that is not a directory.
    pub files: Vec<(String, Known)>,
    /// Every directory, `.` among them. A signature was taken before the directory was listed, or is
    /// [`Sig::default`], which no directory has, so that the next run lists it.
    pub directories: BTreeMap<String, Sig>,
}

/// Why the outputs have to be compiled again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// There is no state.
    New,
    /// The state cannot be read, or is not whole.
    Unreadable,
    /// Another version of drvc made the state.
    OtherDrvc,
    /// The state was not made in this directory.
    Elsewhere,
    /// Something else was asked for.
    OtherRequest,
    /// This input is not what it was.
    Input(String),
    /// This file or directory beneath the output directory is not what it was.
    Output(String),
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::New => f.write_str("nothing was compiled here before"),
            Self::Unreadable => f.write_str("the record of the last run is damaged"),
            Self::OtherDrvc => f.write_str("another version of drvc ran last"),
            Self::Elsewhere => f.write_str("the record of the last run was made elsewhere"),
            Self::OtherRequest => f.write_str("other options were given"),
            Self::Input(path) => write!(f, "`{path}` changed"),
            Self::Output(path) => write!(f, "the output `{path}` changed"),
        }
    }
}

impl State {
    /// Reads the state in `.drvc`.
    ///
    /// # Errors
    /// Why there is none to be believed.
    pub fn load(home: &Dir) -> Result<Self, Reason> {
        let mut file = home.open_file(STATE).map_err(|errno| match errno {
            rustix::io::Errno::NOENT => Reason::New,
            _ => Reason::Unreadable,
        })?;
        let bytes = file.read(SIZE_LIMIT).map_err(|_| Reason::Unreadable)?;
        let state = Self::decode(&bytes).ok_or(Reason::Unreadable)?;
        match home.status_of(LOCK) {
            _ if state.drvc != IDENTITY => Err(Reason::OtherDrvc),
            Ok(lock) if lock.sig == state.home => Ok(state),
            _ => Err(Reason::Elsewhere),
        }
    }

    /// Signature of the state file in `.drvc`, where there is one.
    #[must_use]
    pub fn sig(home: &Dir) -> Option<Sig> {
        home.status_of(STATE).ok().map(|status| status.sig)
    }

    /// Writes the state of a run that began at `started`; the lock is held.
    ///
    /// # Errors
    /// What the system says.
    pub fn save(home: &Dir, record: Record, started: Instant) -> io::Result<()> {
        let Listing { files, directories } = record.outputs;
        let below = directories.keys().filter(|path| *path != ".").cloned();
        let names = files.into_iter().chain(below.map(|path| (path, Known::Directory)));
        let outputs = Folder::group(names, directories.keys().cloned().collect());
        let inputs = record.inputs.into_iter().map(|(path, answer)| (path.into(), answer));
        let state = Self {
            drvc: IDENTITY.to_owned(),
            home: home.status_of(LOCK)?.sig,
            request: record.request,
            memo: record.memo,
            inputs: Folder::group(inputs, Vec::new()),
            outputs: directories.into_values().zip(outputs).collect(),
        };
        state.write(home, started)
    }

    /// Removes the state, where there is one: the next run is to look at everything.
    ///
    /// # Errors
    /// What the system says.
    pub fn forget(home: &Dir) -> io::Result<()> {
        match home.remove_file(STATE) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Writes the state in place of the last; the lock is held.
    ///
    /// Blanks the signatures that are too young to be trusted, so that the next run looks at the content.
    ///
    /// A signature does not show an edit in the same tick of the file system's clock. So it counts only if the
    /// file had last changed before it was looked at: for outputs before now, for inputs before the run began.
    ///
    /// # Errors
    /// What the system says.
    pub fn write(mut self, home: &Dir, started: Instant) -> io::Result<()> {
        let mut file = home.temporary()?;
        let now = file.status()?.sig.ctime;
        let run = i64::try_from((started.elapsed() + TICK).as_nanos()).unwrap_or(i64::MAX);
        let began = now.saturating_sub(run);
        for (_, answer) in self.inputs.iter_mut().flat_map(|folder| &mut folder.entries) {
            if let Answer::File(sig, _) | Answer::Dir(sig, _) = answer {
                *sig = sig.if_older_than(began);
            }
        }
        for (sig, folder) in &mut self.outputs {
            *sig = sig.if_older_than(now);
            for (_, known) in &mut folder.entries {
                if let Known::Output(sig, _) | Known::Foreign(sig) = known {
                    *sig = sig.if_older_than(now);
                }
            }
        }
        file.write(&self.encode()?)?;
        file.rename(STATE).map(drop)
    }

    /// The note of the run that compiled.
    #[must_use]
    pub fn memo(&self) -> &str {
        &self.memo
    }

    /// What the last run left at this place in the output directory.
    #[must_use]
    pub fn known(&self, directory: &str, name: &str) -> Option<&Known> {
        let at = self.outputs.binary_search_by(|(_, folder)| folder.path.as_str().cmp(directory)).ok()?;
        let (_, folder) = self.outputs.get(at)?;
        let at = folder.entries.binary_search_by(|(other, _)| other.as_str().cmp(name)).ok()?;
        folder.entries.get(at).map(|(_, known)| known)
    }

    /// Magic and version, the record, BLAKE3 of both.
    fn encode(&self) -> io::Result<Vec<u8>> {
        let record = postcard::to_stdvec(self).map_err(io::Error::other)?;
        let mut bytes = [MAGIC, record.as_slice()].concat();
        let trailer = blake3::hash(&bytes);
        bytes.extend_from_slice(trailer.as_bytes());
        Ok(bytes)
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (whole, trailer) = bytes.split_last_chunk::<{ blake3::OUT_LEN }>()?;
        let record = whole.strip_prefix(MAGIC)?;
        if blake3::hash(whole) == *trailer { postcard::from_bytes(record).ok() } else { None }
    }
}

impl Sig {
    /// Itself if the file changed before `time`, else a signature that no file has.
    fn if_older_than(self, time: i64) -> Self {
        if self.ctime < time { self } else { Self::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state() -> State {
        let sig = Sig { size: 5, mtime: 1_700_000_000_000_000_000, ctime: -1, inode: 7, mode: 0o100_644 };
        let input = ("drivers.kdl".to_owned(), Answer::Absent);
        let output = ("Dockerfile".to_owned(), Known::Output(sig, [9; 32]));
        State {
            drvc: IDENTITY.to_owned(),
            home: sig,
            request: [3; 32],
            memo: "1 target".to_owned(),
            inputs: Folder::group([input], Vec::new()),
            outputs: vec![(sig, Folder { path: "image".to_owned(), entries: vec![output] })],
        }
    }

    #[test]
    fn comes_back_as_it_was() {
        assert_eq!(State::decode(&state().encode().unwrap()), Some(state()));
    }

    #[test]
    fn no_cut_and_no_flipped_bit_goes_unseen() {
        let bytes = state().encode().unwrap();
        for at in 0..bytes.len() {
            assert_eq!(State::decode(&bytes[..at]), None, "cut at {at}");
            for bit in 0..8 {
                let mut damaged = bytes.clone();
                damaged[at] ^= 1 << bit;
                assert_eq!(State::decode(&damaged), None, "byte {at}, bit {bit}");
            }
        }
    }

    #[test]
    fn a_record_that_lies_about_its_length_is_refused() {
        let mut bytes = MAGIC.to_vec();
        bytes.extend_from_slice(&[0xff; 64]);
        let trailer = blake3::hash(&bytes);
        bytes.extend_from_slice(trailer.as_bytes());
        assert_eq!(State::decode(&bytes), None);
    }
}

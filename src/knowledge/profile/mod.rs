//! What drvc knows of operating systems: one data file for each, read into [`Profile`]s.
//!
//! A profile says how the kernels of its distribution are named, which releases there are and which kernels each of
//! them ships, which packages hold what a build of kernel modules needs, and on which images it stands. All of that
//! is data (`data/<os>.kdl`); the code here knows no distribution by name.
//!
//! 1. [`read`] parses a file, held to [`PROFILE`], into a [`layer`]: typed, but partial.
//! 2. A layer that extends a profile is laid over that one's.
//! 3. [`build`] checks that the whole fits together and makes a [`Profile`] of it, which answers questions:
//!    [`Profile::release`], [`Profile::kernel`], [`Profile::check`], [`Profile::packages`].

mod build;
mod facts;
mod grammar;
mod kernel;
mod layer;
mod limits;
mod mirrors;
mod compatibility;
mod packages;
mod read;
mod release;
mod table;
mod template;
mod values;
mod version;
mod words;
#[cfg(test)]
mod tests;

pub use compatibility::{Fit, Incompatibility, IncompatibilityKind};
pub use facts::{Compiler, KernelPackages, Platform, Profile, ReleaseFacts};
pub use kernel::{El, Kernel, KernelError, KernelErrorKind, Unknown};
pub use mirrors::Mirror;
pub use packages::Unusable;
pub use release::UnknownRelease;
pub use table::PROFILE;
pub use values::{Builder, Entitlement, PackageManager, Payload};
pub use version::{VersionOrder, VersionRange};

use crate::text::diag::{Code, Diagnostic, listed, nearest};
use crate::text::ids::OsName;
use crate::text::session::Session;
use crate::text::source::{FileId, Sources, Spanned};
use layer::Layer;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock, OnceLock};

/// The files that come with drvc. To add a distribution, add its file here.
const BUILTIN: &[(&str, &str)] = &[
    ("almalinux", include_str!("data/almalinux.kdl")),
    ("amazon", include_str!("data/amazon.kdl")),
    ("azurelinux", include_str!("data/azurelinux.kdl")),
    ("centos", include_str!("data/centos.kdl")),
    ("debian", include_str!("data/debian.kdl")),
    ("fedora", include_str!("data/fedora.kdl")),
    ("fedora-coreos", include_str!("data/fedora-coreos.kdl")),
    ("leap", include_str!("data/leap.kdl")),
    ("okd", include_str!("data/okd.kdl")),
    ("openshift", include_str!("data/openshift.kdl")),
    ("oracle", include_str!("data/oracle.kdl")),
    ("rhel", include_str!("data/rhel.kdl")),
    ("rocky", include_str!("data/rocky.kdl")),
    ("sles", include_str!("data/sles.kdl")),
    ("ubuntu", include_str!("data/ubuntu.kdl")),
];

/// All profiles of a run: the built-in ones, each read when it is first asked for, and the user's own.
#[derive(Debug)]
pub struct Profiles {
    user: BTreeMap<OsName, Arc<Profile>>,
    broken: BTreeSet<OsName>,
    builtin: Arc<Builtin>,
}

/// The built-in ones as far as they were asked for.
type Builtin = Vec<OnceLock<Option<Arc<Profile>>>>;

/// The same for all that have no profile of the user's own, which could be extended by a built-in one.
static READ: LazyLock<Arc<Builtin>> = LazyLock::new(|| Arc::new(unread()));

fn unread() -> Builtin {
    BUILTIN.iter().map(|_| OnceLock::new()).collect()
}

impl Default for Profiles {
    fn default() -> Self {
        Self::builtin()
    }
}

impl Profiles {
    /// The built-in profiles alone.
    #[must_use]
    pub fn builtin() -> Self {
        Self { user: BTreeMap::new(), broken: BTreeSet::new(), builtin: Arc::clone(&READ) }
    }

    /// Reads a profile of the user's own (`profile NAME FILE`); one with a built-in one's name takes its place, also
    /// for profiles that run it.
    ///
    /// Where something is wrong with the file, the profile is left out. A built-in profile that it extends is added to
    /// the texts.
    pub fn add_user(&mut self, name: &OsName, file: FileId, session: &mut Session) {
        match self.read_user(name, file, session) {
            Some(profile) => {
                self.user.insert(name.clone(), Arc::new(profile));
                self.builtin = Arc::new(unread());
            }
            None => {
                self.broken.insert(name.clone());
            }
        }
    }

    /// Whether a profile of the user's own has this name but could not be read, which has been reported.
    #[must_use]
    pub fn is_broken(&self, os: &str) -> bool {
        self.broken.iter().any(|name| name.as_str() == os)
    }

    fn read_user(&self, name: &OsName, file: FileId, session: &mut Session) -> Option<Profile> {
        let layer = self.layers(file, session)?;
        let host = layer.runs.as_ref().map(|runs| self.host(name, runs)).transpose();
        match host {
            Ok(host) => build::build(name, layer, host, &mut session.found),
            Err(diagnostic) => {
                session.found.push(diagnostic);
                None
            }
        }
    }

    /// The profile with this name.
    #[must_use]
    pub fn get(&self, os: &str) -> Option<&Profile> {
        self.entry(os).map(|profile| &**profile)
    }

    /// The names of all profiles, sorted.
    #[must_use]
    pub fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = BUILTIN.iter().map(|(name, _)| *name).collect();
        names.extend(self.user.keys().map(OsName::as_str));
        names.sort_unstable();
        names.dedup();
        names
    }

    /// The titles of the profiles that know a kernel as theirs, with its series and flavour: for "that is a kernel of
    /// Ubuntu". Profiles that run another's kernels are left out.
    #[must_use]
    pub fn readers_of(&self, kernel: &str) -> Vec<&str> {
        let profiles = self.names().into_iter().filter_map(|name| self.get(name));
        let own = profiles.filter(|profile| profile.host.is_none() && profile.knows(kernel));
        own.map(|profile| profile.title.as_str()).collect()
    }

    /// Reads a kernel as [`Profile::kernel`] does; one that the profile does not know must not be one that others know
    /// as theirs.
    ///
    /// # Errors
    /// See [`Profile::kernel`].
    pub fn kernel(&self, profile: &Profile, text: &str) -> Result<Kernel, KernelError> {
        let kernel = profile.kernel(text)?;
        if kernel.unknown != Some(Unknown::Shape) {
            return Ok(kernel);
        }
        match self.readers_of(text).as_slice() {
            [] => Ok(kernel),
            readers => Err(profile.kernel_of_others(text, &words::join(readers, "or"))),
        }
    }

    /// The profile that the profile `name` runs.
    fn host(&self, name: &OsName, runs: &Spanned<OsName>) -> Result<Arc<Profile>, Diagnostic> {
        let os = runs.value.as_str();
        if runs.value == *name {
            return Err(unknown_profile(runs, "a profile cannot run itself".into()));
        }
        match self.shared(os) {
            Some(host) if host.host.is_none() => Ok(host),
            Some(_) => {
                Err(unknown_profile(runs, format!("`{os}` runs another's kernels itself: name that one")))
            }
            None => Err(unknown_profile(runs, meant(os, &self.names()))),
        }
    }

    fn shared(&self, os: &str) -> Option<Arc<Profile>> {
        self.entry(os).cloned()
    }

    fn entry(&self, os: &str) -> Option<&Arc<Profile>> {
        if let Some((_, profile)) = self.user.iter().find(|(name, _)| name.as_str() == os) {
            return Some(profile);
        }
        let index = BUILTIN.iter().position(|(name, _)| *name == os)?;
        self.builtin.get(index)?.get_or_init(|| self.load(os)).as_ref()
    }

    /// Reads a built-in profile. That each of them is right is held by a test.
    fn load(&self, os: &str) -> Option<Arc<Profile>> {
        let mut session = Session::default();
        let file = add_builtin(os, &mut session.sources)?;
        let layer = self.layers(file, &mut session)?;
        let host = match &layer.runs {
            Some(runs) => Some(self.shared(runs.value.as_str())?),
            None => None,
        };
        build::build(&OsName::parse(os).ok()?, layer, host, &mut session.found).map(Arc::new)
    }

    /// Reads a file, laid over the built-in ones that it extends.
    fn layers(&self, file: FileId, session: &mut Session) -> Option<Layer> {
        let before = session.found.len();
        let layer = read::read(file, &session.sources, &mut session.found)?;
        let Some(extends) = layer.extends.clone() else {
            return (session.found.len() == before).then_some(layer);
        };
        let Some(below) = add_builtin(extends.value.as_str(), &mut session.sources) else {
            let known: Vec<&str> = BUILTIN.iter().map(|(name, _)| *name).collect();
            session.found.push(unknown_profile(&extends, meant(extends.value.as_str(), &known)));
            return None;
        };
        let below = self.layers(below, session)?;
        (session.found.len() == before).then(|| layer.over(below))
    }
}

fn add_builtin(os: &str, sources: &mut Sources) -> Option<FileId> {
    let (name, text) = BUILTIN.iter().find(|(name, _)| *name == os)?;
    Some(sources.add(format!("<built-in>/{name}.kdl"), *text))
}

fn unknown_profile(name: &Spanned<OsName>, help: String) -> Diagnostic {
    Diagnostic::new(Code::UnknownProfile, format!("no profile `{}` to build on", name.value))
        .label(name.span, "no such profile")
        .help(help)
}

fn meant(name: &str, known: &[&str]) -> String {
    match nearest(name, known.iter().copied()) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!("there is {}", listed(known.iter().copied(), "and")),
    }
}

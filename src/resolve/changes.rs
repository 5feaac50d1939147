//! Two locks -> what moved between them, kernels first.

use crate::knowledge::lock::{Entry, HeadersPin, Lock, Want, packages_name};
use crate::text::ids::{Arch, KernelText, PackageName};
use std::collections::BTreeMap;
use std::fmt;

/// What happened to one entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    pub name: String,
    /// What happened.
    pub kind: ChangeKind,
    /// What it is now, or what became of what, in few words.
    pub detail: String,
}

/// The ways in which an entry changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ChangeKind {
    Added,
    Moved,
    Removed,
}

impl ChangeKind {
    /// The word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Moved => "moved",
            Self::Removed => "removed",
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = self.kind.name();
        let colon = if self.detail.is_empty() { "" } else { ": " };
        write!(f, "{kind} {}{colon}{}", self.name, self.detail)
    }
}

/// Every entry that is not the same in both. Packages are told of where a kernel's moved; those of kernels that came
/// and went do so with them.
#[must_use]
pub fn changes(before: &Lock, after: &Lock) -> Vec<Change> {
    let (old, new) = (values(before), values(after));
    let mut all = Vec::new();
    for (want, value) in &new {
        match old.get(want) {
            None => all.push((want, ChangeKind::Added, value.short())),
            Some(before) if before != value => all.push((want, ChangeKind::Moved, before.to(value))),
            Some(_) => {}
        }
    }
    all.extend(
        old.iter()
            .filter(|(want, _)| !new.contains_key(want))
            .map(|(want, _)| (want, ChangeKind::Removed, String::new())),
    );
    all.sort_by(|left, right| left.0.cmp(right.0));
    let mut changes: Vec<_> =
        all.into_iter().map(|(want, kind, detail)| Change { name: want.to_string(), kind, detail }).collect();
    changes.extend(packages(before, after));
    changes.extend(other_packages(before, after));
    changes
}

fn packages(before: &Lock, after: &Lock) -> Vec<Change> {
    let moved = after.packages.iter().filter_map(|(key, new)| {
        let old = before.packages.get(key).filter(|old| old.value != new.value)?;
        let (os, release, kernel, arch): &(_, _, KernelText, Arch) = key;
        let name = packages_name(os.as_str(), release.as_str(), kernel.as_str(), arch.name());
        let list = |entry: &Entry<Vec<_>>| entry.value.iter().map(ToString::to_string).collect();
        let detail = Value::Many(list(old)).to(&Value::Many(list(new)));
        Some(Change { name, kind: ChangeKind::Moved, detail })
    });
    moved.collect()
}

fn other_packages(before: &Lock, after: &Lock) -> Vec<Change> {
    let moved = after.kernels.iter().filter_map(|(query, new)| {
        let (old, new) = (&before.kernels.get(query)?.value.other_packages, &new.value.other_packages);
        let name = format!("other packages beside {}", Want::Kernels(query.clone()));
        let list = |names: &[PackageName]| Value::Many(names.iter().map(ToString::to_string).collect());
        (old != new).then(|| Change { name, kind: ChangeKind::Moved, detail: list(old).to(&list(new)) })
    });
    moved.collect()
}

/// An entry's value, as far as people compare it.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Value {
    One(String),
    Many(Vec<String>),
}

impl Value {
    fn short(&self) -> String {
        match self {
            Self::One(text) => shorten(text),
            Self::Many(items) => items.join(", "),
        }
    }

    fn to(&self, new: &Self) -> String {
        match (self, new) {
            (Self::Many(old), Self::Many(new)) => {
                let added = new.iter().filter(|item| !old.contains(item)).map(|item| format!("+ {item}"));
                let gone = old.iter().filter(|item| !new.contains(item)).map(|item| format!("- {item}"));
                let parts: Vec<_> = added.chain(gone).collect();
                if parts.is_empty() { "in another order".to_owned() } else { parts.join(", ") }
            }
            _ if self.short() == new.short() => format!("{} for other architectures", new.short()),
            _ => format!("{} -> {}", self.short(), new.short()),
        }
    }
}

/// A package without its checksum.
fn package(text: &str) -> String {
    text.split(' ').next().unwrap_or_default().to_owned()
}

/// A commit or digest by its first twelve digits.
fn shorten(text: &str) -> String {
    let text = text.split(' ').next().unwrap_or_default();
    let (kind, hex) = text.split_once(':').map_or(("", text), |(_, hex)| ("sha256:", hex));
    format!("{kind}{}", hex.get(..12).unwrap_or(hex))
}

fn values(lock: &Lock) -> BTreeMap<Want, Value> {
    let mut all = BTreeMap::new();
    let Lock { archives, builders, git, headers, images, kernels, openshift, packages: _, zstreams } = lock;
    for (key, pin) in headers {
        let value = match &pin.value {
            HeadersPin::Known(known) => Value::Many(known.packages.iter().map(|one| package(one)).collect()),
            HeadersPin::Unknown(why) => Value::Many(vec![format!("not known, {why}")]),
        };
        all.insert(Want::Headers(key.clone()), value);
    }
    for (query, builder) in builders {
        all.insert(Want::Builder(query.clone()), Value::Many(vec![builder.value.name().to_owned()]));
    }
    for (url, sha256) in archives {
        all.insert(Want::Archive(url.clone()), Value::One(sha256.value.to_string()));
    }
    for ((url, reference), commit) in git {
        all.insert(Want::Git(url.clone(), reference.clone()), Value::One(commit.value.to_string()));
    }
    for (image, pin) in images {
        let platforms = pin.value.platforms.iter().map(|(arch, digest)| format!(" {arch} {digest}"));
        let value = format!("{}{}", pin.value.digest, platforms.collect::<String>());
        all.insert(Want::Image(image.clone()), Value::One(value));
    }
    for (query, kernels) in kernels {
        all.insert(
            Want::Kernels(query.clone()),
            Value::Many(kernels.value.kernels.iter().map(ToString::to_string).collect()),
        );
    }
    for ((release, arch), pins) in openshift {
        let words = pins.iter().flat_map(|pin| {
            let realtime = pin.value.realtime.iter().map(ToString::to_string);
            let toolkit =
                pin.value.driver_toolkit.digest().map(|digest| format!("driver-toolkit {}", shorten(digest)));
            [pin.value.kernel.to_string()].into_iter().chain(realtime).chain(toolkit)
        });
        all.insert(Want::OpenShift(release.clone(), *arch), Value::Many(words.collect()));
    }
    for (query, releases) in zstreams {
        all.insert(
            Want::ZStreams(query.clone()),
            Value::Many(releases.value.iter().map(ToString::to_string).collect()),
        );
    }
    all
}

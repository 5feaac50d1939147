//! Names and other short values, each parsed once by its narrow grammar and never checked again.
//!
//! A value of one of these types may stand unquoted in a Dockerfile. Whether it came from the manifest, the lock
//! file, a profile or a server makes no difference: there is no other way to make one.

pub use super::grammar::Invalid;
use super::grammar::{all, is_rel_path};
pub use super::path::{FilePath, RelPath};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;

macro_rules! text_types {
    ($($(#[$doc:meta])* $name:ident: $check:expr, $rule:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            /// What a value may look like, for messages.
            pub const RULE: &'static str = $rule;

            /// Takes a text of this grammar.
            ///
            /// # Errors
            /// The rule, where the text breaks it.
            pub fn parse(text: &str) -> Result<Self, Invalid> {
                let check: fn(&str) -> bool = $check;
                if check(text) { Ok(Self(text.into())) } else { Err(Invalid(Self::RULE)) }
            }

            /// The text itself.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = String;
            fn try_from(text: String) -> Result<Self, String> {
                Self::parse(&text).map_err(|rule| format!("expected {rule}"))
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> Self {
                value.as_str().to_owned()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
    )*};
}

text_types! {
    /// Name of a source, image or toolkit: part of paths, stage names and repositories.
    Name: is_name,
        "1 to 64 of a-z 0-9 . _ -, first and last a letter or digit, and not a reserved device name";
    /// Name of a module: as [`Name`], and capitals too, because kernel modules have them.
    ModuleName: |text| is_name(&text.to_ascii_lowercase()),
        "1 to 64 of A-Z a-z 0-9 . _ -, first and last a letter or digit, and not a reserved device name";
    /// Name of a kernel module as `modprobe` takes it.
    KmodName: |text| starts_with(text, |b| b.is_ascii_alphanumeric() || b == b'_') && all(text, 1..=64, b"_-"),
        "1 to 64 of A-Z a-z 0-9 _ -, first a letter, digit or _";
    /// Name of a package, with or without a version, as a package manager's command line takes it.
    PackageName: |text| starts_with(text, |b| b.is_ascii_alphanumeric()) && all(text, 1..=192, b".+_:~^=-"),
        "1 to 192 of A-Z a-z 0-9 . + _ : ~ ^ = -, first a letter or digit";
    /// The version of a package, with epoch and release where it has them.
    PackageVersion: |text| starts_with(text, |b| b.is_ascii_alphanumeric()) && all(text, 1..=128, b".+_:~^-"),
        "1 to 128 of A-Z a-z 0-9 . + _ : ~ ^ -, first a letter or digit";
    /// Name of an environment variable or of a variable of make.
    EnvName: |text| starts_with(text, |b| b.is_ascii_alphabetic() || b == b'_') && all(text, 1..=128, b"_"),
        "1 to 128 of A-Z a-z 0-9 _, first a letter or _";
    /// A program: its name, or its absolute path.
    Command: |text| match text.strip_prefix('/') {
        Some(path) => is_rel_path(path),
        None => starts_with(text, |b| b.is_ascii_alphanumeric()) && all(text, 1..=64, b"._+-"),
    },
        "a name of A-Z a-z 0-9 . _ + -, first a letter or digit, or an absolute path without .. or //";
    /// A long option of a command, such as `--releasever=9.4`.
    CommandOption: |text| text.starts_with("--") && all(text, 3..=128, b"-=._,:/+"),
        "-- and then 1 to 126 of A-Z a-z 0-9 - = . _ , : / +";
    /// A kernel's `CONFIG_` option.
    ConfigName: |text| text.len() > 7 && text.starts_with("CONFIG_") && all(text, 8..=128, b"_"),
        "CONFIG_ and then A-Z a-z 0-9 _";
    /// Name of an operating system: of its profile.
    OsName: |text| starts_with(text, |b| b.is_ascii_lowercase()) && lower(text) && all(text, 1..=32, b"-"),
        "1 to 32 of a-z 0-9 -, first a letter";
    /// A release of an operating system, such as `9.4` or `12`.
    Release: |text| starts_with(text, |b| b.is_ascii_alphanumeric()) && all(text, 1..=32, b"._-"),
        "1 to 32 of A-Z a-z 0-9 . _ -, first a letter or digit";
    /// What `uname -r` prints.
    KernelText: |text| starts_with(text, |b| b.is_ascii_digit()) && all(text, 1..=128, b"._+~-"),
        "1 to 128 of A-Z a-z 0-9 . _ + ~ -, first a digit";
    /// A kernel's flavour, such as `default`, `rt`, `64k` or `cloud`.
    Flavor: |text| starts_with(text, |b| b.is_ascii_alphanumeric()) && lower(text) && all(text, 1..=32, b"-_"),
        "1 to 32 of a-z 0-9 - _, first a letter or digit";
    /// A git commit, SHA-1 or SHA-256, in full.
    Commit: |text| matches!(text.len(), 40 | 64) && is_hex(text),
        "40 or 64 of 0-9 a-f";
    /// A branch or tag of git, without `refs/`.
    GitRef: is_git_ref,
        "a branch or tag as git allows it: A-Z a-z 0-9 . _ / + -, no leading -, no //, no .., no .lock at the end";
    /// A git repository that drvc fetches from.
    GitUrl: is_git_url,
        "https://host/path or ssh://user@host/path without password, query or ..";
    /// The public key by which an ssh server is known.
    HostKey: is_host_key,
        "a kind such as ssh-ed25519, a space and the key in base64, as `ssh-keyscan` prints them behind the host";
    /// The name that is given beside a token or a password.
    LoginName: |text| starts_with(text, |b| b.is_ascii_alphanumeric()) && all(text, 1..=128, b"._+@-"),
        "1 to 128 of A-Z a-z 0-9 . _ + @ -, first a letter or digit";
    /// A file to download.
    FileUrl: is_https_url,
        "https://host/path without password, query or ..";
    /// A package repository of dnf or apt. Packages are signed, so `http` will do where there is no `https`.
    RepositoryUrl: is_repository_url,
        "https://host/path or http://host/path without password, query or ..";
    /// A package repository's name for dnf and its kin.
    RepositoryId: |text| starts_with(text, |b| b.is_ascii_alphanumeric()) && all(text, 1..=128, b"._:-"),
        "1 to 128 of A-Z a-z 0-9 . _ : -, first a letter or digit";
    /// An image's repository: registry, path, and neither tag nor digest.
    Repository: is_repository,
        "host[:port]/path in lower case, without tag or digest";
    /// An image's tag.
    Tag: |text| starts_with(text, |b| b.is_ascii_alphanumeric() || b == b'_') && all(text, 1..=128, b"._-"),
        "1 to 128 of A-Z a-z 0-9 _ . -, first a letter, digit or _";
    /// The digest of an image's manifest or index.
    Digest: |text| text.strip_prefix("sha256:").is_some_and(|hex| hex.len() == 64 && is_hex(hex)),
        "sha256: and 64 of 0-9 a-f";
    /// A SHA-256 checksum.
    Sha256: |text| text.len() == 64 && is_hex(text),
        "64 of 0-9 a-f";
    /// A reference to an image: a repository with a tag, a digest or both.
    ImageRef: is_image_ref,
        "host[:port]/path[:tag][@sha256:digest], the path in lower case";
    /// The name under which a build secret is handed to the engine.
    SecretId: |text| starts_with(text, |b| b.is_ascii_alphanumeric()) && lower(text) && all(text, 1..=63, b"_-"),
        "1 to 63 of a-z 0-9 _ -, first a letter or digit";
    /// An absolute path in a container.
    AbsPath: |text| text.strip_prefix('/').is_some_and(|rest| rest.is_empty() || is_rel_path(rest)),
        "an absolute path of A-Z a-z 0-9 . _ + ~ @ : , = - without .. or //";
}

impl PackageVersion {
    /// The version without its epoch, which package managers do not ask for.
    #[must_use]
    pub fn without_epoch(&self) -> &str {
        self.0.split_once(':').map_or(&self.0, |(_, version)| version)
    }
}

/// A processor architecture, by the kernel's own name for it (`uname -m`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Arch {
    #[serde(rename = "x86_64")]
    X86_64,
    Aarch64,
    Ppc64le,
    S390x,
    Riscv64,
    I686,
    Armv7l,
}

impl Arch {
    /// All of them, in the order of their names' first use by RHEL.
    pub const ALL: [Self; 7] =
        [Self::X86_64, Self::Aarch64, Self::Ppc64le, Self::S390x, Self::Riscv64, Self::I686, Self::Armv7l];

    /// The kernel's and rpm's name, as `uname -m` prints it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::X86_64 => "x86_64",
            Self::Aarch64 => "aarch64",
            Self::Ppc64le => "ppc64le",
            Self::S390x => "s390x",
            Self::Riscv64 => "riscv64",
            Self::I686 => "i686",
            Self::Armv7l => "armv7l",
        }
    }

    /// Go's name, which image platforms use (`GOARCH` in the OCI image specification).
    #[must_use]
    pub const fn oci(self) -> &'static str {
        match self {
            Self::X86_64 => "amd64",
            Self::Aarch64 => "arm64",
            Self::Ppc64le => "ppc64le",
            Self::S390x => "s390x",
            Self::Riscv64 => "riscv64",
            Self::I686 => "386",
            Self::Armv7l => "arm",
        }
    }

    /// Debian's name, as `dpkg --print-architecture` prints it.
    #[must_use]
    pub const fn debian(self) -> &'static str {
        match self {
            Self::X86_64 => "amd64",
            Self::Aarch64 => "arm64",
            Self::Ppc64le => "ppc64el",
            Self::S390x => "s390x",
            Self::Riscv64 => "riscv64",
            Self::I686 => "i386",
            Self::Armv7l => "armhf",
        }
    }

    /// The architecture with this kernel name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|arch| arch.name() == name)
    }
}

impl fmt::Display for Arch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

fn starts_with(text: &str, allowed: fn(u8) -> bool) -> bool {
    text.bytes().next().is_some_and(allowed)
}

fn lower(text: &str) -> bool {
    !text.bytes().any(|b| b.is_ascii_uppercase())
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// Device names that some file systems reserve, also with an extension; git checkouts there would fail.
const RESERVED: &[&str] = &[
    "con", "prn", "aux", "nul", "com1", "com2", "com3", "com4", "com5", "com6", "com7", "com8", "com9",
    "lpt1", "lpt2", "lpt3", "lpt4", "lpt5", "lpt6", "lpt7", "lpt8", "lpt9",
];

fn is_name(text: &str) -> bool {
    let edges = |b: Option<u8>| b.is_some_and(|b| b.is_ascii_alphanumeric());
    let stem = text.split('.').next().unwrap_or_default();
    all(text, 1..=64, b"._-")
        && lower(text)
        && edges(text.bytes().next())
        && edges(text.bytes().last())
        && !RESERVED.contains(&stem)
}

/// The parts of `git check-ref-format` that the narrow alphabet leaves open.
fn is_git_ref(text: &str) -> bool {
    let part = |part: &str| !part.is_empty() && !part.starts_with(['.', '-']) && !part.ends_with(".lock");
    all(text, 1..=200, b"._/+-") && !text.contains("..") && !text.ends_with('.') && text.split('/').all(part)
}

fn is_host(text: &str) -> bool {
    let (host, port) = text.split_once(':').unwrap_or((text, "1"));
    starts_with(host, |b| b.is_ascii_alphanumeric())
        && all(host, 1..=253, b".-")
        && matches!(port.len(), 1..=5)
        && port.bytes().all(|b| b.is_ascii_digit())
}

fn is_url_path(text: &str) -> bool {
    all(text, 1..=1024, b"._+~@:,=/%-")
        && text.split('/').all(|part| !part.is_empty() && part != "." && part != "..")
}

fn is_https_url(text: &str) -> bool {
    let rest = text.strip_prefix("https://").and_then(|rest| rest.split_once('/'));
    rest.is_some_and(|(host, path)| is_host(host) && is_url_path(path))
}

/// Unlike a file, a repository may be all that its host has.
fn is_repository_url(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    rest.is_some_and(|rest| match rest.split_once('/') {
        Some((host, path)) => is_host(host) && is_url_path(path),
        None => is_host(rest),
    })
}

fn is_git_url(text: &str) -> bool {
    let ssh = |rest: &str| {
        rest.split_once('/').is_some_and(|(authority, path)| {
            let host = match authority.split_once('@') {
                Some((user, host)) if all(user, 1..=32, b"._-") && !user.starts_with('-') => host,
                Some(_) => return false,
                None => authority,
            };
            is_host(host) && is_url_path(path)
        })
    };
    is_https_url(text) || text.strip_prefix("ssh://").is_some_and(ssh)
}

fn is_host_key(text: &str) -> bool {
    let kinds =
        ["ssh-ed25519", "ssh-rsa", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521"];
    text.split_once(' ').is_some_and(|(kind, key)| kinds.contains(&kind) && all(key, 32..=2048, b"+/="))
}

/// The grammar of github.com/distribution/reference: components of `[a-z0-9]` joined by `.`, `_`, `__` or `-`s.
fn is_repository(text: &str) -> bool {
    if text.len() > 255 {
        return false;
    }
    let component = |part: &str| {
        let edges = |b: Option<u8>| b.is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        edges(part.bytes().next())
            && edges(part.bytes().last())
            && lower(part)
            && all(part, 1..=255, b"._-")
            && part.as_bytes().windows(2).all(|pair| match pair {
                [b'-', b'-'] | [b'_', b'_'] => true,
                pair => pair.iter().any(u8::is_ascii_alphanumeric),
            })
            && !part.contains("___")
    };
    match text.split_once('/') {
        Some((host, path)) if host.contains(['.', ':']) || host == "localhost" => {
            is_host(host) && path.split('/').all(component)
        }
        _ => text.split('/').all(component),
    }
}

fn is_image_ref(text: &str) -> bool {
    let (named, digest) = text.split_once('@').map_or((text, None), |(named, digest)| (named, Some(digest)));
    let (repository, tag) = split_tag(named);
    is_repository(repository)
        && tag.is_none_or(|tag| Tag::parse(tag).is_ok())
        && digest.is_none_or(|digest| Digest::parse(digest).is_ok())
}

/// Splits `repository:tag`; a colon before the last slash belongs to a port.
fn split_tag(text: &str) -> (&str, Option<&str>) {
    match text.rsplit_once(':') {
        Some((repository, tag)) if !tag.contains('/') => (repository, Some(tag)),
        _ => (text, None),
    }
}

impl ImageRef {
    /// The reference without tag and digest.
    #[must_use]
    pub fn repository(&self) -> &str {
        let named = self.0.split_once('@').map_or(&*self.0, |(named, _)| named);
        split_tag(named).0
    }

    /// The host of the registry, with its port, where the reference begins with one.
    #[must_use]
    pub fn registry(&self) -> Option<&str> {
        let (host, _) = self.0.split_once('/')?;
        (host.contains(['.', ':']) || host == "localhost").then_some(host)
    }

    /// The tag, where there is one.
    #[must_use]
    pub fn tag(&self) -> Option<&str> {
        let named = self.0.split_once('@').map_or(&*self.0, |(named, _)| named);
        split_tag(named).1
    }

    /// The digest, where there is one.
    #[must_use]
    pub fn digest(&self) -> Option<&str> {
        self.0.split_once('@').map(|(_, digest)| digest)
    }
}

/// The name of the module in a file of that path; none where it is no module. A finished one may be compressed, as kmod
/// reads it.
#[must_use]
pub fn module_file_stem(path: &str) -> Option<&str> {
    let name = path.rsplit('/').next()?;
    [".ko", ".ko.gz", ".ko.xz", ".ko.zst"].iter().find_map(|suffix| name.strip_suffix(suffix))
}

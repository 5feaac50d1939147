//! A package of a kernel's headers -> digests of it, without what only names the kernel.
//!
//! `check-reuse` of a Dockerfile does the same with the files of a builder, and has the last word.

use crate::system::package::{self, Content, Member};
use crate::text::error::Error;
use memchr::memmem;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::{self, Read as _};

/// Of what is told of a package: another one is read again.
pub(super) const VERSION: u32 = 5;
/// The largest file that is read, in bytes.
const FILE: u64 = 64 << 20;
/// So many texts that name the kernel are kept of a package: one with more is read again for another kernel.
const NAMED: usize = 64;
/// Where the files of a kernel's headers are.
const PLACES: [&str; 3] = ["usr/src/", "lib/modules/", "usr/lib/modules/"];
/// Files that do nothing but name the kernel.
const NAMES: [&str; 4] = ["utsrelease.h", "utsversion.h", "package.h", "compile.h"];
/// Options that hold a version string.
const VERSIONS: [&str; 2] = ["CONFIG_BUILD_SALT", "CONFIG_VERSION_SIGNATURE"];

/// What a package holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Contents {
    /// Over all header files and what else a build reads.
    pub headers: String,
    /// Over `auto.conf`.
    pub options: Option<String>,
    /// Over all exported symbols.
    pub symbols: Option<String>,
    /// The version of `module_layout`.
    pub layout: Option<String>,
    /// Directories beneath `/usr/src` that it builds on and does not bring along.
    pub shared: BTreeSet<String>,
    /// Each text in it that names the kernel, and what is left of that: `TEXT=PLAIN`.
    pub named: BTreeSet<String>,
}

/// What a package holds, line by line: too much to keep, and enough to name what differs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Details {
    /// `CHECKSUM PATH`, and `link TARGET PATH`.
    files: BTreeSet<String>,
    /// Lines of `auto.conf`.
    options: BTreeSet<String>,
    /// Lines of `Module.symvers`.
    symbols: BTreeSet<String>,
}

impl Details {
    /// Adds those of another package of the same kernel.
    pub(super) fn extend(&mut self, other: Self) {
        self.files.extend(other.files);
        self.options.extend(other.options);
        self.symbols.extend(other.symbols);
    }

    /// What another kernel has otherwise: the first option, header and symbol, each with the number of others.
    pub(super) fn difference(&self, other: &Self) -> String {
        let file = |line: &str| {
            let path = line.rsplit(' ').next().unwrap_or_default();
            let short = path.split_once("/include/").map(|(_, rest)| format!("include/{rest}"));
            short.unwrap_or_else(|| path.to_owned())
        };
        let option = |line: &str| line.split('=').next().unwrap_or_default().to_owned();
        let symbol = |line: &str| line.split('\t').nth(1).unwrap_or_default().to_owned();
        let kinds = [
            ("option", first(&self.options, &other.options, &option)),
            ("header", first(&self.files, &other.files, &file)),
            ("symbol", first(&self.symbols, &other.symbols, &symbol)),
        ];
        let told = kinds.into_iter().filter_map(|(kind, (name, number))| match number {
            0 => None,
            1 => Some(format!("{kind} {name}")),
            _ => Some(format!("{kind} {name} and {} more", number - 1)),
        });
        told.collect::<Vec<_>>().join(", ")
    }
}

/// The first name of what is in one of two sets alone, and the number of such names. Headers come before what else there is;
/// of options each is named, and not their file too.
fn first(one: &BTreeSet<String>, other: &BTreeSet<String>, name: &dyn Fn(&str) -> String) -> (String, usize) {
    let names = one.symmetric_difference(other).map(|line| name(line));
    let names: BTreeSet<_> = names.filter(|name| name != "include/config/auto.conf").collect();
    let chosen = names.iter().find(|name| name.ends_with(".h")).or_else(|| names.first());
    (chosen.cloned().unwrap_or_default(), names.len())
}

impl Contents {
    /// Reads a package of the headers of this kernel.
    pub(super) fn read(name: &str, bytes: &[u8], kernel: &str) -> Result<(Self, Details), Error> {
        let words = release_words(kernel);
        let (mut contents, mut details, mut own) = (Self::default(), Details::default(), BTreeSet::new());
        package::read_bytes(name, bytes, &mut |member| {
            own.extend(beneath_src(&member.path));
            contents.member(member, &words, &mut details)
        })?;
        let can_tell = words.iter().all(|word| word.contains(shortest(&words)) && word.chars().all(of_name));
        if contents.named.len() > NAMED || !can_tell {
            contents.named = BTreeSet::from([format!("{kernel}=@")]);
        }
        contents.shared.retain(|name| !own.contains(name));
        let lines: String = details.files.iter().map(|line| format!("{line}\n")).collect();
        contents.headers = sum(lines.as_bytes());
        Ok((contents, details))
    }

    /// Whether a package of which this is known is the same for a kernel: whatever names the kernel that it was read for names
    /// this one too.
    pub(super) fn serves(&self, kernel: &str) -> bool {
        let words = release_words(kernel);
        let same = |(text, left): (&str, &str)| plain(text, &words) == left;
        self.named.iter().all(|named| named.split_once('=').is_some_and(same))
    }

    /// A text without the kernel's release, after what names it there was noted. Every name of a kernel has the shortest in it.
    fn plain(&mut self, text: &str, words: &[String]) -> String {
        for at in memmem::find_iter(text.as_bytes(), shortest(words)) {
            let (before, after) = text.split_at(at);
            let start = before.trim_end_matches(of_name).len();
            let end = at + after.find(|c| !of_name(c)).unwrap_or(after.len());
            let name = text.get(start..end).unwrap_or_default();
            if self.named.len() <= NAMED {
                self.named.insert(format!("{name}={}", plain(name, words)));
            }
        }
        plain(text, words)
    }

    fn member(&mut self, member: Member<'_>, words: &[String], details: &mut Details) -> io::Result<()> {
        let path = member.path;
        // The rest are texts about the package, each with its version.
        if !PLACES.iter().any(|place| path.starts_with(place)) {
            return Ok(());
        }
        let (directory, name) = path.rsplit_once('/').unwrap_or(("", &path));
        let bytes = match member.content {
            Content::Directory => return Ok(()),
            Content::Symlink(target) => {
                self.shared.extend(beneath_src(&resolved(directory, &target)));
                details.files.insert(format!(
                    "link {} {}",
                    self.plain(&target, words),
                    self.plain(&path, words)
                ));
                return Ok(());
            }
            Content::File(size, _) if size > FILE => {
                return Err(io::Error::other("a file of it is too large"));
            }
            Content::File(_, reader) => {
                let mut bytes = Vec::new();
                reader.take(FILE).read_to_end(&mut bytes)?;
                bytes
            }
        };
        let ignored = matches!(name, "System.map") || name.starts_with(".config") || name.ends_with(".a");
        let names_only = directory.ends_with("include/generated") && NAMES.contains(&name);
        if ignored || names_only || bytes.starts_with(b"\x7fELF") {
            return Ok(());
        }
        if name == "Module.symvers" {
            return self.symvers(&String::from_utf8_lossy(&bytes), details);
        }
        let text = match String::from_utf8(bytes) {
            Ok(text) => text,
            Err(other) => {
                details.files.insert(format!("{} {}", sum(other.as_bytes()), self.plain(&path, words)));
                return Ok(());
            }
        };
        if name == "Makefile" {
            let includes = text.lines().filter_map(|line| line.strip_prefix("include "));
            let shared = includes.filter_map(|rest| rest.trim().strip_suffix("/Makefile"));
            self.shared
                .extend(shared.filter_map(|path| beneath_src(&(resolved(directory, path) + "/Makefile"))));
        }
        let text = self.plain(&text, words);
        if name == "auto.conf" && directory.ends_with("include/config") {
            // A comment above them says the kernel's upstream version.
            let options: String = text.split_inclusive('\n').filter(|line| !line.starts_with('#')).collect();
            self.options = Some(sum(options.as_bytes()));
            details.options.extend(options.lines().map(ToOwned::to_owned));
        }
        details.files.insert(format!("{} {}", sum(text.as_bytes()), self.plain(&path, words)));
        Ok(())
    }

    fn symvers(&mut self, text: &str, details: &mut Details) -> io::Result<()> {
        let lines: BTreeSet<_> = text.lines().map(|line| line.trim_end_matches('\t')).collect();
        let layout = lines.iter().filter_map(|line| line.split_once("\tmodule_layout\t")).next();
        self.layout = layout.map(|(version, _)| version.to_owned());
        let lines: Vec<_> = lines.into_iter().collect();
        self.symbols = Some(sum(lines.join("\n").as_bytes()));
        details.symbols.extend(lines.into_iter().map(ToOwned::to_owned));
        Ok(())
    }

    /// As it is kept.
    pub(super) fn to_text(&self) -> String {
        let or_none = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
        let shared: Vec<_> = self.shared.iter().map(String::as_str).collect();
        let (options, symbols) = (or_none(&self.options), or_none(&self.symbols));
        let named: Vec<_> = self.named.iter().map(String::as_str).collect();
        let layout = or_none(&self.layout);
        format!("{} {options} {symbols} {layout} {}\n{}", self.headers, shared.join(" "), named.join(" "))
    }

    /// What was kept.
    pub(super) fn from_text(text: &str) -> Option<Self> {
        let (text, named) = text.split_once('\n')?;
        let named = named.split_whitespace().map(ToOwned::to_owned).collect();
        let mut words = text.split_whitespace();
        let headers = words.next()?.to_owned();
        let mut some = || Some(words.next()?.to_owned()).map(|word| (word != "-").then_some(word));
        let (options, symbols, layout) = (some()?, some()?, some()?);
        let shared = words.map(ToOwned::to_owned).collect();
        Some(Self { headers, options, symbols, layout, shared, named })
    }
}

/// SHA-256 in hexadecimal digits.
pub(super) fn sum(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The texts in which a kernel's files name the kernel itself, longer ones first: its release, that without architecture or
/// flavour, and for rpm the release of its package.
pub(super) fn release_words(kernel: &str) -> Vec<String> {
    let mut bare = kernel;
    for arch in crate::text::ids::Arch::ALL {
        bare = bare.split_once(&format!(".{}", arch.name())).map_or(bare, |(bare, _)| bare);
    }
    let mut words: BTreeSet<&str> = BTreeSet::from([kernel, bare]);
    let package = bare.split('-').nth(1).filter(|package| package.matches('.').count() > 1);
    words.extend(package);
    let tag = |package: &str| {
        package
            .match_indices('.')
            .find(|(at, _)| {
                package.get(at + 1..).is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_lowercase()))
            })
            .map(|(at, _)| at)
    };
    words.extend(package.and_then(|package| package.get(..tag(package)?)));
    // A version alone, such as 6.1.0, is no name of one kernel; Debian's 6.12.107+deb12 is.
    while let Some((shorter, _)) = bare.rsplit_once('-') {
        bare = shorter;
        words.extend(Some(bare).filter(|bare| bare.contains(['-', '+'])));
    }
    let mut words: Vec<_> = words.into_iter().map(ToOwned::to_owned).collect();
    words.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
    words
}

/// The shortest of a kernel's names.
pub(super) fn shortest(words: &[String]) -> &str {
    words.last().map_or("", String::as_str)
}

/// Whether a character may stand in a kernel's name.
fn of_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || "._+~-".contains(c)
}

/// A text without the kernel's release and without the options that hold one.
fn plain(text: &str, words: &[String]) -> String {
    let mut text = text.to_owned();
    // Of the 60 MB of a kernel's headers few files have any of these: looking for them is what takes time.
    let has = |text: &str, word: &str| memmem::find(text.as_bytes(), word.as_bytes()).is_some();
    if VERSIONS.iter().any(|version| has(&text, version)) {
        let holds_one = |line: &str| {
            let line = line.trim_start_matches("#define ").trim_start_matches("--cfg=");
            VERSIONS
                .iter()
                .any(|option| line.strip_prefix(option).is_some_and(|rest| rest.starts_with([' ', '='])))
        };
        text = text.split_inclusive('\n').filter(|line| !holds_one(line)).collect();
    }
    words.iter().for_each(|word| {
        if has(&text, word) {
            text = text.replace(word.as_str(), "@");
        }
    });
    text
}

/// Where a relative path leads from a directory.
fn resolved(directory: &str, target: &str) -> String {
    let mut parts: Vec<_> = if target.starts_with('/') { Vec::new() } else { directory.split('/').collect() };
    for part in target.split('/').filter(|part| !part.is_empty() && *part != ".") {
        if part == ".." {
            parts.pop();
        } else {
            parts.push(part);
        }
    }
    parts.join("/")
}

/// The directory right beneath `/usr/src` that a path goes through.
fn beneath_src(path: &str) -> Option<String> {
    Some(path.strip_prefix("usr/src/")?.split_once('/')?.0.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kernels_are_named_in_many_words() {
        assert_eq!(
            release_words("6.1.0-55-cloud-amd64"),
            ["6.1.0-55-cloud-amd64", "6.1.0-55-cloud", "6.1.0-55"]
        );
        assert_eq!(
            release_words("6.12.107+deb12-cloud-amd64"),
            ["6.12.107+deb12-cloud-amd64", "6.12.107+deb12-cloud", "6.12.107+deb12"]
        );
        assert_eq!(
            release_words("5.14.0-427.13.1.el9_4.x86_64"),
            ["5.14.0-427.13.1.el9_4.x86_64", "5.14.0-427.13.1.el9_4", "427.13.1.el9_4", "427.13.1"]
        );
    }

    #[test]
    fn what_names_the_kernel_does_not_count() {
        let words = release_words("6.1.0-55-amd64");
        let text = "#define CONFIG_BUILD_SALT \"x\"\n#define CONFIG_A 1\ninclude /usr/src/linux-headers-6.1.0-55-common\n";
        assert_eq!(plain(text, &words), "#define CONFIG_A 1\ninclude /usr/src/linux-headers-@-common\n");
        assert_eq!(resolved("usr/src/a/include", "../../b/include"), "usr/src/b/include");
        assert_eq!(beneath_src("usr/src/b/include"), Some("b".to_owned()));
        let contents = Contents { headers: "h".into(), layout: Some("0x1".into()), ..Contents::default() };
        assert_eq!(Contents::from_text(&contents.to_text()), Some(contents));
    }

    #[test]
    fn a_package_is_the_same_for_kernels_that_it_names_alike() {
        let read = |text: &str| {
            let mut contents = Contents { headers: "h".into(), ..Contents::default() };
            let mut bytes = text.as_bytes();
            let member = Member {
                path: "usr/src/linux-headers-6.1.0-55-common/Makefile".into(),
                mode: 0o644,
                content: Content::File(bytes.len() as u64, &mut bytes),
            };
            let words = release_words("6.1.0-55-amd64");
            contents.member(member, &words, &mut Details::default()).unwrap();
            Contents::from_text(&contents.to_text()).unwrap()
        };
        let common = read("include /usr/src/linux-headers-6.1.0-55-common/Kbuild\n");
        assert_eq!(common.named.len(), 1);
        assert!(common.serves("6.1.0-55-amd64") && common.serves("6.1.0-55-cloud-amd64"));
        assert!(!common.serves("6.1.0-5-amd64"), "5 is in 55");
        let of_one = read("release := 6.1.0-55-cloud-amd64\n");
        assert!(of_one.serves("6.1.0-55-amd64") && !of_one.serves("6.1.0-55-cloud-amd64"));
    }

    #[test]
    fn what_differs_is_named_with_the_first_of_each_kind() {
        const AUTO: &str = "1 usr/src/x/include/config/auto.conf";
        let set = |lines: &[&str]| lines.iter().map(|line| (*line).to_owned()).collect();
        let details = |files: &[&str], options: &[&str], symbols: &[&str]| Details {
            files: set(files),
            options: set(options),
            symbols: set(symbols),
        };
        let one = details(
            &["1 usr/src/linux-headers-@-common/include/linux/mm.h", "1 usr/src/x/Makefile", AUTO],
            &["CONFIG_A=y"],
            &["0x1\tprintk\tvmlinux\tEXPORT_SYMBOL"],
        );
        let other = details(
            &["2 usr/src/linux-headers-@-common/include/linux/mm.h", "2 usr/src/x/Makefile"],
            &["CONFIG_A=y", "CONFIG_B=m"],
            &["0x1\tprintk\tvmlinux\tEXPORT_SYMBOL"],
        );
        assert_eq!(one.difference(&other), "option CONFIG_B, header include/linux/mm.h and 1 more");
        assert_eq!(one.difference(&one), "");
    }
}

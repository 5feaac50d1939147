//! From `InRelease` or `Release` to the packages that `Packages` lists: repositories of apt.

use super::date::seconds;
use super::list::Kept;
use super::sum::Sum;
use super::{
    Fetch, INDEX_LIMIT, PACKED_LIMIT, Package, PackageFile, Repository, UNPACKED_LIMIT, Verify, damaged,
    is_path, unsigned,
};
use crate::system::unpack::unpacked;
use crate::text::diag::listed;
use crate::text::error::Error;
use crate::text::ids::Arch;
use deb822_fast::Paragraph;
use std::collections::BTreeMap;
use std::io::{BufRead, Read};

/// One paragraph of a list is smaller than this, in bytes.
const PARAGRAPH_LIMIT: u64 = 4 << 20;
/// The forms that a list comes in, the smallest first.
const FORMS: &[&str] = &["Packages.xz", "Packages.gz", "Packages"];

/// One suite of a repository, and what reads it.
pub(super) struct Archive<'a> {
    pub fetch: &'a dyn Fetch,
    pub keys: Option<&'a dyn Verify>,
    pub repository: &'a Repository,
    pub suite: &'a str,
}

/// The packages for an architecture, as [`super::packages`].
pub(super) fn packages(
    archive: &Archive<'_>,
    components: &[String],
    arch: Arch,
    wanted: &dyn Fn(&str) -> bool,
) -> Result<Vec<Package>, Error> {
    let release = archive.release()?;
    let mut kept = Kept::new(wanted);
    let arch = arch.debian();
    for component in components {
        archive.list(&release, &format!("{component}/binary-{arch}/"), arch, &mut kept)?;
    }
    Ok(kept.packages)
}

/// What a suite says of its files.
struct Release {
    /// Where it was read.
    url: String,
    /// Checksum and size of each file, by its path.
    files: BTreeMap<String, (Sum, u64)>,
    /// The architectures that it is for.
    arches: String,
    /// When it expires, in its own words; many never do.
    valid_until: Option<String>,
    /// Whether files lie under their checksums too, and so stay there while the suite changes.
    by_hash: bool,
}

impl Archive<'_> {
    fn at(&self, path: &str) -> String {
        self.repository.at(&format!("dists/{}/{path}", self.suite))
    }

    fn release(&self) -> Result<Release, Error> {
        let url = self.at("InRelease");
        if let Some(bytes) = self.fetch.get(&url, INDEX_LIMIT)? {
            let text = match self.keys {
                Some(keys) => keys.clear_signed(&url, &bytes)?,
                None => signed_text(&bytes),
            };
            return self.parse(url, &text);
        }
        let url = self.at("Release");
        let Some(bytes) = self.fetch.get(&url, INDEX_LIMIT)? else {
            return Err(Error::new(
                "read",
                &url,
                "the server has no such file, and no `InRelease` beside it",
            )
            .help("give the address that `dists/` lies beneath, and `suite` as in `sources.list`"));
        };
        if let Some(keys) = self.keys {
            let signature = format!("{url}.gpg");
            let signed = self.fetch.get(&signature, INDEX_LIMIT)?.ok_or_else(|| unsigned(&signature))?;
            keys.detached(&url, &bytes, &signed)?;
        }
        self.parse(url, &bytes)
    }

    fn parse(&self, url: String, bytes: &[u8]) -> Result<Release, Error> {
        let release = parse_release(url, bytes)?;
        let Some(until) = &release.valid_until else { return Ok(release) };
        let time = seconds(until)
            .ok_or_else(|| damaged(&release.url, format!("its `Valid-Until` is not a date: `{until}`")))?;
        if time < self.fetch.now() {
            let why = format!("it has expired: it was valid until {until}");
            return Err(Error::new("trust", &release.url, why).help(
                "the server no longer follows its origin, or repeats an old state; apt refuses it too: name another mirror, or set this machine's clock",
            ));
        }
        Ok(release)
    }

    /// Reads the list of packages in a directory.
    fn list(&self, release: &Release, directory: &str, arch: &str, kept: &mut Kept<'_>) -> Result<(), Error> {
        let forms = FORMS.iter().map(|form| (form, release.files.get(&format!("{directory}{form}"))));
        let Some((form, (sum, size))) = forms.filter_map(|(form, file)| Some((form, file?))).next() else {
            return Err(no_list(release, directory, arch));
        };
        let by_hash = release.by_hash.then(|| self.at(&format!("{directory}by-hash/SHA256/{}", sum.hex())));
        let plain = self.at(&format!("{directory}{form}"));
        let limit = (*size).min(PACKED_LIMIT);
        for url in by_hash.into_iter().chain([plain.clone()]) {
            let Some(packed) = self.fetch.get(&url, limit)? else { continue };
            sum.check(&url, &packed)?;
            let read = unpacked(packed.as_slice(), UNPACKED_LIMIT).map_err(|cause| cause.to_string());
            return read
                .and_then(|source| paragraphs(source, self.repository, kept))
                .map_err(|why| damaged(&url, why));
        }
        Err(damaged(&plain, format!("`{}` names it, but the server has no such file", release.url)))
    }
}

fn no_list(release: &Release, directory: &str, arch: &str) -> Error {
    let arches: Vec<&str> = release.arches.split_whitespace().collect();
    let why = if arches.is_empty() || arches.contains(&arch) {
        format!("it lists no `{directory}Packages`")
    } else {
        format!("it has no packages for {arch}; there are {}", listed(arches, "and"))
    };
    Error::new("read", &release.url, why).help("correct `suite`, `component` or `arch` in the manifest")
}

/// The text of a clear-signed file, or the file itself where it is none.
fn signed_text(bytes: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(bytes);
    if !text.starts_with("-----BEGIN PGP SIGNED MESSAGE-----") {
        return bytes.to_vec();
    }
    // The signature's own headers end with a blank line, and lines that begin with a hyphen are escaped.
    let lines = text.lines().skip_while(|line| !line.trim().is_empty()).skip(1);
    let lines = lines.take_while(|line| !line.starts_with("-----BEGIN PGP SIGNATURE"));
    lines.flat_map(|line| [line.strip_prefix("- ").unwrap_or(line), "\n"]).collect::<String>().into_bytes()
}

fn parse_release(url: String, bytes: &[u8]) -> Result<Release, Error> {
    let text = std::str::from_utf8(bytes).map_err(|_| damaged(&url, "it is not UTF-8 text"))?;
    let fields: Paragraph = text.trim_start().parse().map_err(|why| damaged(&url, format!("{why}")))?;
    let Some(sums) = fields.get("SHA256") else {
        return Err(damaged(&url, "it holds no SHA-256 checksums"));
    };
    let mut files = BTreeMap::new();
    for line in sums.lines().filter(|line| !line.trim().is_empty()) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [hex, size, path] = words[..] else {
            return Err(damaged(&url, format!("`{line}` is not a checksum, a size and a path")));
        };
        // Files that nobody asks for may be named as they like.
        if let (Some(sum), Ok(size), true) = (Sum::parse("sha256", hex), size.parse(), is_path(path)) {
            files.insert(path.to_owned(), (sum, size));
        }
    }
    let arches = fields.get("Architectures").unwrap_or_default().to_owned();
    let by_hash = fields.get("Acquire-By-Hash").is_some_and(|value| value.trim() == "yes");
    let valid_until = fields.get("Valid-Until").map(|until| until.trim().to_owned());
    Ok(Release { url, files, arches, valid_until, by_hash })
}

/// Reads a list paragraph by paragraph.
fn paragraphs(mut source: impl BufRead, repository: &Repository, kept: &mut Kept<'_>) -> Result<(), String> {
    let mut text = Vec::new();
    loop {
        let start = text.len();
        let mut line = source.by_ref().take(PARAGRAPH_LIMIT);
        line.read_until(b'\n', &mut text).map_err(|cause| cause.to_string())?;
        let line = text.get(start..).unwrap_or_default();
        let ends = line.is_empty();
        if ends || line == b"\n" {
            paragraph(&text, repository, kept)?;
            text.clear();
        }
        if text.len() as u64 > PARAGRAPH_LIMIT {
            return Err("one of its paragraphs is too large".into());
        }
        if ends {
            return Ok(());
        }
    }
}

fn paragraph(text: &[u8], repository: &Repository, kept: &mut Kept<'_>) -> Result<(), String> {
    let text = std::str::from_utf8(text).map_err(|_| "it is not UTF-8 text")?;
    let name = text.lines().find_map(|line| line.strip_prefix("Package:")).unwrap_or_default().trim();
    // Most paragraphs end here, before they cost anything.
    if !kept.wants(name) {
        return Ok(());
    }
    let fields: Paragraph =
        text.parse().map_err(|why: deb822_fast::Error| format!("package `{name}`: {why}"))?;
    let field = |name| fields.get(name).unwrap_or_default().trim();
    let path = Some(field("Filename")).filter(|path| is_path(path));
    let file = path.zip(Sum::parse("sha256", field("SHA256"))).zip(field("Size").parse().ok());
    let file = file.map(|((path, sum), size)| PackageFile { url: repository.at(path), size, sum });
    kept.add(field("Package"), field("Version"), field("Architecture"), Vec::new(), file)
}

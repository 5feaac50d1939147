//! Context files: reads the local files that a manifest names (patches, trees of path sources, lists of kernels,
//! a user's templates) once, through the logging reader.

use crate::compiler::model::{
    AddedRepository, KernelRule, Model, Origin, PackageRepository, RepositoryKey, SourceBody,
};
use crate::knowledge::certificate::Certificate;
use crate::system::fs::{FileDigest, ReadError, Reader, Refusal, Rules, walk};
use crate::text::diag::{Code, Diagnostic, Diagnostics, nearest};
use crate::text::ids::RelPath;
use crate::text::source::{FileId, Sources, Span, Spanned};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The largest list of kernels or template that is read, in bytes.
pub const TEXT_LIMIT: u64 = 4 << 20;

/// Files beside the manifest that are never part of a source.
const LOCK_FILES: &[&str] = &["drivers.lock"];

/// The files of one tree, by path relative to the manifest's directory, sorted.
pub type Files = Arc<[(RelPath, FileDigest)]>;

/// A path source's directory and globs: what its files depend on.
type TreeKey = (RelPath, Vec<String>, Vec<String>);

/// Everything local that stages are made of.
#[derive(Debug, Default)]
pub struct Contexts {
    trees: BTreeMap<TreeKey, Files>,
    patches: BTreeMap<RelPath, FileDigest>,
    keys: BTreeMap<RelPath, FileDigest>,
    kernels: BTreeMap<RelPath, FileId>,
    certificates: BTreeMap<RelPath, Certificate>,
}

impl Contexts {
    /// The files of a path source.
    #[must_use]
    pub fn tree(&self, dir: &RelPath, include: &[String], ignore: &[String]) -> Files {
        let key = (dir.clone(), include.to_vec(), ignore.to_vec());
        self.trees.get(&key).cloned().unwrap_or_else(|| Files::from([]))
    }

    /// A patch's content.
    #[must_use]
    pub fn patch(&self, file: &RelPath) -> Option<FileDigest> {
        self.patches.get(file).copied()
    }

    /// A certificate to sign with.
    #[must_use]
    pub fn certificate(&self, file: &RelPath) -> Option<&Certificate> {
        self.certificates.get(file)
    }

    /// The content of a package repository's key.
    #[must_use]
    pub fn key(&self, file: &RelPath) -> Option<FileDigest> {
        self.keys.get(file).copied()
    }

    /// The text of a `kernel from=` file.
    #[must_use]
    pub fn kernels(&self, file: &RelPath) -> Option<FileId> {
        self.kernels.get(file).copied()
    }
}

/// Reads every local file that the model names.
pub fn gather(model: &Model, reader: &Reader<'_>, sources: &mut Sources) -> (Contexts, Diagnostics) {
    let mut gather = Gather { reader, contexts: Contexts::default(), diagnostics: Diagnostics::default() };
    for source in &model.sources {
        gather.source(&source.base);
        source.overlays.iter().for_each(|overlay| gather.source(&overlay.body));
    }
    if let Some(signing) = &model.signing {
        gather.certificate(&signing.certificate);
    }
    let bodies = model.matrix.os.iter().map(|os| &os.body);
    let overlays = model.matrix.overlays.iter().map(|overlay| &overlay.body);
    for repository in bodies.chain(overlays).flat_map(|body| &body.repositories) {
        gather.key(repository);
    }
    for rule in model.matrix.os.iter().flat_map(|os| &os.kernels) {
        if let KernelRule::File(file) = rule {
            gather.kernels(&file.value, file.span, sources);
        }
    }
    (gather.contexts, gather.diagnostics)
}

struct Gather<'a> {
    reader: &'a Reader<'a>,
    contexts: Contexts,
    diagnostics: Diagnostics,
}

impl Gather<'_> {
    fn source(&mut self, body: &SourceBody) {
        if let Some(origin) = &body.origin
            && let Origin::Path { dir, include, ignore } = &origin.value
        {
            self.tree(dir, include, ignore, origin.span);
        }
        for patch in &body.patches {
            match self.reader.digest(&patch.file) {
                Ok(digest) => drop(self.contexts.patches.insert(patch.file.clone(), digest)),
                Err(error) => self.diagnostics.push(unreadable(self.reader, &patch.file, patch.span, &error)),
            }
        }
    }

    fn key(&mut self, repository: &PackageRepository) {
        let PackageRepository::Add(AddedRepository { key: Some(key), .. }) = repository else { return };
        let RepositoryKey::File(file) = &key.value else { return };
        match self.reader.digest(file) {
            Ok(digest) => drop(self.contexts.keys.insert(file.clone(), digest)),
            Err(error) => self.diagnostics.push(unreadable(self.reader, file, key.span, &error)),
        }
    }

    fn tree(&mut self, dir: &RelPath, include: &[String], ignore: &[String], span: Span) {
        let key = (dir.clone(), include.to_vec(), ignore.to_vec());
        if self.contexts.trees.contains_key(&key) {
            return;
        }
        let rules = match Rules::new(&borrowed(include), &borrowed(ignore)) {
            Ok(rules) => rules,
            Err(bad) => {
                self.diagnostics.push(
                    Diagnostic::new(
                        Code::MalformedValue,
                        format!("`{}` is not a glob: {}", bad.glob, bad.reason),
                    )
                    .label(span, "in this source")
                    .help("a glob is made of `*`, `**`, `?` and `[a-z]`"),
                );
                return;
            }
        };
        let rules = LOCK_FILES.iter().filter_map(|name| RelPath::parse(name).ok()).fold(rules, Rules::never);
        let walked = walk(self.reader, dir, &rules);
        for (name, refusal) in &walked.refused {
            self.diagnostics.push(match refusal {
                Refusal::Unreadable(error) if name == dir.as_str() => {
                    unreadable(self.reader, dir, span, error)
                }
                _ => unfit(name, refusal, span),
            });
        }
        if walked.files.is_empty() && walked.refused.is_empty() {
            self.diagnostics.push(
                Diagnostic::new(Code::EmptySource, format!("no file of `{dir}` is left to build from"))
                    .label(span, "gives no file")
                    .help("check the directory, `include`, `ignore` and the `.gitignore` files"),
            );
        }
        self.contexts.trees.insert(key, walked.files.into());
    }

    fn certificate(&mut self, file: &Spanned<RelPath>) {
        let (path, span) = (&file.value, file.span);
        let read =
            self.reader.read(path, TEXT_LIMIT).and_then(|bytes| Ok((bytes, self.reader.digest(path)?)));
        let certificate = match read {
            Ok((bytes, content)) => Certificate::read(path, &bytes, content),
            Err(error) => Err(unreadable(self.reader, path, span, &error)),
        };
        match certificate {
            Ok(certificate) => drop(self.contexts.certificates.insert(path.clone(), certificate)),
            Err(report) if report.labels.is_empty() => {
                self.diagnostics.push(report.label(span, "signatures are to be checked by it"));
            }
            Err(report) => self.diagnostics.push(report),
        }
    }

    fn kernels(&mut self, file: &RelPath, span: Span, sources: &mut Sources) {
        if let Some(id) = read_text(self.reader, file, span, sources, &mut self.diagnostics) {
            self.contexts.kernels.insert(file.clone(), id);
        }
    }
}

/// Reads a text that the manifest names and adds it to `sources`; what is wrong is reported at `span`.
pub fn read_text(
    reader: &Reader<'_>,
    file: &RelPath,
    span: Span,
    sources: &mut Sources,
    diagnostics: &mut Diagnostics,
) -> Option<FileId> {
    match reader.read(file, TEXT_LIMIT) {
        Ok(bytes) => match String::from_utf8(bytes) {
            Ok(text) => return Some(sources.add(file.as_path(), text)),
            Err(_) => diagnostics.push(
                Diagnostic::new(Code::UnreadableFile, format!("`{file}` is not UTF-8 text"))
                    .label(span, "named here")
                    .help("save it as UTF-8"),
            ),
        },
        Err(error) => diagnostics.push(unreadable(reader, file, span, &error)),
    }
    None
}

fn unreadable(reader: &Reader<'_>, file: &RelPath, span: Span, error: &ReadError) -> Diagnostic {
    let report = Diagnostic::new(Code::UnreadableFile, format!("`{file}` cannot be read: {error}"))
        .label(span, "named here");
    match error {
        ReadError::Absent => match near_file(reader, file) {
            Some(near) => report.help(format!("did you mean `{near}`? paths are relative to the manifest")),
            None => report.help("create it, or correct the path: paths are relative to the manifest"),
        },
        ReadError::Link => report.help("copy the file to this place: a link could lead anywhere"),
        _ => report.help("paths are relative to the manifest and name plain files and directories"),
    }
}

/// A file of a similar name in the same directory.
fn near_file(reader: &Reader<'_>, file: &RelPath) -> Option<RelPath> {
    let parent = file.parent()?;
    let name = file.as_path().file_name()?;
    let entries = reader.list(&parent).ok()?;
    let near = nearest(name, entries.iter().map(|entry| entry.name.as_str()))?;
    parent.join(near).ok()
}

fn unfit(name: &str, refusal: &Refusal, span: Span) -> Diagnostic {
    let report = Diagnostic::new(Code::UnfitFile, format!("`{name}` cannot be part of a source: {refusal}"));
    report.label(span, "found beneath this path").help("rename or remove it, or add it to `ignore`")
}

fn borrowed(globs: &[String]) -> Vec<&str> {
    globs.iter().map(String::as_str).collect()
}

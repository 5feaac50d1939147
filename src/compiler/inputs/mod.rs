//! Local inputs: reads the files that a manifest names (patches, trees of path sources, lists of kernels, a user's
//! templates) once, through the logging reader.

mod files;
mod found;
mod links;
mod mirrors;
pub mod no_source;
mod reach;
mod reports;
mod rules;
mod submodules;
mod uses;
mod walk;

pub use files::{Files, SourceTree};
pub use found::{LeftOut, Refusal, Walked, Why};
pub use rules::{BadGlob, Rules};
pub use walk::walk;

use crate::compiler::model::{
    AddedRepository, KernelRule, Model, Origin, PackageRepository, RepositoryKey, SourceBody, SourceId,
};
use crate::knowledge::certificate::Certificate;
use crate::system::fs::{FileDigest, Form, Reader};
use crate::text::diag::{Code, Diagnostic, Diagnostics};
use crate::text::ids::RelPath;
use crate::text::mirrors::Mirrors;
use crate::text::session::Session;
use crate::text::source::{FileId, Span, Spanned};
use reports::unreadable;
use std::collections::{BTreeMap, BTreeSet};
use uses::Uses;

/// The largest list of kernels or template that is read, in bytes.
pub const TEXT_LIMIT: u64 = 4 << 20;

/// A path source's directory and globs, and whose it is: what its files depend on.
type TreeKey = (SourceId, RelPath, Vec<String>, Vec<String>);

/// Everything local that stages are made of.
#[derive(Debug, Default)]
pub struct Contexts {
    trees: BTreeMap<TreeKey, SourceTree>,
    patches: BTreeMap<RelPath, FileDigest>,
    keys: BTreeMap<RelPath, FileDigest>,
    kernels: BTreeMap<RelPath, FileId>,
    certificates: BTreeMap<RelPath, Certificate>,
    /// Where a site has what builds fetch.
    pub mirrors: Mirrors,
    /// What a checkout of the repository must bring for the sources to be whole.
    pub checkout: Checkout,
}

/// What a plain `git clone` does not bring, and a source needs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Checkout {
    /// Files that Git LFS holds.
    pub lfs: bool,
    pub submodules: bool,
}

impl Contexts {
    /// The files of a path source; `None` where they could not be read, which was reported.
    #[must_use]
    pub fn tree(
        &self,
        source: SourceId,
        dir: &RelPath,
        include: &[String],
        ignore: &[String],
    ) -> Option<SourceTree> {
        let key = (source, dir.clone(), include.to_vec(), ignore.to_vec());
        self.trees.get(&key).cloned()
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

/// Reads every local file that the model names. `own` are the other files that drvc reads: the manifest, profiles, templates.
pub fn gather(model: &Model, own: Vec<RelPath>, reader: &Reader<'_>, session: &mut Session) -> Contexts {
    let own = own.into_iter().chain(named_files(model)).collect();
    let mut gather = Gather::new(model, own, reader);
    for (at, source) in model.sources.iter().enumerate() {
        gather.source(SourceId(at), &source.base);
        source.overlays.iter().for_each(|overlay| gather.source(SourceId(at), &overlay.body));
    }
    if let Some(signing) = &model.signing {
        gather.certificate(&signing.certificate);
    }
    gather.mirrors(session);
    repositories(model).for_each(|repository| gather.key(repository));
    for rule in model.matrix.os.iter().flat_map(|os| &os.kernels) {
        if let KernelRule::File(file, _) = rule {
            gather.kernels(&file.value, file.span, session);
        }
    }
    session.found.extend(gather.diagnostics);
    gather.contexts
}

/// The mirrors of a model, and the certificates of its authorities.
pub fn site(model: &Model, reader: &Reader<'_>, session: &mut Session) -> (Mirrors, Option<Vec<u8>>) {
    let mut gather = Gather::new(model, Vec::new(), reader);
    gather.mirrors(session);
    let authority = model.mirror.authority.as_ref();
    let authority = authority.and_then(|file| reader.read(&file.value, TEXT_LIMIT).ok());
    (gather.contexts.mirrors, authority)
}

fn repositories(model: &Model) -> impl Iterator<Item = &PackageRepository> {
    let bodies = model.matrix.os.iter().map(|os| &os.body);
    let overlays = model.matrix.overlays.iter().map(|overlay| &overlay.body);
    bodies.chain(overlays).flat_map(|body| &body.repositories)
}

/// The bodies of a source, with what is laid over it.
fn bodies(
    source: &crate::compiler::model::Layers<crate::text::ids::Name, SourceBody>,
) -> impl Iterator<Item = &SourceBody> {
    std::iter::once(&source.base).chain(source.overlays.iter().map(|overlay| &overlay.body))
}

/// The files that the model names and drvc reads or copies by themselves.
fn named_files(model: &Model) -> Vec<RelPath> {
    let kernels = model.matrix.os.iter().flat_map(|os| &os.kernels).filter_map(|rule| match rule {
        KernelRule::File(file, _) => Some(file.value.clone()),
        _ => None,
    });
    let keys = repositories(model).filter_map(|repository| match repository {
        PackageRepository::Add(AddedRepository { key: Some(key), .. }) => match &key.value {
            RepositoryKey::File(file) => Some(file.clone()),
            _ => None,
        },
        _ => None,
    });
    let patches = model
        .sources
        .iter()
        .flat_map(bodies)
        .flat_map(|body| body.patches.iter().map(|patch| patch.file.clone()));
    let certificate = model.signing.iter().map(|signing| signing.certificate.value.clone());
    let mirror = model.mirror.registries.iter().chain(&model.mirror.authority).map(|file| file.value.clone());
    kernels.chain(keys).chain(patches).chain(certificate).chain(mirror).collect()
}

struct Gather<'a> {
    model: &'a Model,
    own: Vec<RelPath>,
    reader: &'a Reader<'a>,
    contexts: Contexts,
    diagnostics: Diagnostics,
    /// Directories that were reported as unreadable.
    unread: BTreeSet<RelPath>,
}

impl<'a> Gather<'a> {
    fn new(model: &'a Model, own: Vec<RelPath>, reader: &'a Reader<'a>) -> Self {
        let (contexts, diagnostics) = (Contexts::default(), Diagnostics::default());
        Self { model, own, reader, contexts, diagnostics, unread: BTreeSet::new() }
    }

    fn source(&mut self, source: SourceId, body: &SourceBody) {
        if let Some(origin) = &body.origin
            && let Origin::Path { dir, include, ignore } = &origin.value
        {
            self.tree((source, dir.clone(), include.clone(), ignore.clone()), origin.span);
        }
        for patch in &body.patches {
            match self.reader.digest(&patch.file) {
                Ok(FileDigest { form: Form::LfsPointer, .. }) => {
                    self.diagnostics.push(reports::pointers(
                        &[patch.file.as_str()],
                        patch.span,
                        "named here",
                    ));
                }
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

    fn tree(&mut self, key: TreeKey, span: Span) {
        let (source, dir, include, ignore) = &key;
        if self.contexts.trees.contains_key(&key) || self.unread.contains(dir) {
            return;
        }
        let uses = Uses::of(*source, self.model);
        let rules = match Rules::new(include, ignore) {
            Ok(rules) => rules.without(&self.own).used_by(&uses),
            Err(bad) => return self.diagnostics.push(reports::bad_glob(&bad, span)),
        };
        let submodules = submodules::submodules(self.reader, dir, &rules);
        let mut walked = walk::walk(self.reader, dir, &rules);
        self.contexts.checkout.submodules |= submodules.any;
        self.contexts.checkout.lfs |= walked.lfs;
        let unreadable = walked.refused.iter().any(|(name, _)| name == dir.as_str());
        let empty = walked.files.is_empty() && walked.refused.is_empty() && submodules.empty.is_empty();
        if !submodules.empty.is_empty() {
            walked.refused.retain(|(name, _)| name != dir.as_str());
            self.diagnostics.push(reports::empty_submodules(&submodules.empty, dir, span));
        }
        self.diagnostics.extend(reports::of_walk(self.reader, dir, &walked, span));
        if empty {
            self.diagnostics.push(reports::empty_source(dir, &walked.left, span));
        }
        if include.is_empty() {
            let apart = reach::out_of_reach(self.reader, dir, &walked.files, &uses);
            let report = reports::wide_source(dir, &apart, walked.files.len(), span);
            report.into_iter().for_each(|report| self.diagnostics.push(report));
        }
        if unreadable {
            self.unread.insert(dir.clone());
            return;
        }
        let tree = SourceTree { files: walked.files.into(), left: walked.left.into() };
        self.contexts.trees.insert(key, tree);
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

    fn kernels(&mut self, file: &RelPath, span: Span, session: &mut Session) {
        if let Some(id) = read_text(self.reader, file, span, session) {
            self.contexts.kernels.insert(file.clone(), id);
        }
    }
}

/// Reads a text that the manifest names; what is wrong is reported at `span`.
pub fn read_text(reader: &Reader<'_>, file: &RelPath, span: Span, session: &mut Session) -> Option<FileId> {
    match reader.read(file, TEXT_LIMIT) {
        Ok(bytes) => match String::from_utf8(bytes) {
            Ok(text) => return Some(session.sources.add(file.as_path(), text)),
            Err(_) => session.found.push(
                Diagnostic::new(Code::UnreadableFile, format!("`{file}` is not UTF-8 text"))
                    .label(span, "named here")
                    .help("save it as UTF-8"),
            ),
        },
        Err(error) => session.found.push(unreadable(reader, file, span, &error)),
    }
    None
}

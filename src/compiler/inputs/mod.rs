//! Local inputs: reads the files that a manifest names (patches, trees of path sources, lists of kernels, a user's
//! templates) once, through the logging reader.

mod links;
pub mod no_source;
mod reports;
mod rules;
mod submodules;
mod walk;

pub use rules::{BadGlob, Rules};
pub use walk::{LeftOut, Refusal, Walked, Why, walk};

use crate::compiler::model::{
    AddedRepository, Build, Extra, ExtraFrom, KernelRule, Model, ModuleBody, Origin, PackageRepository,
    RepositoryKey, SourceBody, SourceId, Step, Template,
};
use crate::knowledge::certificate::Certificate;
use crate::system::fs::{FileDigest, Form, Hash, Reader};
use crate::text::diag::{Code, Diagnostic, Diagnostics};
use crate::text::ids::{FilePath, RelPath};
use crate::text::source::{FileId, Sources, Span, Spanned};
use reports::unreadable;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{Hash as Hashed, Hasher};
use std::sync::Arc;

/// The largest list of kernels or template that is read, in bytes.
pub const TEXT_LIMIT: u64 = 4 << 20;

/// Files by path relative to the manifest's directory, sorted, and the digest of all that keys see of them.
#[derive(Clone, Debug)]
pub struct Files {
    files: Arc<[(FilePath, FileDigest)]>,
    digest: Hash,
}

impl Files {
    /// The digest of the whole list.
    #[must_use]
    pub const fn digest(&self) -> &Hash {
        &self.digest
    }
}

impl From<Vec<(FilePath, FileDigest)>> for Files {
    fn from(files: Vec<(FilePath, FileDigest)>) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key("drvc context files, version 1");
        for (path, content) in &files {
            let kind = u8::from(content.executable) | (u8::from(content.form == Form::Link) << 1);
            hasher.update(&(path.as_str().len() as u64).to_le_bytes()).update(path.as_str().as_bytes());
            hasher.update(&[kind]).update(&content.digest);
        }
        Self { files: files.into(), digest: hasher.finalize().into() }
    }
}

impl Default for Files {
    fn default() -> Self {
        Self::from(Vec::new())
    }
}

impl std::ops::Deref for Files {
    type Target = [(FilePath, FileDigest)];
    fn deref(&self) -> &Self::Target {
        &self.files
    }
}

/// Lists are the same where their digests are: a list of ten thousand files is compared for every target.
impl PartialEq for Files {
    fn eq(&self, other: &Self) -> bool {
        self.digest == other.digest
    }
}

impl Eq for Files {}

impl Hashed for Files {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.digest.hash(state);
    }
}

/// What a path source takes in, and what it leaves out. Of one directory, the one says the other.
#[derive(Clone, Debug, Default)]
pub struct SourceTree {
    /// What is taken in.
    pub files: Files,
    /// What is left out.
    pub left: Arc<[LeftOut]>,
}

impl SourceTree {
    /// The first link, as seen from the source's directory, that a glob matches or goes through.
    #[must_use]
    pub fn link_on(&self, dir: &RelPath, glob: &str) -> Option<String> {
        let links = self.files.iter().filter(|(_, content)| content.form == Form::Link);
        let mut links = links.filter_map(|(path, _)| path.beneath(dir));
        links.find(|link| rules::goes_through(glob, link)).map(str::to_owned)
    }
}

impl PartialEq for SourceTree {
    fn eq(&self, other: &Self) -> bool {
        self.files == other.files
    }
}

impl Eq for SourceTree {}

impl Hashed for SourceTree {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.files.hash(state);
    }
}

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
    /// What a checkout of the repository must bring for the sources to be whole.
    pub checkout: Checkout,
}

/// What a plain `git clone` does not bring, and a source needs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Checkout {
    /// Files that Git LFS holds.
    pub lfs: bool,
    /// Submodules.
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
pub fn gather(
    model: &Model,
    own: Vec<RelPath>,
    reader: &Reader<'_>,
    sources: &mut Sources,
) -> (Contexts, Diagnostics) {
    let own = own.into_iter().chain(named_files(model)).collect();
    let mut gather = Gather {
        model,
        own,
        reader,
        contexts: Contexts::default(),
        diagnostics: Diagnostics::default(),
        unread: BTreeSet::new(),
    };
    for (at, source) in model.sources.iter().enumerate() {
        gather.source(SourceId(at), &source.base);
        source.overlays.iter().for_each(|overlay| gather.source(SourceId(at), &overlay.body));
    }
    if let Some(signing) = &model.signing {
        gather.certificate(&signing.certificate);
    }
    repositories(model).for_each(|repository| gather.key(repository));
    for rule in model.matrix.os.iter().flat_map(|os| &os.kernels) {
        if let KernelRule::File(file, _) = rule {
            gather.kernels(&file.value, file.span, sources);
        }
    }
    (gather.contexts, gather.diagnostics)
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
    kernels.chain(keys).chain(patches).chain(certificate).collect()
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

impl Gather<'_> {
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
        let rules = match Rules::new(include, ignore) {
            Ok(rules) => rules.without(&self.own).used_by(&self.uses(*source)),
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
        if unreadable {
            self.unread.insert(dir.clone());
            return;
        }
        let tree = SourceTree { files: walked.files.into(), left: walked.left.into() };
        self.contexts.trees.insert(key, tree);
    }

    /// What modules and images do with a source.
    fn uses(&self, source: SourceId) -> Uses {
        let mut uses = Uses::default();
        for module in &self.model.modules {
            let bodies =
                || std::iter::once(&module.base).chain(module.overlays.iter().map(|overlay| &overlay.body));
            if bodies().any(|body| body.source.as_ref().is_some_and(|used| used.source == source)) {
                bodies().for_each(|body| uses.module(body));
            }
        }
        for image in &self.model.images {
            let layers = &image.layers;
            let bodies =
                std::iter::once(&layers.base).chain(layers.overlays.iter().map(|overlay| &overlay.body));
            let extras = bodies.flat_map(|body| body.firmware.iter().chain(&body.files));
            extras.for_each(|extra| uses.extra(source, extra));
        }
        uses
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

/// What modules and images do with a source: which of its files are inputs although they are no source by their names.
#[derive(Debug, Default)]
struct Uses {
    /// The texts of the modules' steps.
    steps: String,
    /// What images take from it, as globs.
    taken: Vec<String>,
    /// Whether a module is finished, and nothing is built.
    finished: bool,
}

impl Uses {
    fn module(&mut self, body: &ModuleBody) {
        let steps: &[Step] = match body.build.as_ref().map(|build| &build.value) {
            Some(Build::Prebuilt) => {
                self.finished = true;
                self.taken.extend(body.outputs.iter().map(|output| text(&output.glob)));
                &[]
            }
            Some(Build::Steps(steps)) => steps,
            None => &[],
        };
        let mut add = |words: &[Template]| words.iter().for_each(|word| self.steps += &(text(word) + "\n"));
        for step in steps {
            match step {
                Step::Make(words, variables) => {
                    add(words);
                    variables.iter().for_each(|(_, value)| add(std::slice::from_ref(value)));
                }
                Step::Run(words) => add(words),
                Step::Script(script) => add(std::slice::from_ref(script)),
            }
        }
    }

    fn extra(&mut self, of: SourceId, extra: &Extra) {
        if matches!(&extra.from.value, ExtraFrom::Named { source: Some(source), .. } if *source == of) {
            self.taken.push(text(&extra.glob));
        }
    }
}

/// A text in which every variable may be anything.
fn text(template: &Template) -> String {
    template.evaluate(|_| "*".into())
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

//! The documents that are open, and what the compiler makes of the projects that they belong to.

use super::document::Text;
use super::protocol::{Changed, OpenedDocument};
use super::uri;
use crate::cli::project::{Compiling, MANIFEST, Project};
use crate::compiler::compile::{Compilation, Parts, compile_known};
use crate::compiler::known::{Known, known};
use crate::compiler::needs::missing_needs;
use crate::images::record::{Builds, TargetState, states};
use crate::knowledge::lock::Consulted;
use crate::knowledge::profile::{PROFILE, Profiles};
use crate::language::kdl::{self, Node, lex};
use crate::language::schema::{Body, manifest};
use crate::store::history::uncompiled;
use crate::system::fs::{Disk, Memory, Overlay, Reader, Tree};
use crate::text::ids::{FilePath, OsName, RelPath};
use crate::text::session::Session;
use crate::text::source::FileId;
use camino::{Utf8Path, Utf8PathBuf};
use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// A project with more targets than this is looked at before it is compiled.
const LARGE: usize = 1000;

type Analyses = RefCell<BTreeMap<Utf8PathBuf, Rc<Analysis>>>;

/// Everything that the server knows. What the compiler said is kept until a text or a file changes.
#[derive(Debug)]
pub(super) struct Workspace {
    compiling: Compiling,
    documents: BTreeMap<String, Document>,
    analyses: Analyses,
    /// What a first look at large projects found: they are compiled when nobody types.
    looks: Analyses,
    large: RefCell<BTreeSet<Utf8PathBuf>>,
    known: RefCell<BTreeMap<Utf8PathBuf, Rc<Known>>>,
}

/// A text that is open in the editor.
#[derive(Debug)]
pub(super) struct Document {
    pub(super) uri: String,
    pub(super) path: Utf8PathBuf,
    pub(super) version: i32,
    pub(super) text: Text,
    nodes: OnceCell<Vec<Node>>,
}

/// A project, and what the compiler says of it with the texts that are open.
#[derive(Debug)]
pub(super) struct Analysis {
    pub(super) root: Utf8PathBuf,
    pub(super) manifest: RelPath,
    pub(super) compilation: Compilation,
    changed: OnceCell<BTreeSet<String>>,
    states: OnceCell<Option<Vec<TargetState>>>,
    out: RelPath,
}

impl Document {
    fn new(opened: OpenedDocument) -> Self {
        let OpenedDocument { uri, version, text } = opened;
        // What has no path yet is looked at as if it were alone in a directory.
        let path = uri::path(&uri).unwrap_or_else(|| Utf8Path::new("/dev/null").join(MANIFEST));
        Self { uri, path, version, text: Text::new(text), nodes: OnceCell::new() }
    }

    /// The nodes of the text, as far as it can be read.
    pub(super) fn nodes(&self) -> &[Node] {
        self.nodes.get_or_init(|| kdl::parse(FileId::default(), self.text.as_str()).0)
    }

    /// The language that its first node says it is in.
    pub(super) fn language(&self) -> &'static Body {
        if self.is_profile() { &PROFILE } else { &manifest::MANIFEST }
    }

    fn is_profile(&self) -> bool {
        self.first_word() == Some("profile")
    }

    /// Whether it is a manifest or a profile at all: others use KDL too, and editors send all of it.
    fn is_ours(&self) -> bool {
        self.path.file_name() == Some(MANIFEST) || matches!(self.first_word(), Some("drvc" | "profile"))
    }

    fn first_word(&self) -> Option<&str> {
        let text = self.text.as_str();
        let word = lex::Lexer::new(text).find(|token| token.kind == lex::Kind::Word)?;
        text.get(word.start..word.end)
    }

    fn directory(&self) -> &Utf8Path {
        self.path.parent().unwrap_or(Utf8Path::new("/"))
    }
}

impl Analysis {
    fn new(project: Project, out: RelPath, compilation: Compilation) -> Self {
        let Project { root, manifest, .. } = project;
        Self { root, manifest, compilation, changed: OnceCell::new(), states: OnceCell::new(), out }
    }

    /// The ids of the targets whose outputs are not what they would be made to be.
    pub(super) fn changed(&self) -> &BTreeSet<String> {
        self.changed.get_or_init(|| {
            let disk = Disk::open(&self.root).ok();
            let compiled = disk.as_ref().zip(self.compilation.plan.as_ref());
            compiled.map(|(disk, compiled)| uncompiled(compiled, disk, &self.out)).unwrap_or_default()
        })
    }

    /// How each target's image stands, where builds are on record.
    pub(super) fn states(&self) -> Option<&[TargetState]> {
        let read = || {
            let builds = Builds::read(&Disk::open(&self.root).ok()?, &self.out);
            states(self.compilation.plan.as_ref()?, builds.as_ref())
        };
        self.states.get_or_init(read).as_deref()
    }

    /// The path of a file of the compilation; none for what comes with drvc.
    pub(super) fn path(&self, file: FileId) -> Option<Utf8PathBuf> {
        let path = &self.compilation.sources.get(file).path;
        (!path.starts_with("<built-in>")).then(|| self.root.join(path))
    }
}

impl Workspace {
    pub(super) fn new(compiling: Compiling) -> Self {
        Self {
            compiling,
            documents: BTreeMap::new(),
            analyses: RefCell::default(),
            looks: RefCell::default(),
            large: RefCell::default(),
            known: RefCell::default(),
        }
    }

    pub(super) fn open(&mut self, opened: OpenedDocument) {
        self.documents.insert(opened.uri.clone(), Document::new(opened));
        self.forget();
    }

    pub(super) fn change(&mut self, changed: &Changed) {
        let Some(document) = self.documents.get_mut(&changed.text_document.uri) else { return };
        changed.content_changes.iter().for_each(|change| document.text.change(change));
        document.version = changed.text_document.version.unwrap_or(document.version);
        document.nodes.take();
        self.forget();
    }

    pub(super) fn close(&mut self, uri: &str) {
        self.documents.remove(uri);
        self.forget();
    }

    /// Files may have changed: everything is looked at again.
    pub(super) fn forget(&mut self) {
        self.analyses.get_mut().clear();
        self.looks.get_mut().clear();
        self.known.get_mut().clear();
    }

    /// A manifest or profile that is open.
    pub(super) fn document(&self, uri: &str) -> Option<&Document> {
        self.documents.get(uri).filter(|document| document.is_ours())
    }

    /// The address of a file, in the editor's own spelling where it is open.
    pub(super) fn uri(&self, path: &Utf8Path) -> String {
        let open = self.documents.values().find(|document| document.path == path);
        open.map_or_else(|| uri::of(path), |document| document.uri.clone())
    }

    /// What the compiler says of every project that has a document open.
    pub(super) fn analyses(&self) -> Vec<Rc<Analysis>> {
        let uris: Vec<String> = self.documents.keys().cloned().collect();
        let mut all: Vec<Rc<Analysis>> = Vec::new();
        for analysis in uris.iter().filter_map(|uri| self.analysis(uri)) {
            if !all.iter().any(|known| Rc::ptr_eq(known, &analysis)) {
                all.push(analysis);
            }
        }
        all
    }

    /// What the compiler says of the project of a document; of a profile that no project names, what is wrong in itself.
    pub(super) fn analysis(&self, uri: &str) -> Option<Rc<Analysis>> {
        let document = self.document(uri)?;
        let project = self.project(document)?;
        let key = project.path();
        let is_large = self.large.borrow().contains(&key) && !self.analyses.borrow().contains_key(&key);
        let analysis = match is_large {
            true => kept(&self.looks, key, || self.look(&project)),
            false => self.compiled(&project),
        };
        let inner = document.path.strip_prefix(&analysis.root).ok()?;
        if !document.is_profile() || analysis.compilation.sources.find(inner).is_some() {
            return Some(analysis);
        }
        Some(kept(&self.analyses, document.path.clone(), || self.profile_alone(document, &project)))
    }

    /// What is known around a document beside its own words.
    pub(super) fn known(&self, document: &Document) -> Option<Rc<Known>> {
        let project = self.project(document)?;
        let (key, request) = (project.path(), project.request(&self.compiling));
        let before = self.known.borrow().get(&key).cloned();
        let found = before.unwrap_or_else(|| {
            self.with_tree(&project.root, |tree| {
                Rc::new(known(&Reader::new(tree).hide(request.out.clone()), &request))
            })
        });
        self.known.borrow_mut().insert(key, Rc::clone(&found));
        Some(found)
    }

    fn compiled(&self, project: &Project) -> Rc<Analysis> {
        let key = project.path();
        let analysis = kept(&self.analyses, key.clone(), || self.compile(project));
        let targets = analysis.compilation.plan.as_ref().map_or(0, |compiled| compiled.plan.targets.len());
        if targets > LARGE {
            self.large.borrow_mut().insert(key);
        }
        analysis
    }

    /// Compiles the projects of which only a first look was taken; whether there were any.
    pub(super) fn catch_up(&self) -> bool {
        let behind: Vec<Project> = self
            .documents
            .keys()
            .filter_map(|uri| self.project(self.document(uri)?))
            .filter(|project| self.looks.borrow().contains_key(&project.path()))
            .collect();
        behind.iter().for_each(|project| drop(self.compiled(project)));
        self.looks.borrow_mut().clear();
        !behind.is_empty()
    }

    /// Whether of some project only a first look was taken.
    pub(super) fn is_behind(&self) -> bool {
        !self.looks.borrow().is_empty()
    }

    /// The project that a document is of: a manifest's own, or the nearest above a profile.
    fn project(&self, document: &Document) -> Option<Project> {
        let manifest = RelPath::parse(MANIFEST).ok()?;
        let directory = document.directory();
        if !document.is_profile() {
            let name = RelPath::parse(document.path.file_name()?).ok()?;
            return Some(Project { root: directory.to_owned(), manifest: name, settings: Vec::new() });
        }
        let mut above = directory.ancestors().map(|root| Project {
            root: root.to_owned(),
            manifest: manifest.clone(),
            settings: Vec::new(),
        });
        let is_open = |project: &Project| self.documents.values().any(|other| other.path == project.path());
        let found = above.find(|project| is_open(project) || project.exists());
        Some(found.unwrap_or_else(|| Project { root: directory.to_owned(), manifest, settings: Vec::new() }))
    }

    fn compile(&self, project: &Project) -> Analysis {
        let request = project.request(&self.compiling);
        let mut compilation = self.with_tree(&project.root, |tree| {
            let mut compilation = compile_known(&Reader::new(tree).hide(request.out.clone()), &request);
            if let Some(compiled) = &compilation.plan {
                compilation.diagnostics.extend(missing_needs(&compiled.model, &Reader::new(tree)));
            }
            compilation
        });
        compilation.diagnostics = std::mem::take(&mut compilation.diagnostics).sorted();
        Analysis::new(project.clone(), request.out, compilation)
    }

    /// What is wrong with a project as far as its matrix, expanded, shows it: stages and outputs are not made.
    fn look(&self, project: &Project) -> Analysis {
        let request = project.request(&self.compiling);
        let mut session = Session::default();
        self.with_tree(&project.root, |tree| {
            let reader = Reader::new(tree).hide(request.out.clone());
            if let Some(parts) = Parts::read(&reader, &request, &mut session) {
                parts.expand(&Consulted::new(&parts.lock), &request, &mut session);
            }
        });
        Analysis::new(project.clone(), request.out, Compilation::new(session, None))
    }

    fn profile_alone(&self, document: &Document, project: &Project) -> Analysis {
        let mut session = Session::default();
        let name = document.path.file_name().unwrap_or_default();
        let file = session.sources.add(name, document.text.as_str());
        let os = document.path.file_stem().and_then(|stem| OsName::parse(stem).ok());
        if let Some(os) = os.or_else(|| OsName::parse("unnamed").ok()) {
            Profiles::builtin().add_user(&os, file, &mut session);
        }
        let project = Project { root: document.directory().to_owned(), ..project.clone() };
        Analysis::new(project, self.compiling.place.out.clone(), Compilation::new(session, None))
    }

    /// Does something with a directory as it would be if everything that is open had been saved.
    pub(super) fn with_tree<T>(&self, root: &Utf8Path, with: impl FnOnce(&dyn Tree) -> T) -> T {
        let beneath =
            |document: &Document| FilePath::parse(document.path.strip_prefix(root).ok()?.as_str()).ok();
        let open = self
            .documents
            .values()
            .filter_map(|document| Some((beneath(document)?, document.text.as_str().as_bytes().to_vec())));
        let open = open.collect();
        match Disk::open(root) {
            Ok(disk) => with(&Overlay::of(&disk, open)),
            Err(_) => with(&Overlay::of(&Memory::new(), open)),
        }
    }
}

fn kept(all: &Analyses, key: Utf8PathBuf, make: impl FnOnce() -> Analysis) -> Rc<Analysis> {
    let known = all.borrow().get(&key).cloned();
    known.unwrap_or_else(|| {
        let made = Rc::new(make());
        all.borrow_mut().insert(key, Rc::clone(&made));
        made
    })
}

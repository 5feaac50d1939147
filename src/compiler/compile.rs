//! The pure pipeline: from a tree of files to every output, on one screen.
//!
//! No network, no process, no clock, no environment: the result depends on what the reader answers and on the
//! request, and on nothing else.

use crate::compiler::inputs::{self, Checkout, Contexts};
use crate::compiler::keys::{self, Fingerprint};
use crate::compiler::model::{self, Model};
use crate::compiler::outputs::{self, Outputs, PlanJson, Rope};
use crate::compiler::plan::{self, Plan};
use crate::compiler::render::{Renderer, Site, Stage, Templates};
use crate::knowledge::lock::{self, Lock};
use crate::knowledge::profile::Profiles;
use crate::language::kdl::quote;
use crate::language::syntax::{self, ast};
use crate::system::fs::{Hash, ReadError, Reader};
use crate::text::diag::{Code, Diagnostic, Diagnostics, article};
use crate::text::ids::{OsName, RelPath};
use crate::text::mirrors::Mirrors;
use crate::text::session::Session;
use crate::text::source::{Sources, Span};
use std::collections::BTreeMap;
use std::sync::OnceLock;

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The manifest, in the tree's root.
    pub manifest: RelPath,
    /// The output directory beneath it.
    pub out: RelPath,
    /// More targets than this are refused.
    pub max_targets: usize,
    /// Values in place of the manifest's, each `PATH=VALUE`.
    pub settings: Vec<String>,
}

impl Request {
    /// Digest of all of it, for the state: another request is another compilation.
    #[must_use]
    pub fn digest(&self) -> Hash {
        let Self { manifest, out, max_targets, settings } = self;
        // No path has a line break in it.
        let text = format!("{manifest}\n{out}\n{max_targets}");
        let mut hasher = blake3::Hasher::new_derive_key("drvc request, version 1");
        hasher.update(text.as_bytes());
        for setting in settings {
            hasher.update(&(setting.len() as u64).to_le_bytes()).update(setting.as_bytes());
        }
        hasher.finalize().into()
    }
}

/// What a manifest becomes. Where there are errors, what depends on them is missing.
#[derive(Debug, Default)]
pub struct Compilation {
    /// The texts that the diagnostics point into.
    pub sources: Sources,
    /// Everything that is wrong or worth knowing.
    pub diagnostics: Diagnostics,
    /// What is to be built.
    pub plan: Option<Compiled>,
}

/// A plan with its stages as text, their fingerprints and the outputs.
#[derive(Debug)]
pub struct Compiled {
    /// What the manifest means.
    pub model: Model,
    /// Where the site has what builds fetch.
    pub mirrors: Mirrors,
    /// Targets and graph.
    pub plan: Plan,
    /// The text of each node, by its place in the graph.
    pub stages: Vec<Stage>,
    /// The fingerprint of each node, by its place in the graph.
    pub fingerprints: Vec<Fingerprint>,
    /// Where stages come from in the manifest, by their names.
    pub places: BTreeMap<String, Span>,
    request: Request,
    /// The files that `output` asks for.
    handed_over: BTreeMap<RelPath, Rope>,
    json: OnceLock<PlanJson>,
    outputs: OnceLock<Outputs>,
}

impl Compilation {
    pub fn new(session: Session, plan: Option<Compiled>) -> Self {
        Self { sources: session.sources, diagnostics: session.found.sorted(), plan }
    }
}

impl Compiled {
    /// The plan as programs read it; made where somebody asks for it.
    pub fn json(&self) -> &PlanJson {
        self.json.get_or_init(|| {
            let set = self.request.settings.clone();
            PlanJson { set, ..outputs::plan_json(&self.plan, &self.stages, &self.fingerprints) }
        })
    }

    /// Every file to write, by path relative to the output directory; made where somebody asks for them.
    pub fn outputs(&self) -> &Outputs {
        self.outputs.get_or_init(|| {
            let Request { manifest, out, .. } = &self.request;
            let mut outputs = outputs::outputs(&self.plan, &self.stages, self.json(), manifest, out);
            outputs.extend(self.handed_over.clone());
            outputs
        })
    }

    /// The same, where nothing else of it is needed any more.
    #[must_use]
    pub fn into_outputs(self) -> Outputs {
        self.outputs();
        self.outputs.into_inner().unwrap_or_default()
    }

    /// What a file is made from that is handed over without being an output. What a checkout must bring is not known
    /// any more: only pipelines, which are outputs, ask for it.
    #[must_use]
    pub fn handover(&self) -> outputs::handover::Inputs<'_> {
        outputs::handover::Inputs {
            model: &self.model,
            plan: &self.plan,
            stages: &self.stages,
            checkout: Checkout::default(),
            json: self.json(),
            manifest: &self.request.manifest,
            out: &self.request.out,
        }
    }
}

/// Compiles a manifest.
pub fn compile(reader: &Reader<'_>, request: &Request) -> Compilation {
    compile_in_phases(reader, request, &|_| {})
}

/// The same, and `phase` hears what begins: a clock is the caller's, and no part of the result.
pub fn compile_in_phases(
    reader: &Reader<'_>,
    request: &Request,
    phase: &dyn Fn(&'static str),
) -> Compilation {
    let mut session = Session::default();
    let plan = run(reader, request, &mut session, phase);
    let plan = plan.filter(|_| !session.found.has_errors());
    Compilation::new(session, plan)
}

/// As [`compile`], with a plan of the targets that are known where others wait for the lock, which is reported all the same.
pub fn compile_known(reader: &Reader<'_>, request: &Request) -> Compilation {
    let mut session = Session::default();
    let plan = run(reader, request, &mut session, &|_| {});
    let plan = plan.filter(|_| !session.found.has_errors_beside_open());
    Compilation::new(session, plan)
}

fn run(
    reader: &Reader<'_>,
    request: &Request,
    session: &mut Session,
    phase: &dyn Fn(&'static str),
) -> Option<Compiled> {
    phase("read manifest and sources");
    let parts = Parts::read(reader, request, session)?;
    phase("expand the matrix");
    let mut plan = parts.expand(&lock::Consulted::new(&parts.lock), request, session);
    if session.found.has_errors_beside_open() {
        return None;
    }
    let manifest_id = session.sources.find(request.manifest.as_path());
    let partly = session.found.has_errors();
    let unused =
        plan::mirrors::unused(&parts.model.mirror, &parts.contexts.mirrors, &plan.graph, manifest_id);
    session.found.extend(unused.without(|code| partly && code.is_absence()));
    phase("render stages and hash them");
    let authority = parts.model.mirror.authority.as_ref().map(|file| &file.value);
    let site = Site { mirrors: &parts.contexts.mirrors, authority };
    let renderer = Renderer::new(&parts.templates, &request.out).at(site);
    let used = plan.used_stages(parts.model.output.is_for_clusters());
    let stages = keys::stages(&plan.graph, &renderer, &used);
    let (stages, fingerprints) = stages.map_err(|refusal| session.found.push(refusal)).ok()?;
    plan.name_firsts(|id| fingerprints.get(id.index()).map(ToString::to_string).unwrap_or_default());
    phase("make the outputs");
    let mut compiled = Compiled {
        places: parts.model.places(),
        model: parts.model,
        mirrors: parts.contexts.mirrors,
        plan,
        stages,
        fingerprints,
        request: request.clone(),
        handed_over: BTreeMap::new(),
        json: OnceLock::new(),
        outputs: OnceLock::new(),
    };
    if !compiled.model.output.is_empty() {
        let inputs = outputs::handover::Inputs { checkout: parts.contexts.checkout, ..compiled.handover() };
        let (files, problems) = outputs::handover::handover(inputs);
        session.found.extend(problems);
        compiled.handed_over = files;
    }
    Some(compiled)
}

/// A manifest and the files that belong to it, read but not expanded.
pub struct Parts {
    /// What the manifest means.
    pub model: Model,
    /// What the lock pins.
    pub lock: Lock,
    /// Whether the lock could be read.
    pub lock_is_whole: bool,
    /// Built-in profiles, and the user's own.
    pub profiles: Profiles,
    contexts: Contexts,
    templates: Templates,
}

impl Parts {
    /// Reads a manifest and what it names; nothing is left where the text cannot be understood at all.
    pub fn read(reader: &Reader<'_>, request: &Request, session: &mut Session) -> Option<Self> {
        let manifest = read_manifest(reader, request, session)?;
        let (model, problems) = model::lower(&manifest, &session.sources);
        // Where something was not understood, what seems to be missing may be just that.
        let partly = session.found.has_errors();
        session.found.extend(problems.without(|code| partly && code.is_absence()));
        let contexts = inputs::gather(&model, own_files(&manifest, request), reader, session);
        let templates = read_templates(&manifest, reader, session);
        let (lock, problems) = read_lock(reader, request, &mut session.sources);
        let lock_is_whole = !problems.has_errors();
        session.found.extend(problems);
        let profiles = read_profiles(&manifest, reader, session);
        Some(Self { model, lock, lock_is_whole, profiles, contexts, templates })
    }

    /// What a plan is made from.
    #[must_use]
    pub fn inputs<'a>(
        &'a self,
        lock: &'a lock::Consulted<'a>,
        sources: &'a Sources,
        request: &Request,
    ) -> plan::Inputs<'a> {
        let Self { model, profiles, contexts, .. } = self;
        plan::Inputs { model, lock, profiles, contexts, sources, max_targets: request.max_targets }
    }

    /// Targets and their graph. Where there is an error, it is not whole.
    pub fn expand(&self, lock: &lock::Consulted<'_>, request: &Request, session: &mut Session) -> Plan {
        let (plan, problems) = plan::expand(self.inputs(lock, &session.sources, request));
        let partly = session.found.has_errors();
        let problems = problems.without(|code| partly && code.is_absence());
        session.found.extend(problems.without(|code| !self.lock_is_whole && code.is_drift()));
        plan
    }
}

pub(super) fn read_manifest(
    reader: &Reader<'_>,
    request: &Request,
    session: &mut Session,
) -> Option<ast::Manifest> {
    let text = match reader.read(&request.manifest, crate::language::kdl::MAX_BYTES as u64) {
        Ok(bytes) => String::from_utf8(bytes),
        Err(error) => {
            let problem = format!("`{}` cannot be read: {error}", request.manifest);
            let report = Diagnostic::new(Code::UnreadableManifest, problem);
            session.found.push(report.help("run `drvc` alone for a first manifest"));
            return None;
        }
    };
    let text = match text {
        Ok(text) => text,
        Err(error) => {
            let (bytes, valid) = (error.as_bytes(), error.utf8_error().valid_up_to());
            let line = 1 + bytes.iter().take(valid).filter(|byte| **byte == b'\n').count();
            let problem = format!("line {line} of `{}` is not UTF-8 text", request.manifest);
            session.found.push(Diagnostic::new(Code::UnreadableManifest, problem).help("save it as UTF-8"));
            return None;
        }
    };
    let load = |path: &RelPath, span, session: &mut Session| inputs::read_text(reader, path, span, session);
    syntax::parse_and_set(session, &request.manifest, &text, &request.settings, &load)
}

/// The files besides those of the model that drvc itself reads.
fn own_files(manifest: &ast::Manifest, request: &Request) -> Vec<RelPath> {
    let named = manifest.profiles.iter().map(|profile| &profile.file);
    let named = named.chain(manifest.templates.iter().map(|template| &template.file));
    let named = named.filter_map(|file| RelPath::parse(&file.value).ok());
    std::iter::once(request.manifest.clone()).chain(manifest.included.iter().cloned()).chain(named).collect()
}

pub(super) fn read_profiles(
    manifest: &ast::Manifest,
    reader: &Reader<'_>,
    session: &mut Session,
) -> Profiles {
    let mut profiles = Profiles::builtin();
    for user in &manifest.profiles {
        let Some(name) = parsed("profile name", &user.name, OsName::parse, &mut session.found) else {
            continue;
        };
        let Some(path) = parsed("path", &user.file, RelPath::parse, &mut session.found) else { continue };
        if let Some(file) = inputs::read_text(reader, &path, user.file.span, session) {
            profiles.add_user(&name, file, session);
        }
    }
    super::described::add(manifest, &mut profiles, session);
    profiles
}

fn read_templates(manifest: &ast::Manifest, reader: &Reader<'_>, session: &mut Session) -> Templates {
    let mut templates = Templates::builtin();
    for user in &manifest.templates {
        if let Err(unknown) = Templates::check_name(&user.name.value) {
            let near = unknown.nearest;
            let help = match near {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("there are {}", Templates::names().collect::<Vec<_>>().join(", ")),
            };
            let problem = format!("there is no template `{}`", user.name.value);
            let report = Diagnostic::new(Code::UnknownTemplate, problem)
                .label(user.name.span, "not a template")
                .help(help);
            session.found.push(match near {
                Some(near) => report.suggest(user.name.span, quote(near)),
                None => report,
            });
            continue;
        }
        let Some(path) = parsed("path", &user.file, RelPath::parse, &mut session.found) else { continue };
        let Some(file) = inputs::read_text(reader, &path, user.file.span, session) else { continue };
        let text = std::sync::Arc::clone(&session.sources.get(file).text);
        if let Err(fault) = templates.replace(&user.name.value, &text, user.file.span) {
            let place = fault.at.map(|(line, column)| session.sources.place(file, line, column));
            session.found.push(
                Diagnostic::new(
                    Code::MalformedTemplate,
                    format!("`{path}` is not a template: {}", fault.reason),
                )
                .label(place.unwrap_or(user.file.span), "not understood from here on")
                .help(
                    "templates are written in Handlebars: every `{{#if …}}` and `{{#each …}}` needs its end",
                ),
            );
        }
    }
    templates
}

fn parsed<T>(
    kind: &str,
    text: &ast::Text,
    parse: fn(&str) -> Result<T, crate::text::ids::Invalid>,
    diagnostics: &mut Diagnostics,
) -> Option<T> {
    parse(&text.value)
        .map_err(|rule| {
            diagnostics.push(
                Diagnostic::new(Code::MalformedValue, format!("`{}` is not {}", text.value, article(kind)))
                    .label(text.span, "does not fit here")
                    .help(format!("write {rule}")),
            );
        })
        .ok()
}

/// The lock file beside the manifest; one that is absent is empty.
pub(super) fn read_lock(
    reader: &Reader<'_>,
    request: &Request,
    sources: &mut Sources,
) -> (Lock, Diagnostics) {
    let mut diagnostics = Diagnostics::default();
    let path = match request.manifest.parent().map(|parent| parent.join("drivers.lock")) {
        Some(Ok(path)) => path,
        _ => return (Lock::default(), diagnostics),
    };
    match reader.read(&path, lock::MAX_BYTES).map(String::from_utf8) {
        Ok(Ok(text)) => {
            let file = sources.add(path.as_path(), text);
            return lock::parse(file, sources);
        }
        Err(ReadError::Absent) => {}
        Ok(Err(_)) => diagnostics.push(unreadable_lock(&path, "not UTF-8 text")),
        Err(error) => diagnostics.push(unreadable_lock(&path, &error.to_string())),
    }
    (Lock::default(), diagnostics)
}

fn unreadable_lock(path: &RelPath, reason: &str) -> Diagnostic {
    Diagnostic::new(Code::MalformedLock, format!("`{path}` cannot be read: {reason}"))
        .help("restore the file from its history")
}

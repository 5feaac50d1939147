//! A module's stage: its source and the trees that it needs, how it is built, and what comes out.

use super::builder::Builder;
use super::cell::Cell;
use super::order::build_order;
use super::scope::{BUILD_ROOT, Scope, slug};
use super::{BuildCommand, Edge, Fetched, ModuleStage, Node, NodeId, SourceStage, StepCommand};
use crate::compiler::model::{Build, Image, ModuleBody, ModuleId, Step, Template};
use crate::text::diag::{Code, Diagnostic, listed, nearest};
use crate::text::ids::{AbsPath, ModuleName};
use crate::text::source::Span;
use std::collections::BTreeSet;

/// How often one image's modules may be copied to others that need them, or need what does.
const MAX_COPIES: usize = 20_000;

impl Builder<'_> {
    /// A module's stage, after those of all that it needs.
    pub(super) fn module(&mut self, module: ModuleId, cell: &Cell<'_>, image: &Image, at: usize) {
        if self.modules.contains_key(&(module, cell.id, at)) {
            return;
        }
        let Some(body) = self.module_body(module, cell, image) else { return };
        let Some(layers) = self.inputs.model.modules.get(module.0) else { return };
        let needs = build_order(&self.needs(module, cell, image), |need| self.needs(need, cell, image));
        self.copies += needs.len();
        if self.copies > MAX_COPIES {
            return self.too_many_copies(image);
        }
        let built: Vec<_> =
            needs.iter().filter_map(|&need| self.modules.get(&(need, cell.id, at)).cloned()).collect();
        let Some(used) = &body.source else {
            self.diagnostics.push(
                Diagnostic::new(
                    Code::MissingSource,
                    format!("module `{}` has no source for some cells", layers.name),
                )
                .label(layers.span, "built from what?")
                .label(cell.span, "for this kernel")
                .help("say `source` outside `on`, so that it holds for every cell"),
            );
            return;
        };
        let Some((source, source_name)) = self.source(used.source, cell, image) else { return };
        let scope = self.scope(cell).module(&layers.name);
        let dir = used.dir.as_ref().map(|dir| scope.text(dir));
        let root = format!("{BUILD_ROOT}/{}", slug(&layers.name));
        let place = used.dir.as_ref().map_or(used.span, |dir| dir.span);
        let dir = dir
            .filter(|dir| dir != ".")
            .map_or_else(|| root.clone(), |dir| format!("{root}/{}", dir.trim_end_matches('/')));
        let Some(dir) = self.parse(&dir, place, "directory", AbsPath::parse) else { return };
        self.check_directory(source, dir.as_str().strip_prefix(&format!("{root}/")), place);
        let dirs = needs.iter().zip(&built).filter_map(|(need, (_, dir))| {
            Some((self.inputs.model.modules.get(need.0)?.name.clone(), dir.clone()))
        });
        let dirs: Vec<_> = dirs.collect();
        let scope = scope.dirs(&dirs);
        let stage = self.module_stage(&layers.name, &body, cell, &scope, source_name, dir.clone());
        let mut inputs = vec![(self.kernel(cell), Edge::From), (source, Edge::Files)];
        inputs.extend(built.iter().map(|&(node, _)| (node, Edge::Symbols)));
        let node = self.graph.intern(Node::Module(Box::new(stage)), &inputs);
        self.modules.insert((module, cell.id, at), (node, dir));
    }

    fn too_many_copies(&mut self, image: &Image) {
        let name = &image.layers.name;
        self.report_once(
            Diagnostic::new(Code::ExceededLimit, format!("the modules of image `{name}` need each other too often"))
                .label(image.layers.span, format!("more than {MAX_COPIES} times, those needed by what is needed among them"))
                .help("build modules of one source as one `module` with several outputs, and name in `needs` only what is used"),
        );
    }

    /// A local source must have files in the directory that is built.
    pub(super) fn check_directory(&mut self, source: NodeId, below: Option<&str>, place: Span) {
        let Node::Source(SourceStage { origin: Fetched::Path { dir, tree }, name, .. }) =
            self.graph.node(source)
        else {
            return;
        };
        let link = below.and_then(|below| tree.link_on(dir, below));
        if let Some(link) = link {
            let report = Diagnostic::new(Code::UnfitFile, format!("`{link}` of source `{name}` is a link"))
                .label(place, "built through a link")
                .help("name the directory that the link leads to");
            return self.report_once(report);
        }
        let Some(below) = below.and_then(|below| dir.join(below).ok()) else { return };
        if !self.directories.insert(below.clone())
            || tree.files.iter().any(|(path, _)| path.is_within(&below))
        {
            return;
        }
        let report =
            Diagnostic::new(Code::MissingDirectory, format!("source `{name}` has nothing in `{below}`"))
                .label(place, "built from an empty directory");
        let known: BTreeSet<_> = tree.files.iter().filter_map(|(path, _)| path.directory()).collect();
        let inside =
            |path: &str| path.strip_prefix(dir.as_str()).unwrap_or(path).trim_start_matches('/').to_owned();
        let known: Vec<_> =
            known.iter().map(|path| inside(path.as_str())).filter(|path| !path.is_empty()).collect();
        let help = match nearest(&inside(below.as_str()), known.iter().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`?"),
            None if known.is_empty() => "the source has no directories: leave `dir` out".into(),
            None => format!(
                "write a directory of the source: {}",
                listed(known.iter().take(6).map(String::as_str), "or")
            ),
        };
        self.report_once(report.help(help));
    }

    pub(super) fn module_stage(
        &mut self,
        name: &ModuleName,
        body: &ModuleBody,
        cell: &Cell<'_>,
        scope: &Scope<'_>,
        source: crate::text::ids::Name,
        dir: AbsPath,
    ) -> ModuleStage {
        let text = |template: &Template| scope.text(template);
        let build = match body.build.as_ref().map(|build| &build.value) {
            None => BuildCommand::Kbuild,
            Some(Build::Prebuilt) => BuildCommand::Prebuilt,
            Some(Build::Steps(steps)) => BuildCommand::Steps(
                steps
                    .iter()
                    .map(|step| match step {
                        Step::Make(targets, variables) => StepCommand::Make {
                            targets: targets.iter().map(text).collect(),
                            variables: variables
                                .iter()
                                .map(|(name, value)| (name.clone(), text(value)))
                                .collect(),
                        },
                        Step::Run(words) => StepCommand::Run(words.iter().map(text).collect()),
                        Step::Script(script) => StepCommand::Script(text(script)),
                    })
                    .collect(),
            ),
        };
        let outputs = match body.outputs.as_slice() {
            [] => vec![(format!("{name}.ko"), false)],
            outputs => outputs.iter().map(|output| (text(&output.glob), output.optional)).collect(),
        };
        let symvers =
            scope.built_dirs().filter_map(|dir| AbsPath::parse(&format!("{dir}/Module.symvers")).ok());
        ModuleStage {
            name: name.clone(),
            source,
            dir,
            install: self.install(cell, self.packages(&body.packages, scope)),
            env: body.env.iter().map(|(name, value)| (name.clone(), text(value))).collect(),
            built: scope.built_names(),
            extra_symbols: symvers.collect(),
            compiler: cell.packages.compiler.as_ref().map(|compiler| compiler.command.clone()),
            build,
            outputs,
            requires_config: body.requires_config.clone(),
            tries: false,
        }
    }
}

//! Modules into what their template is given: the steps of the build, what it needs, and the files expected of it.

use super::Pair;
use crate::compiler::model;
use crate::compiler::plan::{BuildCommand, ModuleStage, ReuseStage, StepCommand};
use crate::compiler::render::install::Install;
use crate::text::ids::EnvName;
use serde::Serialize;

#[derive(Serialize)]
pub(super) struct Module {
    module: String,
    name: String,
    source: String,
    dir: String,
    needs: Vec<String>,
    symvers: Vec<String>,
    env: Vec<Pair>,
    steps: Vec<Step>,
    check_apart: bool,
    outputs: Vec<String>,
    optional: Vec<String>,
    check_config: bool,
    config: Vec<String>,
    not_config: Vec<String>,
    finished: bool,
    tries: bool,
    scripts: Vec<Vec<String>>,
    #[serde(flatten)]
    install: Install,
}

/// Context of `reuse`.
#[derive(Serialize)]
pub(super) struct Reuse {
    first: String,
    kernel: String,
    level: &'static str,
    strict: bool,
    scripts: Vec<Vec<String>>,
}

impl Reuse {
    pub(super) fn new(first: String, stage: &ReuseStage, scripts: Vec<Vec<String>>) -> Self {
        let model::Reuse { level, strict } = stage.reuse;
        Self { first, kernel: stage.kernel.to_string(), level: level.name(), strict, scripts }
    }
}

#[derive(Default, Serialize)]
struct Step {
    tries: bool,
    kbuild: bool,
    symvers: bool,
    compiler: Option<String>,
    make: Option<Make>,
    run: Option<Vec<String>>,
    script: Option<String>,
}

#[derive(Serialize)]
struct Make {
    targets: Vec<String>,
    vars: Vec<Vec<Pair>>,
}

impl Module {
    pub(super) fn new(stage: &ModuleStage, scripts: Vec<Vec<String>>) -> Self {
        let needs = !stage.extra_symbols.is_empty();
        let mut steps = match &stage.build {
            BuildCommand::Kbuild => {
                let compiler = stage.compiler.as_ref().map(ToString::to_string);
                vec![Step { kbuild: true, symvers: needs, compiler, ..Step::default() }]
            }
            BuildCommand::Prebuilt => Vec::new(),
            BuildCommand::Steps(steps) => steps.iter().map(|step| Step::new(step, stage)).collect(),
        };
        steps.iter_mut().for_each(|step| step.tries = stage.tries);
        let outputs = |optional: bool| {
            let outputs = stage.outputs.iter().filter(move |(_, is_optional)| *is_optional == optional);
            outputs.map(|(glob, _)| glob.clone()).collect()
        };
        let config = |set: bool| {
            let rules = stage.requires_config.iter().filter(move |rule| rule.set == set);
            rules.map(|rule| rule.name.to_string()).collect()
        };
        Self {
            module: stage.name.to_string(),
            name: stage.name.as_str().to_ascii_lowercase(),
            source: stage.source.to_string(),
            dir: stage.dir.to_string(),
            needs: stage.built.iter().map(|name| name.as_str().to_ascii_lowercase()).collect(),
            symvers: stage.extra_symbols.iter().map(ToString::to_string).collect(),
            env: Pair::all(stage.env.iter().map(|(name, value)| (name, value))),
            check_apart: steps.last().is_none_or(|step| step.script.is_some()),
            steps,
            outputs: outputs(false),
            optional: outputs(true),
            check_config: !stage.requires_config.is_empty(),
            config: config(true),
            not_config: config(false),
            scripts,
            finished: stage.build == BuildCommand::Prebuilt,
            tries: stage.tries,
            install: Install::new(&stage.install),
        }
    }
}

impl Step {
    fn new(step: &StepCommand, stage: &ModuleStage) -> Self {
        match step {
            StepCommand::Make { targets, variables } => Self::make(targets, variables, stage),
            StepCommand::Run(words) => Self { run: Some(words.clone()), ..Self::default() },
            StepCommand::Script(script) => Self { script: Some(script.clone()), ..Self::default() },
        }
    }

    /// What the kernel's compiler and other modules' symbols need is added to the variables. A makefile that sets the
    /// variable of the symbols itself has its neighbours in mind as its own tree has them.
    fn make(targets: &[String], variables: &[(EnvName, String)], stage: &ModuleStage) -> Self {
        let mut vars = Pair::all(variables.iter().map(|(name, value)| (name, value)));
        if let Some(compiler) = &stage.compiler
            && !vars.iter().any(|var| var.name == "CC")
        {
            vars.push(Pair { name: "CC".into(), value: compiler.to_string() });
        }
        let symvers =
            !stage.extra_symbols.is_empty() && !vars.iter().any(|var| var.name == "KBUILD_EXTRA_SYMBOLS");
        let start =
            20 + if symvers { 46 } else { 0 } + targets.iter().map(|target| target.len() + 3).sum::<usize>();
        let make = Make { targets: targets.to_vec(), vars: Pair::rows(vars, start) };
        Self { make: Some(make), symvers, ..Self::default() }
    }
}

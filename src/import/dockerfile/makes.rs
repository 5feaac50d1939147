//! The calls of make of a Dockerfile, and what is run in the same sources before them, into sources and modules.

use super::groups::{Group, NOT_BUILT};
use super::{
    Draft, Fate, HERE, Image, KERNEL_DIR, Project, Reading, SOURCE, Tree, absolute, bases, beneath, left,
    named,
};
use crate::import::commands::{self, Command};
use crate::import::draft::{self, Build, Module, Origin, Output, Source, Step};
use crate::text::ids::KmodName;
use std::collections::BTreeMap;

/// What images of OpenShift's Driver Toolkit are called, and the repository of the images of its releases.
const TOOLKITS: [&str; 4] = ["driver-toolkit", "DTK", "DRIVER_TOOLKIT", "ocp-v4.0-art-dev"];

/// How a note begins where the file loads nothing.
pub(in crate::import) const NO_MODPROBE: &str = "No modprobe was found";

impl Reading {
    pub(super) fn drafted(&mut self, draft: &mut Draft, file: &str, hint: &str) {
        let groups = self.groups();
        let name = self.name(&groups, hint);
        draft.project = Project { name: draft::name(&name), ..Project::default() };
        let mut image = Image { name: draft::name(&name), ..Image::default() };
        if groups.is_empty() {
            self.nothing(draft, file, &name);
        }
        let mut sources: BTreeMap<Option<usize>, String> = BTreeMap::new();
        for group in &groups {
            if !sources.contains_key(&group.tree) {
                let source = self.source(group, draft, file, sources.len());
                sources.insert(group.tree, source.name.clone());
                draft.sources.push(source);
            }
            let source = sources.get(&group.tree).cloned().unwrap_or_default();
            let module = self.module(group, &groups, draft, source, &name);
            for note in &group.notes {
                draft.warn(file, 0, note);
            }
            draft.modules.push(module);
        }
        for (output, line) in &self.outputs {
            let made = draft.modules.iter().flat_map(|module| &module.outputs);
            if !made.into_iter().any(|one| kmod(&one.file) == kmod(&draft::literal(output))) {
                self.fates
                    .push((*line, left(output, "which module makes it was not found: say `output` in it")));
            }
        }
        self.packages(draft, &mut image);
        image.modules = draft.modules.iter().map(|module| module.name.clone()).collect();
        self.loaded(draft, &mut image, groups.is_empty());
        self.unused(&groups);
        self.system(draft, &groups, file);
        if self.subscribed {
            let text = "`subscription-manager` is left out: say `entitlement \"rhsm\"`, where the build has to register";
            draft.head.push(format!("{file}: {text}"));
            draft.warn(file, 0, text);
        }
        draft.images.push(image);
    }

    /// The name of what is built: that of what is loaded, of the only file that comes out, or of the sources.
    fn name(&self, groups: &[Group], hint: &str) -> String {
        let plain = |name: &&str| !name.contains(['*', '?']);
        let output = self.outputs.first().map(|(file, _)| kmod(file)).filter(plain);
        // What is loaded first may be a module of the kernel's own.
        let is_made = |name: &&String| self.outputs.iter().any(|(file, _)| kmod(file) == name.as_str());
        let made = self.loads.iter().find(is_made).map(String::as_str);
        let loaded = made.or(self.loads.first().map(String::as_str).filter(|_| output.is_none()));
        let clone = groups.first().and_then(|group| match &self.trees.get(group.tree?)?.origin {
            Origin::Git { url, .. } => url.rsplit('/').next().map(|name| name.trim_end_matches(".git")),
            _ => None,
        });
        loaded.or(output).or(clone).unwrap_or(hint).to_owned()
    }

    fn source(&self, group: &Group, draft: &mut Draft, file: &str, before: usize) -> Source {
        let name = if before == 0 { "driver".to_owned() } else { format!("driver-{}", before + 1) };
        match group.tree.and_then(|tree| self.trees.get(tree)) {
            Some(tree) => {
                Source { name, origin: tree.origin.clone(), notes: tree.notes.clone(), ..Source::default() }
            }
            None => {
                let text = "where the sources come from was not found: say `git` or `path` in `source`";
                draft.warn(file, 0, text);
                let origin = Origin::path(".", vec!["drivers.kdl".to_owned()]);
                Source { name, origin, notes: vec![text.to_owned()], ..Source::default() }
            }
        }
    }

    fn module(&self, group: &Group, groups: &[Group], draft: &Draft, source: String, name: &str) -> Module {
        let single = groups.len() == 1;
        let place = group.tree.and_then(|tree| self.trees.get(tree)).map_or("", |tree| tree.at.as_str());
        let mut outputs: Vec<String> = Vec::new();
        for (file, _) in &self.outputs {
            let path = absolute("", file);
            let of = |top: &str| {
                beneath(&path, top)
                    .filter(|below| file.starts_with('/') && !below.is_empty())
                    .map(str::to_owned)
            };
            let in_source = || of(place).filter(|_| !place.is_empty() && group.dir.is_none());
            let below = of(&group.at).filter(|_| !group.at.is_empty()).or_else(in_source);
            let other = groups.iter().any(|one| {
                one.at != group.at && one.at.len() > group.at.len() && beneath(&path, &one.at).is_some()
            });
            let output = match below {
                Some(below) if !other => Some(below),
                _ if single
                    || (!place.is_empty()
                        && beneath(&path, place).is_some()
                        && !other
                        && draft.modules.is_empty()) =>
                {
                    file.rsplit('/').next().map(str::to_owned)
                }
                _ => None,
            };
            outputs.extend(output.filter(|output| !outputs.contains(output)));
        }
        let own = outputs.first().map(|file| kmod(file)).filter(|name| !name.contains(['*', '?']));
        let last = group.at.rsplit('/').next().unwrap_or_default();
        let wanted = if single { name } else { own.unwrap_or(if last.is_empty() { name } else { last }) };
        let mut unique = draft::module_name(wanted);
        let mut number = 2;
        while draft.modules.iter().any(|module| module.name == unique) {
            unique = format!("{}-{number}", draft::module_name(wanted));
            number += 1;
        }
        let mut notes = group.notes.clone();
        if outputs.is_empty() && self.loads.is_empty() {
            notes.push("which `.ko` files come out is not said: say so with `output`".to_owned());
        }
        if outputs.is_empty() && !(single && self.loads.len() == 1) {
            outputs.push("*.ko".to_owned());
        }
        let mut needs = Vec::new();
        for dir in &group.symbols {
            let at = groups.iter().position(|one| one.at == *dir);
            match at.and_then(|at| draft.modules.get(at)) {
                Some(other) => needs.push(other.name.clone()),
                None => notes.push(format!("it uses symbols of what is built in `{dir}`: say `needs`")),
            }
        }
        Module {
            name: unique,
            needs,
            notes,
            source,
            dir: group.dir.clone(),
            build: self.build(group),
            env: group
                .env
                .iter()
                .map(|(name, value)| (name.clone(), named(&draft::literal(value))))
                .collect(),
            outputs: outputs
                .iter()
                .map(|file| Output { file: draft::literal(file), when: String::new() })
                .collect(),
            ..Module::default()
        }
    }

    /// The steps of a group as the manifest says them: a single call of make in its own words.
    fn build(&self, group: &Group) -> Build {
        if let [(_, only)] = group.steps.as_slice() {
            let only = &without_jobs(only);
            let words_of_a_shell = only.contains('$');
            match commands::make(only).filter(|_| !words_of_a_shell) {
                Some(Command::Own { targets, variables, env, .. }) if env.is_empty() => {
                    let here =
                        group.dir.as_ref().map_or_else(|| SOURCE.to_owned(), |dir| format!("{SOURCE}/{dir}"));
                    let targets = targets.iter().filter(|target| !NOT_BUILT.contains(&target.as_str()));
                    return Build::Make {
                        targets: targets.map(|target| named(&draft::literal(target))).collect(),
                        variables: variables
                            .into_iter()
                            .map(|(name, value)| (name, named(&draft::literal(&value.replace(HERE, &here)))))
                            .collect(),
                    };
                }
                Some(Command::Kernel { dir, rest })
                    if dir == KERNEL_DIR && rest.iter().all(|word| NOT_BUILT.contains(&word.as_str())) =>
                {
                    return Build::Kbuild;
                }
                _ => {}
            }
        }
        // Commands of one RUN share their variables.
        let mut scripts: Vec<(usize, String)> = Vec::new();
        for (line, text) in &group.steps {
            match scripts.last_mut().filter(|(last, _)| last == line) {
                Some((_, script)) => script.extend(["\n", text]),
                None => scripts.push((*line, text.clone())),
            }
        }
        let script = |(_, text): (usize, String)| {
            let whole = format!("{}{text}", self.values.assignments(&text));
            Step::Script(named(&draft::literal_script(&whole)))
        };
        Build::Steps(scripts.into_iter().map(script).collect())
    }

    fn packages(&mut self, draft: &mut Draft, image: &mut Image) {
        // What the last of several stages installs is there when the driver is loaded.
        let last = self.last;
        let (late, early): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.packages).into_iter().partition(|(stage, _)| last > 1 && *stage == last);
        image.packages = late.into_iter().map(|(_, name)| name).collect();
        let early: Vec<String> = early.into_iter().map(|(_, name)| name).collect();
        for module in &mut draft.modules {
            module.packages = early.clone();
        }
    }

    fn loaded(&mut self, draft: &Draft, image: &mut Image, nothing: bool) {
        image.load = self.loads.clone();
        for (kmod, options) in &self.options {
            let options = options.iter().map(|(name, value)| (name.clone(), named(&draft::literal(value))));
            image.options.push((kmod.clone(), options.collect()));
        }
        if self.loads.is_empty() && !nothing {
            let outputs =
                draft.modules.iter().flat_map(|module| &module.outputs).map(|output| kmod(&output.file));
            image.load = outputs.filter(|name| KmodName::parse(name).is_ok()).map(str::to_owned).collect();
            image.notes.push(unloaded(&image.load));
        }
        for module in draft
            .modules
            .iter()
            .filter(|module| module.outputs.is_empty() && Some(&module.name) != self.loads.first())
        {
            image.notes.push(format!("What `{}` makes is not known by name.", module.name));
        }
    }

    /// A file that builds no module: said, and no name is made up.
    fn nothing(&self, draft: &mut Draft, file: &str, name: &str) {
        let text = "nothing here builds a module";
        draft.head.push(format!("{file}: {text}"));
        draft.warn(file, 0, text);
        draft.sources.push(Source {
            name: "driver".to_owned(),
            notes: vec![text.to_owned()],
            ..Source::default()
        });
        if let Some(source) = draft.sources.last_mut() {
            source.origin = Origin::path(".", vec!["drivers.kdl".to_owned()]);
        }
        draft.modules.push(Module {
            name: draft::module_name(name),
            notes: vec![text.to_owned()],
            source: "driver".to_owned(),
            outputs: vec![Output { file: "*.ko".to_owned(), when: String::new() }],
            ..Module::default()
        });
    }

    /// Names the trees that make is not called in, and the variables that it does not see.
    fn unused(&mut self, groups: &[Group]) {
        for (name, value, line) in std::mem::take(&mut self.set) {
            let pair = (name, value);
            let given =
                pair.0 == "KBUILD_EXTRA_SYMBOLS" && groups.iter().any(|group| !group.symbols.is_empty());
            let fate = if given || groups.iter().any(|group| group.env.contains(&pair)) {
                Fate::Taken
            } else {
                left(
                    &format!("{}={}", pair.0, pair.1),
                    "make does not see it: say `env`, if the build needs it",
                )
            };
            self.fates.push((line, fate));
        }
        for tree in &self.trees {
            let around = || self.trees.iter().filter(|other| other.made);
            let fate = if tree.made || around().any(|other| other.holds(tree)) {
                Fate::Taken
            } else {
                let mut words = tree.shown.split_whitespace();
                let copied = matches!(tree.origin, Origin::Path { .. });
                let inside = |other: &Tree| copied && beneath(&tree.at, &other.at).is_some();
                let advice = match words.any(|word| word.ends_with(".patch") || word.ends_with(".diff")) {
                    true => "say `patch` in the source that it changes",
                    false if around().any(inside) => "put it into the source, where make looks for it",
                    false => "make is not called in it",
                };
                Fate::Left(format!("`{}` is left out: {advice}", tree.shown))
            };
            self.fates.push((tree.line, fate));
        }
        for (_, url, line) in &self.downloads {
            self.fates
                .push((*line, left(url, "say `file` or `archive` in a `source`, if the build needs it")));
        }
    }

    fn system(&self, draft: &mut Draft, groups: &[Group], file: &str) {
        let stages = groups.iter().map(|group| group.stage).chain((0..self.stages.len()).rev());
        let images: Vec<String> =
            stages.filter_map(|stage| self.image_of(stage)).map(str::to_owned).collect();
        if let Some(image) = images.iter().find(|image| TOOLKITS.iter().any(|word| image.contains(word))) {
            draft.head.push("It was built in OpenShift's Driver Toolkit: `os \"openshift\" \"4.16.3\"` in the matrix does the same.".to_owned());
            if image.contains("@sha256:") {
                let text = "the toolkit is named by its digest, which tells neither release nor kernel: /etc/driver-toolkit-release.json in it has the kernel";
                draft.head.push(format!("{file}: {text}"));
                draft.warn(file, 0, text);
            }
        }
        let (matrix, notes) = bases::matrix(&self.values.kernels, &images);
        draft.matrix = matrix;
        for note in notes {
            draft.head.push(format!("{file}: {note}"));
        }
    }
}

/// A call of make without `-j$(nproc)`: drvc says that itself.
fn without_jobs(text: &str) -> String {
    let jobs = regex::Regex::new(r#"\s(-j|--jobs[= ])\s*"?(\$\(nproc[^)]*\)|`nproc[^`]*`)"?(\s|$)"#);
    jobs.map_or_else(|_| text.to_owned(), |jobs| jobs.replace(text, " ").trim_end().to_owned())
}

/// What is said where the file loads nothing.
pub(in crate::import) fn unloaded(load: &[String]) -> String {
    let rest = match load {
        [] => "say here what is loaded",
        _ => "what is built is loaded; take out what need not be",
    };
    format!("{NO_MODPROBE}: {rest}.")
}

fn kmod(file: &str) -> &str {
    let name = file.rsplit('/').next().unwrap_or(file);
    name.strip_suffix(".ko").unwrap_or(name)
}

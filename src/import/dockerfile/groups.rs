//! What is made in the same directory, with what is run in the same source before it.

use super::run::tree_of_make;
use super::{Action, Fate, HERE, KERNEL_DIR, Reading, SOURCE, absolute, beneath, left, lines, shown};
use crate::text::ids::RelPath;

/// Targets that put modules where drvc puts them, or tidy up.
pub(super) const NOT_BUILT: [&str; 9] = [
    "install",
    "modules_install",
    "modules-install",
    "clean",
    "distclean",
    "mrproper",
    "uninstall",
    "help",
    "depmod",
];

/// Where make is called: one module.
pub(super) struct Group {
    pub(super) tree: Option<usize>,
    /// The directory, from `/` on, and as seen from the tree's top.
    pub(super) at: String,
    pub(super) dir: Option<String>,
    pub(super) stage: usize,
    pub(super) steps: Vec<(usize, String)>,
    pub(super) makes: usize,
    pub(super) env: Vec<(String, String)>,
    pub(super) notes: Vec<String>,
    /// Directories whose Module.symvers it is given.
    pub(super) symbols: Vec<String>,
}

impl Reading {
    /// Goes over what was run, and gives each command to the place that make is called in.
    pub(super) fn groups(&mut self) -> Vec<Group> {
        let actions = std::mem::take(&mut self.actions);
        let mut groups: Vec<Group> = Vec::new();
        let built: Vec<bool> = actions.iter().map(|action| action.is_make).collect();
        let mut waiting: Vec<&Action> = Vec::new();
        for (at, action) in actions.iter().enumerate() {
            if !action.is_make {
                let later = built.iter().skip(at + 1).any(|is_make| *is_make);
                if later {
                    waiting.push(action);
                } else {
                    let tidies = ["rm ", "rmdir ", "strip ", "xz ", "gzip ", "mkdir "];
                    let tidies = tidies.iter().any(|program| action.text.starts_with(program));
                    self.fates
                        .push((action.line, if tidies { Fate::Replaced } else { not_built(&action.text) }));
                }
                continue;
            }
            let words = lines::words(&action.text);
            if calls_of_kernel(&words) || only_tidies(&words, &groups, self, action) {
                let fate = if calls_of_kernel(&words) {
                    left(&action.text, "the kernel's headers come prepared")
                } else {
                    Fate::Replaced
                };
                self.fates.push((action.line, fate));
                continue;
            }
            let index = self.group(action, &words, &mut groups);
            let before: Vec<&Action> = std::mem::take(&mut waiting);
            if let Some(group) = groups.get_mut(index) {
                for one in before {
                    let fate = self.step(group, one);
                    self.fates.push((one.line, fate));
                }
                self.make(group, action);
            }
        }
        self.fates.extend(waiting.iter().map(|action| (action.line, not_built(&action.text))));
        groups
    }

    /// The group of a call of make; a new one where it is the first in its directory.
    fn group(&mut self, action: &Action, words: &[String], groups: &mut Vec<Group>) -> usize {
        let at = self.before_moves(made_in(action, words));
        let tree = self.tree_at(action.stage, &at);
        if let Some(known) = groups
            .iter()
            .position(|group| group.tree == tree.as_ref().map(|(tree, _)| *tree) && group.at == at)
        {
            return known;
        }
        let mut notes = Vec::new();
        let dir = match &tree {
            Some((_, Some(below))) => Some(below.clone()).filter(|below| !below.is_empty()),
            Some((tree, None)) => {
                let lies = self.trees.get(*tree).map_or("", |tree| tree.at.as_str());
                notes.push(format!(
                    "make is called in `{}`, but the sources lie in `{}`: say `dir=` behind `source`",
                    shown(&at),
                    shown(lies)
                ));
                None
            }
            None => None,
        };
        let tree = tree.map(|(tree, _)| tree);
        if let Some(tree) = tree.and_then(|tree| self.trees.get_mut(tree)) {
            tree.made = true;
        }
        let (env, steps) = (action.env.clone(), Vec::new());
        groups.push(Group {
            tree,
            at,
            dir,
            stage: action.stage,
            steps,
            makes: 0,
            env,
            notes,
            symbols: Vec::new(),
        });
        groups.len() - 1
    }

    /// The tree that a directory of a stage is in, and where in it.
    fn tree_at(&self, stage: usize, at: &str) -> Option<(usize, Option<String>)> {
        let places = &self.stages.get(stage)?.places;
        let is_dir = |below: &&str| below.is_empty() || RelPath::parse(below).is_ok();
        let within = places.iter().rev().filter_map(|(place, tree)| {
            let below = beneath(at, place).filter(is_dir)?;
            Some((place.len(), *tree, below.to_owned()))
        });
        // Of those in the same place, the one that came last; what a RUN mounts is known by its tree alone.
        if let Some((_, tree, below)) = within.rev().max_by_key(|(length, ..)| *length) {
            return Some((tree, Some(below)));
        }
        let mounted = self.trees.iter().enumerate().filter(|(_, tree)| tree.shown.starts_with("--mount"));
        for (index, tree) in mounted {
            if let Some(below) = beneath(at, &tree.at).filter(is_dir) {
                return Some((index, Some(below.to_owned())));
            }
        }
        // The base says where a clone without a directory lies; its name tells.
        let by_name = places.iter().rev().find_map(|(place, tree)| {
            let name = place.rsplit('/').next().filter(|name| !name.is_empty())?;
            let (_, below) = at.split_once(&format!("/{name}"))?;
            let below = below.trim_matches('/');
            (below.is_empty() || RelPath::parse(below).is_ok()).then(|| (*tree, Some(below.to_owned())))
        });
        by_name.or_else(|| places.first().map(|(_, tree)| (*tree, None)))
    }

    /// A command before make: a step of the build where it works on the same files.
    fn step(&mut self, group: &mut Group, action: &Action) -> Fate {
        let place =
            group.tree.and_then(|tree| self.trees.get(tree)).map(|tree| tree.at.clone()).unwrap_or_default();
        let here =
            group.tree.is_some() && action.stage <= group.stage && beneath(&action.dir, &place).is_some();
        let text = if place.is_empty() { action.text.clone() } else { replaced(&action.text, &place) };
        let foreign = lines::words(&text).iter().any(|word| {
            let path = word.rsplit(['=', '>', '<']).next().unwrap_or(word);
            path.starts_with('/')
                && path != "/dev/null"
                && !path.starts_with("/bin/")
                && !path.starts_with("/usr/bin/")
        });
        if !here || foreign {
            return not_built(&action.text);
        }
        let text = in_dir(&action.dir, &group.at, text);
        group.steps.push((action.line, text));
        self.missing(group, &action.text);
        Fate::Taken
    }

    fn make(&mut self, group: &mut Group, action: &Action) {
        let place =
            group.tree.and_then(|tree| self.trees.get(tree)).map(|tree| tree.at.clone()).unwrap_or_default();
        let mut text = action.text.clone();
        // What `M=` names is where make is called now.
        for name in ["M=", "SUBDIRS="] {
            if let Some(written) =
                lines::words(&text).iter().find_map(|word| word.strip_prefix(name)).map(str::to_owned)
            {
                let quotes = [
                    format!("{name}\"{written}\""),
                    format!("{name}{written}"),
                    format!("\"{name}{written}\""),
                ];
                if let Some(found) = quotes.iter().find(|one| text.contains(one.as_str())) {
                    // Kernels from 5.4 on do not know SUBDIRS.
                    text = text.replace(found.as_str(), &format!("M={HERE}"));
                }
            }
        }
        text = without_symbols(&text, group, action);
        if let Some(script) = lines::words(&text).first().filter(|word| word.starts_with('/'))
            && !place.is_empty()
            && beneath(script, &place).is_none()
        {
            group.notes.push(format!(
                "`{}` is none of the source's files: put it into the source, and call it there",
                shown(script)
            ));
        }
        if !place.is_empty() {
            text = replaced(&text, &place);
        }
        group.steps.push((action.line, text));
        group.makes += 1;
        group.env.retain(|(name, _)| !action.env.iter().any(|(known, _)| known == name));
        group.env.extend(action.env.iter().cloned());
        // drvc gives these to what `needs` another module.
        let given = group.env.extract_if(.., |(name, _)| name == "KBUILD_EXTRA_SYMBOLS");
        for (_, files) in given.collect::<Vec<_>>() {
            let dirs = files.split_whitespace().filter_map(|file| file.strip_suffix("Module.symvers"));
            group.symbols.extend(dirs.map(|dir| absolute(&action.dir, dir)));
        }
        self.missing(group, &action.text);
        self.fates.push((action.line, Fate::Taken));
    }

    /// Says which variables of a command have no value.
    fn missing(&mut self, group: &mut Group, text: &str) {
        for name in self.values.missing(text) {
            let note = format!(
                "`${{{name}}}` has no value in the file: give it one, with `env` or where it is used"
            );
            if !group.notes.contains(&note)
                && !group.steps.iter().any(|(_, step)| step.contains(&format!("{name}=")))
            {
                group.notes.push(note);
            }
        }
    }
}

/// Takes `KBUILD_EXTRA_SYMBOLS=…` out of a call of make: drvc gives it to what `needs` another module.
fn without_symbols(text: &str, group: &mut Group, action: &Action) -> String {
    let Some(word) = text.split_whitespace().find(|word| word.starts_with("KBUILD_EXTRA_SYMBOLS=")) else {
        return text.to_owned();
    };
    let path = word.trim_start_matches("KBUILD_EXTRA_SYMBOLS=").replace(HERE, &action.dir);
    let Some(dir) = path.strip_suffix("Module.symvers").filter(|dir| !dir.contains(['"', '\'', '$'])) else {
        return text.to_owned();
    };
    group.symbols.push(absolute(&action.dir, dir));
    match text.strip_prefix(&format!("{word} ")) {
        Some(rest) => rest.to_owned(),
        None => text.replacen(&format!(" {word}"), "", 1),
    }
}

fn not_built(text: &str) -> Fate {
    let of_image = text.split_once('>').and_then(|(_, file)| super::copies::of_image(file));
    left(text, of_image.unwrap_or("if the build needs it, write it as `run` or `script`"))
}

/// Where a call of make works: what `-C` or `M=` says, seen from where it is called.
fn made_in(action: &Action, words: &[String]) -> String {
    let put = |dir: &str| absolute(&action.dir, &dir.replace(HERE, &action.dir));
    let asked = words.iter().enumerate().find_map(|(at, word)| match word.as_str() {
        "-C" | "--directory" => words.get(at + 1).map(String::as_str),
        _ => word.strip_prefix("-C").or_else(|| word.strip_prefix("--directory=")),
    });
    match (tree_of_make(words), asked) {
        (Some(tree), _) => put(tree),
        (None, Some(dir)) if !dir.starts_with(KERNEL_DIR) => put(dir),
        _ => action.dir.clone(),
    }
}

/// Whether make is called for the kernel's own tree.
fn calls_of_kernel(words: &[String]) -> bool {
    let of_kernel = words.iter().any(|word| word.trim_start_matches("-C") == KERNEL_DIR);
    of_kernel && tree_of_make(words).is_none() && !words.iter().any(|word| word.contains('='))
}

/// Whether a call of make only installs what was made before, or tidies.
fn only_tidies(words: &[String], groups: &[Group], reading: &Reading, action: &Action) -> bool {
    let targets: Vec<&str> = words
        .iter()
        .skip_while(|word| !word.ends_with("make"))
        .skip(1)
        .map(String::as_str)
        .filter(|word| {
            NOT_BUILT.contains(word)
                || (!word.contains(['=', '/', '$', '\u{e001}', '\u{e000}'])
                    && !word.starts_with('-')
                    && word.parse::<u32>().is_err())
        })
        .collect();
    let tidies = !targets.is_empty()
        && targets.iter().all(|target| NOT_BUILT.contains(target) || target.ends_with("clean"));
    let cleans =
        targets.iter().all(|target| target.ends_with("clean") || *target == "mrproper" || *target == "help");
    let at = reading.before_moves(made_in(action, words));
    let tree = reading.tree_at(action.stage, &at).map(|(tree, _)| tree);
    tidies && (cleans || groups.iter().any(|group| group.makes > 0 && (group.tree == tree || group.at == at)))
}

/// Text with a source's place in it by the variable's name.
fn replaced(text: &str, place: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(place) {
        let whole =
            after.is_empty() || after.starts_with(|c: char| !c.is_ascii_alphanumeric() && !"._-".contains(c));
        let option = before.ends_with("-I") || before.ends_with("-L");
        let begins = option || !before.ends_with(|c: char| c.is_ascii_alphanumeric() || "._-/}".contains(c));
        out.extend([before, if whole && begins { SOURCE } else { place }]);
        rest = after;
    }
    out + rest
}

/// A command that is run in another directory of the same source.
fn in_dir(dir: &str, module: &str, text: String) -> String {
    if dir == module {
        return text;
    }
    if let Some(below) = beneath(dir, module) {
        return format!("(cd {below} && {text})");
    }
    let up = match beneath(module, dir) {
        Some(below) => below.split('/').map(|_| "..").collect::<Vec<_>>().join("/"),
        None => format!("{SOURCE}/{}", dir.rsplit('/').next().unwrap_or_default()),
    };
    format!("(cd {up} && {text})")
}

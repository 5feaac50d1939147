//! COPY, ADD and bind mounts into trees of sources, finished modules, and what an image holds beside them.

use super::lines::Instruction;
use super::{Fate, Reading, Tree, beneath, left, lines};
use crate::import::draft::Origin;
use crate::import::tree::git_url;
use crate::text::ids::{GitRef, RelPath};

impl Reading {
    pub(super) fn copy(&mut self, one: &Instruction) {
        let mut rest = one.rest.trim();
        let mut flags = Vec::new();
        while let Some((flag, after)) =
            rest.split_once(char::is_whitespace).filter(|_| rest.starts_with("--"))
        {
            flags.push(flag);
            rest = after.trim_start();
        }
        let files =
            lines::exec_form(rest).unwrap_or_else(|| rest.split_whitespace().map(str::to_owned).collect());
        let from =
            flags.iter().find_map(|word| word.strip_prefix("--from=")).map(|from| self.values.put_in(from));
        let words: Vec<String> =
            files.iter().map(|word| self.values.put_in(word).trim_matches(['"', '\'']).to_owned()).collect();
        let Some((target, files)) = words.split_last().filter(|(_, files)| !files.is_empty()) else {
            return self
                .fates
                .push((one.line, left(&format!("{} {}", one.keyword, one.rest), "it names no file")));
        };
        for flag in flags.iter().filter(|flag| flag.starts_with("--checksum=")) {
            self.fates.push((one.line, left(flag, "say it with `sha256=` behind `archive` or `file`")));
        }
        for file in files {
            let stage = from.as_ref().map_or(String::new(), |from| format!(" --from={from}"));
            let what = format!("{}{stage} {file} {target}", one.keyword);
            let fate = match &from {
                None if file.ends_with(".ko") || file.contains(".ko.") => {
                    left(&what, "it is a finished module: say `build \"none\"` in a `module` of its own")
                }
                _ if file.ends_with(".ko") || file.contains(".ko.") => {
                    self.output(one.line, file);
                    Fate::Taken
                }
                Some(from) => self.out_of_stage(from, file, target),
                None if file.contains("://") || file.starts_with("git@") => {
                    self.added(one.line, file, target)
                }
                None if file.starts_with("<<") => Fate::Left(format!(
                    "the text that {} writes to `{target}` is left out: put it into a file of the source",
                    one.keyword
                )),
                None => match self.out_of_context(one, file, target, files.len() > 1) {
                    Some(fate) => fate,
                    None => continue,
                },
            };
            let fate = if fate == Fate::Left(String::new()) { in_image(&what, target) } else { fate };
            self.fates.push((one.line, fate));
        }
    }

    /// A copy from another stage: its trees are then here too.
    fn out_of_stage(&mut self, from: &str, file: &str, target: &str) -> Fate {
        let modules = ["/lib/modules", "/usr/lib/modules", "/opt/lib/modules"];
        let is_modules = |path: &str| modules.iter().any(|dir| path.starts_with(dir));
        if is_modules(file) || is_modules(target) {
            return Fate::Replaced;
        }
        let Some(stage) = self.stage_named(from).and_then(|at| self.stages.get(at)) else {
            return Fate::Left(String::new());
        };
        let file = super::absolute("", file);
        let places: Vec<(String, usize)> = stage
            .places
            .iter()
            .filter_map(|(at, tree)| match (beneath(at, &file), beneath(&file, at)) {
                (Some(below), _) => Some((self.place(&format!("{target}/{below}")), *tree)),
                (None, Some(_)) => Some((self.place(target), *tree)),
                (None, None) => None,
            })
            .collect();
        if places.is_empty() || self.is_run() {
            return Fate::Left(String::new());
        }
        self.stage().places.extend(places);
        Fate::Taken
    }

    /// An address that ADD fetches.
    fn added(&mut self, line: usize, file: &str, target: &str) -> Fate {
        let (url, name) = file.split_once('#').unwrap_or((file, ""));
        let at = self.place(target);
        match git_url(url).filter(|url| url.ends_with(".git")) {
            Some(url) => {
                let name = name.split(':').next().unwrap_or_default();
                let reference = GitRef::parse(name).is_ok().then(|| ("ref", name.to_owned()));
                self.tree(
                    line,
                    &format!("ADD {file}"),
                    at,
                    Origin::Git { url, reference, submodules: false, lfs: false },
                );
                Fate::Taken
            }
            None => {
                let name = url.rsplit('/').next().unwrap_or_default();
                let at = if target.ends_with('/') { format!("{at}/{name}") } else { at };
                self.downloads.push((at, url.to_owned(), line));
                Fate::Taken
            }
        }
    }

    /// A copy of the project's own files. Nothing, where the end decides.
    fn out_of_context(&mut self, one: &Instruction, file: &str, target: &str, several: bool) -> Option<Fate> {
        if self.is_run() {
            return Some(Fate::Left(String::new()));
        }
        let path = file.trim_start_matches("./").trim_start_matches('/').trim_end_matches('/');
        let name = path.rsplit('/').next().unwrap_or_default();
        let is_file = file != "."
            && !file.ends_with('/')
            && (several || name.contains(['.', '*', '?']) || ["Makefile", "Kbuild"].contains(&name));
        let dir = match path.rsplit_once('/') {
            _ if path.is_empty() || path == "." => ".",
            _ if !is_file => path,
            Some((dir, _)) => dir,
            None => ".",
        };
        let what = format!("{} {file} {target}", one.keyword);
        if dir != "." && RelPath::parse(dir).is_err() {
            return Some(left(&what, "its path is none of the project"));
        }
        if [".gz", ".tgz", ".xz", ".bz2", ".zip"].iter().any(|end| name.ends_with(end)) {
            return Some(left(&what, "unpack it, and say `path` with its directory"));
        }
        let target = if is_file && !target.ends_with('/') && !several && target != "." {
            target.rsplit_once('/').map_or(".", |(dir, _)| if dir.is_empty() { "/" } else { dir })
        } else {
            target
        };
        let at = self.place(target);
        let ignore = if dir == "." { vec!["drivers.kdl".to_owned()] } else { Vec::new() };
        let whole =
            !is_file || name == "Makefile" || name == "Kbuild" || name.contains('*') || name.ends_with(".c");
        if whole {
            self.tree(one.line, &what, at, Origin::path(dir, ignore));
            return None;
        }
        // A single file is a source only where what it belongs to is one too.
        let known = self.stages.last().is_some_and(|stage| {
            stage.places.iter().any(|(place, tree)| {
                *place == at
                    && self.trees.get(*tree).is_some_and(
                        |tree| matches!(&tree.origin, Origin::Path { dir: known, .. } if known == dir),
                    )
            })
        });
        Some(if known { Fate::Taken } else { in_image(&what, target) })
    }

    /// `--mount=type=bind,…` of a RUN: a tree that is there for its time.
    pub(super) fn mounted(&mut self, one: &Instruction) {
        for flag in &one.flags {
            let Some(mount) = flag.strip_prefix("--mount=") else { continue };
            let field = |names: &[&str]| {
                let pairs = mount.split(',').filter_map(|pair| pair.split_once('='));
                pairs.into_iter().find(|(key, _)| names.contains(key)).map(|(_, value)| value.to_owned())
            };
            let kind = field(&["type"]).unwrap_or_else(|| "bind".to_owned());
            let target = field(&["target", "dst", "destination"]).unwrap_or_default();
            let source = field(&["source", "src"]).unwrap_or_else(|| ".".to_owned());
            let fate = match (kind.as_str(), field(&["from"])) {
                ("bind", Some(from)) => {
                    self.out_of_stage(&from, &format!("/{}", source.trim_start_matches('.')), &target)
                }
                ("bind", None) => {
                    let dir = source.trim_matches(['.', '/']).to_owned();
                    let dir = if RelPath::parse(&dir).is_ok() { dir } else { ".".to_owned() };
                    let ignore = if dir == "." { vec!["drivers.kdl".to_owned()] } else { Vec::new() };
                    let at = self.place(&target);
                    self.tree(one.line, flag, at, Origin::path(&dir, ignore));
                    continue;
                }
                ("cache" | "tmpfs", _) => Fate::Replaced,
                _ => left(flag, "drvc asks for the build secrets that it needs by itself"),
            };
            let fate = if fate == Fate::Left(String::new()) {
                left(flag, "say what is needed of it as a `source`")
            } else {
                fate
            };
            self.fates.push((one.line, fate));
        }
    }

    pub(super) fn tree(&mut self, line: usize, what: &str, at: String, origin: Origin) {
        let known = self.trees.iter().position(|tree| tree.origin == origin && tree.at == at);
        let index = known.unwrap_or(self.trees.len());
        if known.is_none() {
            let shown = super::shown(what);
            self.trees.push(Tree { origin, at: at.clone(), line, shown, notes: Vec::new(), made: false });
        }
        self.stage().places.push((at, index));
    }

    pub(super) fn output(&mut self, line: usize, file: &str) {
        let file = file.trim_matches(['"', '\'']);
        let end = file.find(".ko").map_or(file.len(), |at| at + 3);
        let file = file.get(..end).unwrap_or(file).to_owned();
        let name = file.rsplit('/').next().unwrap_or_default();
        if !name.contains(['$', '\u{e000}']) && !self.outputs.iter().any(|(known, _)| *known == file) {
            self.outputs.push((file, line));
        }
    }
}

/// What is said of a file that an image holds beside its modules.
fn in_image(what: &str, target: &str) -> Fate {
    let firmware =
        what.contains("firmware").then_some("say `firmware` in the image, with `from=` and a source");
    let other = "if the image needs it, say `file` with `from=` and `to=`";
    left(what, of_image(target).or(firmware).unwrap_or(other))
}

/// What the manifest has in place of a file that tells the image how modules are loaded.
pub(super) fn of_image(file: &str) -> Option<&'static str> {
    let places = [
        ("modprobe.d", "say `option`, `softdep` or `blacklist` in the image"),
        ("modules-load.d", "say `load` in the image"),
    ];
    places.iter().find(|(place, _)| file.contains(place)).map(|(_, advice)| *advice)
}

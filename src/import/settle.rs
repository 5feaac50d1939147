//! A draft into the text of a manifest that compiles: what it cannot hold is taken out, and stands there all the same.

use super::draft::{self, Draft, Image, Module, Origin, Os, Output, Project, Source};
use crate::compiler::compile::{Compilation, Request, compile};
use crate::system::fs::{Overlay, Reader, Tree};
use crate::text::diag::{Code, Severity};
use crate::text::ids::{GitUrl, RelPath};

/// How many nodes are taken out one by one.
pub(super) const MAX_TAKEN_OUT: usize = 60;

/// Where the manifest goes: the project's files, its name among them, and where outputs go.
pub struct Target<'t, T> {
    /// The project's files.
    pub tree: &'t T,
    /// The manifest's name.
    pub manifest: &'t RelPath,
    /// The output directory.
    pub out: &'t RelPath,
}

/// The manifest's text. Of several matrices it has the first that it compiles for.
#[must_use]
pub fn settled<T: Tree>(target: &Target<'_, T>, draft: &mut Draft, matrices: Vec<Vec<Os>>) -> String {
    target.present(draft);
    target.ignored(draft);
    target.included(draft);
    target.narrowed(draft);
    by_https(draft);
    let mut first = None;
    for matrix in matrices {
        draft.matrix = matrix;
        match target.taken_out(super::write(draft)) {
            (text, true) => return text,
            (text, false) => drop(first.get_or_insert((draft.matrix.clone(), text))),
        }
    }
    let (matrix, text) = first.unwrap_or_default();
    draft.matrix = matrix;
    target.safe(draft, &text)
}

/// Repositories that are cloned by ssh are named by https: a build has nobody's keys, and no file that is imported says
/// which secret would hold one.
fn by_https(draft: &mut Draft) {
    for source in &mut draft.sources {
        let Origin::Git { url, .. } = &mut source.origin else { continue };
        let Some(ssh) = GitUrl::parse(url).ok().filter(GitUrl::is_ssh) else { continue };
        let path = url.splitn(4, '/').nth(3).unwrap_or_default();
        let text = format!(
            "was cloned by ssh: with a deploy key it is `git \"{url}\" {{ secret \"ID\" host-key=\"KEY\"; }}`"
        );
        *url = format!("https://{}/{path}", ssh.host());
        draft.warnings.push(format!("source `{}` {text}", source.name));
        source.notes.push(text);
    }
}

impl<T: Tree> Target<'_, T> {
    /// Sources that are not here stand for what is: a Dockerfile may have been written for another directory.
    fn present(&self, draft: &mut Draft) {
        let mut missing = Vec::new();
        for source in &mut draft.sources {
            let Origin::Path { dir, ignore, .. } = &mut source.origin else { continue };
            let is_dir =
                RelPath::parse(dir).is_ok_and(|path| path.is_root() || self.tree.list(&path).is_ok());
            if !is_dir {
                let text = format!("`{dir}` is not here: put it here, or say `path` or `git`");
                *dir = ".".to_owned();
                *ignore = vec![self.manifest.to_string()];
                source.notes.push(text.clone());
                missing.push(text);
            }
        }
        draft.warnings.extend(missing);
        draft.modules.iter_mut().for_each(|module| {
            let source = draft.sources.iter().find(|source| source.name == module.source);
            if source.is_some_and(|source| source.notes.iter().any(|note| note.contains("is not here"))) {
                module.notes.extend(
                    module
                        .dir
                        .take()
                        .map(|dir| format!("It was built in `{dir}`: say `dir=` behind `source`.")),
                );
            }
        });
    }

    pub(super) fn compiled(&self, text: &str) -> Compilation {
        let tree = Overlay::new(self.tree, self.manifest.clone(), text.as_bytes().to_vec());
        let request = Request {
            manifest: self.manifest.clone(),
            out: self.out.clone(),
            max_targets: 10_000,
            settings: Vec::new(),
        };
        compile(&Reader::new(&tree).hide(self.out.clone()), &request)
    }

    /// The text, in which nodes are taken out by `/-` until nothing is wrong with it; and whether that came about.
    fn taken_out(&self, mut text: String) -> (String, bool) {
        for _ in 0..MAX_TAKEN_OUT {
            let compilation = self.compiled(&text);
            let wrong = compilation
                .diagnostics
                .iter()
                .find(|one| one.code == Code::DeadSelector || one.code.severity() == Severity::Error);
            let Some(wrong) = wrong else { return (laid_out(text), true) };
            let why = match wrong.code {
                Code::DeadSelector => {
                    "Selects no kernel of the matrix: take `/-` away when there is one.".to_owned()
                }
                _ => format!("Taken out: {}.", wrong.message),
            };
            let at = wrong.labels.first().map(|label| label.span.start as usize);
            match at.and_then(|at| without(&text, at, &why)) {
                Some(next) => text = next,
                None if wrong.code == Code::DeadSelector => {
                    return (laid_out(text), !compilation.diagnostics.has_errors());
                }
                None => return (laid_out(text), false),
            }
        }
        (laid_out(text), false)
    }

    /// A manifest of the least that there is, with the one that was refused in its comments.
    fn safe(&self, draft: &mut Draft, refused: &str) -> String {
        let name = draft::name(&draft.project.name);
        let text =
            "what was found does not make a manifest as it is: it is left here as a comment, to be put right";
        draft.warnings.push(text.to_owned());
        let mut head = draft.head.clone();
        head.push(format!(
            "{}{}:",
            text.get(..1).unwrap_or_default().to_uppercase(),
            text.get(1..).unwrap_or_default()
        ));
        head.extend(
            refused.lines().filter(|line| !line.starts_with("// ")).map(|line| format!("    {line}")),
        );
        let top = match draft.sources.as_slice() {
            [Source { origin: Origin::Path { dir, .. }, .. }] => dir.as_str(),
            _ => ".",
        };
        let mut ignore = if top == "." { vec![self.manifest.to_string()] } else { Vec::new() };
        for source in &draft.sources {
            let Origin::Path { ignore: patterns, .. } = &source.origin else { continue };
            ignore.extend(patterns.iter().filter(|one| one.starts_with('/')).cloned());
        }
        ignore.dedup();
        let least = Draft {
            head,
            project: Project { name: name.clone(), ..Project::default() },
            sources: vec![Source {
                name: "driver".to_owned(),
                origin: Origin::path(top, ignore),
                ..Source::default()
            }],
            modules: vec![Module {
                name: draft::module_name(&name),
                source: "driver".to_owned(),
                outputs: vec![Output { file: "*.ko".to_owned(), when: String::new() }],
                ..Module::default()
            }],
            images: vec![Image {
                name: name.clone(),
                modules: vec![draft::module_name(&name)],
                ..Image::default()
            }],
            matrix: super::matrix::examples().into_iter().next().unwrap_or_default(),
            ..Draft::default()
        };
        let of_draft = Draft { matrix: draft.matrix.clone(), ..least.clone() };
        let text = super::write(&of_draft);
        let holds = !draft.matrix.is_empty() && !self.compiled(&text).diagnostics.has_errors();
        laid_out(if holds { text } else { super::write(&least) })
    }
}

/// The text without the node that begins the line of a place. Nothing where that node is one that has to be there.
fn without(text: &str, at: usize, why: &str) -> Option<String> {
    let line = text.get(..at)?.rfind('\n').map_or(0, |at| at + 1);
    let indent = text.get(line..)?.len() - text.get(line..)?.trim_start().len();
    let (before, after) = text.split_at_checked(line + indent)?;
    let needed = [
        "/-", "//", "only ", "source ", "path ", "git ", "archive ", "os ", "kernel ", "}", "module ",
        "\"\"\"",
    ];
    if indent == 0 || needed.iter().any(|node| after.starts_with(node)) {
        return None;
    }
    let blanks = " ".repeat(indent);
    let why: String = why.replace(['\n', '\r'], " ");
    Some(format!("{before}// {why}\n{blanks}/-{after}"))
}

fn laid_out(text: String) -> String {
    crate::language::layout::format(&text).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::super::{Kind, Place, draft, kind};
    use super::*;
    use crate::system::fs::Memory;
    use proptest::prelude::*;

    fn is_fine(files: &[(String, String)], from: &str, text: &str) -> (String, Vec<String>) {
        let mut tree = Memory::new();
        for (path, text) in files {
            tree.insert(RelPath::parse(path).unwrap(), text.clone());
        }
        let (file, manifest) = (RelPath::parse(from).unwrap(), RelPath::parse("drivers.kdl").unwrap());
        let out = RelPath::parse("drivers.out").unwrap();
        let place = Place { kind: kind(&file, text), file, dir: RelPath::root(), text: text.to_owned() };
        let Ok(mut draft) = draft(&tree, &place, "hint") else { return (String::new(), Vec::new()) };
        let target = Target { tree: &tree, manifest: &manifest, out: &out };
        let matrices = match draft.matrix.is_empty() {
            true => crate::import::matrix::examples(),
            false => vec![draft.matrix.clone()],
        };
        let written = settled(&target, &mut draft, matrices);
        let wrong: Vec<String> = target
            .compiled(&written)
            .diagnostics
            .iter()
            .filter(|one| one.code.severity() == Severity::Error)
            .map(|one| format!("{:?}: {}", one.code, one.message))
            .collect();
        (written, wrong)
    }

    #[test]
    fn what_a_manifest_cannot_hold_is_taken_out() {
        let key = ["-----BEGIN PRIVATE", " KEY-----\nMII\n"].concat();
        let files = [("a.c".to_owned(), String::new()), ("key.pem".to_owned(), key)];
        for (text, expected) in [
            ("FROM debian:12\nCOPY . /s\nRUN make -C /s", "ignore \"drivers.kdl\" \"/key.pem\""),
            ("FROM debian:12\nCOPY gone /s\nRUN make -C /s/sub", "`gone` is not here"),
            (
                "FROM debian:12\nRUN git clone git@h.example:a/b.git && cd b && make",
                "git \"https://h.example/a/b.git\"",
            ),
            ("FROM debian:12\nCOPY . /s\nENV PATH_X=a LD_PRELOAD=b\nRUN make -C /s", "module"),
            ("FROM debian:12\nCOPY . /s\nRUN make -C /s KDIR='{x}' 'a b'", "make"),
        ] {
            let (written, wrong) = is_fine(&files, "Dockerfile", text);
            assert!(wrong.is_empty() && written.contains(expected), "{wrong:?}\n{written}");
        }
    }

    #[test]
    fn what_git_has_not_fetched_is_left_out_and_named() {
        let pointer = format!("version https://git-lfs.github.com/spec/v1\noid sha256:{:064}\nsize 9\n", 1);
        let file = |path: &str, text: &str| (path.to_owned(), text.to_owned());
        let files = [file("q.c", ""), file("fw/q.bin", &pointer), file("fw/r.fw", &pointer)];
        let (written, wrong) = is_fine(&files, "Makefile", "obj-m := q.o\n");
        let expected = "ignore \"drivers.kdl\" \"/fw/q.bin\" \"/fw/r.fw\"";
        assert!(wrong.is_empty() && written.contains(expected), "{wrong:?}\n{written}");
        let note =
            "// `/fw/r.fw` is left out of the sources: a pointer of Git LFS; if the build needs it, run";
        assert!(written.contains(note) && !written.contains("does not hold together"), "{written}");
    }

    #[test]
    fn a_repository_that_holds_files_in_git_lfs_is_fetched_with_them() {
        let file = |path: &str, text: &str| (path.to_owned(), text.to_owned());
        let config = file(".git/config", "[remote \"origin\"]\n\turl = https://h.example/q.git\n");
        let mut files = vec![config, file("q.c", ""), file("fw/q.bin", "FW")];
        let (without, _) = is_fine(&files, "Makefile", "obj-m := q.o\n");
        assert!(without.contains("/-git \"https://h.example/q.git\"\n"), "{without}");
        files.push(file("fw/.gitattributes", "*.bin filter=lfs diff=lfs merge=lfs -text\n"));
        let (written, wrong) = is_fine(&files, "Makefile", "obj-m := q.o\n");
        let expected = "/-git \"https://h.example/q.git\" {\n        lfs #true\n    }\n";
        assert!(wrong.is_empty() && written.contains(expected), "{wrong:?}\n{written}");
    }

    #[test]
    fn what_no_build_looks_into_is_left_out() {
        let file = |path: &str| (path.to_owned(), String::new());
        let mut files = vec![("drv/Kbuild".to_owned(), "obj-m := q.o\n".to_owned()), file("drv/q.c")];
        files.extend((0..9).map(|at| file(&format!("web/site/{at}.html"))));
        let (written, wrong) = is_fine(&files, "drv/Kbuild", "obj-m := q.o\n");
        assert!(wrong.is_empty() && written.contains("\"/web\""), "{wrong:?}\n{written}");
        assert_eq!(written.matches("`/web`: left out").count(), 1, "{written}");
    }

    #[test]
    fn a_makefile_that_git_ignores_is_included() {
        let file = |path: &str, text: &str| (path.to_owned(), text.to_owned());
        let files =
            [file(".gitignore", "Makefile\n"), file("k/Makefile", "obj-m := q.o\n"), file("k/q.c", "")];
        let (written, wrong) = is_fine(&files, "k/Makefile", "obj-m := q.o\n");
        assert!(
            wrong.is_empty() && written.contains("include \"*\" \"/k/Makefile\""),
            "{wrong:?}\n{written}"
        );
    }

    fn words() -> impl Strategy<Value = String> {
        prop_oneof![
            Just("obj-m := a.o b-c.o\n"),
            Just("obj-$(CONFIG_X) += x.o d/\n"),
            Just("obj-m += $(NAME).o\nNAME := con\n"),
            Just("all:\n\t$(MAKE) -C $(KDIR) M=$(PWD) CONFIG_X=m\n"),
            Just("VERSION = {1.2}\n"),
            Just("KDIR ?= /lib/modules/$(shell uname -r)/build\n"),
            Just("FROM fedora:40\n"),
            Just("FROM ${X} AS y\n"),
            Just("COPY . /w\nRUN cd /w && make V=1 {x}\n"),
            Just("RUN git clone --branch '{v}' https://h.example/a.git && make -C a\n"),
            Just("CMD modprobe a-b c=d\n"),
            Just("ENV A=\"{kernel\" B='x\"#y'\n"),
            Just("RUN ./configure && make 'a\"b' && x > \\\n y\n"),
            Just("COPY --from=0 /w/é.ko /opt/\n"),
            Just("PACKAGE_NAME=\"a b{c}\"\nPACKAGE_VERSION=1\n"),
            Just("BUILT_MODULE_NAME[0]=x\nDEST_MODULE_LOCATION[0]=/extra\n"),
            Just("MAKE[0]=\"make {y} K=$kernelver\"\n"),
            Just("kind: Module\nmetadata: {name: 'A_b.', namespace: x}\nspec:\n  selector: {a/b: c}\n  moduleLoader:\n    container:\n      modprobe: {moduleName: '{q}'}\n"),
            Just("kind: Module\nmetadata: {name: q}\nspec:\n  devicePlugin: {container: {image: 'x y', args: ['{a}'], env: [{name: 1A, value: b}]}}\n  imageRebuildTriggerGeneration: -1\n  moduleLoader:\n    container:\n      version: 'a b'\n      imagePullPolicy: Never!\n      modprobe: {moduleName: q, args: {load: ['']}}\n      build: {selector: {'': ''}, secrets: [{name: '?'}], buildArgs: [{name: 'a b', value: 1}]}\n      sign: {keySecret: {name: 'A B'}, certSecret: {name: c}}\n"),
            Just("MODULE_VERSION(\"1\\\"\"); // SPDX-License-Identifier: (x OR y\n"),
        ]
        .prop_map(str::to_owned)
        .boxed()
        .prop_union("[ -~\\n]{0,60}".boxed())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]
        #[test]
        fn what_is_written_passes_check(
            parts in prop::collection::vec(words(), 1..7),
            beside in prop::collection::vec(("[a-z]{1,3}(/[a-z]{1,3})?\\.[ch]", words()), 0..4),
            which in 0..5_usize,
        ) {
            let text: String = parts.concat();
            let name = ["Makefile", "Dockerfile", "dkms.conf", "m.yaml", "Kbuild"][which];
            let mut files = beside;
            files.push((name.to_owned(), text.clone()));
            let (written, wrong) = is_fine(&files, name, &text);
            prop_assert!(wrong.is_empty(), "{wrong:?}\n{name}:\n{text}\n{written}");
        }
    }

    #[test]
    fn kinds_are_told_apart() {
        assert_eq!(kind(&RelPath::parse("Kbuild").unwrap(), ""), Kind::Kbuild);
    }
}

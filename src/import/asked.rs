//! What reports on a drafted manifest ask for, written into its sources: which files they take, and which they leave out.

use super::draft::{Draft, Module, Origin};
use super::settle::{MAX_TAKEN_OUT, Target};
use crate::compiler::compile::Compilation;
use crate::system::fs::Tree;
use crate::text::diag::{Code, Severity};

impl<T: Tree> Target<'_, T> {
    /// The draft compiled, for an example where it has no kernels.
    fn drafted(&self, draft: &Draft) -> Compilation {
        let mut draft = draft.clone();
        if draft.matrix.is_empty() {
            draft.matrix = super::matrix::examples().into_iter().next().unwrap_or_default();
        }
        self.compiled(&super::write(&draft))
    }

    /// Files that no source may hold, as keys: the `ignore` that the report asks for.
    pub(super) fn ignored(&self, draft: &mut Draft) {
        for _ in 0..MAX_TAKEN_OUT {
            let compilation = self.drafted(draft);
            let asked =
                compilation.diagnostics.iter().filter(|one| one.code.severity() == Severity::Error).find_map(
                    |one| {
                        let (_, rest) = one.help.as_deref()?.split_once("`ignore \"")?;
                        rest.split_once("\"`").map(|(pattern, _)| (pattern.to_owned(), one.code))
                    },
                );
            let Some((pattern, code)) = asked else { return };
            let why = match code {
                Code::MissingSubmodule => {
                    "an empty submodule; if the build needs it, run `git submodule update --init` and take `ignore` away"
                }
                Code::LfsPointer => {
                    "a pointer of Git LFS; if the build needs it, run `git lfs pull` and take `ignore` away"
                }
                _ => "no layer of a build may hold it",
            };
            let text = format!("`{pattern}` is left out of the sources: {why}");
            let mut added = false;
            for source in &mut draft.sources {
                if let Origin::Path { ignore, .. } = &mut source.origin
                    && !ignore.contains(&pattern)
                {
                    ignore.push(pattern.clone());
                    source.notes.push(text.clone());
                    added = true;
                }
            }
            if !added {
                return;
            }
            draft.warnings.push(text);
        }
    }

    /// Makefiles that a `.gitignore` leaves out: the `include` that the report asks for.
    pub(super) fn included(&self, draft: &mut Draft) {
        for _ in 0..MAX_TAKEN_OUT {
            let compilation = self.drafted(draft);
            let asked = compilation.diagnostics.iter().find_map(|one| {
                let makefile = one.code == Code::LeftOutFile && one.message.contains("`.gitignore`");
                let (_, rest) = one.help.as_deref().filter(|_| makefile)?.split_once("`include \"*\" \"")?;
                rest.split_once("\"`").map(|(file, _)| file.to_owned())
            });
            let Some(file) = asked else { return };
            let mut added = false;
            for source in &mut draft.sources {
                if let Origin::Path { include, .. } = &mut source.origin
                    && !include.contains(&file)
                {
                    if include.is_empty() {
                        include.push("*".to_owned());
                    }
                    include.push(file.clone());
                    added = true;
                }
            }
            if !added {
                return;
            }
            draft
                .warnings
                .push(format!("`{file}` is taken though a `.gitignore` names it: the build needs it"));
        }
    }

    /// Directories where no module's build looks: the `ignore` that the report asks for.
    pub(super) fn narrowed(&self, draft: &mut Draft) {
        for _ in 0..MAX_TAKEN_OUT {
            let compilation = self.drafted(draft);
            let asked = compilation.diagnostics.iter().find_map(|one| {
                let help = one.help.as_deref().filter(|_| one.code == Code::WideSource)?;
                let (patterns, _) = help.split_once("`ignore ")?.1.split_once('`')?;
                Some((one.message.clone(), patterns.to_owned()))
            });
            let Some((message, patterns)) = asked else { return };
            let patterns: Vec<_> = patterns.split('"').skip(1).step_by(2).map(str::to_owned).collect();
            let mut added = false;
            for source in &mut draft.sources {
                // Where it is not known what is built, neither is where.
                let unknown = |module: &Module| module.outputs.iter().any(|output| output.file == "*.ko");
                if draft.modules.iter().any(|module| module.source == source.name && unknown(module)) {
                    continue;
                }
                if let Origin::Path { dir, ignore, .. } = &mut source.origin
                    && message.contains(&format!("of `{dir}` are"))
                    && patterns.iter().any(|pattern| !ignore.contains(pattern))
                {
                    let new: Vec<_> = patterns.iter().filter(|one| !ignore.contains(one)).cloned().collect();
                    ignore.extend(new);
                    let listed = patterns.iter().map(|one| format!("`{one}`")).collect::<Vec<_>>().join(", ");
                    let text = format!(
                        "{listed}: left out, since no module's build looks there, and an edit there would rebuild everything"
                    );
                    source.notes.push(text.clone());
                    draft.warnings.push(text);
                    added = true;
                }
            }
            if !added {
                return;
            }
        }
    }
}

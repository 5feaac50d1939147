//! How a dkms.conf builds: MAKE, PRE_BUILD and POST_BUILD.

use super::{ARCH, Directive, Importer, JOBS, KERNEL, KERNEL_DIR, SOURCE, TREE, is_mark};
use crate::import::commands::{self, Command};
use crate::import::draft::{self, Build, Step};
use crate::import::kernels::selectors;
use crate::import::shell;

impl Importer<'_> {
    pub(super) fn build(&mut self) {
        let expressions = self.all("MAKE_MATCH");
        let mut build = Build::Kbuild;
        let first_is_plain = !expressions.iter().any(|one| one.index == 0);
        for make in self.all("MAKE") {
            let index = make.index;
            let matching = expressions.iter().find(|one| one.index == index);
            if matching.is_none() && !(index == 0 && first_is_plain) {
                let text = format!("MAKE[{index}] has no MAKE_MATCH, so dkms never runs it");
                self.note_on_module(make.line, &text);
                continue;
            }
            let way = self.way(&make);
            let Some(expression) = matching else {
                build = way;
                continue;
            };
            let known = expression
                .text
                .as_deref()
                .filter(|text| expression.when.is_empty() && !shell::is_symbolic(text));
            match known.and_then(selectors) {
                Some(kernels) if kernels.is_empty() => build = way,
                Some(kernels) => {
                    self.module.builds.extend(kernels.into_iter().map(|kernel| (kernel, way.clone())))
                }
                None => {
                    let expression = expression.text.clone().unwrap_or_else(|| "?".into());
                    let text = format!("MAKE[{index}] is left out: no few selectors say `{expression}`");
                    self.note_on_module(make.line, &text);
                }
            }
        }
        self.module.build = build;
        self.hooks();
    }

    /// How one MAKE builds.
    fn way(&mut self, make: &Directive) -> Build {
        let index = make.index;
        let Some(raw) = make.text.clone().filter(|_| make.when.is_empty()) else {
            return self.unread_make(make);
        };
        let filled = raw.chars().any(is_mark);
        let text = self.place(&raw);
        if text.contains(TREE) {
            return self.unread_make(make);
        }
        // dkms looks at the text alone: `'make'`, or a variable before it, gets nothing added.
        let told = text.starts_with("make");
        match commands::make(&self.without_marks(&raw)) {
            Some(Command::Kernel { dir, rest }) if dir == KERNEL_DIR && rest.is_empty() => Build::Kbuild,
            Some(Command::Own { targets, mut variables, env, dir })
                if (dir.is_empty() || dir == SOURCE)
                    && !variables.iter().chain(&env).any(|(_, value)| value.contains(JOBS)) =>
            {
                if told && !variables.iter().any(|(name, _)| name == "KERNELRELEASE") {
                    variables.push(("KERNELRELEASE".to_owned(), KERNEL.to_owned()));
                }
                self.module.env.extend(env.into_iter().map(|(name, value)| (name, template(&value))));
                Build::Make {
                    targets: targets.iter().map(|target| template(target)).collect(),
                    variables: variables.into_iter().map(|(name, value)| (name, template(&value))).collect(),
                }
            }
            _ => {
                if filled {
                    self.note_on_module(
                        make.line,
                        &format!("MAKE[{index}] is written without what is filled in"),
                    );
                }
                let text = commands::parallel(&text, KERNEL_DIR, KERNEL);
                Build::Steps(vec![Step::Script(format!("{}{}", set_before(&text), script(&text)))])
            }
        }
    }

    /// A command line without the words that a packager's tool fills in.
    fn without_marks(&mut self, raw: &str) -> String {
        let words = raw.split(' ').filter(|word| !word.contains(is_mark)).collect::<Vec<_>>();
        self.place(&words.join(" "))
    }

    fn unread_make(&mut self, make: &Directive) -> Build {
        let index = make.index;
        let text = format!("MAKE[{index}] could not be read: the build reads dkms.conf itself");
        self.note_on_module(make.line, &text);
        let mut command =
            format!("eval \"${{MAKE[{index}]/#make/make -j$(nproc) KERNELRELEASE=$kernelver}}\"");
        if !make.when.is_empty() {
            // Where the file sets none, dkms calls the kernel's own build system.
            command.insert_str(
                0,
                &format!(": \"${{MAKE[{index}]:=make -C $kernel_source_dir M=$PWD modules}}\"; "),
            );
        }
        Build::Steps(vec![Step::Script(self.reads_itself(&command))])
    }

    /// PRE_BUILD and POST_BUILD, around the build.
    fn hooks(&mut self) {
        let before = self.hook("PRE_BUILD");
        let after = self.hook("POST_BUILD");
        if before.is_none() && after.is_none() {
            return;
        }
        let around = |build: Build| {
            let steps = before.iter().cloned().chain(commands::steps(build)).chain(after.iter().cloned());
            Build::Steps(steps.collect())
        };
        self.module.build = around(std::mem::take(&mut self.module.build));
        self.module.builds = std::mem::take(&mut self.module.builds)
            .into_iter()
            .map(|(kernel, way)| (kernel, around(way)))
            .collect();
    }

    fn hook(&mut self, name: &str) -> Option<Step> {
        let value = self.all(name).into_iter().next()?;
        let text = value.text.clone().filter(|_| value.when.is_empty()).map(|text| self.without_marks(&text));
        match text {
            Some(text) if !text.contains(TREE) => {
                let mut words: Vec<String> = text.split_whitespace().map(template).collect();
                if let Some(program) =
                    words.first_mut().filter(|program| !program.starts_with(['/', '.', '{']))
                {
                    program.insert_str(0, "./");
                }
                let file = words.first().and_then(|program| program.strip_prefix("./"));
                match file.filter(|file| !file.contains('{') && (self.lacks)(file)).map(str::to_owned) {
                    Some(file) => self.absent_hook(name, value.line, &file, &words),
                    None => Some(Step::Run(words)),
                }
            }
            _ => {
                self.note_on_module(
                    value.line,
                    &format!("{name} could not be read: the build reads dkms.conf itself"),
                );
                Some(Step::Script(self.reads_itself(&format!("exec ./${name}"))))
            }
        }
    }

    /// A hook that is no file of the source: dkms runs one only where there is such a program by then.
    fn absent_hook(&mut self, name: &str, line: usize, file: &str, words: &[String]) -> Option<Step> {
        if name == "PRE_BUILD" {
            let why = "the source has no such file, so dkms does not run it";
            self.note_on_module(line, &format!("{name} `{file}` is left out: {why}"));
            return None;
        }
        // Elsewhere a shell would make something of these words that dkms does not.
        let is_plain =
            |word: &String| word.bytes().all(|b| b.is_ascii_alphanumeric() || b"._/{}=+-".contains(&b));
        if !words.iter().all(is_plain) {
            return Some(Step::Run(words.to_vec()));
        }
        let why = "the source has no such file: it is run where the build makes it";
        self.note_on_module(line, &format!("{name} `{file}`: {why}"));
        Some(Step::Script(format!("[ ! -x ./{file} ] || {}", words.join(" "))))
    }

    /// A script that has the build read dkms.conf, with the variables that dkms gives it and the sources where dkms has
    /// them.
    fn reads_itself(&self, command: &str) -> String {
        format!(
            "# As dkms has it: the source in /usr/src, the directory that is built in below /var/lib/dkms.\n\
             export kernelver={{kernel}} kernel_source_dir={{kernel_dir}} arch={{arch}} dkms_tree=/var/lib/dkms\n\
             mkdir -p '/var/lib/dkms/{name}/{version}' /usr/src; cp -aT {{source_dir}} '/usr/src/{name}-{version}'\n\
             ln -sfn {{source_dir}} '/var/lib/dkms/{name}/{version}/build'\n\
             bash -c '. ./{conf} >/dev/null; set -e; {command}'",
            conf = self.conf,
            name = self.name,
            version = self.version,
        )
    }
}

/// dkms runs a command with its own variables set; those that it still names.
fn set_before(text: &str) -> String {
    let names = [("kernelver", "{kernel}"), ("kernel_source_dir", "{kernel_dir}"), ("arch", "{arch}")];
    let named = |name: &str| text.contains(&format!("${name}")) || text.contains(&format!("${{{name}"));
    names.iter().filter(|(name, _)| named(name)).map(|(name, value)| format!("{name}={value}\n")).collect()
}

/// A value as a text of the manifest.
fn template(text: &str) -> String {
    named(&draft::literal(text))
}

/// A value as a script of the manifest.
fn script(text: &str) -> String {
    named(&draft::literal_script(text)).replace(JOBS, "$(nproc)")
}

fn named(text: &str) -> String {
    [(KERNEL, "{kernel}"), (KERNEL_DIR, "{kernel_dir}"), (ARCH, "{arch}"), (SOURCE, "{source_dir}")]
        .iter()
        .fold(text.to_owned(), |text, (mark, name)| text.replace(mark, name))
}

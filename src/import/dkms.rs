//! `dkms.conf` into a draft: what dkms would do for a kernel, said in the manifest.

use super::commands::{self, Command};
use super::draft::{self, Build, Draft, Image, Module, Origin, Output, Project, Source, Step};
use super::kernels::selectors;
use super::shell::{self, Condition, Evaluated, Refusal, Value};
use crate::ids::{Arch, ConfigName, KmodName, RelPath};

/// What stands in a value for what dkms knows only when it builds.
const KERNEL: &str = "\u{e000}";
const KERNEL_DIR: &str = "\u{e001}";
const TREE: &str = "\u{e002}";
const ARCH: &str = "\u{e003}";
/// The directory that is built in; it takes the place of everything that dkms calls it.
const SOURCE: &str = "\u{e004}";

/// Directives that ask for something on the host where dkms installs.
const OF_THE_HOST: [&str; 10] = [
    "MODULES_CONF",
    "MODULES_CONF_ALIAS_TYPE",
    "MODULES_CONF_OBSOLETES",
    "MODULES_CONF_OBSOLETE_ONLY",
    "OBSOLETE_BY",
    "POST_ADD",
    "POST_INSTALL",
    "POST_REMOVE",
    "PRE_INSTALL",
    "REMAKE_INITRD",
];

/// A dkms.conf on its way into a draft.
struct Importer<'a> {
    /// The file's name, for messages.
    file: &'a str,
    found: Evaluated,
    /// The same, as seen from the directory that is built in.
    conf: &'a str,
    name: String,
    version: String,
    draft: Draft,
    module: Module,
    image: Image,
}

/// Makes a draft of a dkms.conf. `file` is its name for messages; `dir` the directory of its sources, as seen from the
/// manifest.
///
/// # Errors
/// A file that cannot be read as shell text, or that names no package.
pub fn import(text: &str, file: &str, dir: &RelPath) -> Result<Draft, Refusal> {
    let given = [
        ("kernelver", KERNEL),
        ("kernel_source_dir", KERNEL_DIR),
        ("dkms_tree", TREE),
        ("arch", ARCH),
        ("source_tree", "/usr/src"),
    ];
    let found = shell::evaluate(text, &given)?;
    let of =
        |name: &str| found.variables.get(name, 0).and_then(|value| value.text.clone()).unwrap_or_default();
    let (name, version) = (of("PACKAGE_NAME"), of("PACKAGE_VERSION"));
    if name.is_empty() || shell::is_symbolic(&name) {
        return Err(Refusal("it has no PACKAGE_NAME that could be read".into()));
    }
    // dkms makes directories of both, so nobody has other characters in them; `#` and `@` are those of a version that is
    // put in when a package is made of the file.
    let plain = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || "._+~-:#@".contains(c));
    for (variable, value) in [("PACKAGE_NAME", &name), ("PACKAGE_VERSION", &version)] {
        if !plain(value) && (variable == "PACKAGE_NAME" || !shell::is_symbolic(value)) {
            let value = value.escape_default();
            return Err(Refusal(format!("its {variable}, `{value}`, cannot be the name of a directory")));
        }
    }
    let known = !version.is_empty() && !shell::is_symbolic(&version) && !version.contains(['#', '@']);
    let conf = file.strip_prefix(dir.as_str()).map_or(file, |rest| rest.trim_start_matches('/'));
    let mut importer = Importer {
        file,
        conf,
        draft: Draft {
            head: vec![format!("Made from {file} of {name} {version}.")],
            project: Project {
                name: name.clone(),
                version: known.then(|| draft::literal(&version)),
                ..Project::default()
            },
            ..Draft::default()
        },
        module: Module { name: draft::module_name(&name), source: "driver".to_owned(), ..Module::default() },
        image: Image { name: draft::name(&name), ..Image::default() },
        found,
        name,
        version,
    };
    if !known {
        importer.draft.warn(file, 0, "PACKAGE_VERSION is not known here: say `version` in `project`");
    }
    importer.source(dir);
    importer.outputs();
    importer.build();
    importer.exclusive();
    importer.strip();
    importer.left_out();
    let Importer { mut draft, module, mut image, .. } = importer;
    image.modules = vec![module.name.clone()];
    draft.modules = vec![module];
    draft.images = vec![image];
    Ok(draft)
}

impl Importer<'_> {
    /// The elements of a directive, by index.
    fn all(&self, name: &str) -> Vec<(usize, Value)> {
        let elements = self.found.variables.elements(name).map(|(index, value)| (index, value.clone()));
        elements.filter(|(_, value)| value.text.as_deref() != Some("")).collect()
    }

    fn text(&self, name: &str) -> Option<String> {
        self.found.variables.get(name, 0).and_then(|value| value.text.clone()).filter(|text| !text.is_empty())
    }

    /// A value with every name for the directory that is built in made one.
    fn place(&self, text: &str) -> String {
        let (name, version) = (&self.name, &self.version);
        [
            format!("{TREE}/{name}/{version}/build"),
            format!("/var/lib/dkms/{name}/{version}/build"),
            format!("/usr/src/{name}-{version}"),
        ]
        .iter()
        .fold(text.to_owned(), |text, known| text.replace(known.as_str(), SOURCE))
    }

    fn note_on_module(&mut self, line: usize, text: &str) {
        self.module.notes.push(format!("{}:{line}: {text}", self.file));
        self.draft.warn(self.file, line, text);
    }

    fn source(&mut self, dir: &RelPath) {
        let ignore = if dir.is_root() { vec!["drivers.kdl".to_owned()] } else { Vec::new() };
        let mut source = Source {
            name: "driver".to_owned(),
            origin: Origin::Path { dir: dir.to_string(), ignore },
            ..Source::default()
        };
        for (index, patch) in self.all("PATCH") {
            let matching = self.found.variables.get("PATCH_MATCH", index).cloned();
            let kernels = match matching.as_ref().map(|value| value.text.as_deref()) {
                None | Some(Some("")) => Some(Vec::new()),
                Some(Some(expression)) => selectors(expression),
                Some(None) => None,
            };
            let file = patch.text.as_deref().map(|file| format!("{dir}/patches/{file}"));
            let file = file.map(|file| file.trim_start_matches("./").to_owned());
            match (file.filter(|file| RelPath::parse(file).is_ok()), kernels) {
                (Some(file), Some(kernels)) if patch.when.is_empty() => source.patches.push((file, kernels)),
                _ => {
                    let shown = patch.text.unwrap_or_else(|| "?".into());
                    let matching = matching.and_then(|value| value.text).unwrap_or_default();
                    let text = format!(
                        "PATCH[{index}] is left out: `{shown}`{}{}",
                        spaced(" for ", &matching),
                        when(&patch.when)
                    );
                    source.notes.push(format!("{}:{}: {text}", self.file, patch.line));
                    self.draft.warn(self.file, patch.line, &text);
                }
            }
        }
        self.draft.sources.push(source);
    }

    fn outputs(&mut self) {
        let mut names = self.all("BUILT_MODULE_NAME");
        if names.is_empty() {
            let value = Value { text: Some(self.name.clone()), when: Vec::new(), line: 0 };
            names.push((0, value));
        }
        let mut uncertain = 0;
        for (index, built) in names {
            let location = self.found.variables.get("BUILT_MODULE_LOCATION", index);
            let location = location.map_or(Some(String::new()), |value| value.text.clone());
            let file = built.text.as_deref().zip(location).map(|(name, location)| {
                let location = location.trim_start_matches("./").trim_matches('/').to_owned();
                if location.is_empty() { format!("{name}.ko") } else { format!("{location}/{name}.ko") }
            });
            let Some(file) = file.filter(|file| RelPath::parse(file).is_ok()) else {
                self.note_on_module(
                    built.line,
                    &format!("BUILT_MODULE_NAME[{index}] could not be read: add its `output`"),
                );
                continue;
            };
            let output = Output { file: draft::literal(&file), when: conditions(&built.when) };
            if self.module.outputs.iter().any(|known| known.file == output.file) {
                continue;
            }
            uncertain += usize::from(!output.when.is_empty());
            let kmod = file.rsplit('/').next().and_then(|name| name.strip_suffix(".ko")).unwrap_or_default();
            if output.when.is_empty() && KmodName::parse(kmod).is_ok() {
                self.image.load.push(kmod.to_owned());
            }
            self.module.outputs.push(output);
        }
        if uncertain > 0 {
            let text = format!(
                "{} built for some kernels only: optional here, and not loaded",
                crate::diag::count(uncertain, "module")
            );
            self.draft.warn(self.file, 0, &text);
        }
        if self.module.outputs.len() > 1 {
            self.image
                .notes
                .push("In the order of dkms.conf; take out what need not be loaded from the start.".into());
        }
        for (index, renamed) in self.all("DEST_MODULE_NAME") {
            let built =
                self.found.variables.get("BUILT_MODULE_NAME", index).and_then(|value| value.text.clone());
            if renamed.text != built {
                let text = format!(
                    "DEST_MODULE_NAME is left out: the module keeps its name, {}",
                    built.unwrap_or_default()
                );
                self.note_on_module(renamed.line, &text);
            }
        }
    }

    fn build(&mut self) {
        let expressions = self.all("MAKE_MATCH");
        let mut build = Build::Kbuild;
        let commands = self.all("MAKE");
        let first_is_plain = !expressions.iter().any(|(index, _)| *index == 0);
        for (index, make) in commands {
            let way = self.way(&make, index);
            match expressions.iter().find(|(at, _)| *at == index) {
                None if index == 0 && first_is_plain => build = way,
                None => self.note_on_module(
                    make.line,
                    &format!("MAKE[{index}] has no MAKE_MATCH, so dkms never runs it"),
                ),
                Some((_, expression)) => match expression.text.as_deref().and_then(selectors) {
                    Some(kernels) if kernels.is_empty() => build = way,
                    Some(kernels) => {
                        self.module.builds.extend(kernels.into_iter().map(|kernel| (kernel, way.clone())))
                    }
                    None => {
                        let expression = expression.text.clone().unwrap_or_else(|| "?".into());
                        let text = format!("MAKE[{index}] is left out: no few selectors say `{expression}`");
                        self.note_on_module(make.line, &text);
                    }
                },
            }
        }
        self.module.build = build;
        self.hooks();
    }

    /// How one MAKE builds.
    fn way(&mut self, make: &Value, index: usize) -> Build {
        let text = make.text.as_deref().map(|text| self.place(text));
        let Some(text) = text.filter(|text| make.when.is_empty() && !text.contains(TREE)) else {
            let text = format!("MAKE[{index}] could not be read: the build reads dkms.conf itself");
            self.note_on_module(make.line, &text);
            return Build::Steps(vec![Step::Script(self.reads_itself(&format!(
                "eval \"${{MAKE[{index}]/#make/make -j$(nproc) KERNELRELEASE=$kernelver}}\""
            )))]);
        };
        match commands::make(&text) {
            Some(Command::Kernel { dir, rest }) if dir == KERNEL_DIR && rest.is_empty() => Build::Kbuild,
            Some(Command::Own { targets, mut variables, env, dir }) if dir.is_empty() || dir == SOURCE => {
                if !variables.iter().any(|(name, _)| name == "KERNELRELEASE") {
                    variables.push(("KERNELRELEASE".to_owned(), KERNEL.to_owned()));
                }
                self.module.env.extend(env.into_iter().map(|(name, value)| (name, template(&value))));
                Build::Make {
                    targets: targets.iter().map(|target| template(target)).collect(),
                    variables: variables.into_iter().map(|(name, value)| (name, template(&value))).collect(),
                }
            }
            _ => Build::Steps(vec![Step::Script(script(&commands::parallel(&text, KERNEL_DIR, KERNEL)))]),
        }
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
        let (_, value) = self.all(name).into_iter().next()?;
        match value.text.as_deref().filter(|_| value.when.is_empty()).map(|text| self.place(text)) {
            Some(text) if !text.contains(TREE) => {
                let mut words: Vec<String> = text.split_whitespace().map(template).collect();
                if let Some(program) =
                    words.first_mut().filter(|program| !program.starts_with(['/', '.', '{']))
                {
                    program.insert_str(0, "./");
                }
                Some(Step::Run(words))
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

    /// A directive that holds whatever the kernel is; what is assigned under a condition is looked at in `config`.
    fn certain(&self, name: &str) -> Option<Value> {
        let conditional = |line: usize| {
            self.found
                .assigned
                .iter()
                .any(|one| one.name == name && one.value.line == line && !one.value.when.is_empty())
        };
        self.all(name)
            .into_iter()
            .map(|(_, value)| value)
            .find(|value| value.when.is_empty() && !conditional(value.line))
    }

    /// BUILD_EXCLUSIVE_*, and what assigns them under a condition.
    fn exclusive(&mut self) {
        let mut kernels: Vec<String> = Vec::new();
        for (name, sign) in [("BUILD_EXCLUSIVE_KERNEL_MIN", ">="), ("BUILD_EXCLUSIVE_KERNEL_MAX", "<=")] {
            kernels.extend(
                self.text(name)
                    .filter(|text| !shell::is_symbolic(text))
                    .map(|version| format!("{sign}{version}")),
            );
        }
        let range = (!kernels.is_empty()).then(|| kernels.join(", "));
        let mut only: Vec<Vec<(&'static str, String)>> =
            vec![range.map(|range| ("kernel", range)).into_iter().collect()];
        if let Some(value) = self.certain("BUILD_EXCLUSIVE_KERNEL") {
            match value.text.as_deref().and_then(selectors) {
                Some(selectors) if selectors.is_empty() => {}
                Some(selectors) if only == [vec![]] => {
                    only = selectors.into_iter().map(|kernel| vec![("kernel", kernel)]).collect();
                }
                _ => {
                    let expression = value.text.unwrap_or_else(|| "?".into());
                    self.exclusion_left_out(value.line, &format!("BUILD_EXCLUSIVE_KERNEL=`{expression}`"));
                }
            }
        }
        if let Some(value) = self.certain("BUILD_EXCLUSIVE_ARCH") {
            match value.text.as_deref().and_then(architectures) {
                Some(architectures) if architectures.len() == Arch::ALL.len() => {}
                Some(architectures) => {
                    only = only
                        .iter()
                        .flat_map(|one| {
                            architectures
                                .iter()
                                .map(|arch| [one.clone(), vec![("arch", arch.clone())]].concat())
                        })
                        .collect();
                }
                None => {
                    let expression = value.text.unwrap_or_else(|| "?".into());
                    self.exclusion_left_out(value.line, &format!("BUILD_EXCLUSIVE_ARCH=`{expression}`"));
                }
            }
        }
        self.image.only = only.into_iter().filter(|one| !one.is_empty()).collect();
        self.config();
    }

    fn config(&mut self) {
        let text = self.text("BUILD_EXCLUSIVE_CONFIG").unwrap_or_default();
        let mut options: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
        for one in self.found.assigned.clone() {
            let exclusive = one.name.starts_with("BUILD_EXCLUSIVE_");
            if !exclusive || one.value.when.is_empty() {
                continue;
            }
            match (one.name.as_str(), one.value.when.as_slice(), one.value.text.as_deref()) {
                // Nothing has such a name: the file says so that this kernel is excluded.
                (
                    "BUILD_EXCLUSIVE_KERNEL" | "BUILD_EXCLUSIVE_ARCH",
                    [Condition::Config { name, set }],
                    Some(text),
                ) if !Arch::ALL.iter().any(|arch| text.contains(arch.name()))
                    && !text.contains(|c: char| c.is_ascii_digit()) =>
                {
                    options.push(format!("{}{name}", if *set { "!" } else { "" }));
                }
                (name, conditions, text) => {
                    let what = format!("{name}=`{}`{}", text.unwrap_or("?"), when(conditions));
                    self.exclusion_left_out(one.value.line, &what);
                }
            }
        }
        options.sort();
        options.dedup();
        let (known, strange): (Vec<_>, Vec<_>) =
            options.into_iter().partition(|option| ConfigName::parse(option.trim_start_matches('!')).is_ok());
        self.module.requires_config = known;
        if !strange.is_empty() {
            self.exclusion_left_out(0, &format!("BUILD_EXCLUSIVE_CONFIG=`{}`", strange.join(" ")));
        }
    }

    fn exclusion_left_out(&mut self, line: usize, what: &str) {
        let what = what.replace(KERNEL, "$kernelver").replace(KERNEL_DIR, "$kernel_source_dir");
        let text = format!(
            "{what} is left out: say it with `only` in the image, or `requires-config` in the module"
        );
        self.image.notes.push(format!("{}:{line}: {text}", self.file));
        self.draft.warn(self.file, line, &text);
    }

    fn strip(&mut self) {
        if let Some((_, value)) = self
            .all("STRIP")
            .into_iter()
            .find(|(_, value)| value.text.as_deref().is_some_and(|text| text.starts_with(['n', 'N'])))
        {
            let text = "STRIP=no is left out: drvc takes debugging information out of every module";
            self.note_on_module(value.line, text);
        }
    }

    fn left_out(&mut self) {
        for name in OF_THE_HOST {
            if let Some((_, value)) = self.all(name).into_iter().next() {
                let text = format!("{name} is left out: it is about the host that dkms installs on");
                self.note_on_module(value.line, &text);
            }
        }
        for (_, value) in self.all("BUILD_DEPENDS") {
            let text = format!(
                "BUILD_DEPENDS is left out: import {} too, put it into this manifest, and write `needs` here",
                value.text.as_deref().unwrap_or("what it names")
            );
            self.note_on_module(value.line, &text);
        }
        for note in self.found.notes.clone() {
            self.note_on_module(note.line, &note.text);
        }
    }
}

/// The architectures that an expression matches; `None` where there are none.
fn architectures(expression: &str) -> Option<Vec<String>> {
    let expression = regex::Regex::new(expression).ok()?;
    let names = Arch::ALL.iter().map(|arch| arch.name()).filter(|name| expression.is_match(name));
    let names: Vec<String> = names.map(str::to_owned).collect();
    (!names.is_empty()).then_some(names)
}

fn conditions(conditions: &[Condition]) -> String {
    let all: Vec<String> = conditions.iter().map(ToString::to_string).collect();
    all.join(" and ").replace(KERNEL, "$kernelver").replace(KERNEL_DIR, "$kernel_source_dir")
}

fn when(conditions_of: &[Condition]) -> String {
    spaced(" where ", &conditions(conditions_of))
}

fn spaced(before: &str, text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("{before}{text}") }
}

/// A value as a text of the manifest.
fn template(text: &str) -> String {
    named(&draft::literal(text))
}

/// A value as a script of the manifest.
fn script(text: &str) -> String {
    named(&draft::literal_script(text))
}

fn named(text: &str) -> String {
    [(KERNEL, "{kernel}"), (KERNEL_DIR, "{kernel_dir}"), (ARCH, "{arch}"), (SOURCE, "{source_dir}")]
        .iter()
        .fold(text.to_owned(), |text, (mark, name)| text.replace(mark, name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::write;

    /// The manifest of a dkms.conf from its module on, and the warnings.
    fn imported(text: &str) -> (String, Vec<String>) {
        let text = format!("PACKAGE_NAME=foo\nPACKAGE_VERSION=1.2\n{text}");
        let mut draft = import(&text, "dkms.conf", &RelPath::root()).unwrap();
        draft.matrix = crate::import::matrix::examples().remove(0);
        let manifest = write(&draft);
        let from = manifest.find("source ").unwrap();
        (manifest[from..manifest.find("matrix").unwrap()].to_owned(), draft.warnings)
    }

    #[test]
    fn directives_have_their_words() {
        let cases = [
            ("BUILT_MODULE_NAME=foo", "module \"foo\" {\n    source \"driver\"\n}\n"),
            ("BUILT_MODULE_NAME=bar", "    output \"bar.ko\"\n"),
            ("BUILT_MODULE_NAME=(a b)\nBUILT_MODULE_LOCATION=(x/ ./y)", "    output \"x/a.ko\" \"y/b.ko\"\n"),
            ("BUILT_MODULE_NAME=(a b)", "    load \"a\" \"b\"\n"),
            (
                "MAKE=\"make -C $kernel_source_dir M=$dkms_tree/$PACKAGE_NAME/$PACKAGE_VERSION/build\"",
                "module \"foo\" {\n    source \"driver\"\n}\n",
            ),
            ("MAKE=\"make -C \\${kernel_source_dir} M=x\"", "    script \"\"\"\n"),
            (
                "MAKE=\"make all KVER=$kernelver X='a b' Y={z}\"",
                "    make \"all\" KVER=\"{kernel}\" X=\"a b\" Y=\"{{z}}\" KERNELRELEASE=\"{kernel}\"\n",
            ),
            ("MAKE=\"'make' all\"", "    make \"all\" KERNELRELEASE=\"{kernel}\"\n"),
            ("MAKE=\"A=1 make\"", "    env A=\"1\"\n    make KERNELRELEASE=\"{kernel}\"\n"),
            ("MAKE=\"make a && make b\"", "        make -j\"$(nproc)\" KERNELRELEASE={kernel} a && make b\n"),
            (
                "MAKE=x\nMAKE[1]=\"make old\"\nMAKE_MATCH[1]='^4\\.'",
                "    on kernel=\">=4, <5\" {\n        make \"old\" KERNELRELEASE=\"{kernel}\"\n    }\n",
            ),
            (
                "PRE_BUILD=\"conf.sh $kernelver\"",
                "    run \"./conf.sh\" \"{kernel}\"\n    script \"\"\"\n        make -j\"$(nproc)\" -C {kernel_dir} M={source_dir} modules\n",
            ),
            ("PATCH[0]=a.patch", "    patch \"patches/a.patch\"\n"),
            (
                "PATCH[0]=a.patch; PATCH_MATCH[0]='^5\\.1[45]\\.'",
                "    on kernel=\">=5.14, <5.16\" {\n        patch \"patches/a.patch\"\n    }\n",
            ),
            (
                "BUILD_EXCLUSIVE_KERNEL_MIN=5.4 BUILD_EXCLUSIVE_KERNEL_MAX=6.6",
                "    only kernel=\">=5.4, <=6.6\"\n",
            ),
            (
                "BUILD_EXCLUSIVE_ARCH='^(x86_64|aarch64)$'",
                "    only arch=\"x86_64\"\n    only arch=\"aarch64\"\n",
            ),
            (
                "BUILD_EXCLUSIVE_CONFIG='CONFIG_PCI !CONFIG_X'",
                "    requires-config \"!CONFIG_X\" \"CONFIG_PCI\"\n",
            ),
            (
                "if ! grep -q '^CONFIG_Y=[ym]' $kernel_source_dir/.config; then BUILD_EXCLUSIVE_ARCH=none; fi",
                "    requires-config \"CONFIG_Y\"\n",
            ),
            (
                "BUILT_MODULE_NAME=a\nif [ -n \"$CONFIG_Y\" ]; then BUILT_MODULE_NAME[1]=b; fi",
                "    // where CONFIG_Y is set:\n    output \"b.ko\" optional=#true\n",
            ),
            (
                "MAKE=\"make ARCH=$(uname -m)\"",
                "        bash -c '. ./dkms.conf >/dev/null; set -e; eval \"${MAKE[0]/#make/make -j$(nproc) KERNELRELEASE=$kernelver}\"'\n",
            ),
        ];
        for (text, expected) in cases {
            let (manifest, _) = imported(text);
            assert!(manifest.contains(expected), "{text}\n{manifest}");
        }
    }

    #[test]
    fn what_has_no_word_is_said() {
        let cases = [
            (
                "STRIP=no",
                "dkms.conf:3: STRIP=no is left out: drvc takes debugging information out of every module",
            ),
            (
                "REMAKE_INITRD=yes",
                "dkms.conf:3: REMAKE_INITRD is left out: it is about the host that dkms installs on",
            ),
            (
                "BUILD_DEPENDS=zfs",
                "dkms.conf:3: BUILD_DEPENDS is left out: import zfs too, put it into this manifest, and write `needs` here",
            ),
            (
                "DEST_MODULE_NAME=x BUILT_MODULE_NAME=y",
                "dkms.conf:3: DEST_MODULE_NAME is left out: the module keeps its name, y",
            ),
            (
                "BUILD_EXCLUSIVE_KERNEL='a\\b'",
                "dkms.conf:3: BUILD_EXCLUSIVE_KERNEL=`a\\b` is left out: say it with `only` in the image, or `requires-config` in the module",
            ),
            (
                "MAKE=\"make $(x)\"",
                "dkms.conf:3: MAKE[0] could not be read: the build reads dkms.conf itself",
            ),
            ("rm -rf /", "dkms.conf:3: `rm -rf /` was not run"),
            ("PATCH=a.patch PATCH_MATCH='(x+)+'", "dkms.conf:3: PATCH[0] is left out: `a.patch` for (x+)+"),
        ];
        for (text, expected) in cases {
            let (manifest, warnings) = imported(text);
            assert_eq!(warnings, [expected], "{text}");
            assert!(manifest.contains(&format!("// {expected}")), "{text}\n{manifest}");
        }
        let (_, warnings) = imported("PACKAGE_VERSION='#MODULE_VERSION#'");
        assert_eq!(warnings, ["dkms.conf: PACKAGE_VERSION is not known here: say `version` in `project`"]);
        for text in
            ["X=1", "PACKAGE_NAME=a\r", "PACKAGE_NAME=\"it's\"", "PACKAGE_NAME=a PACKAGE_VERSION='{kernel}'"]
        {
            assert!(import(text, "dkms.conf", &RelPath::root()).is_err(), "{text}");
        }
        let unknown = import("PACKAGE_NAME=a MAKE=$(x)", "d/debian/dkms.conf", &RelPath::parse("d").unwrap());
        assert!(write(&unknown.unwrap()).contains("bash -c '. ./debian/dkms.conf >/dev/null;"));
        assert!(import("PACKAGE_NAME=((", "dkms.conf", &RelPath::root()).is_err());
    }
}

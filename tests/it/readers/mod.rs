//! Every reader of what others wrote: inputs that it knows, and what has to hold whatever it is given. Tried at random and on
//! what was found by `tests/it/fuzz.rs`, and by a fuzzer that sees coverage (`tests/fuzz`).

mod binaries;
mod imports;
mod language;
mod servers;

use drvc::compiler::compile::{Compilation, Request, compile};
use drvc::system::fs::{Memory, Reader as Files};
use drvc::text::ids::RelPath;

/// A reader.
pub struct Reader {
    pub name: &'static str,
    /// Files and directories of the repository that are such inputs.
    pub known: &'static [&'static str],
    /// Gives it an input. What has to hold is asserted.
    pub read: fn(&[u8]),
    /// What has to hold besides, and takes so long that it is asked of some inputs alone.
    pub more: fn(&[u8]),
}

const fn reader(name: &'static str, known: &'static [&'static str], read: fn(&[u8])) -> Reader {
    Reader { name, known, read, more: |_| {} }
}

impl Reader {
    const fn more(self, more: fn(&[u8])) -> Self {
        Self { more, ..self }
    }

    /// Gives it an input, and looks at all that has to hold if it is one of those that are asked more.
    pub fn try_on(&self, input: &[u8], one_in: usize) {
        (self.read)(input);
        if input.iter().map(|byte| usize::from(*byte)).sum::<usize>().is_multiple_of(one_in) {
            (self.more)(input);
        }
    }
}

const MANIFESTS: &[&str] = &[
    "tests/ui",
    "examples/01-one-module/drivers.kdl",
    "examples/02-rhel-matrix/drivers.kdl",
    "examples/03-driver-toolkit/drivers.kdl",
    "examples/04-own-toolkit/drivers.kdl",
    "examples/06-build-here/drivers.kdl",
    "examples/08-everywhere/drivers.kdl",
    "examples/09-disconnected/drivers.kdl",
];

/// All of them.
pub const READERS: &[Reader] = &[
    reader("manifest", MANIFESTS, language::manifest),
    reader("kdl", MANIFESTS, language::kdl),
    reader("fmt", MANIFESTS, language::layout),
    reader(
        "lock",
        &[
            "src/knowledge/lock/example.lock",
            "tests/ui/drivers.lock",
            "tests/ui/duplicate-lock-entry/drivers.lock",
            "tests/ui/lock-conflict/drivers.lock",
        ],
        language::lock,
    ),
    reader("profile", &["src/knowledge/profile/data"], language::profile),
    reader("template", &["src/compiler/render/templates"], language::template),
    reader("state", &[], binaries::state),
    reader("dkms", &["tests/data/dkms"], imports::dkms).more(imports::dkms_passes),
    reader(
        "dockerfile",
        &[
            "examples/05-module-chain/drivers.out",
            "examples/08-everywhere/drivers.out/pt-char-dev",
            "Containerfile",
            "tests/data/fuzz/dockerfiles",
        ],
        imports::dockerfile,
    )
    .more(imports::dockerfile_passes),
    reader("kmm", &["examples/08-everywhere/drivers.out/kmm"], imports::kmm).more(imports::kmm_passes),
    reader("kbuild", &["examples/05-module-chain/driver", "examples/06-build-here/driver"], imports::kbuild)
        .more(imports::kbuild_passes),
    reader("apt", &["tests/data/fuzz/answers"], servers::apt),
    reader("dnf", &["tests/data/fuzz/answers"], servers::dnf),
    reader("registry", &["tests/data/fuzz/answers"], servers::registry),
    reader("layer", &["tests/data/fuzz/seeds/layer.tar"], binaries::layer),
    reader("module", &["tests/data/fuzz/seeds/hello.ko"], binaries::module).more(binaries::module_by_modinfo),
    reader(
        "package",
        &["tests/data/fuzz/seeds/headers.deb", "tests/data/fuzz/seeds/headers.rpm"],
        binaries::package,
    ),
    reader(
        "certificate",
        &["tests/data/signatures", "tests/data/p384.pem", "tests/data/ed25519.pem"],
        binaries::certificate,
    ),
];

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn rel(path: &str) -> RelPath {
    RelPath::parse(path).unwrap()
}

/// A driver that is all there.
const DRIVER: &str = "drvc edition=1\nproject \"p\"\nsource \"s\" { path \"s\"; }\nmodule \"m\" { source \"s\"; }\n\
                      image \"i\" { module \"m\"; load \"m\"; }\nmatrix { os \"debian\" \"12\" { kernel \"6.1.0-18-amd64\"; }; }\n";

/// A project of these files, with sources in `s`.
fn project(files: &[(&str, &[u8])]) -> Memory {
    let mut tree = Memory::new();
    tree.insert(rel("s/Kbuild"), &b"obj-m := m.o\n"[..]);
    files.iter().for_each(|(path, bytes)| tree.insert(rel(path), *bytes));
    tree
}

/// Compiles `drivers.kdl` in a tree, for at most 100 targets.
fn compiled(tree: &Memory) -> Compilation {
    let request = Request {
        manifest: rel("drivers.kdl"),
        out: rel("drivers.out"),
        max_targets: 100,
        settings: Vec::new(),
    };
    compile(&Files::new(tree), &request)
}

/// The reports of a compilation, for a failure.
fn reports(compilation: &Compilation) -> Vec<String> {
    let found = compilation.diagnostics.iter();
    found.map(|one| format!("{}: {}", one.code.name(), one.message)).collect()
}

//! What other tools call the things of the language: from a node that does not exist to the one that is meant.

/// The block that it stands in (`""` is the top of the file), names that people try there, and what to write instead.
const HABITS: &[(&str, &[&str], &str)] = &[
    ("image", &["from"], "write `base \"IMAGE\"` for another base than the distribution's"),
    ("image", &["copy", "add"], "write `file \"GLOB\" from=\"SOURCE\" to=\"/DIR\"`"),
    (
        "image",
        &["cmd", "entrypoint"],
        "leave it out: the entrypoint is drvc's, and `load` names what it loads",
    ),
    ("image", &["insmod", "modprobe", "autoload", "kmod"], "write `load \"KMOD\"`"),
    ("image", &["parameters", "params", "args"], "write `option \"KMOD\" NAME=\"value\"`"),
    ("module", &["arg"], "write `env NAME=\"value\"`, or a variable behind `make`"),
    ("module", &["workdir", "dir", "subdir"], "write `source \"NAME\" dir=\"DIR\"`"),
    ("module", &["depends", "depend", "dependencies", "requires", "after"], "write `needs \"MODULE\"`"),
    (
        "module",
        &["cmd", "command", "exec", "shell", "steps"],
        "write `run \"PROGRAM\" \"WORD\"`, or `script \"COMMANDS\"` for a shell",
    ),
    (
        "module",
        &["cflags", "ccflags", "flags"],
        "write it as a variable behind `make`, such as `make KCFLAGS=\"-O2\"`",
    ),
    (
        "module",
        &["path", "git", "archive", "srpm", "url"],
        "write it in a `source \"NAME\"` at the top of the file, and `source \"NAME\"` here",
    ),
    ("module", &["copy", "add"], "leave it out: the whole `source` is in the module's directory"),
    (
        "module",
        &["kernel", "os"],
        "write what differs in a block such as `on kernel=\">=6.1\" { make; }`; the `matrix` names the kernels",
    ),
    (
        "matrix",
        &["distro", "distribution", "system", "target"],
        "write `os \"debian\" \"12\" { kernel latest=2; }`",
    ),
    ("matrix", &["include"], "write one more `os`"),
    (
        "os",
        &["version", "release", "releases", "versions"],
        "write releases behind the name: `os \"NAME\" \"RELEASE\"`",
    ),
    ("os", &["platform", "platforms", "architecture"], "write `arch \"x86_64\" \"aarch64\"`"),
    ("", &["container", "dockerfile", "containers"], "write `image \"NAME\" { module \"MODULE\"; }`"),
    ("", &["driver", "kmod", "build"], "write `module \"NAME\" { source \"SOURCE\"; }`"),
    (
        "",
        &["targets", "target", "kernels", "strategy"],
        "write `matrix { os \"debian\" \"12\" { kernel latest=2; }; }`",
    ),
    ("", &["name"], "write `project \"NAME\"`"),
];

/// What to do about a node that the language does not have, where it is known from elsewhere.
pub(super) fn advice(owner: Option<&str>, name: &str) -> Option<&'static str> {
    if name == "-" {
        return Some("leave the `-` out: write the nodes of a list one below the other");
    }
    let (owner, name) = (owner.unwrap_or_default(), name.to_ascii_lowercase());
    let found = HABITS.iter().find(|(home, names, _)| *home == owner && names.contains(&name.as_str()));
    found.map(|&(_, _, help)| help)
}

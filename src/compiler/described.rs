//! Systems that no profile knows: from `base`, `manager` and `headers` of an `os` to a profile of it.

use crate::knowledge::profile::Profiles;
use crate::language::syntax::ast;
use crate::text::diag::{Code, Diagnostic};
use crate::text::ids::{Arch, OsName};
use crate::text::session::Session;
use crate::text::source::Span;
use std::collections::BTreeMap;
use std::fmt::Write;

/// Adds a profile for each system that the matrix describes.
pub(super) fn add(manifest: &ast::Manifest, profiles: &mut Profiles, session: &mut Session) {
    let mut systems: BTreeMap<&str, (Vec<&ast::Text>, String, Span)> = BTreeMap::new();
    for os in &manifest.matrix.os {
        let Some(span) = os.headers.as_ref().map(|it| it.span).or(os.manager.as_ref().map(|it| it.span))
        else {
            continue;
        };
        match described(os, span) {
            Err(problem) => session.found.push(problem),
            Ok(_) if profiles.get(&os.name.value).is_some() => session.found.push(known(os, span)),
            Ok(text) => match systems.get_mut(os.name.value.as_str()) {
                None => drop(systems.insert(&os.name.value, (os.releases.iter().collect(), text, span))),
                Some((releases, first, _)) if *first == text => releases.extend(&os.releases),
                Some((_, _, first)) => session.found.push(twice(os, span, *first)),
            },
        }
    }
    for (name, (releases, text, _)) in systems {
        let Ok(name) = OsName::parse(name) else { continue };
        let mut names: Vec<&str> = releases.iter().map(|release| release.value.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        let lines: String = names.iter().map(|name| format!("    release \"{name}\"\n")).collect();
        let file = session.sources.add(format!("<os {name}>"), format!("{text}line \"any\" {{\n{lines}}}\n"));
        profiles.add_user(&name, file, session);
    }
}

/// A profile of the system without its releases.
fn described(os: &ast::Os, span: Span) -> Result<String, Diagnostic> {
    let (Some(base), Some(manager), Some(headers)) = (&os.body.base, &os.manager, &os.headers) else {
        return Err(incomplete(os, span));
    };
    let values = os.releases.iter().chain(&headers.packages).chain(&headers.dir).chain([base, &os.name]);
    for value in values {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"._+~:@/={}-".contains(&b);
        if value.value.is_empty() || !value.value.bytes().all(plain) {
            return Err(Diagnostic::new(
                Code::MalformedValue,
                format!("`{}` does not fit here", value.value),
            )
            .label(value.span, "not what a name or a path is made of")
            .help("write A-Z a-z 0-9 . _ + ~ : @ / = -, and `{kernel}` in packages"));
        }
    }
    let (order, tools, dir) = match manager.value.as_str() {
        "apt" => (
            "dpkg",
            r#""gcc" "make" "bc" "bison" "flex" "libelf-dev" "kmod""#,
            "/usr/src/linux-headers-{kernel}",
        ),
        "zypper" => {
            ("rpm", r#""gcc" "make" "kmod" "libelf-devel" "diffutils""#, "/lib/modules/{kernel}/build")
        }
        "tdnf" => (
            "rpm",
            r#""gcc" "make" "kmod" "binutils" "glibc-devel" "kernel-headers" "elfutils-libelf-devel""#,
            "/usr/src/linux-headers-{kernel}",
        ),
        _ => {
            ("rpm", r#""gcc" "make" "kmod" "elfutils-libelf-devel" "diffutils""#, "/usr/src/kernels/{kernel}")
        }
    };
    let (manager, base, name) = (&manager.value, &base.value, &os.name.value);
    let dir = headers.dir.as_ref().map_or(dir, |dir| dir.value.as_str());
    let packages: Vec<_> = headers.packages.iter().map(|package| format!("\"{}\"", package.value)).collect();
    let mut text = format!("profile edition=1\ntitle \"{name}\"\norder \"{order}\"\nmanager \"{manager}\"\n");
    for arch in Arch::ALL {
        let _ = writeln!(text, "arch \"{arch}\"");
    }
    let _ = writeln!(
        text,
        "builder \"distro\" \"toolkit\"\nexample \"6.12.0\"\nopen-series\nopen-flavors\n\
         kernel #\"[0-9]+\\.[0-9]+.*\"# series=\"\"\nbase \"{base}\"\nminimal \"{base}\"\ntools {tools}\n\
         fetch \"git\" \"ca-certificates\" \"patch\"\ndownload \"curl\" \"ca-certificates\" \"patch\" \"bzip2\"\n\
         runtime \"kmod\"\nbuild {}\nkernel-dir \"{dir}\"",
        packages.join(" ")
    );
    Ok(text)
}

fn incomplete(os: &ast::Os, span: Span) -> Diagnostic {
    let there = [
        ("base", os.body.base.is_some()),
        ("manager", os.manager.is_some()),
        ("headers", os.headers.is_some()),
    ];
    let missing: Vec<_> =
        there.iter().filter(|(_, there)| !there).map(|(name, _)| format!("`{name}`")).collect();
    Diagnostic::new(Code::MissingNode, format!("`os \"{}\"` lacks {}", os.name.value, missing.join(" and ")))
        .label(span, "describes a system")
        .help("a system that no profile knows needs `base \"IMAGE\"`, `manager \"NAME\"` and `headers \"PACKAGE-{kernel}\"`")
}

fn known(os: &ast::Os, span: Span) -> Diagnostic {
    Diagnostic::new(Code::ConflictingNodes, format!("`{}` has a profile", os.name.value))
        .label(span, "describes it once more")
        .label(os.name.span, "known by this name")
        .help("take it out, give the system another name, or lay a profile of your own over the known one")
}

fn twice(os: &ast::Os, span: Span, first: Span) -> Diagnostic {
    Diagnostic::new(Code::ConflictingNodes, format!("`{}` is described in two ways", os.name.value))
        .label(span, "the second")
        .label(first, "the first")
        .help("write the same `base`, `manager` and `headers` in both, or give one another name")
}

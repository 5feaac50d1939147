//! Which keys change with what of a manifest: every node and property of the language has a row here.

use crate::differential::Random;
use drvc::compiler::compile::compile;
use drvc::language::schema::manifest::MANIFEST;
use drvc::language::schema::{Body, Node};
use drvc::system::fs::{Memory, Reader};
use drvc::text::ids::RelPath;
use std::collections::{BTreeMap, BTreeSet};

const CERTIFICATE: &str = include_str!("../../examples/05-module-chain/keys/module-signing.pem");
const OTHER_CERTIFICATE: &str = include_str!("../data/p384.pem");

/// Two images for two kernels each: `i` with much in it, `j` with little.
const MANIFEST_TEXT: &str = r#"drvc edition=1
project "p" {
    registry "quay.io/p"
}
source "driver" {
    path "driver"
}
source "other" {
    git "https://example.com/other.git" commit="0123456789012345678901234567890123456789"
}
module "a" {
    source "driver"
}
module "b" {
    source "other"
}
image "i" {
    module "a"
    load "a"
}
image "j" {
    module "b"
    load "b"
}
matrix {
    os "debian" "12" {
        kernel "6.1.0-18-amd64" "6.1.0-18-rt-amd64"
    }
}
"#;

/// Tab-separated: a node's or property's path, the targets whose keys change (`unlocked`: the lock is to say), a text of
/// the manifest, and what stands in its place before (`-`: itself) and after (`-`: nothing).
const ROWS: &str = include_str!("../data/keys.tsv");

fn rows() -> impl Iterator<Item = Vec<String>> {
    let unescaped = |field: &str| field.replace("\\n", "\n").replace("\\\\", "\\");
    ROWS.lines().map(move |line| line.split('\t').map(unescaped).collect())
}

fn path(text: &str) -> RelPath {
    RelPath::parse(text).unwrap()
}

/// The key of each target, as `IMAGE/KERNEL`.
fn keys(manifest: &str) -> Result<BTreeMap<String, String>, String> {
    let mut tree = Memory::new();
    tree.insert(path("drivers.kdl"), manifest.as_bytes());
    for file in ["driver/Kbuild", "driver/sub/Kbuild", "driver/fw.bin", "driver2/Kbuild", "driver/x.c"] {
        tree.insert(path(file), format!("# {file}\n").as_bytes());
    }
    tree.insert(path("a.patch"), &b"--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n"[..]);
    tree.insert(path("cert.pem"), CERTIFICATE.as_bytes());
    tree.insert(path("cert2.pem"), OTHER_CERTIFICATE.as_bytes());
    tree.insert(path("repo.asc"), &b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n"[..]);
    tree.insert(path("repo2.asc"), &b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n"[..]);
    tree.insert(path("part/b.kdl"), &b"module \"b\" { source \"other\"; }\n"[..]);
    tree.insert(path("part/b2.kdl"), &b"module \"b\" { source \"other\"; packages \"bc\"; }\n"[..]);
    tree.insert(path("kernels.txt"), &b"6.1.0-18-amd64\n6.1.0-18-rt-amd64\n"[..]);
    let registries =
        b"[[registry]]\nlocation = \"docker.io\"\n[[registry.mirror]]\nlocation = \"m.example.com\"\n";
    tree.insert(path("registries.conf"), &registries[..]);
    tree.insert(path("runtime.hbs"), &b"FROM {{base}}\nCMD [\"x\"]\n"[..]);
    tree.insert(
        path("os.kdl"),
        &b"profile edition=1 extends=\"debian\"\n\nbase \"quay.io/mirror/debian:{release}\"\n"[..],
    );
    let compilation = compile(&Reader::new(&tree), &crate::request());
    let Some(plan) = compilation.plan else {
        let all = compilation.diagnostics.iter().map(|one| format!("{}: {}", one.code, one.message));
        return Err(all.collect::<Vec<_>>().join("; "));
    };
    let short = |kernel: &str| match kernel {
        _ if kernel.contains("-rt-") => "rt",
        _ if kernel.contains(".el9") => "rhel",
        _ => "18",
    };
    let named = plan.json().targets.iter();
    Ok(named
        .map(|target| (format!("{}/{}", target.image, short(&target.kernel)), target.key.clone()))
        .collect())
}

/// Paths of all nodes and properties. The nodes in an `on` are those around it, those in `defaults` are the ones of each
/// module and image, and all selectors are one.
fn every_path(body: &'static Body, above: &str, all: &mut BTreeSet<String>) {
    for node in body.nodes.iter().filter(|node| node.name != "defaults") {
        let Node { name, properties, free, body, .. } = node;
        let at = if above.is_empty() { (*name).to_owned() } else { format!("{above}/{name}") };
        let is_selector = ["on", "only", "exclude"].contains(name);
        let owner = if is_selector { "on" } else { &at };
        all.insert(at.clone());
        all.extend(
            properties.iter().filter(|one| one.name != "reason").map(|one| format!("{owner}@{}", one.name)),
        );
        all.extend(free.iter().map(|_| format!("{owner}@*")));
        if *name != "on" {
            every_path(body, &at, all);
        }
    }
}

#[test]
fn every_node_and_property_changes_the_keys_that_it_should() {
    let base = keys(MANIFEST_TEXT).unwrap();
    assert_eq!(base.len(), 4);
    let mut wrong = Vec::new();
    for row in rows() {
        let [path, expected, place, first, second] = row.as_slice() else { panic!("{row:?}") };
        assert!(MANIFEST_TEXT.contains(place), "{path}: {place}");
        let with = |text: &str| keys(&MANIFEST_TEXT.replacen(place, text, 1));
        let before = if first == "-" { Ok(base.clone()) } else { with(first) };
        let (before, after) = match (before, with(if second == "-" { "" } else { second })) {
            (Ok(before), Ok(after)) => (before, after),
            (Ok(_), Err(why)) if expected == "unlocked" && why.contains("unlocked-kernels") => continue,
            (Err(why), _) | (_, Err(why)) => {
                wrong.push(format!("{path}: {why}"));
                continue;
            }
        };
        let changed: Vec<_> = before
            .iter()
            .filter(|(name, key)| after.get(*name) != Some(key))
            .map(|(name, _)| name.as_str())
            .collect();
        if changed.join(" ") != expected.trim_matches('-') {
            wrong.push(format!("{path}: {} instead of {expected}", changed.join(" ")));
        }
    }
    assert_eq!(wrong, [""; 0]);
}

#[test]
fn every_node_and_property_has_a_row() {
    let mut all = BTreeSet::new();
    every_path(&MANIFEST, "", &mut all);
    let rows: BTreeSet<_> = rows().filter_map(|row| row.into_iter().next()).collect();
    let missing: Vec<_> = all.difference(&rows).collect();
    assert!(missing.is_empty(), "without a row: {missing:?}");
    let unknown: Vec<_> = rows.difference(&all).collect();
    assert!(unknown.is_empty(), "no such node or property: {unknown:?}");
}

/// Where a text ends and the next begins counts: one word in pieces, each piece a text of its own.
#[test]
fn text_that_moves_from_one_field_to_the_next_changes_the_keys() {
    const FIELDS: usize = 10;
    let manifest = |pieces: &[&str]| {
        let [package, other, name, value, make, first, second, third, label, of_label] = pieces else {
            panic!()
        };
        MANIFEST_TEXT
            .replace(
                "    source \"driver\"\n}\nmodule",
                &format!(
                    "    source \"driver\"\n    packages \"{package}\" \"{other}\"\n    env {name}=\"{value}\"\n    \
                     make \"{make}\"\n    run \"{first}\" \"{second}\"\n    run \"{third}\"\n}}\nmodule"
                ),
            )
            .replace("    load \"a\"\n", &format!("    load \"a\"\n    label {label}=\"{of_label}\"\n"))
    };
    let mut random = Random::new(6);
    let mut known = BTreeMap::new();
    for _ in 0..150 {
        // A few letters, so that pieces are often the same in another place.
        let word: String = (0..14).map(|_| ['a', 'b'][random.below(2)]).collect();
        let mut ends = BTreeSet::from([word.len()]);
        while ends.len() < FIELDS {
            ends.insert(1 + random.below(word.len() - 1));
        }
        let starts = std::iter::once(0).chain(ends.iter().copied());
        let pieces: Vec<&str> = starts.zip(&ends).map(|(start, &end)| &word[start..end]).collect();
        let key = keys(&manifest(&pieces)).unwrap()["i/18"].clone();
        // Packages are a set.
        let mut meant: Vec<String> = pieces.iter().map(ToString::to_string).collect();
        meant[..2].sort();
        if meant[0] == meant[1] {
            meant[1].clear();
        }
        let earlier = known.insert(key.clone(), meant.clone());
        assert!(earlier.as_ref().is_none_or(|earlier| *earlier == meant), "{earlier:?} and {meant:?}: {key}");
    }
    assert!(known.len() > 100, "{}", known.len());
}

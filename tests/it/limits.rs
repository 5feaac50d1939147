//! Limits of what a project may ask for, met from both sides: the rest of docs/limits.md is tested where the limit is.
//! `tests/data/limits.tsv` says for each row of that page which constants have its numbers, and which tests meet it.

use crate::project::Project;
use crate::{files, repository};
use std::fmt::Write as _;

fn text(path: &str) -> String {
    std::fs::read_to_string(repository(path)).unwrap()
}

/// The number of `1 MiB`, `30,000` or `30 min`.
fn number(text: &str) -> u64 {
    let (digits, unit) = text.split_once(' ').unwrap_or((text, ""));
    let factor = match unit {
        "" | "s" => 1,
        "min" => 60,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        other => panic!("{other} is no unit"),
    };
    digits.replace(',', "").parse::<u64>().unwrap() * factor
}

/// What a constant is, written as a number, a product, a shift or seconds.
fn constant(place: &str) -> u64 {
    let (path, name) = place.split_once(' ').unwrap();
    let source = text(path);
    let (_, rest) = source.split_once(&format!("const {name}: ")).unwrap_or_else(|| panic!("no {place}"));
    let value = rest.split_once(" = ").unwrap().1.split_once(';').unwrap().0.replace('_', "");
    let value =
        value.strip_prefix("Duration::fromsecs(").map_or(value.as_str(), |rest| rest.trim_end_matches(')'));
    let part = |text: &str| text.parse::<u64>().unwrap();
    match (value.split_once(" << "), value.contains(" * ")) {
        (Some((left, right)), _) => part(left) << part(right),
        (None, true) => value.split(" * ").map(part).product(),
        (None, false) => part(value),
    }
}

#[test]
fn the_page_names_the_limits_of_the_source_and_each_has_its_test() {
    let page = text("docs/limits.md");
    let cells = |line: &str| line.split(" | ").map(|cell| cell.trim_matches(['|', ' ']).to_owned()).collect();
    let rows = page.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| ---"));
    let rows: Vec<Vec<String>> = rows.map(cells).filter(|row: &Vec<_>| row[0] != "what").collect();
    let sources: String = ["src", "tests/it"]
        .iter()
        .flat_map(|directory| files(&repository(directory)))
        .filter(|path| path.extension() == Some("rs"))
        .map(|path| std::fs::read_to_string(path).unwrap())
        .collect();
    let table = text("tests/data/limits.tsv");
    let table: Vec<Vec<&str>> =
        table.lines().filter(|line| !line.starts_with('#')).map(|line| line.split('\t').collect()).collect();
    let named =
        |rows: Vec<&str>| rows.into_iter().map(ToOwned::to_owned).collect::<std::collections::BTreeSet<_>>();
    assert_eq!(
        named(rows.iter().map(|row| row[0].as_str()).collect()),
        named(table.iter().map(|line| line[0]).collect())
    );
    for line in table {
        let [what, numbers, places, tests] = line[..] else { panic!("{line:?}") };
        let limit = &rows.iter().find(|row| row[0] == what).unwrap()[1];
        let split = |text: &'static str, of: &str| {
            of.split(text).filter(|one| !one.is_empty()).map(ToOwned::to_owned).collect::<Vec<_>>()
        };
        let (numbers, places) = (split("; ", numbers), split("; ", places));
        assert_eq!(numbers.len(), places.len(), "{what}");
        for (named, place) in numbers.iter().zip(&places) {
            assert!(limit.contains(named.as_str()), "{what}: the page says `{limit}`, not {named}");
            assert_eq!(number(named), constant(place), "{what}: {place}");
        }
        for test in tests.split(' ') {
            assert!(sources.contains(&format!("fn {test}(")), "{what}: there is no test {test}");
        }
    }
}

/// A chain of modules, each of which needs the one before.
fn chain(modules: usize) -> Project {
    let project = Project::example("06-build-here");
    let manifest = project.read("drivers.kdl");
    let (head, _) = manifest.split_once("\nmodule ").unwrap();
    let mut text = head.to_owned();
    for number in 0..modules {
        let needs = number.checked_sub(1).map(|before| format!("needs \"m{before}\"; ")).unwrap_or_default();
        let _ = write!(text, "\nmodule \"m{number}\" {{ source \"driver\"; {needs}}}");
    }
    let last = modules - 1;
    let _ = write!(text, "\nimage \"chain\" {{ module \"m{last}\"; load \"m{last}\"; }}\n");
    text += "matrix {\n    os \"debian\" \"12\" { kernel \"6.1.0-56-amd64\"; }\n}\n";
    project.write("drivers.kdl", &text);
    project
}

#[test]
fn modules_that_need_each_other_are_bounded() {
    let fine = chain(200).run(&["check"]);
    assert_eq!(fine.code, Some(0), "{}", fine.stderr);
    chain(202).run(&["check"]).expect(1, "", "exceeded-limit");
}

/// What `check` says of an ordinary manifest with these lines behind it.
fn said_of(lines: &str) -> String {
    let project = Project::new();
    let manifest = project.read("drivers.kdl");
    project.write("drivers.kdl", &(manifest + lines));
    project.run(&["check"]).stderr
}

#[test]
fn a_manifest_is_bounded() {
    let ordinary = Project::new().read("drivers.kdl");
    let nested = |depth: usize| "/- a {\n".to_owned() + &"a {\n".repeat(depth - 1) + &"}\n".repeat(depth);
    let padded = |bytes: usize| "/".repeat(bytes - ordinary.len() - 1) + "\n";
    // The manifest's own nodes and values, which count as well.
    let own = 20;
    let rows = [
        (padded(1 << 20), padded((1 << 20) + 1), "1048576 bytes"),
        (
            format!("/- a{}\n", " 1".repeat(29_900)),
            format!("/- a{}\n", " 1".repeat(30_000 - own)),
            "nodes and values",
        ),
        (nested(64), nested(65), "deep"),
        ("/- a {\n".repeat(4) + &"}\n".repeat(4), "/- a {\n".repeat(5) + &"}\n".repeat(5), "nested too deep"),
        (
            format!("/- a \"{}\"\n", "x".repeat((64 << 10) - 2)),
            format!("/- a \"{}\"\n", "x".repeat((64 << 10) - 1)),
            "65536 bytes",
        ),
    ];
    for (fits, beyond, words) in rows {
        let (fits, beyond) = (said_of(&fits), said_of(&beyond));
        assert!(!fits.contains("error"), "{words}: {fits}");
        assert!(
            beyond.contains("exceeded-limit") || beyond.contains("unreadable-manifest"),
            "{words}: {beyond}"
        );
        assert!(beyond.contains(words), "{words}: {beyond}");
    }
}

#[test]
fn targets_are_bounded() {
    let project = Project::new();
    let kernels: Vec<_> = (18..21).map(|number| format!("\"6.1.0-{number}-amd64\"")).collect();
    project.edit("drivers.kdl", "\"6.1.0-18-amd64\"", &kernels.join(" "));
    project.run(&["check", "--max-targets", "3"]).expect(0, "", "3 targets");
    project.run(&["check", "--max-targets", "2"]).expect(1, "", "--max-targets");
}

#[test]
fn many_globs_for_many_kernels_are_refused() {
    let project = Project::new();
    let kernels: Vec<_> = (0..1_000).map(|number| format!("\"6.1.0-{number}-amd64\"")).collect();
    project.edit("drivers.kdl", "\"6.1.0-18-amd64\"", &kernels.join(" "));
    let exclude = |number| format!("    exclude kernel=\"*-{number}x*\" reason=\"broken\"\n");
    project.edit(
        "drivers.kdl",
        "matrix {\n",
        &format!("matrix {{\n{}", (0..2_001).map(exclude).collect::<String>()),
    );
    project.run(&["check"]).expect(1, "", "the matrix is too large for so many globs and comparisons");
}

#[test]
fn what_is_imported_is_bounded() {
    let module = "apiVersion: kmm.sigs.x-k8s.io/v1beta1\nkind: Module\nmetadata: { name: a }\n";
    let padded = |bytes: usize| module.to_owned() + "#" + &"x".repeat(bytes - module.len() - 2) + "\n";
    let documents = |count: usize| module.to_owned() + &"---\nkind: Other\n".repeat(count - 1);
    let brackets = |depth: usize| format!("{module}spec: {}{}\n", "[".repeat(depth), "]".repeat(depth));
    let rows = [
        (padded(1 << 20), padded((1 << 20) + 1), "1048576 bytes"),
        (documents(1000), documents(1001), "1000 documents"),
        (brackets(200), brackets(201), "200 deep"),
    ];
    for (fits, beyond, words) in rows {
        let import = |text: &str| {
            let project = Project::new();
            std::fs::remove_file(project.path("drivers.kdl")).unwrap();
            project.write("module.yaml", text);
            project.run(&["init", "--from", "module.yaml"]).stderr
        };
        let (fits, beyond) = (import(&fits), import(&beyond));
        assert!(!fits.contains(words), "{words}: {fits}");
        assert!(beyond.contains(words), "{words}: {beyond}");
    }
}

#[test]
fn the_files_of_a_manifest_are_counted() {
    let including = |files: usize| {
        let project = Project::new();
        let mut manifest = project.read("drivers.kdl");
        for number in 0..files {
            project.write(&format!("parts/{number}.kdl"), "// nothing\n");
            manifest += &format!("include \"parts/{number}.kdl\"\n");
        }
        project.write("drivers.kdl", &manifest);
        project.run(&["check"]).stderr
    };
    assert!(!including(100).contains("error"));
    let beyond = including(101);
    assert!(beyond.contains("exceeded-limit") && beyond.contains("at most 100"), "{beyond}");
}

#[test]
fn a_lock_is_bounded() {
    let padded = |bytes: usize| {
        let project = Project::new();
        let lock = project.read("drivers.lock");
        project.write("drivers.lock", &format!("{lock}#{}\n", "x".repeat(bytes - lock.len() - 2)));
        project.run(&["check"]).stderr
    };
    let fits = padded(16 << 20);
    assert!(!fits.contains("error"), "{fits}");
    assert!(padded((16 << 20) + 1).contains("larger than 16777216 bytes"));
}

#[test]
fn a_file_that_a_manifest_names_is_bounded() {
    let listed = |bytes: usize| {
        let project = Project::new();
        project.edit("drivers.kdl", "kernel \"6.1.0-18-amd64\"", "kernel from=\"kernels\"");
        let kernel = "6.1.0-18-amd64\n#";
        project.write("kernels", &format!("{kernel}{}", "x".repeat(bytes - kernel.len())));
        project.run(&["check"]).stderr
    };
    let fits = listed(4 << 20);
    assert!(!fits.contains("error"), "{fits}");
    assert!(listed((4 << 20) + 1).contains("larger than 4194304 bytes"));
}

#[test]
fn links_that_lead_to_links_are_bounded() {
    let chained = |links: usize| {
        let project = Project::new();
        project.write("driver/header.h", "");
        let mut target = "header.h".to_owned();
        for number in 0..links {
            let name = format!("link{number}.h");
            std::os::unix::fs::symlink(&target, project.path(&format!("driver/{name}"))).unwrap();
            target = name;
        }
        project.run(&["check"]).stderr
    };
    let (fits, beyond) = (chained(40), chained(41));
    assert!(!fits.contains("left-out-file"), "{fits}");
    assert!(beyond.contains("left-out-file") && beyond.contains("link40.h"), "{beyond}");
}

#[test]
fn comments_stand_in_each_other_as_deep_as_blocks_do() {
    let nested = |depth: usize| "/*".repeat(depth) + &"*/".repeat(depth) + "\n";
    assert!(!said_of(&nested(64)).contains("error"));
    for deep in [nested(65), nested(100_000), format!("/- a \\ {}", nested(100_000))] {
        let said = said_of(&deep);
        assert!(said.contains("exceeded-limit") && said.contains("comments nested too deep"), "{said}");
    }
}

#[test]
fn texts_that_have_nothing_in_common_are_compared_in_bounded_time() {
    let project = Project::new();
    let manifest = project.read("drivers.kdl");
    project.write("drivers.kdl", &(manifest + &"\n".repeat(500_000)));
    // Without a bound this does not come to an end.
    project.run(&["fmt", "--check"]).expect(3, "", "out of layout");
}

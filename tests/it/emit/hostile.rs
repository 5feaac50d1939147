//! Whatever stands in the output directory, nothing outside it changes.

use super::{FILES, Project, toy};
use camino::Utf8Path;
use drvc::store::emit::{self, Why};
use proptest::prelude::*;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, symlink};
use std::sync::atomic::{AtomicBool, Ordering};

#[test]
fn nothing_is_written_through_what_stands_in_the_way() {
    for (at, make) in [
        ("out/one/el9/Dockerfile", (|at| symlink("../../../victim", at).unwrap()) as fn(&Utf8Path)),
        ("out/one/el9", |at| symlink("../../elsewhere", at).unwrap()),
        ("out/one", |at| fs::write(at, "a file").unwrap()),
        ("out/one/el9/Dockerfile", |at| fs::create_dir(at).unwrap()),
        ("out/one/el9/Dockerfile", |at| make_fifo(at).unwrap()),
    ] {
        let project = Project::new(FILES);
        project.write("victim", "victim");
        fs::create_dir(project.at("elsewhere")).unwrap();
        fs::create_dir_all(project.at(at).parent().unwrap()).unwrap();
        make(&project.at(at));
        let before = project.at(at).symlink_metadata().unwrap();
        for force in [false, true] {
            let report = project.report(force, toy);
            let kept: Vec<_> =
                report.kept.iter().map(|kept| (format!("out/{}", kept.path), kept.why)).collect();
            assert_eq!(kept, [(at.to_owned(), Why::InTheWay)]);
        }
        let after = project.at(at).symlink_metadata().unwrap();
        assert_eq!((before.ino(), before.mode()), (after.ino(), after.mode()), "{at}");
        assert_eq!(fs::read(project.at("victim")).unwrap(), b"victim");
        assert_eq!(fs::read_dir(project.at("elsewhere")).unwrap().count(), 0);
    }
    for at in ["out", "out/.drvc"] {
        let project = Project::new(FILES);
        fs::create_dir(project.at("elsewhere")).unwrap();
        fs::create_dir_all(project.at(at).parent().unwrap()).unwrap();
        symlink(project.at("elsewhere"), project.at(at)).unwrap();
        let error = project.job(false, |job| emit::run(job, toy)).unwrap_err().to_string();
        assert!(error.contains("`out`"), "{error}");
        assert_eq!(fs::read_dir(project.at("elsewhere")).unwrap().count(), 0);
    }
}

#[test]
fn another_name_of_an_output_keeps_what_it_had() {
    let project = Project::new(FILES);
    let _ = project.run(toy);
    let backup = project.at("backup");
    fs::hard_link(project.at("out/one/el9/Dockerfile"), &backup).unwrap();
    let before = fs::read(&backup).unwrap();
    project.write("src/one/a.c", "A");
    assert_eq!(project.report(false, toy).written, 1);
    assert_eq!(fs::read(&backup).unwrap(), before);
}

#[test]
fn a_directory_that_turns_into_a_link_leads_nowhere() {
    let project = Project::new(FILES);
    fs::create_dir(project.at("elsewhere")).unwrap();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                let _ = fs::rename(project.at("out/one"), project.at("out/aside"));
                let _ = symlink(project.at("elsewhere"), project.at("out/one"));
                let _ = fs::remove_file(project.at("out/one"));
                let _ = fs::rename(project.at("out/aside"), project.at("out/one"));
            }
        });
        for round in 0..300 {
            project.write("src/one/a.c", &round.to_string());
            let _ = project.job(true, |job| emit::run(job, toy));
        }
        done.store(true, Ordering::Relaxed);
    });
    assert_eq!(fs::read_dir(project.at("elsewhere")).unwrap().count(), 0);
}

fn make_fifo(at: &Utf8Path) -> std::io::Result<()> {
    Ok(rustix::fs::mkfifoat(rustix::fs::CWD, at.as_str(), rustix::fs::Mode::RWXU)?)
}

/// Puts something at a place, unless something stands there or on the way to it.
fn plant(project: &Project, place: &str, what: usize) {
    let at = project.at(place);
    if at.symlink_metadata().is_ok() || fs::create_dir_all(at.parent().unwrap()).is_err() {
        return;
    }
    let _ = match what {
        0 => symlink(project.at("victim"), &at),
        1 => symlink(project.at("elsewhere"), &at),
        2 => symlink(project.at("elsewhere/none"), &at),
        3 => fs::hard_link(project.at("victim"), &at),
        4 => fs::create_dir(&at),
        5 => fs::copy(project.at("victim"), &at).map(drop),
        _ => make_fifo(&at),
    };
}

const PLACES: [&str; 10] = [
    "out",
    "out/.drvc",
    "out/.drvc/lock",
    "out/.drvc/state",
    "out/.drvc/.gitignore",
    "out/one",
    "out/one/el9",
    "out/one/el9/Dockerfile",
    "out/one/el9/Dockerfile.dockerignore",
    "out/plan.json",
];

proptest! {
    #![proptest_config(crate::trials(2_000))]

    #[test]
    fn nothing_outside_changes_whatever_stands_in_the_output_directory(
        plants in prop::collection::vec((0..PLACES.len(), 0..7usize), 1..5),
        force in any::<bool>(),
    ) {
        let project = Project::new(FILES);
        project.write("victim", "victim");
        fs::create_dir(project.at("elsewhere")).unwrap();
        plants.iter().for_each(|&(place, what)| plant(&project, PLACES[place], what));
        let list = || -> Vec<_> {
            let entries = fs::read_dir(project.at("elsewhere")).unwrap().map(|entry| entry.unwrap());
            entries.map(|entry| (entry.path(), entry.metadata().unwrap().ino())).collect()
        };
        let before = list();
        let _ = project.job(force, |job| emit::run(job, toy));
        let _ = project.job(force, |job| emit::run(job, toy));
        let _ = project.job(force, emit::clean);
        prop_assert_eq!(list(), before);
        prop_assert_eq!(fs::read(project.at("victim")).unwrap(), b"victim");
    }
}

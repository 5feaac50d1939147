//! Tests of profiles, by tables.

mod corpus;
mod kernels;
mod compatibility;
mod open;
mod releases;
mod user;

use super::*;

fn get<'p>(profiles: &'p Profiles, os: &str) -> &'p Profile {
    profiles.get(os).unwrap_or_else(|| panic!("no profile {os}"))
}

/// The rows of a table of `N` columns in tests/data; lines that begin with `#` are its head.
fn table<const N: usize>(text: &str) -> impl Iterator<Item = [&str; N]> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| {
        line.split('\t').collect::<Vec<_>>().try_into().unwrap_or_else(|_| panic!("not {N} columns: {line}"))
    })
}

#[test]
fn builtin_files_are_right() {
    let profiles = Profiles::builtin();
    for (os, text) in BUILTIN {
        let mut session = Session::default();
        let file = add_builtin(os, &mut session.sources).unwrap();
        let layer = profiles.layers(file, &mut session);
        let found = &mut session.found;
        let host = layer.as_ref().and_then(|layer| profiles.shared(layer.runs.as_ref()?.value.as_str()));
        let profile = layer.and_then(|layer| build::build(&OsName::parse(os).unwrap(), layer, host, found));
        assert_eq!(found.iter().collect::<Vec<_>>(), Vec::<&Diagnostic>::new(), "{os}");
        let profile = profile.unwrap();
        assert!(profile.kernel(&profile.example).is_ok(), "{os}");
        assert!(!text.contains('\t') && text.lines().all(|line| !line.ends_with(' ')), "{os}");
    }
}

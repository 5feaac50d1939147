//! Files of a target's stages -> an image of nothing else, by one more build that takes the stages out of the engine's cache.

use super::built_file::{BuiltFile, text};
use crate::compiler::compile::Compiled;
use crate::images::engine::{Engine, Order, Secret, how};
use crate::images::image::{self, Image};
use crate::store::state::HOME;
use crate::system::fs::{Dir, Disk, Tree as _};
use crate::system::process::Ended;
use crate::text::error::Error;
use crate::text::ids::RelPath;
use camino::Utf8Path;
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// Which files, of which target, and what they are built with.
pub struct StageFiles<'a> {
    pub compiled: &'a Compiled,
    pub engine: &'a Engine,
    pub disk: &'a Disk,
    /// The manifest's directory, and the output directory beneath it.
    pub directory: &'a Utf8Path,
    pub out: &'a RelPath,
    /// `.drvc` in the output directory.
    pub home: &'a Dir,
    pub secrets: &'a [Secret],
}

/// An image in which the paths (without a slash in front) of each stage are beneath a directory of the stage's name.
///
/// # Errors
/// The engine cannot build it.
pub fn files_of_stages(
    with: &StageFiles<'_>,
    target: usize,
    stages: &[(String, String)],
) -> Result<Image, Error> {
    let plan = with.compiled.json().targets.get(target);
    let (id, path) = plan.map_or(("", ""), |target| (&target.id, &target.dockerfile));
    let failed = |cause: String| Error::new("read the stages of", id, cause);
    let dockerfile = text(with.compiled.outputs(), path);
    let ignore = text(with.compiled.outputs(), &format!("{path}.dockerignore"));
    let place = (with.home, with.out);
    let file = BuiltFile::of(&with_copies(&dockerfile, stages), &ignore, place, target)?;
    let name = format!("{target}.stages");
    let id_file = format!("{}/{HOME}/{name}", with.out);
    let arch = with.compiled.plan.targets.get(target).map(|target| target.at.arch);
    let order = Order {
        directory: with.directory,
        dockerfile: Utf8Path::new(&file.path),
        arch: arch.ok_or_else(|| failed("there is no such target".into()))?,
        stage: None,
        secrets: with.secrets,
        id_file: Utf8Path::new(&id_file),
    };
    let mut last = String::new();
    let ended = with.engine.build(&order, None, |line| {
        let line = String::from_utf8_lossy(line);
        if !line.trim().is_empty() {
            line.trim().clone_into(&mut last);
        }
    })?;
    if ended != Ended::Code(0) {
        return Err(failed(format!("{} {}: {last}", with.engine.kind(), how(ended))));
    }
    let read = RelPath::parse(&id_file).map_err(|rule| failed(rule.0.to_owned()))?;
    let built = with.disk.read(&read, 1000).map_err(|cause| failed(cause.to_string()))?.value;
    let _ = with.home.remove_file(&name);
    let built = String::from_utf8_lossy(&built).trim().trim_start_matches("sha256:").to_owned();
    let image = image::from_engine_id(with.engine, &built, id);
    // Nothing needs it any more; where it stays, it has no name.
    let _ = with.engine.remove(&built);
    image
}

/// A Dockerfile up to the last of these stages, and behind it an image with the files.
fn with_copies(dockerfile: &str, stages: &[(String, String)]) -> String {
    let names: BTreeSet<_> = stages.iter().map(|(stage, _)| stage.as_str()).collect();
    let lines: Vec<_> = dockerfile.lines().collect();
    let from = |line: &&str| line.starts_with("FROM ");
    let of =
        |line: &&str| from(line) && line.rsplit_once(" AS ").is_some_and(|(_, name)| names.contains(name));
    let last = lines.iter().rposition(of).unwrap_or_default();
    let end = lines.iter().skip(last + 1).position(from).map_or(lines.len(), |more| last + 1 + more);
    let mut text = lines.get(..end).unwrap_or_default().join("\n") + "\n\nFROM scratch\n";
    for (stage, path) in stages {
        let _ = writeln!(text, "COPY --from={stage} /{path} /{stage}/{path}");
    }
    text
}

#[cfg(test)]
#[test]
fn what_comes_behind_the_stages_is_left_out() {
    let file =
        "# head\nFROM a AS tools\nRUN x\n\nFROM tools AS kernel\nRUN y\n\nFROM kernel AS module-m\nRUN z\n";
    let stages = [("kernel".to_owned(), "var/lib/dpkg/status".to_owned())];
    assert_eq!(
        with_copies(file, &stages),
        "# head\nFROM a AS tools\nRUN x\n\nFROM tools AS kernel\nRUN y\n\n\nFROM scratch\n\
         COPY --from=kernel /var/lib/dpkg/status /kernel/var/lib/dpkg/status\n"
    );
}

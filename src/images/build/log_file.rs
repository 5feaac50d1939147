//! The log of one job, in a file of its own.

use super::jobs::Work;
use crate::compiler::compile::Compiled;
use crate::store::state::HOME;
use crate::system::fs::Dir;
use crate::text::error::Error;
use crate::text::ids::RelPath;
use std::io::Write;

/// Where logs lie in `.drvc`.
const LOGS: &str = "logs";
/// The log of one build.
pub(super) struct Log {
    file: Box<dyn Write>,
    /// Relative to the manifest's directory.
    pub(super) path: String,
}

impl Log {
    /// Begins the log of a job in `.drvc` (`home`), which is in the output directory.
    pub(super) fn begin(home: &Dir, out: &RelPath, compiled: &Compiled, work: &Work) -> Result<Self, Error> {
        let (directory, name) = match work {
            Work::Target(place) | Work::Push(place) => {
                let id = compiled.plan.targets.get(*place).map_or("", |target| target.id.as_str());
                let (directory, name) = id.rsplit_once('/').unwrap_or(("", id));
                (format!("{LOGS}/{directory}"), format!("{name}.log"))
            }
            Work::Toolkit { at, .. } => {
                let id = compiled.json().toolkits.get(*at).map_or("", |toolkit| toolkit.id.as_str());
                (format!("{LOGS}/toolkits"), format!("{}.log", id.replace('/', "_")))
            }
            Work::Stage { name, users } => {
                let id = users.first().and_then(|&user| compiled.plan.targets.get(user));
                let place = id.map_or(String::new(), |target| target.id.as_str().replace('/', "_"));
                (format!("{LOGS}/stages"), format!("{name}-{place}.log"))
            }
        };
        let path = format!("{}/{}/{directory}/{name}", out, HOME);
        let open = || home.make_dirs(&directory)?.begin(&name);
        let file = open().map_err(|cause: std::io::Error| Error::new("write", path.as_str(), cause))?;
        Ok(Self { file: Box::new(file), path })
    }

    /// Writes a line. A log that cannot be written, on a full disk, stops no build.
    pub(super) fn line(&mut self, line: &[u8]) {
        let _ = self.file.write_all(line);
    }
}

/// What podman 4.3 and buildah 1.28 say when they lose a race: with themselves on a busy machine, before anything has run;
/// or with somebody who removes images while they look for a layer to go on from.
const LOST_RACES: [&str; 2] = ["sealing memfd copy", "getting top layer info: layer not known"];

/// Whether a line says that the engine lost a race.
pub(super) fn is_lost_race(line: &[u8]) -> bool {
    LOST_RACES.iter().any(|race| line.windows(race.len()).any(|part| part == race.as_bytes()))
}

//! The calls of make in a Dockerfile into the way that a module is built, and the directory that it is built in.

use super::{Found, HERE, KERNEL_DIR, named, shown};
use crate::import::commands::{self, Command};
use crate::import::draft::{self, Build, Step};
use crate::text::ids::RelPath;

impl Found {
    /// The directory of the sources that make is first called in; none where it is their top.
    pub(super) fn made_in(&self) -> Result<Option<String>, String> {
        let Some((dir, command)) = self.makes.first() else { return Ok(None) };
        let asked = match commands::make(command) {
            Some(Command::Own { dir, .. }) if dir != HERE => dir,
            _ => String::new(),
        };
        let dir = match asked.as_str() {
            "" => dir.clone(),
            absolute if absolute.starts_with('/') => absolute.to_owned(),
            below => format!("{dir}/{below}"),
        };
        if self.clone.is_empty() || dir.is_empty() {
            return Ok(None);
        }
        let name = self.clone.rsplit('/').next().unwrap_or_default();
        let below = dir.strip_prefix(&self.clone).filter(|rest| rest.is_empty() || rest.starts_with('/'));
        // The base says where a clone without a directory lies; its name tells.
        let below = below.or_else(|| dir.split_once(&format!("/{name}")).map(|(_, rest)| rest));
        let below = below.map(|dir| dir.trim_matches('/').to_owned());
        match below {
            Some(below) if below.is_empty() => Ok(None),
            Some(below) if RelPath::parse(&below).is_ok() => Ok(Some(below)),
            _ => Err(format!(
                "make is called in `{}`, but the sources lie in `{}`: say `dir=` behind `source`",
                shown(&dir),
                shown(&self.clone)
            )),
        }
    }

    pub(super) fn build(&self) -> Build {
        match self.makes.as_slice() {
            [] => Build::Kbuild,
            [(_, only)] => match commands::make(only) {
                Some(Command::Own { targets, variables, env, .. }) if env.is_empty() => Build::Make {
                    targets: targets.iter().map(|target| named(&draft::literal(target))).collect(),
                    variables: variables
                        .into_iter()
                        .map(|(name, value)| (name, named(&draft::literal(&value))))
                        .collect(),
                },
                Some(Command::Kernel { dir, rest }) if dir == KERNEL_DIR && rest.is_empty() => Build::Kbuild,
                _ => Build::Steps(vec![Step::Script(named(&draft::literal_script(only)))]),
            },
            several => Build::Steps(
                several.iter().map(|(_, one)| Step::Script(named(&draft::literal_script(one)))).collect(),
            ),
        }
    }
}

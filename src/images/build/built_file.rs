//! The file that an engine builds: a Dockerfile of the outputs, with the labels of its image as the last instruction.

use crate::compiler::keys;
use crate::compiler::outputs::Outputs;
use crate::images::engine::BASE_LABEL;
use crate::store::state::HOME;
use crate::system::fs::Dir;
use crate::text::error::Error;
use crate::text::ids::RelPath;

/// Where these files are in `.drvc`.
const PLACE: &str = "build";

/// What the last instruction says of an image. A stage that others are built on has none of it: whoever names it by hand
/// must not have an image that counts as a target's.
pub(super) struct Labels<'a> {
    pub(super) key: &'a str,
    /// The bases that no digest pins.
    pub(super) base: Option<&'a str>,
}

/// A Dockerfile and its ignore file in `.drvc`, for one build. They go when it ends: what somebody builds of them later
/// would have the key of other sources.
pub(super) struct BuiltFile {
    directory: Dir,
    names: [String; 2],
    /// From the manifest's directory.
    pub(super) path: String,
}

impl BuiltFile {
    /// Takes away what runs that were killed have left; nobody else builds here now.
    pub(super) fn clear(home: &Dir) {
        let Ok(directory) = home.open_dir(PLACE) else { return };
        for entry in directory.entries().unwrap_or_default() {
            // Should this fail, the next run tries again.
            let _ = directory.remove_file(&entry.name);
        }
    }

    /// Writes them for job `at`, out of the outputs in memory: nobody else's edit gets between.
    pub(super) fn write(
        (home, out): (&Dir, &RelPath),
        at: usize,
        outputs: &Outputs,
        dockerfile: &str,
        labels: Option<&Labels<'_>>,
    ) -> Result<Self, Error> {
        let mut built = text(outputs, dockerfile);
        if let Some(Labels { key, base }) = labels {
            let base: Vec<_> = base.iter().map(|base| (BASE_LABEL, *base)).collect();
            built += &keys::instruction(key, &base);
        }
        Self::of(&built, &text(outputs, &format!("{dockerfile}.dockerignore")), (home, out), at)
    }

    /// Writes this text and this ignore file for job `at`.
    pub(super) fn of(
        built: &str,
        ignore: &str,
        (home, out): (&Dir, &RelPath),
        at: usize,
    ) -> Result<Self, Error> {
        let names = [format!("{at}.Dockerfile"), format!("{at}.Dockerfile.dockerignore")];
        let path = format!("{out}/{HOME}/{PLACE}/{at}.Dockerfile");
        let write = || {
            let (directory, _) = home.make_dir(PLACE)?;
            directory.replace(&names[0], built.as_bytes())?;
            directory.replace(&names[1], ignore.as_bytes())?;
            Ok(directory)
        };
        let directory = write().map_err(|cause: std::io::Error| Error::new("write", path.as_str(), cause))?;
        Ok(Self { directory, names, path })
    }
}

/// The text of an output.
pub(super) fn text(outputs: &Outputs, path: &str) -> String {
    let output = RelPath::parse(path).ok().and_then(|path| outputs.get(&path));
    output.map(|output| output.text()).unwrap_or_default()
}

impl Drop for BuiltFile {
    fn drop(&mut self) {
        for name in &self.names {
            let _ = self.directory.remove_file(name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compiler::outputs::Rope;

    #[test]
    fn only_an_image_has_labels_and_nothing_stays() {
        let home = tempfile::tempdir().unwrap();
        let dir = Dir::open_root(home.path().to_str().unwrap()).unwrap();
        let mut outputs = Outputs::new();
        let path = |text| RelPath::parse(text).unwrap();
        outputs.insert(path("a/Dockerfile"), Rope::from("FROM b AS kernel\n\nFROM c\nCMD []\n"));
        outputs.insert(path("a/Dockerfile.dockerignore"), Rope::from("*\n"));
        let out = path("out");
        let write = |labels| BuiltFile::write((&dir, &out), 3, &outputs, "a/Dockerfile", labels).unwrap();
        let read = |name: &str| {
            let bytes = dir.open_dir("build").unwrap().open_file(name).unwrap().read(1000).unwrap();
            String::from_utf8(bytes).unwrap()
        };

        let image = write(Some(&Labels { key: "k", base: Some("b=1 c=2") }));
        assert_eq!(image.path, "out/.drvc/build/3.Dockerfile");
        let label = "LABEL dev.drvc.base='b=1 c=2' dev.drvc.key='k'\n";
        assert!(read("3.Dockerfile").ends_with(&format!("\nFROM c\nCMD []\n{label}")));
        assert!(read("3.Dockerfile.dockerignore").ends_with("\n*\n"));
        drop(image);
        assert_eq!(dir.open_dir("build").unwrap().entries().unwrap(), []);

        let stage = write(None);
        assert!(read("3.Dockerfile").ends_with("\nFROM c\nCMD []\n"));
        drop(stage);
    }
}

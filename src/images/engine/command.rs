//! One build as the words of a command line.

use super::Kind;
use crate::text::ids::Arch;
use camino::Utf8Path;

/// One build: a Dockerfile, or the first stages of it.
#[derive(Clone, Copy, Debug)]
pub struct Order<'a> {
    /// The build context: the manifest's directory. All other paths begin there.
    pub directory: &'a Utf8Path,
    /// The Dockerfile; its ignore file lies beside it.
    pub dockerfile: &'a Utf8Path,
    /// The architecture to build for.
    pub arch: Arch,
    /// Build up to this stage only.
    pub stage: Option<&'a str>,
    /// What the Dockerfile's secret mounts are given.
    pub secrets: &'a [Secret],
    /// Where the engine writes the id of what it built.
    pub id_file: &'a Utf8Path,
}

/// A build secret: its value never passes through drvc.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Secret {
    /// The id that a Dockerfile mounts it by.
    pub id: String,
    /// Where its value is.
    pub source: SecretSource,
}

/// Where the value of a secret is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretSource {
    /// A file, by its absolute path.
    File(String),
    /// A variable of the environment.
    Variable(String),
}

impl Secret {
    /// The variable that holds it, where one does.
    #[must_use]
    pub fn variable(&self) -> Option<&str> {
        match &self.source {
            SecretSource::Variable(name) => Some(name),
            SecretSource::File(_) => None,
        }
    }

    fn word(&self) -> String {
        match &self.source {
            SecretSource::File(path) => format!("id={},src={path}", self.id),
            SecretSource::Variable(name) => format!("id={},type=env,env={name}", self.id),
        }
    }
}

impl Order<'_> {
    /// The words behind the program's name, with the user's own before the context.
    pub(super) fn words(&self, kind: Kind, arguments: &[String]) -> Vec<String> {
        let facts = kind.facts();
        let mut words: Vec<String> = facts.build.iter().map(|&word| word.to_owned()).collect();
        let mut option = |name: &str, value: &str| words.extend([name.to_owned(), value.to_owned()]);
        option("--platform", &format!("linux/{}", self.arch.oci()));
        if facts.ignore_file {
            option("--ignorefile", &format!("{}.dockerignore", self.dockerfile));
        }
        option("-f", self.dockerfile.as_str());
        option("--iidfile", self.id_file.as_str());
        self.stage.into_iter().for_each(|stage| option("--target", stage));
        self.secrets.iter().for_each(|secret| option("--secret", &secret.word()));
        words.extend(arguments.iter().cloned());
        words.push(".".into());
        words
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_engine_is_told_in_its_own_words() {
        let secrets = [
            Secret { id: "org".into(), source: SecretSource::File("/run/org".into()) },
            Secret { id: "key".into(), source: SecretSource::Variable("KEY".into()) },
        ];
        let order = Order {
            directory: Utf8Path::new("/p"),
            dockerfile: Utf8Path::new("o/Dockerfile"),
            arch: Arch::Aarch64,
            stage: Some("kernel"),
            secrets: &secrets,
            id_file: Utf8Path::new("o/id"),
        };
        let rest = "-f o/Dockerfile --iidfile o/id --target kernel \
                    --secret id=org,src=/run/org --secret id=key,type=env,env=KEY --network=host .";
        for (kind, first) in [
            (Kind::Podman, "build --layers --platform linux/arm64 --ignorefile o/Dockerfile.dockerignore"),
            (Kind::Buildah, "build --layers --platform linux/arm64 --ignorefile o/Dockerfile.dockerignore"),
            (Kind::Docker, "build --progress plain --platform linux/arm64"),
            (Kind::Buildx, "buildx build --load --progress plain --platform linux/arm64"),
        ] {
            let words = order.words(kind, &["--network=host".into()]).join(" ");
            assert_eq!(words, format!("{first} {rest}"));
        }
    }
}

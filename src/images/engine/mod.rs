//! Container engines: from what is to be done with an image to the words of podman, buildah, docker or buildx.
//!
//! What differs between engines is one row of a table ([`Facts`]); everything else is the same for all of them.

mod command;
mod images;

pub use crate::compiler::keys::LABEL as KEY_LABEL;
pub use command::{Order, Secret, SecretSource};
pub use images::{Image, local_name, same_name};

use crate::system::process::{Ended, Environment, Finished, Interrupt, Program, find_program};
use crate::text::error::Error;
use std::fmt;
use std::time::Duration;

/// The label that holds the ids of base images that no digest pins.
pub const BASE_LABEL: &str = "dev.drvc.base";

/// What may be read of one build, in bytes.
const LOG_LIMIT: usize = 256 << 20;
/// What an engine is given for anything but a build, a push or a pull.
const ANSWER: Duration = Duration::from_secs(600);
/// The variables that engines read, or that their registries are reached by.
const VARIABLES: &[&str] = &[
    "HOME",
    "USER",
    "TMPDIR",
    "XDG_*",
    "LANG",
    "CONTAINERS_*",
    "CONTAINER_*",
    "STORAGE_*",
    "REGISTRY_AUTH_FILE",
    "BUILDAH_*",
    "_BUILDAH_*",
    "_CONTAINERS_*",
    "PODMAN_*",
    "DOCKER_*",
    "BUILDKIT_*",
    "BUILDX_*",
    "SSL_CERT_*",
    "SSH_AUTH_SOCK",
    "DBUS_SESSION_BUS_ADDRESS",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
];

/// An engine that drvc knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    Podman,
    Buildah,
    Docker,
    Buildx,
}

/// What tells an engine from the others.
#[derive(Debug)]
pub struct Facts {
    pub name: &'static str,
    pub program: &'static str,
    /// The words that begin a build.
    build: &'static [&'static str],
    /// Whether it has to be told of the ignore file; BuildKit finds it beside the Dockerfile.
    ignore_file: bool,
    /// Whether two builds at a time of one stage run it once, as BuildKit's solver sees to.
    pub joins_builds: bool,
    /// Whether it names images without a registry `localhost/NAME`.
    localhost: bool,
    /// Whether one `image inspect` answers for many images.
    inspects_many: bool,
}

impl Kind {
    /// In the order in which they are looked for.
    pub const ALL: [Self; 4] = [Self::Podman, Self::Buildah, Self::Docker, Self::Buildx];

    /// What tells it from the others.
    #[must_use]
    pub const fn facts(self) -> &'static Facts {
        match self {
            Self::Podman => &Facts {
                name: "podman",
                program: "podman",
                build: &["build", "--layers"],
                ignore_file: true,
                joins_builds: false,
                localhost: true,
                inspects_many: true,
            },
            Self::Buildah => &Facts {
                name: "buildah",
                program: "buildah",
                build: &["build", "--layers"],
                ignore_file: true,
                joins_builds: false,
                localhost: true,
                inspects_many: false,
            },
            Self::Docker => &Facts {
                name: "docker",
                program: "docker",
                build: &["build", "--progress", "plain"],
                ignore_file: false,
                joins_builds: true,
                localhost: false,
                inspects_many: true,
            },
            Self::Buildx => &Facts {
                name: "buildx",
                program: "docker",
                build: &["buildx", "build", "--load", "--progress", "plain"],
                ignore_file: false,
                joins_builds: true,
                localhost: false,
                inspects_many: true,
            },
        }
    }

    /// The engine of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.facts().name == name)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.facts().name)
    }
}

/// An engine on this machine.
#[derive(Clone, Debug)]
pub struct Engine {
    kind: Kind,
    /// Words of the user's for every build, such as `--network=host`.
    arguments: Vec<String>,
    environment: Environment,
    interrupt: Interrupt,
}

impl Engine {
    /// The engine asked for, or the first one that is installed. `arguments` go into every build.
    ///
    /// # Errors
    /// It is not installed, or none is.
    pub fn find(
        asked: Option<Kind>,
        arguments: &[String],
        environment: &Environment,
        interrupt: &Interrupt,
    ) -> Result<Self, Error> {
        let is_there = |kind: &Kind| find_program(environment, &[kind.facts().program]).is_some();
        let kind = match asked {
            Some(kind) if is_there(&kind) => kind,
            Some(kind) => {
                let program = kind.facts().program;
                let help = format!(
                    "install `{program}`, add its directory to PATH, or choose another with `--engine`"
                );
                return Err(Error::new("run", program, "no such program in PATH").help(help));
            }
            None => Kind::ALL.into_iter().find(is_there).ok_or_else(|| {
                let help = "install podman, buildah, or docker with BuildKit";
                Error::new("find", "a container engine", "none of podman, buildah and docker is in PATH")
                    .help(help)
            })?,
        };
        let (environment, interrupt) = (environment.clone(), interrupt.clone());
        Ok(Self { kind, arguments: arguments.to_vec(), environment, interrupt })
    }

    /// Which it is.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// Runs one build and gives each line that the engine says to `each`.
    ///
    /// # Errors
    /// The engine cannot be started. How the build ended is the result.
    pub fn build(
        &self,
        order: &Order<'_>,
        timeout: Option<Duration>,
        mut each: impl FnMut(&[u8]),
    ) -> Result<Ended, Error> {
        let program = self.program().args(order.words(self.kind, &self.arguments)).limit(LOG_LIMIT);
        let program = program.directory(order.directory);
        let program = timeout.into_iter().fold(program, Program::timeout);
        let named = order.secrets.iter().filter_map(|secret| Some((secret.variable()?, secret)));
        let program = named.fold(program, |program, (variable, _)| match self.environment.get(variable) {
            Some(value) => program.env(variable, value),
            None => program,
        });
        program.lines(|_, line| each(line))
    }

    /// The words of a build, as a shell would have them: for logs.
    #[must_use]
    pub fn command_line(&self, order: &Order<'_>) -> String {
        let words = order.words(self.kind, &self.arguments);
        let words = words.iter().map(|word| {
            let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_./:=,@+%".contains(&b);
            match !word.is_empty() && word.bytes().all(plain) {
                true => word.clone(),
                false => format!("'{}'", word.replace('\'', r"'\''")),
            }
        });
        std::iter::once(self.kind.facts().program.to_owned()).chain(words).collect::<Vec<_>>().join(" ")
    }

    fn program(&self) -> Program {
        // BuildKit is asked for, and messages are read: they must be in English.
        Program::new(self.kind.facts().program, &self.environment)
            .inherit(&self.environment, VARIABLES)
            .env("DOCKER_BUILDKIT", "1")
            .env("LC_ALL", "C.UTF-8")
            .interrupt(&self.interrupt)
    }

    /// Runs the engine to its end, for something other than a build.
    fn ask(&self, words: &[&str], timeout: Option<Duration>) -> Result<Finished, Error> {
        let program = self.program().args(words).limit(LOG_LIMIT);
        timeout.into_iter().fold(program, Program::timeout).output()
    }

    /// The same, and it has to succeed.
    fn tell(
        &self,
        doing: &'static str,
        place: &str,
        words: &[&str],
        timeout: Option<Duration>,
    ) -> Result<Finished, Error> {
        let finished = self.ask(words, timeout)?;
        match finished.is_success() {
            true => Ok(finished),
            false => Err(self.failed(doing, place, &finished)),
        }
    }

    fn failed(&self, doing: &'static str, place: &str, finished: &Finished) -> Error {
        let name = self.kind.facts().name;
        let said = String::from_utf8_lossy(&finished.stderr);
        let said = said.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or("it said nothing");
        let error = Error::new(doing, place, format!("{name} {}: {said}", how(finished.ended)));
        match self.kind {
            Kind::Docker | Kind::Buildx if said.contains("daemon") => {
                error.help("start the Docker daemon, or choose another engine with `--engine`")
            }
            _ => error,
        }
    }
}

/// How a program ended, as a phrase behind its name.
#[must_use]
pub fn how(ended: Ended) -> String {
    match ended {
        Ended::Code(code @ 129..=192) => format!("was ended by signal {}", code - 128),
        Ended::Code(code) => format!("ended with exit code {code}"),
        Ended::TimedOut => "took too long".into(),
        Ended::Interrupted => "was interrupted".into(),
        Ended::TooMuch => "said more than is read".into(),
    }
}

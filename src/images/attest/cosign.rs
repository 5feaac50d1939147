//! An image by its digest, and documents about it -> cosign, which signs both with whatever the user tells it to.

use crate::images::engine::how;
use crate::system::process::{Environment, Interrupt, Program, find_program};
use crate::text::error::Error;
use crate::text::ids::ImageRef;
use std::time::Duration;

/// Cosign asks registries, and often a log and an authority on the internet.
const PATIENCE: Duration = Duration::from_secs(600);

/// Cosign, with the user's own words for it.
#[derive(Clone, Debug)]
pub struct Cosign {
    arguments: Vec<String>,
    environment: Environment,
    interrupt: Interrupt,
}

impl Cosign {
    /// Cosign, where it is installed.
    ///
    /// # Errors
    /// It is not in `PATH`.
    pub fn find(
        arguments: &[String],
        environment: &Environment,
        interrupt: &Interrupt,
    ) -> Result<Self, Error> {
        if find_program(environment, &["cosign"]).is_none() {
            return Err(Error::new("run", "cosign", "no such program in PATH")
                .help("install cosign, or leave `--sign-image` out"));
        }
        let (environment, interrupt) = (environment.clone(), interrupt.clone());
        Ok(Self { arguments: arguments.to_vec(), environment, interrupt })
    }

    /// Signs an image.
    ///
    /// # Errors
    /// What cosign says.
    pub fn sign(&self, image: &ImageRef) -> Result<(), Error> {
        self.run(&["sign", "--yes"], image, &[])
    }

    /// Signs a document about an image, and attaches it once more as a signed statement. `kind` is cosign's word for it.
    ///
    /// # Errors
    /// What cosign says.
    pub fn attest(&self, image: &ImageRef, kind: &str, predicate: &[u8]) -> Result<(), Error> {
        self.run(&["attest", "--yes", "--type", kind, "--predicate", "-"], image, predicate)
    }

    fn run(&self, words: &[&str], image: &ImageRef, input: &[u8]) -> Result<(), Error> {
        // Keys, passwords and tokens come through variables of many names: cosign gets all that there are.
        let program = Program::new("cosign", &self.environment).inherit(&self.environment, &["*"]);
        let program = program.args(words).args(&self.arguments).arg(image.as_str());
        let program = program.input(input).timeout(PATIENCE).interrupt(&self.interrupt);
        let finished = program.output()?;
        if finished.is_success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&finished.stderr);
        let said = said.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or("it said nothing");
        let cause = format!("cosign {}: {said}", how(finished.ended));
        Err(Error::new("sign", image.as_str(), cause).help("hand cosign its key: `--sign-arg=--key=FILE`"))
    }
}

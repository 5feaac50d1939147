//! `drvc boot`: boots an image's own kernel in QEMU, with the image, and tells whether its modules load.

use super::depot::Depot;
use super::image_arg::{Found, ImageArg, beneath};
use super::network::Network;
use super::project::{Compiling, Project};
use super::table::{blank, lines};
use super::terminal::Terminal;
use super::{Exit, Failure, Format, Global};
use crate::compiler::plan::Target;
use crate::images::boot::{Boot as Machine, By, Kernel, Level, ModuleReport, Outcome, Problem, Report};
use crate::images::build::{Failure as Unproven, Proof};
use crate::images::engine::Engine;
use crate::images::image::{self, Image};
use crate::images::record::{Check, CheckRecord, keep_check};
use crate::images::verify::Driver;
use crate::resolve::repository::kernels::Use;
use crate::system::process::{Environment, Interrupt};
use crate::text::diag::{Clean, count};
use crate::text::error::Error;
use crate::text::ids::Arch;
use camino::Utf8PathBuf;
use clap::Args;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// So many parameters of a module are shown to people.
const SHOWN: usize = 6;

/// Boot an image's own kernel in QEMU, and prove that its modules load
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  # a target, as `drvc plan` lists it
  drvc boot ticker/debian-12-x86_64/6.1.0-56-cloud-amd64
  drvc boot quay.io/example/driver:5.14.0-427.13.1.el9_4.x86_64 --junit boot.xml
  drvc boot image.tar --kernel linux-image-6.1.0-56-cloud-amd64.deb
  drvc boot image.tar --kernel /boot/vmlinuz --modules /lib/modules/6.1.0-56

The kernel comes from its packages: from the repositories of the manifest and of its distribution, or from
`--kernel`. The image's own command is run in it; modules that it does not load are loaded with `modprobe -d /opt`.
The machine has no devices. It uses the processor's acceleration (KVM) where there is one.

Exit code 0 if every module loads and is unloaded again, 1 if not, 4 if the machine cannot be started.")]
pub(super) struct Boot {
    #[command(flatten)]
    subject: ImageArg,
    #[command(flatten)]
    how: How,
    /// Write a JUnit report to this file
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    junit: Option<Utf8PathBuf>,
    /// `human` for people; `json` for programs (`drvc schema boot`)
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    #[command(flatten)]
    compiling: Compiling,
    #[command(flatten)]
    network: Network,
}

/// How a machine is put together and judged.
#[derive(Clone, Debug, Args)]
pub(super) struct How {
    /// The kernel: its image (vmlinuz), or a package with that and its modules (deb, rpm)
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub(super) kernel: Option<Utf8PathBuf>,
    /// The kernel's own modules: a directory or package of them; may be repeated
    #[arg(long, value_name = "PATH", requires = "kernel", value_hint = clap::ValueHint::AnyPath)]
    pub(super) modules: Vec<Utf8PathBuf>,
    #[command(flatten)]
    pub(super) limits: Limits,
}

/// What a machine is given, and what is forgiven it.
#[derive(Clone, Debug, Args)]
pub(super) struct Limits {
    /// End a machine that takes longer
    #[arg(long, value_name = "SECONDS", default_value_t = 120, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub(super) boot_timeout: u64,
    /// Letters of the kernel's taint to allow beside `OE`, such as `P` for a proprietary module
    #[arg(long, value_name = "LETTERS", default_value = "", hide_default_value = true)]
    pub(super) allow_taint: String,
}

pub(super) fn boot(global: &Global, args: &Boot, terminal: &mut Terminal) -> Result<Exit, Failure> {
    let interrupt = Interrupt::of_signals()?;
    let Found { image, meant } = args.subject.find(global, &args.network, &args.compiling, terminal)?;
    let report = {
        let depot = Depot::new(global, &args.network, terminal)?;
        let target = meant.as_ref().map(|meant| &meant.target);
        args.how.boot(global, &depot, &image, target, &interrupt)?
    };
    if let Some(meant) = &meant {
        let said = CheckRecord::of_boot(meant.key.as_deref().unwrap_or_default(), &report);
        let (project, out) = (Project::new(global)?, &args.compiling.place.out);
        keep_check(&project.disk()?, out, meant.target.id.as_str(), Check::Boot(said))?;
    }
    if let Some(path) = &args.junit {
        let text = Report::junit(std::slice::from_ref(&report))?;
        let path = beneath(global, path);
        crate::system::fs::write(&path, text.as_bytes())
            .map_err(|cause| Error::new("write", path.as_str(), cause))?;
    }
    match args.format {
        Format::Human => terminal.product(&Clean::text(&human(&report)))?,
        Format::Json => terminal.json(&report)?,
    }
    Ok(if report.has_errors() { Exit::Diagnostics } else { Exit::Fine })
}

impl How {
    /// Boots an image, which may be a target's.
    pub(super) fn boot(
        &self,
        global: &Global,
        depot: &Depot<'_>,
        image: &Image,
        target: Option<&Target>,
        interrupt: &Interrupt,
    ) -> Result<Report, Failure> {
        let driver = Driver::read(image, target.map(|target| target.at.kernel.as_str()));
        let Some(release) = &driver.kernel else {
            let cause =
                driver.findings.first().map_or("it has no modules", |finding| finding.message.as_str());
            return Err(Error::new("boot", &image.name, cause.to_owned())
                .help("`drvc verify` says what is the matter")
                .into());
        };
        let kernel = self.kernel(global, depot, image, target, release)?;
        let of_image = Arch::ALL.into_iter().find(|arch| arch.oci() == image.config.architecture);
        let machine = Machine {
            image,
            driver: &driver,
            kernel: &kernel,
            arch: target.map(|target| target.at.arch).or(of_image).unwrap_or(Arch::X86_64),
            timeout: Duration::from_secs(self.limits.boot_timeout),
            allowed_taint: &self.limits.allow_taint,
            environment: &Environment::of_this_process(),
            interrupt,
        };
        Ok(machine.run()?)
    }

    fn kernel(
        &self,
        global: &Global,
        depot: &Depot<'_>,
        image: &Image,
        target: Option<&Target>,
        release: &str,
    ) -> Result<Kernel, Failure> {
        let mut kernel = Kernel::new(release)?;
        let Some(file) = &self.kernel else {
            let home = depot.home_of(target, image, release)?;
            for fetched in depot.packages(&home, release, Use::Boot)? {
                kernel.add_package(&fetched.url, &fetched.bytes)?;
            }
            return Ok(kernel);
        };
        let is_package = |path: &Utf8PathBuf| matches!(path.extension(), Some("deb" | "rpm"));
        let file = beneath(global, file);
        if is_package(&file) {
            kernel.add_package_file(&file)?
        } else {
            kernel.set_image(&file)?
        }
        for path in self.modules.iter().map(|path| beneath(global, path)) {
            if is_package(&path) { kernel.add_package_file(&path)? } else { kernel.add_directory(&path)? }
        }
        Ok(kernel)
    }
}

fn human(report: &Report) -> String {
    let mut text = format!(
        "{} on {} ({}, {:.1} s)\n",
        report.image,
        report.kernel,
        report.accelerator.name(),
        report.seconds
    );
    let mut table = blank(&["MODULE", "LOADED", "BY", "PARAMETERS", "UNLOADED"]);
    for module in &report.modules {
        let loaded = match module.outcome {
            Outcome::Loaded => "yes",
            Outcome::NoDevice => "no device",
            Outcome::Failed => "no",
        };
        let by = match module.by {
            By::Command => "its command",
            By::Modprobe => "modprobe",
        };
        let unloaded = match module.unloaded {
            Some(true) => "yes",
            Some(false) => "no",
            None => "-",
        };
        table.add_row([&module.name, loaded, by, &parameters(module), unloaded]);
    }
    text = text + "\n" + &lines(&table);
    text += &said("its command", &report.output);
    text += &said("the kernel", &report.messages);
    report.problems.iter().for_each(|problem| text += &told(problem));
    text + "\n" + &verdict(report)
}

fn parameters(module: &ModuleReport) -> String {
    let all: Vec<_> = module.parameters.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let more = all.len().saturating_sub(SHOWN);
    let shown = all.iter().take(SHOWN).cloned().chain((more > 0).then(|| format!("and {more} more")));
    let shown: Vec<_> = shown.collect();
    if shown.is_empty() { "-".to_owned() } else { shown.join("\n") }
}

fn said(who: &str, lines: &[String]) -> String {
    if lines.is_empty() {
        return String::new();
    }
    lines.iter().fold(format!("\n{who} says:\n"), |text, line| text + "  " + line + "\n")
}

pub(super) fn told(problem: &Problem) -> String {
    let level = problem.level.word();
    let mut text = format!("\n{level}[{}]: {}\n", problem.code.code(), problem.message);
    problem.lines.iter().for_each(|line| text += &format!("  | {line}\n"));
    if let Some(help) = &problem.help {
        text += &format!("  help: {help}\n");
    }
    text
}

fn verdict(report: &Report) -> String {
    let errors = report.problems.iter().filter(|problem| problem.level == Level::Error).count();
    let loaded = report.modules.iter().filter(|module| module.outcome == Outcome::Loaded).count();
    let taint = if report.taint.is_empty() { String::new() } else { format!(", taint {}", report.taint) };
    let modules = count(report.modules.len(), "module");
    match errors {
        0 if loaded == report.modules.len() => format!("every module loads ({modules}{taint})\n"),
        0 => format!("{loaded} of {modules} loads, and the others have no device here{taint}\n"),
        errors => format!("{}: {loaded} of {modules} loaded{taint}\n", count(errors, "error")),
    }
}

/// Boots the images that `drvc build` has built, one at a time, before they get their names.
pub(super) struct Booting<'a> {
    how: How,
    global: &'a Global,
    depot: Depot<'a>,
    interrupt: &'a Interrupt,
    terminal: &'a Terminal,
    /// What was said of each target's image, by its id. Machines take much memory: whoever boots holds it.
    said: Mutex<BTreeMap<String, CheckRecord>>,
}

impl<'a> Booting<'a> {
    pub(super) fn new(
        global: &'a Global,
        network: &'a Network,
        limits: &Limits,
        interrupt: &'a Interrupt,
        terminal: &'a Terminal,
    ) -> Result<Self, Failure> {
        let how = How { kernel: None, modules: Vec::new(), limits: limits.clone() };
        let depot = Depot::new(global, network, terminal)?;
        Ok(Self { how, global, depot, interrupt, terminal, said: Mutex::default() })
    }

    /// What was said of each target's image, without its key.
    pub(super) fn said(&self) -> BTreeMap<String, CheckRecord> {
        std::mem::take(&mut *self.said.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Proof for Booting<'_> {
    fn prove(&self, target: &Target, engine: &Engine, id: &str) -> Result<(), Box<Unproven>> {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        let failed = |reason: String, help: Option<String>| Box::new(Unproven::plain(reason, help));
        let image = image::from_engine_id(engine, id, target.id.as_str())
            .map_err(|error| failed(error.to_string(), error.next_step().map(str::to_owned)))?;
        let booted = self.how.boot(self.global, &self.depot, &image, Some(target), self.interrupt);
        let report = booted.map_err(|failure| match failure {
            Failure::Usage { message, help } => failed(message, Some(help)),
            Failure::World(error) => failed(error.to_string(), error.next_step().map(str::to_owned)),
            Failure::Refused => failed("the manifest has errors".into(), None),
        })?;
        said.insert(target.id.to_string(), CheckRecord::of_boot("", &report));
        match report.problems.iter().find(|problem| problem.level == Level::Error) {
            None => {
                let text = format!("booted {}: {}", target.id, verdict(&report));
                self.terminal.say(text.trim_end());
                Ok(())
            }
            Some(first) => Err(Box::new(Unproven {
                error: Some(format!("{}: {}", first.code.code(), first.message)),
                tail: first.lines.clone(),
                ..*failed("the image was built, and does not boot".into(), first.help.clone())
            })),
        }
    }
}

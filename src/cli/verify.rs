//! `drvc verify`: proves, without running anything, that an image's modules fit their kernel.

use super::network::Network;
use super::project::{Compiling, Project};
use super::table::{blank, lines};
use super::target;
use super::terminal::Terminal;
use super::{Exit, Failure, Global};
use crate::diag::{Clean, count};
use crate::engine::{Engine, Kind as EngineKind};
use crate::error::Error;
use crate::fs::read_user_file;
use crate::ids::{Arch, ImageRef};
use crate::image::{self, Image};
use crate::oci::Registry;
use crate::plan::Node;
use crate::process::{Environment, Interrupt};
use crate::verify::{Against, Driver, Expected, Level, Report, Symvers, against, verify as check};
use camino::{Utf8Path, Utf8PathBuf};
use clap::{Args, ValueEnum};
use std::collections::BTreeSet;

/// Largest list of stable symbols.
const STABLELIST: u64 = 16 << 20;

/// Prove that an image's modules fit their kernel, without running anything
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  drvc verify ticker/debian-12-x86_64/6.1.0-56-amd64       a target, as `drvc plan` lists it
  drvc verify quay.io/example/driver:5.14.0-427.13.1.el9_4.x86_64
  drvc verify image.tar                                     what `podman save` or `docker save` wrote
  drvc verify ticker --symvers linux-headers-6.1.0-56-amd64_6.1.192-2_amd64.deb
  drvc verify ticker --against 6.1.0-55=headers-55.deb --against 6.1.0-54=headers-54.deb

Without --symvers, everything but the kernel's symbols is checked, and that is said.

Exit code 0 if there is nothing but notes, 1 with errors and warnings, 4 if the image cannot be read.")]
pub(super) struct Verify {
    /// A target, an image's reference, or an archive or OCI layout (with `:TAG` where it holds several images)
    #[arg(value_name = "TARGET|IMAGE", required = true)]
    words: Vec<String>,
    /// The kernel's Module.symvers, a directory of its headers, or the package of them (deb, rpm)
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::AnyPath)]
    symvers: Option<Utf8PathBuf>,
    /// Would the same modules load on this kernel? May be repeated; FILE as for --symvers
    #[arg(long, value_name = "KERNEL=FILE", value_parser = other_kernel)]
    against: Vec<(String, Utf8PathBuf)>,
    /// Symbols that stay the same within a RHEL release, one a line, as kernel-abi-stablelists has them
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    stablelist: Option<Utf8PathBuf>,
    /// The kernel that is meant, where an image has modules for several
    #[arg(long, value_name = "RELEASE")]
    kernel: Option<String>,
    /// The architecture that is meant, where an image has several
    #[arg(long, value_name = "ARCH", value_parser = arch)]
    arch: Option<Arch>,
    /// Where a reference is looked up [default: the engine, then its registry]
    #[arg(long, value_name = "WHERE", value_enum)]
    from: Option<From>,
    /// The engine: podman, buildah, docker or buildx [default: the first that is installed]
    #[arg(long, value_name = "NAME", value_parser = super::build::engine)]
    engine: Option<EngineKind>,
    /// `human` for people; `json` for programs (`drvc schema verify`)
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    #[command(flatten)]
    network: Network,
    #[command(flatten)]
    compiling: Compiling,
}

// The variants have no description of their own: clap would give each a paragraph of the command's help.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    #[default]
    Human,
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum From {
    Engine,
    Registry,
}

fn arch(name: &str) -> Result<Arch, String> {
    let names = Arch::ALL.map(Arch::name).join(", ");
    Arch::parse(name).ok_or_else(|| format!("there are {names}"))
}

fn other_kernel(text: &str) -> Result<(String, Utf8PathBuf), String> {
    let parts = text.split_once('=').filter(|(kernel, file)| !kernel.is_empty() && !file.is_empty());
    parts.map(|(kernel, file)| (kernel.to_owned(), file.into())).ok_or_else(|| "write KERNEL=FILE".to_owned())
}

pub(super) fn verify(global: &Global, args: &Verify, terminal: &mut Terminal) -> Result<Exit, Failure> {
    let mut expected = Expected::default();
    let at = |path: &Utf8PathBuf| global.directory.as_deref().unwrap_or(Utf8Path::new("")).join(path);
    expected.symvers = args.symvers.as_ref().map(|path| Symvers::read(&at(path))).transpose()?;
    expected.stablelist = args.stablelist.as_ref().map(|path| stablelist(&at(path))).transpose()?;
    let (image, kernel) = find(global, args, &mut expected, terminal)?;
    let driver = Driver::read(&image, kernel.as_deref());
    let mut report = check(&image, &driver, &expected);
    for (kernel, file) in &args.against {
        report.against.push(against(&driver, kernel, &Symvers::read(&at(file))?, expected.symvers.as_ref()));
    }
    match args.format {
        Format::Human => terminal.product(&Clean::text(&human(&report)))?,
        Format::Json => terminal.json(&report)?,
    }
    Ok(if report.has_findings() { Exit::Diagnostics } else { Exit::Fine })
}

/// The image that is meant, and the kernel, where a target says it.
fn find(
    global: &Global,
    args: &Verify,
    expected: &mut Expected,
    terminal: &Terminal,
) -> Result<(Image, Option<String>), Failure> {
    let kernel = args.kernel.clone();
    if let [path] = args.words.as_slice()
        && let Some((path, tag)) = file(global, path)
    {
        return Ok((image::open(&path, args.arch, tag.as_deref())?, kernel));
    }
    if let [reference] = args.words.as_slice()
        && let Ok(reference) = ImageRef::parse(reference)
        && reference.registry().is_some()
    {
        return Ok((fetch(args, &reference, args.arch, terminal)?, kernel));
    }
    let compiled = Project::new(global)?.compiled(&args.compiling, terminal)?;
    let target = target::find(&compiled.plan.targets, &args.words)?;
    let key = compiled.fingerprints.get(target.root.index());
    expected.key = key.map(ToString::to_string);
    let mut stages = compiled.plan.graph.ancestry(target.root).into_iter();
    expected.signed = stages.any(|id| matches!(compiled.plan.graph.node(id), Node::Sign(_)));
    let reference = target.tags.first().ok_or_else(|| Failure::Usage {
        message: format!("`{}` has no reference", target.id),
        help: "give its image `tag`s".into(),
    })?;
    Ok((
        fetch(args, reference, Some(target.arch), terminal)?,
        Some(kernel.unwrap_or_else(|| target.kernel.to_string())),
    ))
}

/// The path of an archive or directory, if there is one, and the tag behind it.
fn file(global: &Global, word: &str) -> Option<(Utf8PathBuf, Option<String>)> {
    let at = |path: &str| global.directory.as_deref().unwrap_or(Utf8Path::new("")).join(path);
    if at(word).exists() {
        return Some((at(word), None));
    }
    let (path, tag) = word.rsplit_once(':')?;
    at(path).exists().then(|| (at(path), Some(tag.to_owned())))
}

fn fetch(
    args: &Verify,
    reference: &ImageRef,
    arch: Option<Arch>,
    terminal: &Terminal,
) -> Result<Image, Failure> {
    let environment = Environment::of_this_process();
    if args.from != Some(From::Registry) {
        let engine = Engine::find(args.engine, &[], &environment, &Interrupt::default());
        // Whoever has no engine may still have a registry.
        let engine = if args.engine.is_some() || args.from.is_some() { Some(engine?) } else { engine.ok() };
        if let Some(engine) = engine
            && let Some(image) = image::from_engine(&engine, reference, arch)?
        {
            return Ok(image);
        }
    }
    if args.from != Some(From::Engine)
        && reference.registry().is_some()
        && let Some(image) =
            image::from_registry(&Registry::new(args.network.client(terminal)?), reference, arch)?
    {
        return Ok(image);
    }
    let absent = Error::new("find", reference.as_str(), "there is no such image");
    Err(absent.help("build it with `drvc build`, or name an archive of it").into())
}

fn stablelist(path: &Utf8Path) -> Result<BTreeSet<String>, Error> {
    let failed = |cause: std::io::Error| Error::new("read", path.as_str(), cause);
    let bytes = read_user_file(path, STABLELIST).map_err(failed)?;
    let bytes = bytes.ok_or_else(|| failed(std::io::ErrorKind::NotFound.into()))?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let symbols =
        text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with(['[', '#']));
    Ok(symbols.map(ToOwned::to_owned).collect())
}

fn human(report: &Report) -> String {
    let kernel = report.kernel.as_deref().unwrap_or("no kernel");
    let mut text = format!("{}: {} for {kernel}\n", report.image, count(report.modules.len(), "module"));
    let mut modules = blank(&["MODULE", "SYMBOLS", "DEPENDS ON", "SIGNED BY"]);
    for module in &report.modules {
        let signed = match (&module.signer, &module.hash) {
            (Some(signer), Some(hash)) => format!("{signer} ({hash})"),
            _ => "-".to_owned(),
        };
        let depends = if module.depends.is_empty() { "-".to_owned() } else { module.depends.join(" ") };
        modules.add_row([&module.name, &module.symbols.to_string(), &depends, &signed]);
    }
    if !report.modules.is_empty() {
        text = text + "\n" + &lines(&modules);
    }
    let mut layers = blank(&["LAYER", "STORED", "FILES"]);
    for layer in &report.layers {
        let digest: String = layer.digest.trim_start_matches("sha256:").chars().take(16).collect();
        layers.add_row([digest, size(layer.stored), size(layer.files)]);
    }
    text = text + "\n" + &lines(&layers);
    for finding in &report.findings {
        let level = match finding.level {
            Level::Error => "error",
            Level::Warning => "warning",
            Level::Note => "note",
        };
        let file = finding.file.as_ref().map(|file| format!("\n  at: {file}")).unwrap_or_default();
        let help = finding.help.as_ref().map(|help| format!("\n  help: {help}")).unwrap_or_default();
        text += &format!("\n{level}[{}]: {}{file}{help}\n", finding.code.code(), finding.message);
    }
    if !report.against.is_empty() {
        text = text + "\n" + &others(&report.against);
    }
    text + "\n" + &verdict(report)
}

fn others(kernels: &[Against]) -> String {
    let mut table = blank(&["ON KERNEL", "LOADS", "MISSING", "CHANGED"]);
    let some = |symbols: &[String]| match symbols {
        [] => "-".to_owned(),
        [one] => one.clone(),
        [one, rest @ ..] => format!("{one} and {} more", rest.len()),
    };
    for kernel in kernels {
        let loads = if kernel.loads { "yes" } else { "no" };
        table.add_row([&kernel.kernel, loads, &some(&kernel.missing), &some(&kernel.changed)]);
    }
    let loads = kernels.iter().filter(|kernel| kernel.loads).count();
    format!("{}\nthis build loads on {loads} of {}\n", lines(&table), count(kernels.len(), "kernel"))
}

fn verdict(report: &Report) -> String {
    let number = |level| report.findings.iter().filter(|finding| finding.level == level).count();
    match (number(Level::Error), number(Level::Warning)) {
        (0, 0) => "nothing is wrong with it\n".to_owned(),
        (errors, 0) => format!("{}\n", count(errors, "error")),
        (0, warnings) => format!("{}\n", count(warnings, "warning")),
        (errors, warnings) => format!("{}, {}\n", count(errors, "error"), count(warnings, "warning")),
    }
}

/// Bytes for people.
fn size(bytes: u64) -> String {
    match bytes {
        0..1_024 => format!("{bytes} B"),
        1_024..1_048_576 => format!("{} KiB", bytes >> 10),
        _ => format!("{} MiB", bytes >> 20),
    }
}

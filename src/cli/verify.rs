//! `drvc verify`: proves, without running anything, that an image's modules fit their kernel.

use super::depot::Depot;
use super::image_arg::{CERTIFICATE, Found, ImageArg, beneath};
use super::network::Network;
use super::project::{Compiling, Project};
use super::table::{blank, lines};
use super::terminal::Terminal;
use super::{Exit, Failure, Format, Global};
use crate::images::attest::check::read_back;
use crate::images::image::Image;
use crate::images::record::{Check, CheckRecord, keep_check};
use crate::images::verify::{Against, Driver, Expected, Level, Report, Symvers, against, verify as check};
use crate::system::fs::read_user_file;
use crate::system::oci::Registry;
use crate::system::package;
use crate::text::diag::{Clean, count};
use crate::text::error::Error;
use crate::text::ids::ImageRef;
use camino::{Utf8Path, Utf8PathBuf};
use clap::Args;
use clap_complete::ArgValueCandidates;
use std::collections::BTreeSet;
use std::io::Read as _;
use std::time::SystemTime;

/// Largest list of stable symbols.
const STABLELIST: u64 = 16 << 20;

/// Prove that an image's modules fit their kernel, without running anything
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  # a target, as `drvc plan` lists it
  drvc verify ticker/debian-12-x86_64/6.1.0-56-amd64
  drvc verify quay.io/example/driver:5.14.0-427.13.1.el9_4.x86_64
  # what `podman save` or `docker save` wrote
  drvc verify image.tar
  # on which of these kernels would it load?
  drvc verify ticker --against '6.1.0-*-amd64'
  drvc verify ticker --symvers linux-headers-6.1.0-56-amd64_6.1.192-2_amd64.deb
  drvc verify ticker --against 6.1.0-55=headers-55.deb
  # what is attached to it: a list of contents, provenance, signatures
  drvc verify ticker --attestations

The kernel's symbols come from the package of its headers: from the repositories of the manifest and of
its distribution, or from `--symvers`. Where they cannot be had, the rest is checked, and that is said.

Exit code 0 if there is nothing but notes, 1 with errors and warnings, 4 if the image cannot be read.")]
pub(super) struct Verify {
    #[command(flatten)]
    subject: ImageArg,
    /// The kernel's Module.symvers, a directory of its headers, or the package of them (deb, rpm)
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::AnyPath)]
    symvers: Option<Utf8PathBuf>,
    /// Would the same modules load on this kernel, or on all that match? May be repeated; FILE as for --symvers
    #[arg(long, value_name = "KERNEL[=FILE]", value_parser = other_kernel)]
    #[arg(add = ArgValueCandidates::new(super::completions::kernels))]
    against: Vec<(String, Option<Utf8PathBuf>)>,
    /// Symbols that stay the same within a RHEL release: a list, or the package kernel-abi-stablelists
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    stablelist: Option<Utf8PathBuf>,
    /// The certificate whose key has signed the modules [default: that of the manifest's `signing`]
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    certificate: Option<Utf8PathBuf>,
    /// The kernel that is meant, where an image has modules for several
    #[arg(long, value_name = "RELEASE", add = ArgValueCandidates::new(super::completions::kernels))]
    kernel: Option<String>,
    /// Check what Red Hat's certification asks for; targets of a project with a `vendor` are checked without it
    #[arg(long)]
    certification: bool,
    /// Read the proofs of origin that its registry has for the image, and hold them against it
    #[arg(long)]
    attestations: bool,
    /// Ask no package repository: compare symbols with `--symvers` alone
    #[arg(long)]
    offline: bool,
    /// `human` for people; `json` for programs (`drvc schema verify`)
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    #[command(flatten)]
    compiling: Compiling,
    #[command(flatten)]
    network: Network,
}

#[expect(
    clippy::disallowed_methods,
    reason = "whether a certificate has expired depends on it, and nothing else"
)]
fn now() -> SystemTime {
    SystemTime::now()
}

fn certificate(path: &Utf8Path) -> Result<Vec<u8>, Error> {
    let bytes =
        read_user_file(path, CERTIFICATE).map_err(|cause| Error::new("read", path.as_str(), cause))?;
    bytes.ok_or_else(|| Error::new("read", path.as_str(), "no such file"))
}

fn other_kernel(text: &str) -> Result<(String, Option<Utf8PathBuf>), String> {
    match text.split_once('=') {
        None if !text.is_empty() => Ok((text.to_owned(), None)),
        Some((kernel, file)) if !kernel.is_empty() && !file.is_empty() => {
            Ok((kernel.to_owned(), Some(file.into())))
        }
        _ => Err("write KERNEL, a pattern, or KERNEL=FILE".to_owned()),
    }
}

pub(super) fn verify(global: &Global, args: &Verify, terminal: &mut Terminal) -> Result<Exit, Failure> {
    let symvers = args.symvers.as_ref().map(|path| Symvers::read(&beneath(global, path))).transpose()?;
    let subject = if args.attestations { args.subject.in_registry() } else { args.subject.clone() };
    let Found { image, meant } = subject.find(global, &args.network, &args.compiling, terminal)?;
    let kernel = args.kernel.clone().or_else(|| Some(meant.as_ref()?.target.at.kernel.to_string()));
    let driver = Driver::read(&image, kernel.as_deref());
    let stable =
        args.stablelist.as_ref().map(|path| stablelist(&beneath(global, path), &image.config.architecture));
    let certificate =
        args.certificate.as_ref().map(|path| certificate(&beneath(global, path))).transpose()?;
    let mut expected = Expected {
        symvers,
        kernels: meant.as_ref().map(|meant| meant.kernels.clone()),
        unknown: None,
        stablelist: stable.transpose()?,
        key: meant.as_ref().and_then(|meant| meant.key.clone()),
        signed: args.certificate.is_some() || meant.as_ref().is_some_and(|meant| meant.signed),
        now: Some(now()),
        certificate: certificate.or_else(|| meant.as_ref()?.certificate.clone()),
        certification: args.certification
            || meant.as_ref().is_some_and(|meant| meant.labels.contains("vendor")),
        labels: meant.as_ref().map(|meant| meant.labels.clone()),
    };
    let depot = if args.offline { None } else { Some(Depot::new(global, &args.network, terminal)?) };
    let own = driver.kernel.clone().unwrap_or_default();
    let target = meant.as_ref().map(|meant| &meant.target);
    if let (None, Some(depot), Some(kernel)) = (&expected.symvers, &depot, &driver.kernel) {
        match depot.home_of(target, &image, kernel).and_then(|home| depot.symvers(&home, kernel)) {
            Ok(symvers) => expected.symvers = Some(symvers),
            Err(failure) => expected.unknown = Some(cause(failure)?),
        }
    }
    let mut report = check(&image, &driver, &expected);
    if args.attestations {
        attested(&image, &driver, &expected, args, terminal, &mut report)?;
    }
    for (kernel, file) in &args.against {
        let others = match (file, &depot) {
            (Some(file), _) => vec![(kernel.clone(), Symvers::read(&beneath(global, file))?)],
            (None, Some(depot)) => depot.others(&depot.home_of(target, &image, &own)?, &own, kernel)?,
            (None, None) => {
                return Err(Failure::Usage {
                    message: format!(
                        "the symbols of `{kernel}` are in a package repository, and `--offline` asks none"
                    ),
                    help: format!("name the file: `--against {kernel}=FILE`"),
                });
            }
        };
        let own = expected.symvers.as_ref();
        report.against.extend(others.iter().map(|(kernel, symvers)| against(&driver, kernel, symvers, own)));
    }
    if let Some(meant) = &meant {
        let said = CheckRecord::of_verify(meant.key.as_deref().unwrap_or_default(), &report);
        let (project, out) = (Project::new(global)?, &args.compiling.place.out);
        keep_check(&project.disk()?, out, meant.target.id.as_str(), Check::Verify(said))?;
    }
    match args.format {
        Format::Human => terminal.product(&Clean::text(&human(&report)))?,
        Format::Json => terminal.json(&report)?,
    }
    Ok(if report.has_findings() { Exit::Diagnostics } else { Exit::Fine })
}

/// Adds what is attached to the image.
fn attested(
    image: &Image,
    driver: &Driver,
    expected: &Expected,
    args: &Verify,
    terminal: &Terminal,
    report: &mut Report,
) -> Result<(), Failure> {
    let reference = ImageRef::parse(&image.name).ok().filter(|name| name.registry().is_some());
    let reference = reference.ok_or_else(|| Failure::Usage {
        message: format!("`{}` is in no registry, which is where proofs of origin are", image.name),
        help: "name a target, or an image by its reference".into(),
    })?;
    let registry = Registry::new(args.network.client(terminal)?);
    let read = read_back(&registry, &reference, image, driver, expected.key.as_deref())?;
    report.attached = Some(read.attached);
    report.findings.extend(read.findings);
    report.findings.sort();
    Ok(())
}

/// Why symbols are not known, for a note; what keeps everything from being checked stays a failure.
fn cause(failure: Failure) -> Result<String, Failure> {
    match failure {
        Failure::Usage { message, .. } => Ok(message),
        Failure::World(error) => Ok(error.to_string()),
        Failure::Refused => Err(failure),
    }
}

/// The symbols of a list, or of the list for an architecture in a package of them.
fn stablelist(path: &Utf8Path, arch: &str) -> Result<BTreeSet<String>, Error> {
    let failed = |cause: std::io::Error| Error::new("read", path.as_str(), cause);
    let bytes = match path.extension() {
        Some("rpm" | "deb") => packaged_list(path, arch)?,
        _ => read_user_file(path, STABLELIST).map_err(failed)?,
    };
    let bytes = bytes.ok_or_else(|| failed(std::io::ErrorKind::NotFound.into()))?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let symbols =
        text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with(['[', '#']));
    Ok(symbols.map(ToOwned::to_owned).collect())
}

/// The newest `kabi_stablelist_ARCH` (`kabi_whitelist_ARCH` before RHEL 8.5) of a package: one lies beside those of
/// earlier minor releases, in directories that sort by them.
fn packaged_list(path: &Utf8Path, arch: &str) -> Result<Option<Vec<u8>>, Error> {
    let arch = crate::text::ids::Arch::ALL
        .into_iter()
        .find(|known| known.oci() == arch)
        .map_or(arch, |arch| arch.name());
    let names = ["stable", "white"].map(|kind| format!("kabi_{kind}list_{arch}"));
    let mut found: Option<(String, Vec<u8>)> = None;
    package::read(path, &mut |member| {
        let is_list =
            member.path.rsplit('/').next().is_some_and(|name| names.iter().any(|known| known == name));
        if let package::Content::File(_, bytes) = member.content
            && is_list
            && found.as_ref().is_none_or(|(newest, _)| *newest < member.path)
        {
            let mut text = Vec::new();
            bytes.take(STABLELIST).read_to_end(&mut text)?;
            found = Some((member.path, text));
        }
        Ok(())
    })?;
    Ok(found.map(|(_, text)| text))
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
    if let Some(attached) = report.attached.as_ref().filter(|attached| !attached.is_empty()) {
        let mut table = blank(&["ATTACHED", "DIGEST", "CHECKED"]);
        for one in attached {
            let digest: String = one
                .digest
                .iter()
                .flat_map(|digest| digest.trim_start_matches("sha256:").chars().take(16))
                .collect();
            let checked = if one.checked { "yes" } else { "no" };
            table.add_row([one.kind.as_str(), if digest.is_empty() { "-" } else { &digest }, checked]);
        }
        text = text + "\n" + &lines(&table);
    }
    for finding in &report.findings {
        let level = finding.level.word();
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
    let mut table = blank(&["ON KERNEL", "LOADS", "MISSING", "CHANGED", "CLOSED"]);
    let some = |symbols: &[String]| match symbols {
        [] => "-".to_owned(),
        [one] => one.clone(),
        [one, rest @ ..] => format!("{one} and {} more", rest.len()),
    };
    for kernel in kernels {
        let loads = if kernel.loads { "yes" } else { "no" };
        table.add_row([
            &kernel.kernel,
            loads,
            &some(&kernel.missing),
            &some(&kernel.changed),
            &some(&kernel.closed),
        ]);
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

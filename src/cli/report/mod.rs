//! `drvc report`: one page about everything that is known of the project, to look at in a browser.
//!
//! 1. The manifest is compiled in memory, and what builds, checks and boots came to is read from `.drvc`.
//! 2. [`Page::new`] makes plain data of it; the same inputs make the same page.
//! 3. `page.hbs` lays that out, and escapes every text.

mod facts;
mod graph;
mod matrix;
pub(super) mod offers;
mod page;
mod targets;

use super::image_arg::beneath;
use super::project::{Compiling, MAX_TARGETS, OUT, Place, Project, out_dir};
use super::terminal::Terminal;
use super::{Exit, Failure, Global, nodes};
use crate::compiler::compile::{Compilation, compile_known};
use crate::images::build::{Choice, Item, choose};
use crate::images::record::Builds;
use crate::store::state::HOME;
use crate::system::fs::Reader;
use crate::text::diag::{Clean, count};
use crate::text::error::Error;
use crate::text::ids::RelPath;
use camino::Utf8PathBuf;
use clap::Args;
use clap_complete::ArgValueCandidates;
use facts::Facts;
use page::Page;

/// What the page is called in `.drvc`.
const NAME: &str = "report.html";

/// Write a page about all targets: their state, why, logs, findings, graph, and what is missing
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  drvc report -o report.html
  # some targets; keys and values as in the manifest's `on`
  drvc report --target 'os=rhel' -o rhel.html
  # which nodes of a cluster are covered, too
  kubectl get nodes -o json > nodes.json && drvc report --nodes nodes.json

The page is one file that loads nothing. What it says of images is what `drvc build`, `verify` and `boot`
found in this directory; what repositories offer is what `drvc kernels` and `drvc lock` fetched last. No
network and no engine is asked, and the same inputs make the same page.")]
pub(super) struct Report {
    /// Where to write the page (`-`: standard output) [default: drivers.out/.drvc/report.html]
    #[arg(short, long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    output: Option<Utf8PathBuf>,
    /// Only targets that this selects, such as 'os=rhel release=">=9.2"', or a piece of their id; may be repeated
    #[arg(long = "target", value_name = "SELECTOR", add = ArgValueCandidates::new(super::completions::targets))]
    targets: Vec<String>,
    /// Compare with the nodes of a cluster, as `kubectl get nodes -o json` prints them (`-`: standard input)
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    nodes: Option<Utf8PathBuf>,
    /// The output directory, beneath the manifest's
    #[arg(long, value_name = "DIR", default_value = OUT, value_parser = out_dir)]
    #[arg(value_hint = clap::ValueHint::DirPath)]
    out: RelPath,
    /// Refuse a matrix of more targets
    #[arg(long, value_name = "N", default_value_t = MAX_TARGETS)]
    max_targets: usize,
}

pub(super) fn report(global: &Global, args: &Report, terminal: &mut Terminal) -> Result<Exit, Failure> {
    let project = Project::new(global)?;
    let disk = project.open()?;
    let compiling = Compiling::new(Place { out: args.out.clone() }, args.max_targets);
    let request = project.request(&compiling);
    let compilation = compile_known(&Reader::new(&disk).hide(request.out.clone()), &request);
    let Compilation { sources, plan: None, diagnostics } = compilation else {
        return write(global, args, &project, &compilation, terminal);
    };
    terminal.diagnostics(&project.report(&sources, diagnostics));
    Err(Failure::Refused)
}

fn write(
    global: &Global,
    args: &Report,
    project: &Project,
    compilation: &Compilation,
    terminal: &Terminal,
) -> Result<Exit, Failure> {
    let Some(compiled) = &compilation.plan else { return Err(Failure::Refused) };
    let disk = project.disk()?;
    let choice = Choice { selectors: args.targets.clone(), ..Choice::default() };
    let items = choose(compiled, &choice)
        .map_err(|misfit| Failure::Usage { message: misfit.message, help: misfit.help })?;
    let chosen = items.into_iter().filter_map(|item| match item {
        Item::Target(at) => Some(at),
        Item::Toolkit(_) => None,
    });
    let nodes = args.nodes.as_ref().map(|file| nodes::compare(compiled.json(), file)).transpose()?;
    let offers = offers::offers(project, compiled, terminal)?;
    let builds = Builds::read(&disk, &args.out);
    let facts = Facts {
        compilation,
        compiled,
        builds,
        disk: &disk,
        out: &args.out,
        manifest: project.manifest.as_str(),
        chosen: chosen.collect(),
        is_part: !args.targets.is_empty(),
    };
    let page = Page::new(&facts, nodes, offers);
    let html = page.to_html()?;
    match &args.output {
        Some(path) if path == "-" => terminal.raw(html.as_str())?,
        Some(path) => told(&beneath(global, path), &html, &page, terminal)?,
        None => {
            let home = format!("{}/{HOME}", args.out);
            let made = disk.root().make_dirs(&home);
            made.map_err(|cause| Error::new("write to", home.as_str(), cause))?;
            told(&project.root.join(home).join(NAME), &html, &page, terminal)?;
        }
    }
    Ok(Exit::Fine)
}

fn told(path: &Utf8PathBuf, html: &Clean, page: &Page, terminal: &Terminal) -> Result<(), Error> {
    crate::system::fs::write(path, html.as_str().as_bytes())
        .map_err(|cause| Error::new("write", path.as_str(), cause))?;
    terminal.say(&format!("{path}: {}", count(page.number(), "target")));
    Ok(())
}

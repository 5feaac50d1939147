//! From a command line to what was asked for: each subcommand is one file with one function of its name.
//!
//! Reports go to standard error, products to standard output, and what happened into the [`Exit`] code.

mod boot;
mod build;
mod chains;
mod change;
mod check;
mod clean;
mod compile;
mod completions;
mod depot;
mod diff;
mod emitted;
mod explain;
mod fix;
mod fmt;
mod format;
mod graph;
mod images;
mod init;
mod kernels;
mod lock;
mod lsp;
mod man;
mod matrix;
mod network;
mod next;
mod nodes;
mod parsers;
mod plan;
mod preflight;
mod profile;
mod progress;
mod project;
mod outcome;
mod prune;
mod report;
mod schema;
mod secrets;
mod some;
mod image_arg;
mod table;
mod target;
mod terminal;
mod threads;
mod timings;
mod verify;
mod why;

pub use schema::JSON_SCHEMAS;

use crate::text::error::Error;
use camino::Utf8PathBuf;
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};
use format::Format;
use std::ffi::OsString;
use terminal::{ColorWhen, Terminal};

/// Compile one driver manifest into a Dockerfile per kernel, and only what changed.
#[derive(Debug, Parser)]
#[command(name = "drvc", version, max_term_width = 100)]
#[command(after_help = "\
Run `drvc` alone to see what to do next, and `drvc help COMMAND` for examples.

Exit code 0 if all is well, 1 with mistakes in the manifest, 2 for a wrong command line, 3 if something is out of date, \
4 if a disk, a network or another program failed.")]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Option<Command>,
}

/// Options that every command takes.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Global options")]
struct Global {
    /// Work as if drvc had been started in DIR
    #[arg(short = 'C', long, value_name = "DIR", global = true, value_hint = clap::ValueHint::DirPath)]
    directory: Option<Utf8PathBuf>,
    /// The manifest [default: drivers.kdl]; all its paths begin at its directory
    #[arg(long, value_name = "FILE", global = true, value_hint = clap::ValueHint::FilePath)]
    manifest: Option<Utf8PathBuf>,
    /// Put a value in the place of the manifest's, such as `project.registry=registry.lan/drivers`
    #[arg(long, value_name = "PATH=VALUE", global = true)]
    set: Vec<String>,
    /// Colours in reports; `auto` means on a terminal, unless NO_COLOR is set
    #[arg(long, value_name = "WHEN", global = true, value_enum, default_value_t)]
    color: ColorWhen,
}

#[derive(Debug, Subcommand)]
enum Command {
    Init(init::Init),
    Check(check::Check),
    Lock(lock::Lock),
    Compile(compile::Compile),
    Boot(boot::Boot),
    Build(build::Build),
    Images(images::Images),
    Prune(prune::Prune),
    Verify(verify::Verify),
    Plan(plan::Plan),
    Preflight(preflight::Preflight),
    Why(why::Why),
    Diff(diff::Diff),
    Kernels(kernels::Kernels),
    Profile(profile::ProfileArgs),
    Matrix(matrix::Matrix),
    Report(report::Report),
    Graph(graph::Graph),
    Clean(clean::Clean),
    Fmt(fmt::Fmt),
    Lsp(lsp::Lsp),
    Explain(explain::Explain),
    Schema(schema::Schema),
    Completions(completions::Completions),
    Man(man::Man),
}

/// How a run ended; the numbers are a promise to scripts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Exit {
    /// All is well.
    Fine = 0,
    /// The manifest, or a file that it names, has errors.
    Diagnostics = 1,
    /// The command line makes no sense.
    Usage = 2,
    /// Something on disk is not what it would be made to be; nothing worse.
    OutOfDate = 3,
    /// A disk, a network or another program failed.
    World = 4,
    /// SIGINT, as Ctrl-C sends it, ended the run.
    Interrupted = 130,
    /// SIGTERM ended the run.
    Terminated = 143,
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why a command did not get to its end.
#[derive(Debug)]
enum Failure {
    /// It was asked for something that does not exist; `help` says what does.
    Usage { message: String, help: String },
    /// The manifest has errors, and they were reported.
    Refused,
    /// See [`Error`].
    World(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::World(error)
    }
}

/// Does what the command line says, and tells of it.
pub fn run(args: impl IntoIterator<Item = OsString>) -> Exit {
    let args: Vec<OsString> = args.into_iter().collect();
    match completions::answer(&args) {
        Ok(false) => {}
        Ok(true) => return Exit::Fine,
        Err(refusal) => return Terminal::new(ColorWhen::Auto).clap(&refusal),
    }
    let parsed = command().try_get_matches_from(args).and_then(|found| Cli::from_arg_matches(&found));
    let cli = match parsed {
        Ok(cli) => cli,
        Err(refusal) => return Terminal::new(ColorWhen::Auto).clap(&refusal),
    };
    let mut terminal = Terminal::new(cli.global.color);
    let result = match cli.command {
        None => next::next(&cli.global, &mut terminal),
        Some(Command::Init(args)) => init::init(&cli.global, &args, &mut terminal),
        Some(Command::Lock(args)) => lock::lock(&cli.global, &args, &mut terminal),
        Some(Command::Check(args)) => check::check(&cli.global, &args, &mut terminal),
        Some(Command::Compile(args)) => compile::compile(&cli.global, &args, &mut terminal),
        Some(Command::Boot(args)) => boot::boot(&cli.global, &args, &mut terminal),
        Some(Command::Build(args)) => build::build(&cli.global, &args, &mut terminal),
        Some(Command::Images(args)) => images::images(&cli.global, &args, &mut terminal),
        Some(Command::Prune(args)) => prune::prune(&cli.global, &args, &mut terminal),
        Some(Command::Verify(args)) => verify::verify(&cli.global, &args, &mut terminal),
        Some(Command::Plan(args)) => plan::plan(&cli.global, &args, &mut terminal),
        Some(Command::Preflight(args)) => preflight::preflight(&cli.global, &args, &mut terminal),
        Some(Command::Why(args)) => why::why(&cli.global, &args, &mut terminal),
        Some(Command::Diff(args)) => diff::diff(&cli.global, &args, &mut terminal),
        Some(Command::Kernels(args)) => kernels::kernels(&cli.global, &args, &mut terminal),
        Some(Command::Profile(args)) => profile::profile_command(&cli.global, &args, &mut terminal),
        Some(Command::Report(args)) => report::report(&cli.global, &args, &mut terminal),
        Some(Command::Matrix(args)) => matrix::matrix(&cli.global, &args, &mut terminal),
        Some(Command::Graph(args)) => graph::graph(&cli.global, &args, &mut terminal),
        Some(Command::Clean(args)) => clean::clean(&cli.global, &args, &mut terminal),
        Some(Command::Fmt(args)) => fmt::fmt(&cli.global, &args, &mut terminal),
        Some(Command::Lsp(args)) => lsp::lsp(args, &terminal),
        Some(Command::Explain(args)) => explain::explain(&args, &mut terminal),
        Some(Command::Schema(args)) => schema::schema(&args, &mut terminal),
        Some(Command::Completions(args)) => completions::completions(&args, &mut terminal),
        Some(Command::Man(args)) => man::man(&args, &mut terminal),
    };
    result.unwrap_or_else(|failure| terminal.failure(&failure))
}

/// The whole command line as clap knows it: for the pages and scripts made from it.
fn command() -> clap::Command {
    Cli::command().mut_subcommands(|page| {
        let help = page.get_after_help().map(ToString::to_string).unwrap_or_default();
        let codes = if help.contains("Exit code") { "" } else { EXIT_CODES };
        let text = flowing(format!("{help}\n\n{codes}").trim());
        // A command within another says what the outer one does.
        page.mut_subcommands(|inner| inner.after_help(text.clone())).after_help(text)
    })
}

/// Text whose paragraphs are a line each, which clap breaks where the terminal ends. Examples stay as they are.
fn flowing(text: &str) -> String {
    let mut out = String::new();
    let mut is_prose = false;
    for line in text.lines() {
        let goes_on = is_prose && !line.is_empty() && !line.starts_with(' ');
        if !out.is_empty() {
            out.push(if goes_on { ' ' } else { '\n' });
        }
        out.push_str(line);
        is_prose = !line.is_empty() && !line.starts_with(' ') && line != "Examples:";
    }
    out
}

/// How a command ends, for the help page of each that has no more to say of it.
const EXIT_CODES: &str = "Exit code 0 if all is well, 1 with mistakes in the manifest, 2 for a wrong command line, \
                          4 if a disk, a network or another program failed.";

//! The commands of a build, held against the habits that shells, Makefiles and dkms teach: what would be passed on as it
//! is where a shell would have done something, and steps that an image has no use for.

use super::context::Lower;
use super::other_kernels;
use super::text::Variable;
use super::variables::meant;
use crate::language::kdl::quote;
use crate::language::syntax::ast;
use crate::text::diag::{Code, Diagnostic, shown};
use crate::text::ids::EnvName;
use crate::text::source::Spanned;

/// Words that only a shell reads as something else than themselves.
const OPERATORS: &[&str] = &["&&", "||", "|", ";", "&", ">", ">>", "<", "2>", "2>&1", "&>"];
/// Commands that are a part of the shell, and leave nothing behind for the step after them.
const BUILTINS: &[&str] =
    &["cd", "export", "source", ".", "set", "unset", "umask", "ulimit", "alias", "if", "for", "while"];
/// Programs that read `$`, `~` and `*` themselves.
const READERS: &[&str] = &["sh", "bash", "dash", "awk", "gawk", "mawk", "sed", "perl", "python", "python3"];
/// Programs that are given the names of files.
const ON_FILES: &[&str] = &["cp", "mv", "rm", "install", "ln", "chmod", "cat", "ls"];
/// Programs that install packages.
const PACKAGE_MANAGERS: &[&str] = &["apt", "apt-get", "dnf", "microdnf", "tdnf", "yum", "zypper"];
/// Programs that change the system that they run on, which is thrown away after the build.
const ON_THE_SYSTEM: &[&str] = &[
    "depmod",
    "modprobe",
    "insmod",
    "rmmod",
    "dkms",
    "weak-modules",
    "dracut",
    "update-initramfs",
    "mokutil",
];

/// Reports what is probably not meant in one step.
pub(super) fn check(lower: &mut Lower<'_>, step: &Spanned<ast::Build>) {
    match &step.value {
        ast::Build::Make { targets, variables } => check_make(lower, targets, variables),
        ast::Build::Run { words } => check_run(lower, step, words),
        ast::Build::Script { text } => check_script(lower, text),
        ast::Build::None => {}
    }
}

/// Reports what is probably not meant in a variable of the environment.
pub(super) fn check_env(lower: &mut Lower<'_>, pair: &ast::Pair) {
    other_kernels::check(lower, &pair.value);
    check_unexpanded(lower, &pair.value, false);
}

fn check_make(lower: &mut Lower<'_>, targets: &[ast::Text], variables: &[ast::Pair]) {
    for target in targets {
        let pieces = pieces(&target.value);
        if pieces.len() > 1 && !target.value.contains("${") {
            let fixed = make_words(&target.value);
            let report =
                Diagnostic::new(Code::CommandLine, format!("{} is one word for make", shown(&target.value)))
                    .label(target.span, "not split at its blanks")
                    .help(format!("write each word for itself: `make {fixed}`"));
            lower.diagnostics.push(report.suggest(target.span, fixed));
        }
    }
    let values = || targets.iter().chain(variables.iter().map(|pair| &pair.value));
    let one_by_one = variables.iter().map(|pair| &pair.value);
    for text in targets.iter().filter(|target| pieces(&target.value).len() < 2).chain(one_by_one) {
        other_kernels::check(lower, text);
        check_unexpanded(lower, text, true);
    }
    let installs = targets.iter().find(|text| matches!(text.value.as_str(), "install" | "modules_install"));
    if let Some(install) = installs.filter(|_| !values().any(|text| text.value.contains("{out}"))) {
        let message = format!("`make {}` installs into the builder, which is thrown away", install.value);
        let report = Diagnostic::new(Code::NeedlessStep, message).label(install.span, "reaches no image");
        lower.diagnostics.push(report.help(
            "take it out: the image takes the modules that `output` names; whatever else it holds is put beneath `{out}`",
        ));
    }
}

fn check_run(lower: &mut Lower<'_>, step: &Spanned<ast::Build>, words: &[ast::Text]) {
    let Some(first) = words.first() else { return };
    let line = words.iter().map(|word| word.value.as_str()).collect::<Vec<_>>().join(" ");
    let operator = words.iter().skip(1).find(|word| OPERATORS.contains(&word.value.as_str()));
    let script = format!("script {}", quote(&line));
    if pieces(&first.value).len() > 1 {
        return lower.diagnostics.push(one_word(step, words, first, &script));
    }
    if let Some(operator) = operator {
        let message = format!("`run` passes {} to the program as a word", shown(&operator.value));
        let report = Diagnostic::new(Code::CommandLine, message).label(operator.span, "no shell reads this");
        return lower.diagnostics.push(report.help(format!("write it for a shell: `{script}`")));
    }
    if BUILTINS.contains(&first.value.as_str()) {
        let message = format!("`{}` is a command of the shell's own, and `run` has no shell", first.value);
        let report = Diagnostic::new(Code::CommandLine, message)
            .label(first.span, "has no effect on the step after it");
        let help = match first.value.as_str() {
            "cd" => {
                "name the directory beside the source, `source \"NAME\" dir=\"DIR\"`, or write one `script` with all commands"
            }
            "export" => "write `env NAME=\"value\"` beside the step",
            _ => "write one `script` with all commands",
        };
        return lower.diagnostics.push(report.help(help));
    }
    if let Some((name, value)) = assignment(&first.value) {
        let report = Diagnostic::new(Code::CommandLine, format!("{} is not a program", shown(&first.value)))
            .label(first.span, "a shell would set a variable here")
            .help(format!(
                "write `env {name}={}` beside the step, and begin `run` with the program",
                quote(value)
            ));
        return lower.diagnostics.push(report);
    }
    check_program(lower, &first.value, words.get(1).map(|word| word.value.as_str()), first);
    let reads = READERS.contains(&base(&first.value));
    for word in words {
        other_kernels::check(lower, word);
        if !reads {
            check_unexpanded(lower, word, false);
            check_pattern(lower, word, base(&first.value));
        }
    }
}

/// A whole command line as the first word of `run`.
fn one_word(step: &Spanned<ast::Build>, words: &[ast::Text], first: &ast::Text, script: &str) -> Diagnostic {
    let pieces = pieces(&first.value);
    let needs_shell = first.value.contains(['&', '|', ';', '<', '>', '$', '*', '"', '\'', '`', '~', '(']);
    let split = pieces.iter().map(|piece| quote(piece)).collect::<Vec<_>>().join(" ");
    let report = Diagnostic::new(Code::CommandLine, format!("{} is one word for `run`", shown(&first.value)))
        .label(first.span, "looked for as a program of this name, blanks and all");
    if needs_shell || assignment(&first.value).is_some() {
        let report = report.help(format!(
            "write it for a shell: `{script}`; or each command as a `run` of its own, word by word: `run \"make\" \"all\"`"
        ));
        return if words.len() == 1 { report.suggest(step.span, "script") } else { report };
    }
    let help = format!("write each word for itself: `run {split}`; or leave it to a shell: `{script}`");
    report.help(help).suggest(first.span, split)
}

fn check_script(lower: &mut Lower<'_>, text: &ast::Text) {
    other_kernels::check(lower, text);
    for command in text.value.split(['\n', ';', '&', '|']) {
        let mut words = command.split_whitespace();
        if let Some(program) = words.next() {
            check_program(lower, program, words.next(), text);
        }
    }
}

fn check_program(lower: &mut Lower<'_>, program: &str, argument: Option<&str>, place: &ast::Text) {
    let program = base(program);
    let (message, help) = if ON_THE_SYSTEM.contains(&program) {
        let message = format!("`{program}` acts on the builder, which is thrown away");
        (
            message,
            "take it out: drvc runs depmod on the image's modules, and what `load` names is loaded on the node",
        )
    } else if program == "sudo" {
        ("the builder has no `sudo`".to_owned(), "take `sudo` out: every step runs as root")
    } else if PACKAGE_MANAGERS.contains(&program) && argument == Some("install") {
        let message = format!("`{program} install` runs again for every module and kernel");
        (
            message,
            "name them in `packages \"NAME\"`: one stage installs them, and each system has its own names under `on`",
        )
    } else {
        return;
    };
    let report = Diagnostic::new(Code::NeedlessStep, message).label(place.span, "in this step");
    lower.diagnostics.push(report.help(help));
}

/// `$NAME` and `$(command)`, where nothing replaces them; make replaces `$(NAME)`.
fn check_unexpanded(lower: &mut Lower<'_>, text: &ast::Text, make: bool) {
    if text.value.contains("uname -r") {
        return;
    }
    if check_placeholder(lower, text) {
        return;
    }
    for (at, _) in text.value.match_indices('$') {
        let (before, rest) = (&text.value[..at], &text.value[at + 1..]);
        let (name, is_call) = match rest.strip_prefix('(') {
            Some(inner) => (inner.split(')').next().unwrap_or_default(), true),
            None => (word(rest), false),
        };
        // kbuild alone sets what tells the kernel.
        let of_kernel = before.ends_with("/lib/modules/") && meant(name).is_some();
        let of_make = !of_kernel
            && make
            && is_call
            && (name.contains(' ') || !name.chars().any(|c| c.is_ascii_lowercase()));
        let starts = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        if !starts || of_make || before.ends_with('$') || before.ends_with('\\') {
            continue;
        }
        let written = if is_call { format!("$({name})") } else { format!("${name}") };
        let why = match (make, is_call) {
            (true, false) => format!("make reads `${}` and then `{}`", &name[..1], &name[1..]),
            (true, true) if of_kernel => format!("`{name}` has no value where make starts"),
            (true, true) => format!("make knows no variable `{name}`"),
            (false, _) => "no shell reads this text".to_owned(),
        };
        let help = match meant(name) {
            Some(variable) => format!("write `{{{variable}}}`"),
            None if make => {
                format!("drvc's variables are written `{{name}}`, make's `$({})`", name.to_uppercase())
            }
            None => "drvc's variables are written `{name}`; a `script` is read by a shell".to_owned(),
        };
        let report = Diagnostic::new(Code::UnexpandedText, format!("`{written}` stays as it is written"))
            .label(text.span, why);
        let place = meant(name).and_then(|variable| Some((lower.place_of(text, &written)?, variable)));
        lower.diagnostics.push(match place {
            Some((span, variable)) => report.help(help).suggest(span, format!("{{{variable}}}")),
            None => report.help(help),
        });
        return;
    }
}

/// `{{ kernel }}`, `<kernel>`, `%kernel%` and `@kernel@`: a variable as other tools write it.
fn check_placeholder(lower: &mut Lower<'_>, text: &ast::Text) -> bool {
    for (open, close) in [("${{", "}}"), ("{{", "}}"), ("<", ">"), ("%", "%"), ("@", "@")] {
        let inner = text.value.split_once(open).and_then(|(_, rest)| Some(rest.split_once(close)?.0));
        let name = inner.map(|inner| inner.trim().rsplit('.').next().unwrap_or_default()).unwrap_or_default();
        let Some((variable, _)) = Variable::NAMES.iter().find(|(known, _)| *known == name) else { continue };
        let written = format!("{open}{}{close}", inner.unwrap_or_default());
        let report = Diagnostic::new(Code::UnexpandedText, format!("`{written}` is no variable of drvc"))
            .label(text.span, "stays as it is written, a pair of braces as one brace")
            .help(format!("write `{{{variable}}}`"));
        let place = lower.place_of(text, &written);
        lower.diagnostics.push(match place {
            Some(span) => report.suggest(span, format!("{{{variable}}}")),
            None => report,
        });
        return true;
    }
    false
}

/// `*.h` and `~/x`, which a shell would have replaced before the program sees them.
fn check_pattern(lower: &mut Lower<'_>, text: &ast::Text, program: &str) {
    let home = text.value.starts_with("~/");
    let files = ON_FILES.contains(&program) && text.value.contains(['*', '?']);
    if !home && !files {
        return;
    }
    let message = format!("{} stays as it is written", shown(&text.value));
    let report = Diagnostic::new(Code::UnexpandedText, message).label(text.span, "no shell reads this word");
    lower.diagnostics.push(report.help("write the command as a `script`, which a shell reads"));
}

/// A program's name without its directory.
fn base(program: &str) -> &str {
    program.rsplit('/').next().unwrap_or(program)
}

/// The words of a text, between blanks.
fn pieces(text: &str) -> Vec<&str> {
    text.split_whitespace().collect()
}

/// The letters, digits and `_` that a text begins with.
fn word(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
    &text[..end]
}

/// `NAME=value`
fn assignment(text: &str) -> Option<(&str, &str)> {
    let (name, value) = text.split_once('=')?;
    EnvName::parse(name).is_ok().then_some((name, value))
}

/// A whole command line of make as words of the manifest: without its own name, and with the target's kernel for the running one.
fn make_words(line: &str) -> String {
    let mut line = line.replace("/lib/modules/{kernel}/build", "{kernel_dir}");
    for here in ["$(pwd)", "$(PWD)", "`pwd`", "$PWD"] {
        line = line.replace(here, "{source_dir}");
    }
    for running in ["$(uname -r)", "`uname -r`", "$(shell uname -r)"] {
        line = line
            .replace(&format!("/lib/modules/{running}/build"), "{kernel_dir}")
            .replace(running, "{kernel}");
    }
    let words = line.split_whitespace().enumerate().filter(|(at, word)| *at > 0 || base(word) != "make");
    words.map(|(_, word)| make_word(word)).collect::<Vec<_>>().join(" ")
}

/// A word of make's command line as the manifest has it.
fn make_word(word: &str) -> String {
    match assignment(word) {
        Some((name, value)) => format!("{name}={}", quote(value)),
        None => quote(word),
    }
}

//! What was seen of a machine -> what became of each module, and what is wrong.

use super::qemu::Accelerator;
use crate::images::verify::kinds;
use crate::text::error::Error;
use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestSuite};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::Duration;

/// What came of booting an image.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Report {
    /// The image.
    pub image: String,
    /// The kernel that was booted, as `uname -r` prints it.
    pub kernel: String,
    /// What ran its instructions.
    pub accelerator: Accelerator,
    /// How long the machine ran, in seconds.
    pub seconds: f64,
    /// The image's own command.
    pub command: Vec<String>,
    /// What became of each module that was built, those first that others need.
    pub modules: Vec<ModuleReport>,
    /// The kernel's taint that came with the modules, in its letters (`Documentation/admin-guide/tainted-kernels.rst`).
    pub taint: String,
    /// What the command, and modprobe, said.
    pub output: Vec<String>,
    /// What the kernel said meanwhile.
    pub messages: Vec<String>,
    /// What is wrong, and what is worth knowing.
    pub problems: Vec<Problem>,
}

/// What became of a module.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ModuleReport {
    /// Its name.
    pub name: String,
    /// Whether the kernel took it.
    pub outcome: Outcome,
    /// Who loaded it, or tried.
    pub by: By,
    /// Its parameters, as the kernel has them.
    pub parameters: BTreeMap<String, String>,
    /// Whether it was unloaded again; absent where it was not loaded, or the machine did not come to that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unloaded: Option<bool>,
}

/// Whether a module was loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It is.
    Loaded,
    /// The kernel took it, and it said itself that its device is not there.
    NoDevice,
    /// It is not.
    Failed,
}

/// Who loaded a module.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum By {
    /// The image's own command, or what that loaded needed it.
    Command,
    /// `modprobe`, after the command had left it.
    Modprobe,
}

kinds! {
    /// The kinds of problems.
    Trouble:

    /// The kernel has a symbol in another version than the module was built against.
    ChangedSymbol = "changed-symbol", Error;
    /// The image's command ended with another code than 0.
    CommandFailed = "command-failed", Error;
    /// Something did not end in time.
    Hang = "hang", Error;
    /// The kernel crashed.
    KernelCrash = "kernel-crash", Error;
    /// The kernel warned of itself.
    KernelWarning = "kernel-warning", Error;
    /// A module asked for firmware that is not there.
    MissingFirmware = "missing-firmware", Note;
    /// The kernel's packages lack one of its own modules.
    MissingModule = "missing-module", Note;
    /// The kernel does not export a symbol.
    MissingSymbol = "missing-symbol", Error;
    /// The machine ended before the image's command.
    NoBoot = "no-boot", Error;
    /// A module's device is not in the machine.
    NoDevice = "no-device", Note;
    /// The processor's own acceleration could not be used.
    NoKvm = "no-kvm", Note;
    /// A module was not loaded.
    NotLoaded = "not-loaded", Error;
    /// A module was not unloaded.
    NotUnloaded = "not-unloaded", Error;
    /// A parameter does not have the value that the image gives it.
    ParameterNotApplied = "parameter-not-applied", Error;
    /// A module cannot be unloaded by its own doing.
    Permanent = "permanent", Note;
    /// The kernel refused a module's signature.
    RejectedSignature = "rejected-signature", Error;
    /// The kernel is tainted beyond what a module from outside of the tree does to it.
    Tainted = "tainted", Error;
    /// A parameter that the module does not have.
    UnknownParameter = "unknown-parameter", Error;
    /// The module was built for another kernel.
    WrongKernel = "wrong-kernel", Error;
}

/// How much a problem matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// The driver does not work on that kernel.
    Error,
    /// Worth knowing.
    Note,
}

impl Level {
    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Note => "note",
        }
    }
}

/// Something to say of a boot.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct Problem {
    /// How much it matters.
    pub level: Level,
    /// What kind it is of.
    pub code: Trouble,
    /// The module that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub module: Option<String>,
    /// What is the matter.
    pub message: String,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// What the machine said of it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<String>,
}

impl Problem {
    pub(super) fn new(code: Trouble, message: impl Into<String>) -> Self {
        Self {
            level: code.level(),
            code,
            module: None,
            message: message.into(),
            help: None,
            lines: Vec::new(),
        }
    }

    pub(super) fn of(self, module: &str) -> Self {
        Self { module: Some(module.to_owned()), ..self }
    }

    pub(super) fn help(self, help: &str) -> Self {
        Self { help: Some(help.to_owned()), ..self }
    }

    pub(super) fn lines(self, lines: impl IntoIterator<Item = String>) -> Self {
        Self { lines: lines.into_iter().collect(), ..self }
    }
}

impl Report {
    /// Whether there is anything but notes.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.problems.iter().any(|problem| problem.level == Level::Error)
    }

    /// The same for programs that read test results: one suite for each image, with a test for the machine and one for
    /// each module.
    ///
    /// # Errors
    /// A text that XML cannot hold.
    pub fn junit(reports: &[Self]) -> Result<String, Error> {
        let mut all = quick_junit::Report::new("drvc boot");
        for report in reports {
            let mut suite = TestSuite::new(report.image.as_str());
            let mut machine = TestCase::new(report.kernel.as_str(), report.status(None));
            machine.set_classname(report.image.as_str()).set_time(Duration::from_secs_f64(report.seconds));
            machine.set_system_out(report.messages.join("\n"));
            suite.add_test_case(machine);
            for module in &report.modules {
                let mut case = TestCase::new(module.name.as_str(), report.status(Some(&module.name)));
                case.set_classname(report.image.as_str());
                suite.add_test_case(case);
            }
            all.add_test_suite(suite);
        }
        all.to_string().map_err(|cause| Error::new("write", "the JUnit report", cause))
    }

    /// How it went for a module, or for all that is about none.
    fn status(&self, module: Option<&str>) -> TestCaseStatus {
        let about = |problem: &&Problem| problem.module.as_deref() == module && problem.level == Level::Error;
        let problems: Vec<_> = self.problems.iter().filter(about).collect();
        let Some(first) = problems.first() else {
            let device = |report: &&ModuleReport| Some(report.name.as_str()) == module;
            let found = self.modules.iter().find(device);
            return match found.map(|report| report.outcome) {
                Some(Outcome::NoDevice) => {
                    let mut status = TestCaseStatus::skipped();
                    status.set_message("its device is not in the machine");
                    status
                }
                _ => TestCaseStatus::success(),
            };
        };
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
        status.set_type(first.code.code()).set_message(first.message.as_str());
        let lines = problems.iter().flat_map(|problem| [&problem.message].into_iter().chain(&problem.lines));
        status.set_description(lines.cloned().collect::<Vec<_>>().join("\n"));
        status
    }
}

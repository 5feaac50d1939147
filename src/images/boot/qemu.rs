//! A kernel, a root file system and a time limit -> the lines that the machine said on its console.

use super::initramfs::{FIRMWARE, INIT};
use crate::system::process::{Ended, Environment, Interrupt, Program, Stream};
use crate::text::error::Error;
use crate::text::ids::Arch;
use camino::Utf8Path;
use schemars::JsonSchema;
use serde::Serialize;
use std::time::{Duration, Instant};

/// What one machine may say, in bytes.
const SAID: usize = 32 << 20;
/// How long a machine with KVM may be silent before it is taken for one that does not work.
const PROBE: Duration = Duration::from_secs(8);
const KVM: &str = "/dev/kvm";
/// Memory beside what the root file system takes, in MiB.
const MEMORY: u64 = 768;

/// What runs the machine's instructions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Accelerator {
    /// The processor itself.
    Kvm,
    /// QEMU's own translator.
    Tcg,
}

impl Accelerator {
    /// As people write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Kvm => "KVM",
            Self::Tcg => "TCG",
        }
    }
}

/// How a machine of an architecture is put together.
struct Board {
    program: &'static str,
    machine: &'static str,
    console: &'static str,
    /// The processor that is emulated. Five levels of page tables would cost time and show nothing.
    processor: &'static str,
    /// What its kernel is told beside what every kernel is. On a busy machine a translated one may find that its timer does
    /// not tick as often as it should, and give up.
    words: &'static str,
}

fn board(arch: Arch) -> Option<Board> {
    match arch {
        Arch::X86_64 => Some(Board {
            program: "qemu-system-x86_64",
            machine: "q35",
            console: "ttyS0",
            processor: "max,la57=off",
            words: "no_timer_check",
        }),
        Arch::Aarch64 => Some(Board {
            program: "qemu-system-aarch64",
            machine: "virt",
            console: "ttyAMA0",
            processor: "max,pauth-impdef=on",
            words: "",
        }),
        _ => None,
    }
}

/// What a machine said.
#[derive(Clone, Debug)]
pub(super) struct Said {
    pub lines: Vec<String>,
    pub ended: Ended,
    pub time: Duration,
    pub accelerator: Accelerator,
    /// Why there is no KVM though the machine has it.
    pub aside: Option<String>,
    /// What QEMU itself said.
    pub complaint: String,
}

/// A machine.
pub(super) struct Qemu<'a> {
    pub arch: Arch,
    pub kernel: &'a Utf8Path,
    pub root: &'a Utf8Path,
    /// Bytes of the root file system.
    pub size: u64,
    pub timeout: Duration,
    pub environment: &'a Environment,
    pub interrupt: &'a Interrupt,
}

impl Qemu<'_> {
    /// Runs it to its end.
    pub(super) fn run(&self) -> Result<Said, Error> {
        let board = board(self.arch).ok_or_else(|| {
            Error::new("boot", self.arch.name(), "machines of that architecture are not known here")
        })?;
        let mut aside = None;
        if self.has_kvm() {
            // Whether it works is known from a kernel that says anything: it has no root, and ends in a panic.
            let probe = self.start(&board, Accelerator::Kvm, None, PROBE)?;
            if probe.lines.is_empty() {
                let why = probe.complaint.lines().next().unwrap_or("the machine says nothing").to_owned();
                aside = Some(format!("{KVM} is there and does not work ({why})"));
            } else {
                return self.start(&board, Accelerator::Kvm, Some(self.root), self.timeout);
            }
        }
        let said = self.start(&board, Accelerator::Tcg, Some(self.root), self.timeout)?;
        Ok(Said { aside, ..said })
    }

    /// Whether this machine's own processor can be used.
    fn has_kvm(&self) -> bool {
        let access = rustix::fs::Access::READ_OK | rustix::fs::Access::WRITE_OK;
        self.arch.name() == std::env::consts::ARCH && rustix::fs::access(KVM, access).is_ok()
    }

    fn start(
        &self,
        board: &Board,
        accelerator: Accelerator,
        root: Option<&Utf8Path>,
        timeout: Duration,
    ) -> Result<Said, Error> {
        let start = Instant::now();
        let memory = (MEMORY + 3 * (self.size >> 20)).to_string();
        let processor = if accelerator == Accelerator::Kvm { "host" } else { board.processor };
        let quiet = if root.is_some() { "quiet" } else { "" };
        let words = format!(
            "console={} rdinit={INIT} panic=-1 oops=panic printk.devkmsg=on printk.time=1 {quiet} \
             firmware_class.path={FIRMWARE} rcupdate.rcu_expedited=1 watchdog_thresh=60 {}",
            board.console, board.words
        );
        let accel = accelerator.name().to_lowercase();
        let mut program = Program::new(board.program, self.environment)
            .args(["-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-serial", "stdio"])
            .args(["-machine", board.machine, "-accel", &accel, "-cpu", processor, "-m", &memory])
            .args(["-sandbox", "on,obsolete=deny,elevateprivileges=deny,spawn=deny"])
            .args(["-kernel", self.kernel.as_str(), "-append", &words])
            .timeout(timeout)
            .limit(SAID)
            .interrupt(self.interrupt);
        if let Some(root) = root {
            program = program.args(["-initrd", root.as_str()]);
        }
        let (mut lines, mut complaint) = (Vec::new(), String::new());
        let ended = program.lines(|stream, line| {
            let text = String::from_utf8_lossy(line);
            let text = text.trim_end_matches(['\r', '\n']);
            match stream {
                Stream::Out if !text.is_empty() => lines.push(text.to_owned()),
                Stream::Out => {}
                Stream::Err => complaint.push_str(&format!("{text}\n")),
            }
        });
        let ended = ended.map_err(|error| {
            Error::new("start", board.program, error.to_string())
                .help("install QEMU: `qemu-system-x86` or `qemu-system-arm` of Debian, `qemu-kvm` of RHEL")
        })?;
        Ok(Said { lines, ended, time: start.elapsed(), accelerator, aside: None, complaint })
    }
}

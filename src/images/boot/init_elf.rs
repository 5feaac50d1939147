//! A list of system calls -> a program that makes them: the first process of the machine, before any shell can run.
//!
//! It mounts `/proc`, `/sys` and `/dev`, which images need not have a program for, and becomes the image's own shell. A
//! static ELF file of one segment, as `elf(5)` has it; call numbers and registers are those of the kernel's
//! `arch/x86/entry/syscalls/syscall_64.tbl` and `include/uapi/asm-generic/unistd.h`, and of `syscall(2)`.

use crate::text::ids::Arch;

/// Where the program lies in memory.
const BASE: u32 = 0x0040_0000;
/// An ELF header and one program header.
const HEADERS: u32 = 64 + 56;

/// An argument of a system call.
#[derive(Clone, Copy, Debug)]
pub(super) enum Arg<'a> {
    Number(u32),
    /// The address of a text.
    Text(&'a str),
    /// The address of a list of texts that ends in a null pointer.
    List(&'a [&'a str]),
}

/// The machine code of an architecture.
#[derive(Clone, Copy, Debug)]
pub(super) struct Machine {
    /// `e_machine`.
    elf: u16,
    mount: u32,
    execve: u32,
    exit: u32,
    /// Bytes of one call.
    call: u32,
    encode: fn([u32; 6]) -> Vec<u8>,
}

const X86_64: Machine = Machine { elf: 62, mount: 165, execve: 59, exit: 60, call: 34, encode: x86_64 };
const AARCH64: Machine = Machine { elf: 183, mount: 40, execve: 221, exit: 93, call: 52, encode: aarch64 };

impl Machine {
    /// That of an architecture, where it is known here.
    pub(super) const fn of(arch: Arch) -> Option<Self> {
        match arch {
            Arch::X86_64 => Some(X86_64),
            Arch::Aarch64 => Some(AARCH64),
            _ => None,
        }
    }

    /// The program that mounts file systems (kind and place) and becomes `/bin/sh SCRIPT`.
    pub(super) fn init_elf(self, mounts: &[(&str, &str)], script: &str) -> Vec<u8> {
        let none = Arg::Number(0);
        let words = ["/bin/sh", script];
        let variables = ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root"];
        let mut calls: Vec<(u32, [Arg<'_>; 5])> = mounts
            .iter()
            .map(|(kind, place)| {
                (self.mount, [Arg::Text(kind), Arg::Text(place), Arg::Text(kind), none, none])
            })
            .collect();
        calls.push((
            self.execve,
            [Arg::Text("/bin/sh"), Arg::List(&words), Arg::List(&variables), none, none],
        ));
        calls.push((self.exit, [Arg::Number(127), none, none, none, none]));
        self.program(&calls)
    }

    /// The program that makes these calls, one after another, whatever becomes of each.
    fn program(self, calls: &[(u32, [Arg<'_>; 5])]) -> Vec<u8> {
        let code_size = self.call.saturating_mul(u32::try_from(calls.len()).unwrap_or(u32::MAX));
        let mut data = Data { start: BASE + HEADERS + code_size, bytes: Vec::new() };
        let mut code = Vec::new();
        for (number, arguments) in calls {
            let [a, b, c, d, e] = arguments.map(|argument| data.address(argument));
            code.extend((self.encode)([*number, a, b, c, d, e]));
        }
        let size = u64::from(HEADERS + code_size) + data.bytes.len() as u64;
        let mut file = self.headers(size);
        file.extend(code);
        file.extend(data.bytes);
        file
    }

    fn headers(self, size: u64) -> Vec<u8> {
        let mut file = b"\x7fELF\x02\x01\x01".to_vec();
        file.resize(16, 0);
        let half = |file: &mut Vec<u8>, values: &[u16]| {
            values.iter().for_each(|value| file.extend(value.to_le_bytes()));
        };
        let word = |file: &mut Vec<u8>, values: &[u32]| {
            values.iter().for_each(|value| file.extend(value.to_le_bytes()));
        };
        let long = |file: &mut Vec<u8>, values: &[u64]| {
            values.iter().for_each(|value| file.extend(value.to_le_bytes()));
        };
        // Executable, version 1, entry behind the headers, program headers right here, no sections.
        half(&mut file, &[2, self.elf]);
        word(&mut file, &[1]);
        long(&mut file, &[u64::from(BASE + HEADERS), 64, 0]);
        word(&mut file, &[0]);
        half(&mut file, &[64, 56, 1, 0, 0, 0]);
        // One segment to load, to be read and executed: all of the file.
        word(&mut file, &[1, 5]);
        long(&mut file, &[0, u64::from(BASE), u64::from(BASE), size, size, 0x1000]);
        file
    }
}

/// What calls point to, behind the code.
struct Data {
    start: u32,
    bytes: Vec<u8>,
}

impl Data {
    fn address(&mut self, argument: Arg<'_>) -> u32 {
        match argument {
            Arg::Number(number) => number,
            Arg::Text(text) => self.put(&[text.as_bytes(), b"\0"].concat()),
            Arg::List(texts) => {
                let mut list = Vec::new();
                for text in texts {
                    list.extend(u64::from(self.address(Arg::Text(text))).to_le_bytes());
                }
                list.extend([0; 8]);
                self.put(&list)
            }
        }
    }

    fn put(&mut self, bytes: &[u8]) -> u32 {
        self.bytes.resize(self.bytes.len().next_multiple_of(8), 0);
        let here = u32::try_from(self.bytes.len()).unwrap_or(u32::MAX);
        self.bytes.extend_from_slice(bytes);
        self.start.saturating_add(here)
    }
}

/// `mov eax, …` and so on for edi, esi, edx, r10d and r8d, then `syscall`.
fn x86_64(values: [u32; 6]) -> Vec<u8> {
    let registers: [&[u8]; 6] = [&[0xb8], &[0xbf], &[0xbe], &[0xba], &[0x41, 0xba], &[0x41, 0xb8]];
    let moves = registers.iter().zip(values);
    let mut code: Vec<u8> =
        moves.flat_map(|(opcode, value)| [opcode, &value.to_le_bytes()[..]].concat()).collect();
    code.extend([0x0f, 0x05]);
    code
}

/// `movz` and `movk` for x8 and x0 to x4, then `svc #0`.
fn aarch64(values: [u32; 6]) -> Vec<u8> {
    let mut code = Vec::new();
    for (register, value) in [8, 0, 1, 2, 3, 4_u32].into_iter().zip(values) {
        code.extend((0xd280_0000 | (value & 0xffff) << 5 | register).to_le_bytes());
        code.extend((0xf2a0_0000 | (value >> 16) << 5 | register).to_le_bytes());
    }
    code.extend(0xd400_0001_u32.to_le_bytes());
    code
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_have_the_size_that_is_reckoned_with() {
        for machine in [X86_64, AARCH64] {
            assert_eq!((machine.encode)([1; 6]).len(), machine.call as usize);
        }
    }

    #[test]
    fn it_is_an_elf_file_that_readers_take() {
        use object::{Object as _, ObjectSegment as _};
        for (arch, name) in
            [(Arch::X86_64, object::Architecture::X86_64), (Arch::Aarch64, object::Architecture::Aarch64)]
        {
            let program = Machine::of(arch).unwrap().init_elf(&[("proc", "/proc")], "/script");
            let file = object::File::parse(&*program).unwrap();
            assert_eq!((file.architecture(), file.entry()), (name, u64::from(BASE + HEADERS)));
            let segment = file.segments().next().unwrap();
            assert_eq!(segment.data().unwrap().len(), program.len());
            assert!(program.windows(8).any(|bytes| bytes == b"/script\0"));
        }
    }

    #[test]
    #[cfg(target_arch = "x86_64")]
    fn it_runs() {
        use crate::system::fs::Dir;
        use crate::system::process::{Ended, Environment, Program};
        let none = Arg::Number(0);
        // write(1, …) and execve(/bin/sh).
        let script = ["/bin/sh", "-c", "echo $A; exit 7"];
        let program = X86_64.program(&[
            (1, [Arg::Number(1), Arg::Text("hello\n"), Arg::Number(6), none, none]),
            (59, [Arg::Text("/bin/sh"), Arg::List(&script), Arg::List(&["A=one"]), none, none]),
        ]);
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("program");
        let home = Dir::open_root(directory.path().to_str().unwrap()).unwrap();
        home.fill("program", &program, true).unwrap();
        let finished =
            Program::new(path.to_str().unwrap(), &Environment::of_this_process()).output().unwrap();
        assert_eq!((finished.ended, finished.stdout), (Ended::Code(7), b"hello\none\n".to_vec()));
    }
}

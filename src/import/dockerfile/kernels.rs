//! The kernels that a Dockerfile names by their releases.

use super::{Reading, values};
use crate::knowledge::profile::Profiles;
use crate::text::ids::{Arch, KernelText};

impl Reading {
    /// Notes a value that is a kernel's name.
    pub(super) fn names_kernel(&mut self, value: &str) -> bool {
        let shaped =
            value.starts_with(|c: char| c.is_ascii_digit()) && value.contains('-') && value.contains('.');
        let known =
            shaped && KernelText::parse(value).is_ok() && !Profiles::builtin().readers_of(value).is_empty();
        if known {
            self.note_kernel(value);
        }
        known
    }

    /// A kernel once, in full where it is named with and without its architecture: packages are asked for without it.
    fn note_kernel(&mut self, value: &str) {
        let kernels = &mut self.values.kernels;
        if let Some(shorter) = kernels.iter_mut().find(|kernel| without_arch(value) == Some(kernel)) {
            value.clone_into(shorter);
        } else if !kernels.iter().any(|kernel| kernel == value || without_arch(kernel) == Some(value)) {
            kernels.push(value.to_owned());
        }
    }

    /// Whether a variable for a kernel's release has one that no profile knows.
    pub(super) fn is_foreign_kernel(&self, name: &str, value: &str) -> bool {
        let shaped = value.starts_with(|c: char| c.is_ascii_digit()) && value.contains('-');
        shaped && self.values.is_kernel(name) && Profiles::builtin().readers_of(value).is_empty()
    }

    /// Notes the kernels that a command names by their releases: in a path of headers, in a variable that is called
    /// after a kernel, in the list of a loop.
    pub(super) fn kernels_in(&mut self, command: &str) {
        let in_list = command.trim_start().starts_with("for ");
        for word in command.split(|c: char| c.is_whitespace() || ";'\"".contains(c)) {
            let paths = ["/lib/modules/", "/usr/src/kernels/", "/usr/src/linux-headers-"];
            let in_path = paths.iter().find_map(|path| word.split_once(path)?.1.split('/').next());
            if let Some(kernel) = values::of_suse(word) {
                self.names_kernel(&kernel);
            }
            let of_variable =
                word.split_once('=').filter(|(name, _)| self.values.is_kernel(name)).map(|(_, value)| value);
            if let Some(kernel) = in_path.or(of_variable).or(Some(word).filter(|_| in_list)) {
                self.names_kernel(kernel);
            }
        }
    }
}

/// The release without an architecture that it ends in.
fn without_arch(kernel: &str) -> Option<&str> {
    Arch::ALL.iter().find_map(|arch| kernel.strip_suffix(arch.name())?.strip_suffix('.'))
}

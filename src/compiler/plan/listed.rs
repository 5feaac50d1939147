//! Kernels held to the architectures and flavours that their `os` lists.

use super::kernels::Named;
use crate::compiler::model::{KernelRule, OsRule};
use crate::text::diag::{Code, Diagnostic, Diagnostics};
use crate::text::ids::Arch;

/// A kernel in full must be of an architecture and flavour that the `os` lists, where it lists some.
pub(super) fn kernel(rule: &OsRule, named: &Named<'_>) -> Diagnostics {
    let mut found = Diagnostics::default();
    if let (Some(arch), Some(first)) = (named.kernel.arch, rule.arches.first())
        && !rule.arches.iter().any(|listed| listed.value == arch)
    {
        let report =
            Diagnostic::new(Code::ArchMismatch, format!("kernel `{}` is for {arch}", named.kernel.text))
                .label(named.span, format!("a kernel for {arch}"))
                .label(first.span, "not among the architectures here");
        found.push(report.help(format!(
            "add `{arch}` to `arch`, or leave the architecture out of the kernel to cross the two"
        )));
    }
    if let Some(first) = rule.flavors.first()
        && !rule.flavors.iter().any(|listed| listed.value == named.kernel.flavor)
    {
        let flavor = &named.kernel.flavor;
        let message = format!("kernel `{}` is of flavour `{flavor}`", named.kernel.text);
        let report = Diagnostic::new(Code::FlavorMismatch, message)
            .label(named.span, format!("flavour `{flavor}`"))
            .label(first.span, "not among the flavours here");
        found.push(report.help(format!("add `{flavor}` to `flavor`")));
    }
    found
}

/// Each architecture that the `os` lists must have a kernel, where each kernel is named with its own.
pub(super) fn arches(rule: &OsRule, named: &[Named<'_>]) -> Diagnostics {
    let mut found = Diagnostics::default();
    let explicit = rule.kernels.iter().all(|kernel| matches!(kernel, KernelRule::Explicit(..)));
    let of_kernels: Option<Vec<Arch>> = named.iter().map(|one| one.kernel.arch).collect();
    let (Some(first), Some(of_kernels)) = (named.first().filter(|_| explicit), of_kernels) else {
        return found;
    };
    // Where no kernel fits the list, each is reported by itself.
    if !rule.arches.iter().any(|arch| of_kernels.contains(&arch.value)) {
        return found;
    }
    let text = first.kernel.text.as_str();
    let bare = first.kernel.arch.and_then(|arch| text.strip_suffix(arch.name())?.strip_suffix('.'));
    for arch in rule.arches.iter().filter(|arch| !of_kernels.contains(&arch.value)) {
        let label = first.kernel.arch.map_or(String::new(), |arch| format!("a kernel for {arch}"));
        let report = Diagnostic::new(Code::ArchMismatch, format!("no kernel here is for {}", arch.value))
            .label(arch.span, "would have no target")
            .label(first.span, label);
        found.push(report.help(match bare {
            Some(bare) => format!(
                "leave the architecture out of the kernel to cross the two: `{bare}`; or take `{}` out",
                arch.value
            ),
            None => format!("name a kernel for it, or take `{}` out", arch.value),
        }));
    }
    found
}

//! Modules against their kernel: vermagic, symbols and their versions, dependencies.

use super::finding::{Finding, Kind};
use super::{Driver, Expected, Packed, Symvers};
use crate::text::ids::KernelText;
use std::collections::BTreeSet;

/// So many symbols are named in one message.
const NAMED: usize = 8;

pub(super) fn check(driver: &Driver, expected: &Expected) -> Vec<Finding> {
    let mut findings = Vec::new();
    let kernel = driver.kernel.as_deref().unwrap_or_default();
    let exported: BTreeSet<&str> =
        driver.modules.iter().flat_map(|packed| &packed.module.exports).map(String::as_str).collect();
    for packed in &driver.modules {
        match packed.module.kernel() {
            Some(built) if built == kernel => {}
            Some(built) if is_recorded(driver, packed, built) => {}
            Some(built) => {
                let message = format!("`{}` was built for {built}, not for {kernel}", packed.module.name);
                let help = "pass the kernel's build directory to make, and never `uname -r`";
                findings.push(Finding::new(Kind::WrongKernel, message).at(&packed.path).help(help));
            }
            None => {
                let message = format!("`{}` does not say which kernel it was built for", packed.module.name);
                findings.push(Finding::new(Kind::WrongKernel, message).at(&packed.path));
            }
        }
        if let Some(symvers) = &expected.symvers {
            findings.extend(symbols(packed, symvers, &exported));
        }
    }
    findings.extend(reused(driver, kernel, expected));
    if expected.symvers.is_none() {
        let help = "give the kernel's Module.symvers, or the package of its headers, with `--symvers`";
        let why = expected.unknown.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
        let message = format!("the kernel's symbols are not known, so none was compared{why}");
        findings.push(Finding::new(Kind::Unverified, message).help(help));
    }
    for packed in driver.built() {
        findings.extend(dependencies(packed, driver, expected.symvers.as_ref()));
        findings.extend(unstable(packed, &exported, expected.stablelist.as_ref()));
    }
    findings
}

/// Whether a module was built for another kernel, and its image says so.
fn is_recorded(driver: &Driver, packed: &Packed, built: &str) -> bool {
    !packed.is_in_tree() && driver.record.as_ref().is_some_and(|record| record.kernel == built)
}

/// Modules that were built for another kernel: the lock must tie it to this one, and what they use must be exported here as
/// it was there.
fn reused(driver: &Driver, kernel: &str, expected: &Expected) -> Vec<Finding> {
    let Some(record) = driver.record.as_ref().filter(|record| record.kernel != kernel) else {
        return Vec::new();
    };
    let help = "build it again: `drvc build` compiles it then";
    let note = format!("its modules were built for {} and reused", record.kernel);
    let is_tied =
        |kernels: &BTreeSet<KernelText>| kernels.iter().any(|known| known.as_str() == record.kernel);
    let untied = expected.kernels.as_ref().filter(|kernels| !is_tied(kernels)).map(|_| {
        let message = format!("`reuse` and the lock do not take modules of {} for {kernel}", record.kernel);
        Finding::new(Kind::WrongKernel, message).help(help)
    });
    let symvers = expected.symvers.as_ref();
    let changed = symvers.map(|symvers| record.symbols.changed_in(symvers)).unwrap_or_default();
    let changed = some(&changed).map(|symbols| {
        let message = format!("{kernel} exports otherwise than {} what is used: {symbols}", record.kernel);
        Finding::new(Kind::ChangedSymbol, message).help(help)
    });
    [Finding::new(Kind::ReusedModules, note)].into_iter().chain(untied).chain(changed).collect()
}

fn symbols(packed: &Packed, symvers: &Symvers, exported: &BTreeSet<&str>) -> Vec<Finding> {
    let misfits = symvers.mismatches(&packed.module, exported);
    let name = &packed.module.name;
    let missing = some(&misfits.missing).map(|symbols| {
        Finding::new(Kind::MissingSymbol, format!("nothing exports what `{name}` uses: {symbols}"))
            .help("pack the module that exports it, or build against a kernel that does")
    });
    let changed = some(&misfits.changed).map(|symbols| {
        Finding::new(
            Kind::ChangedSymbol,
            format!("the kernel has other versions of what `{name}` uses: {symbols}"),
        )
        .help("build it again with this kernel's own headers")
    });
    let unversioned = some(&misfits.unversioned).map(|symbols| {
        let message = format!("`{name}` and the kernel do not both say a version of: {symbols}");
        Finding::new(Kind::ChangedSymbol, message).help("build it again with this kernel's own headers")
    });
    let closed = some(&misfits.closed).map(|symbols| {
        let message = format!("the kernel keeps from `{name}` by licence, namespace or module: {symbols}");
        let help = "build it again with this kernel's own headers, whose modpost says what it lacks";
        Finding::new(Kind::ClosedSymbol, message).help(help)
    });
    let all = missing.into_iter().chain(changed).chain(unversioned).chain(closed);
    all.map(|finding| finding.at(&packed.path)).collect()
}

fn unstable(
    packed: &Packed,
    exported: &BTreeSet<&str>,
    stable: Option<&BTreeSet<String>>,
) -> Option<Finding> {
    let stable = stable?;
    let symbols = packed.module.imports.keys().filter(|symbol| {
        !stable.contains(*symbol) && !exported.contains(symbol.as_str()) && *symbol != "module_layout"
    });
    let symbols: BTreeSet<String> = symbols.cloned().collect();
    let message =
        format!("`{}` uses what may change within the release: {}", packed.module.name, some(&symbols)?);
    Some(
        Finding::new(Kind::NotOnStablelist, message)
            .at(&packed.path)
            .help("build it for each kernel separately"),
    )
}

fn dependencies(packed: &Packed, driver: &Driver, symvers: Option<&Symvers>) -> Vec<Finding> {
    let packaged = driver.by_name();
    let kernels: BTreeSet<&str> = symvers.map(|symvers| symvers.modules().collect()).unwrap_or_default();
    let name = &packed.module.name;
    let mut findings = Vec::new();
    for needed in &packed.module.depends {
        if packaged.contains_key(needed.as_str()) || driver.builtin.contains(needed) {
            continue;
        }
        if symvers.is_some() && !kernels.contains(needed.as_str()) {
            let message =
                format!("`{name}` needs `{needed}`, which is neither in the image nor in the kernel");
            findings.push(Finding::new(Kind::MissingDependency, message).at(&packed.path));
        } else if driver.linked {
            let message = format!("`{name}` needs the kernel's own `{needed}`, which is taken from the node");
            findings.push(Finding::new(Kind::InTreeModule, message).at(&packed.path));
        } else {
            let message = format!("`{name}` needs `{needed}`, which is not in the image, nor linked to");
            let help =
                "with `in-tree \"link\"` it comes from the node, with `in-tree \"copy\"` from the image";
            findings.push(Finding::new(Kind::MissingDependency, message).at(&packed.path).help(help));
        }
    }
    findings
}

/// The first of some names, and how many more there are; nothing for none.
fn some(names: &BTreeSet<String>) -> Option<String> {
    let named: Vec<_> = names.iter().take(NAMED).map(|name| format!("`{name}`")).collect();
    let more = match names.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    (!named.is_empty()).then(|| named.join(", ") + &more)
}

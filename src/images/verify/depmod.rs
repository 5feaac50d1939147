//! `modules.dep` against the modules that lie beside it.
//!
//! A line is `PATH: PATHS`, beneath the directory of the kernel's modules: a module, then all modules that have to be
//! loaded before it (modules.dep(5)). modprobe reads its binary form, which depmod writes with it.

use super::finding::{Finding, Kind};
use super::module::kmod_name;
use super::{Driver, Packed};
use crate::images::image::Image;
use std::collections::{BTreeMap, BTreeSet};

/// Largest `modules.dep`: those of distributions have less than 1 MiB.
const SIZE: u64 = 64 << 20;

pub(super) fn check(image: &Image, driver: &Driver) -> Vec<Finding> {
    let path = format!("{}/modules.dep", driver.directory);
    let stale = |message: String| {
        let kernel = driver.kernel.as_deref().unwrap_or("<kernel>");
        let help = format!("run `depmod -b /opt {kernel}` after the last module is in its place");
        Finding::new(Kind::StaleModulesDep, message).at(&path).help(help)
    };
    let Ok(text) = image.root.read(&path, SIZE) else {
        return vec![stale("there is no modules.dep, so modprobe finds no module".to_owned())];
    };
    if image.root.get(&format!("{path}.bin")).is_none() {
        return vec![stale("there is no modules.dep.bin, which modprobe reads".to_owned())];
    }
    let text = String::from_utf8_lossy(&text);
    let lines: BTreeMap<&str, BTreeSet<String>> = text
        .lines()
        .filter_map(|line| line.split_once(':'))
        .map(|(module, needed)| (module, needed.split_whitespace().map(kmod_name).collect()))
        .collect();
    if lines.is_empty() && !driver.modules.is_empty() {
        return vec![stale("modules.dep is empty, so modprobe finds no module".to_owned())];
    }
    let packaged = driver.by_name();
    let mut findings = Vec::new();
    for packed in &driver.modules {
        let name = &packed.module.name;
        let Some(listed) = lines.get(packed.inner.as_str()) else {
            findings.push(stale(format!("modules.dep does not list `{name}`")));
            continue;
        };
        // Modules of the node are named by it alone, as `host/…`.
        let forgotten: Vec<_> =
            closure(packed, &packaged).into_iter().filter(|needed| !listed.contains(*needed)).collect();
        if !forgotten.is_empty() {
            findings.push(stale(format!("modules.dep loads `{name}` without `{}`", forgotten.join("`, `"))));
        }
    }
    let known: BTreeSet<&str> = driver.modules.iter().map(|packed| packed.inner.as_str()).collect();
    let gone = lines.keys().filter(|path| !known.contains(**path) && !path.starts_with("host/"));
    findings.extend(gone.map(|path| stale(format!("modules.dep lists `{path}`, which is not there"))));
    findings
}

/// Every module of the image that has to be loaded before this one.
fn closure<'a>(packed: &'a Packed, packaged: &BTreeMap<&str, &'a Packed>) -> BTreeSet<&'a str> {
    let mut needed = BTreeSet::new();
    let mut open = vec![packed];
    while let Some(module) = open.pop() {
        for name in &module.module.depends {
            if let Some(dependency) = packaged.get(name.as_str())
                && needed.insert(name.as_str())
            {
                open.push(dependency);
            }
        }
    }
    needed
}

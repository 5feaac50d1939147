//! What an image owes to those who run it: KMM's worker, a node's modprobe, and people who ask what is in it.
//!
//! KMM's worker pod copies modules and firmware out of the image with the image's own shell, `mkdir` and `cp` ("Creating
//! a kmod image" in OpenShift's documentation of the operator names `cp` and `<prefix>/lib/modules/<kernel>`).

use super::driver::PLACE;
use super::finding::{Finding, Kind};
use super::{Driver, Expected};
use crate::compiler::keys::LABEL as KEY;
use crate::images::image::{self, Image};

const PATH: [&str; 6] = ["usr/local/sbin", "usr/local/bin", "usr/sbin", "usr/bin", "sbin", "bin"];
/// Tools that build modules and have no place where they only run.
const BUILDERS: [&str; 7] = ["gcc", "cc", "make", "ld", "as", "rpmbuild", "git"];
/// Where a kernel looks for firmware, and where KMM lets images keep it.
const FIRMWARE: [&str; 8] = [
    "opt/lib/firmware/updates",
    "opt/lib/firmware",
    "lib/firmware/updates",
    "lib/firmware",
    "usr/lib/firmware/updates",
    "usr/lib/firmware",
    "firmware",
    "opt/firmware",
];

pub(super) fn check(image: &Image, driver: &Driver, expected: &Expected) -> Vec<Finding> {
    let mut findings: Vec<Finding> = worker(image).into_iter().collect();
    findings.extend(driver.kernel.as_ref().map(|_| firmware(image, driver)).into_iter().flatten());
    findings.extend(labels(image, driver, expected));
    findings.extend(tools(image));
    findings
}

fn has_program(image: &Image, name: &str) -> bool {
    let at = |directory: &&str| image.root.get(&format!("{directory}/{name}"));
    PATH.iter().filter_map(at).any(|file| file.kind == image::Kind::File && file.mode & 0o111 != 0)
}

fn worker(image: &Image) -> Option<Finding> {
    let missing: Vec<_> =
        ["sh", "mkdir", "cp"].into_iter().filter(|name| !has_program(image, name)).collect();
    if missing.is_empty() {
        return None;
    }
    let message =
        format!("KMM copies the modules out with programs that are not in the image: {}", missing.join(", "));
    Some(Finding::new(Kind::KmmContract, message).help("use a base that has a shell and coreutils"))
}

fn firmware(image: &Image, driver: &Driver) -> Vec<Finding> {
    let is_there = |name: &str| {
        FIRMWARE.iter().any(|place| {
            ["", ".xz", ".zst"]
                .iter()
                .any(|ending| image.root.get(&format!("{place}/{name}{ending}")).is_some())
        })
    };
    let mut findings = Vec::new();
    for packed in driver.built() {
        for file in packed.module.firmware.iter().filter(|file| !is_there(file)) {
            let message = format!(
                "`{}` may ask for the firmware `{file}`, which is not in the image",
                packed.module.name
            );
            let help = "add it with `firmware`, unless every node has it";
            findings.push(Finding::new(Kind::MissingFirmware, message).at(&packed.path).help(help));
        }
    }
    findings
}

fn labels(image: &Image, driver: &Driver, expected: &Expected) -> Vec<Finding> {
    let labels = &image.config.labels;
    let mut findings = Vec::new();
    if let Some(key) = &expected.key {
        match labels.get(KEY) {
            Some(found) if found == key => {}
            Some(_) => findings.push(
                Finding::new(Kind::WrongKey, "it was built from something else than the manifest says now")
                    .help("build the target again; `drvc why` tells what its key is made of"),
            ),
            None => findings.push(Finding::new(
                Kind::WrongKey,
                format!("it has no label {KEY}, so `drvc build` did not make it"),
            )),
        }
    }
    let kernel = labels.get("kernel-version").or_else(|| labels.get("kernel-rt-version"));
    if let (Some(said), Some(kernel)) = (kernel, &driver.kernel)
        && said != kernel
    {
        let message = format!("its label says kernel {said}, and /{PLACE} has {kernel}");
        findings.push(Finding::new(Kind::MissingLabel, message));
    }
    findings
}

fn tools(image: &Image) -> Option<Finding> {
    let tools: Vec<_> = BUILDERS.into_iter().filter(|name| has_program(image, name)).collect();
    let headers = image.root.beneath("usr/src").find(|(path, _)| path.ends_with("/Module.symvers"));
    let found = match (tools.as_slice(), headers) {
        ([], None) => return None,
        ([], Some((path, _))) => format!("kernel headers are in it: /{path}"),
        (tools, _) => format!("tools to build with are in it: {}", tools.join(", ")),
    };
    Some(
        Finding::new(Kind::BuildTools, found).help("copy only what is needed into a stage of a minimal base"),
    )
}

//! Two driver containers as people write them, and each mistake that is named.

use super::*;
use crate::import::write;

const TOOLKIT: &str = r#"
ARG DTK_AUTO
FROM ${DTK_AUTO} as builder
ARG KERNEL_VERSION
WORKDIR /build
RUN git clone -b main https://github.com/rh-ecosystem-edge/accelerator_templates.git
WORKDIR /build/accelerator_templates/src/kernel_module
RUN make all KVER=${KERNEL_VERSION} KERNEL_SRC_DIR=/lib/modules/${KERNEL_VERSION}/build

FROM registry.access.redhat.com/ubi9/ubi-minimal
ARG KERNEL_VERSION
RUN microdnf install -y kmod numactl
COPY --from=builder /build/accelerator_templates/src/kernel_module/ptemplate_char_dev.ko /opt/lib/modules/${KERNEL_VERSION}/
RUN depmod -b /opt ${KERNEL_VERSION}
CMD ["modprobe", "-d", "/opt", "ptemplate_char_dev", "max_dev=2"]
"#;

fn imported(text: &str) -> (String, Vec<String>) {
    let mut draft = import(text, "Dockerfile", "hint").unwrap();
    draft.matrix = crate::import::matrix::examples().remove(0);
    (write(&draft), draft.warnings)
}

#[test]
fn a_driver_container_becomes_a_manifest() {
    let (manifest, warnings) = imported(TOOLKIT);
    assert_eq!(warnings, Vec::<String>::new());
    for expected in [
        "    git \"https://github.com/rh-ecosystem-edge/accelerator_templates.git\" branch=\"main\"\n",
        "module \"ptemplate_char_dev\" {\n    source \"driver\" dir=\"src/kernel_module\"\n    make ",
        "    make \"all\" KVER=\"{kernel}\" KERNEL_SRC_DIR=\"{kernel_dir}\"\n",
        "    load \"ptemplate_char_dev\"\n    option \"ptemplate_char_dev\" max_dev=\"2\"\n    packages \"numactl\"\n",
        "Driver Toolkit",
    ] {
        assert!(manifest.contains(expected), "{expected}\n{manifest}");
    }
    let (manifest, _) = imported(
        "FROM ubi9\nARG KVER\nCOPY src /src\nWORKDIR /src/mod\nRUN dnf install -y gcc flex kernel-devel-${KVER} && make -C /usr/src/kernels/${KVER} M=$PWD modules\nCMD modprobe foo",
    );
    for expected in
        ["    path \"src\"\n", "source \"driver\" dir=\"mod\"\n    packages \"flex\"\n}\n", "load \"foo\""]
    {
        assert!(manifest.contains(expected), "{expected}\n{manifest}");
    }
}

#[test]
fn shell_text_is_taken_apart() {
    let cases = [
        ("RUN (cd s && make KVER=$(uname -r))", "source \"driver\" dir=\"s\"\n    make KVER=\"{kernel}\"\n"),
        ("RUN make -C s all", "source \"driver\" dir=\"s\"\n    make \"all\"\n"),
        ("WORKDIR s\nRUN make\nWORKDIR /opt", "source \"driver\" dir=\"s\"\n    make\n"),
        ("RUN --mount=type=secret,id=x <<EOF\ncd s\nmake a\nEOF\nRUN true", "dir=\"s\"\n    make \"a\"\n"),
        ("RUN <<-'E'\n\tmake a\n\tE\nCOPY <<E /x\nRUN make b\nE", "    make \"a\"\n"),
        (
            "RUN if [ -e a ]; then make a; else make b; fi",
            "        if [ -e a ]; then make a; else make b; fi\n",
        ),
        (
            "RUN for f in *; do if a; then b; fi; done && make",
            "`for f in *; do if a; then b; fi; done` is left out",
        ),
    ];
    let (manifest, warnings) = imported(
        "FROM a\nRUN subscription-manager register && git clone -b v1 https://h.example/r && cd r && git submodule update --init && make -C s",
    );
    assert!(manifest.contains("branch=\"v1\" {\n        submodules #true\n    }\n"), "{manifest}");
    assert!(manifest.contains("dir=\"s\"\n    make\n"), "{manifest}");
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    for (text, expected) in cases {
        let (manifest, _) = imported(&format!("FROM a\nWORKDIR /r\nCOPY . .\n{text}\n"));
        assert!(manifest.contains(expected), "{text}\n{manifest}");
    }
}

#[test]
fn mistakes_are_named() {
    let cases = [
        (
            "ARG KERNEL_VERSION\nFROM a\nWORKDIR /lib/${KERNEL_VERSION}",
            ":3: `${KERNEL_VERSION}` is empty here: its ARG stands before the FROM, and is not repeated",
        ),
        (
            "FROM a\nRUN [\"git\",\"clone\",\"${SRC}\"]",
            ":2: nothing replaces `${SRC}` in this form: only a shell does",
        ),
        (
            "ARG DTK=quay.io/a as builder\nFROM a",
            ":1: what follows the value of `DTK` belongs to a FROM: it becomes part of the value, or an error",
        ),
        (
            "FROM a\nCOPY a.ko /opt/$ {KERNEL_VERSION}/",
            ":2: a blank within `${…}` makes a path of it: it is never replaced",
        ),
        ("FROM a\nCOPY a.ko /x/\nCOPY a.ko /y/", ":3: `a.ko` was copied in line 2 already"),
        (
            "FROM a\nRUN git clone https://h/r",
            ":2: clones whatever the default branch holds on that day: pin it with `drvc lock`",
        ),
        (
            "FROM a\nRUN a && dnf install gcc-1 || dnf install gcc",
            ":2: `|| dnf install gcc` is run when any command before it fails, not only the last",
        ),
        ("FROM a\nRUN a || true", ":2: `|| true` goes on when the command before it fails"),
        (
            "FROM a\nARG RHSM_ACTIVATION_KEY",
            ":2: `RHSM_ACTIVATION_KEY` is kept in the image's history: drvc takes build secrets",
        ),
        ("FROM a\nRUN depmod -b /opt", ":2: `depmod` without a kernel takes that of the machine that builds"),
        (
            "FROM a\nRUN make KVER=$(uname -r)",
            ":2: `uname -r` is the kernel of the machine that builds, not the one that is built for",
        ),
        (
            "FROM a\nARG KVER\nFROM b\nRUN depmod ${KVER}",
            ":4: `${KVER}` is empty here: its ARG is that of another stage",
        ),
        (
            "FROM a\nENV OS_VERSION=\"9.4\"",
            ":2: `OS_VERSION` is 9.4 whatever the kernel is: a kernel of another release is built with it",
        ),
        (
            "FROM a\nRUN wget -q https://h/master/f -O f",
            ":2: downloads what nothing is compared with: a `file` or an `archive` of drvc has its digest",
        ),
        (
            "FROM a\nRUN echo \"$(rpm -q kernel-rt-core)\" >/etc/x",
            ":2: `rpm -q` prints `package … is not installed` where it is not, and that is taken for its version",
        ),
        (
            "FROM a\nRUN V=$(echo $K | sed 's/.*el8_//') && a",
            ":2: a kernel of a first release has no minor (`.el9`): none is found in its name",
        ),
        (
            "FROM a\nARG KVER\nRUN cp -r /lib/modules/${KVER}/kernel /opt/",
            ":3: copies every module of the kernel: drvc copies those that the driver depends on",
        ),
        (
            "FROM a\nRUN openssl req -new -x509 -newkey rsa:2048 -nodes",
            ":2: a key that is made while the image is built is one that no machine trusts: sign with one's own, as a build secret",
        ),
        (
            "FROM a\nCOPY src /src\nRUN cd /other && make",
            ": make is called in `/other`, but the sources lie in `/src`: say `dir=` behind `source`",
        ),
        (
            "FROM a\nRUN dnf install -y install gcc && dnf install install -y x",
            ":2: `install install`: the second is taken for a package",
        ),
        (
            "FROM a\nRUN for f in *.ko; do [ -e $f ] && scripts/sign-file $f; done",
            ":2: a loop of `test && sign-file` fails only with its last turn",
        ),
    ];
    for (text, expected) in cases {
        let (manifest, warnings) = imported(text);
        assert!(warnings.iter().any(|one| *one == format!("Dockerfile{expected}")), "{text}\n{warnings:#?}");
        let note = expected
            .strip_prefix(": ")
            .map_or_else(|| format!("// Dockerfile{expected}"), |text| format!("// {text}"));
        assert!(manifest.contains(&note), "{manifest}");
    }
    assert!(import("RUN x", "Dockerfile", "x").is_err());
}

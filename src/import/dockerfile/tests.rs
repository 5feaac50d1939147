//! Two driver containers as people write them, and each mistake that is named.

mod accounts;
mod kept;

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
    if draft.matrix.is_empty() {
        draft.matrix = crate::import::matrix::examples().remove(0);
    }
    (write(&draft), draft.warnings)
}

#[test]
fn a_driver_container_becomes_a_manifest() {
    let (manifest, warnings) = imported(TOOLKIT);
    assert_eq!(warnings, Vec::<String>::new());
    for expected in [
        "    git \"https://github.com/rh-ecosystem-edge/accelerator_templates.git\" ref=\"main\"\n",
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
fn kernels_are_found_in_env_and_in_suses_paths() {
    let (manifest, _) = imported(
        "FROM ubuntu:24.04\nENV Q=1 KVER=6.8.0-45-generic\nCOPY . /s\nRUN cd /s && make KDIR=/lib/modules/$KVER/build",
    );
    for expected in ["kernel \"6.8.0-45-generic\"", "KVER=\"{kernel}\"", "KDIR=\"{kernel_dir}\""] {
        assert!(manifest.contains(expected), "{expected}\n{manifest}");
    }
    let (manifest, _) = imported(
        "FROM registry.suse.com/bci/bci-base:15.6\nCOPY . /s\nWORKDIR /s\nRUN make -C /usr/src/linux-6.4.0-150600.23.25-obj/x86_64/default M=$PWD modules",
    );
    assert!(manifest.contains("kernel \"6.4.0-150600.23.25-default\""), "{manifest}");
    assert!(!manifest.contains("-obj/"), "{manifest}");
    let (_, warnings) = imported(
        "FROM quay.io/openshift-release-dev/ocp-v4.0-art-dev@sha256:00\nCOPY . /s\nRUN cd /s && make",
    );
    assert!(
        warnings.concat().contains("named by its digest, which tells neither release nor kernel"),
        "{warnings:?}"
    );
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
            "        for f in *; do if a; then b; fi; done\n        make\n",
        ),
    ];
    let (manifest, warnings) = imported(
        "FROM a\nRUN subscription-manager register && git clone -b v1 https://h.example/r && cd r && git submodule update --init && git lfs pull && make -C s",
    );
    assert!(
        manifest.contains("ref=\"v1\" {\n        submodules #true\n        lfs #true\n    }\n"),
        "{manifest}"
    );
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
            ":3: `${KERNEL_VERSION}` is empty here: its ARG comes before the FROM, and is not repeated",
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

#[test]
fn the_source_is_where_make_runs() {
    for (text, expected) in [
        (
            "ARG KVER\nCOPY . /s\nRUN make -C /s/a V=1 && make -C /lib/modules/${KVER}/build M=/s/b KBUILD_EXTRA_SYMBOLS=/s/a/Module.symvers modules",
            "dir=\"b\"\n    needs \"a\"\n",
        ),
        (
            "ARG KVER\nCOPY . /s\nRUN make -C /s KDIR=/usr/src/linux-${KVER}-obj/x86_64/default all",
            "    make \"all\" KDIR=\"{kernel_dir}\"\n",
        ),
        (
            "RUN curl -L https://h.example/d-1.tar.gz | tar xz && mv d-1 d && cd d/src && make",
            "source \"driver\" dir=\"d-1/src\"\n",
        ),
        ("RUN git clone https://h.example/a && mv a /w && cd /w/k && make", "source \"driver\" dir=\"k\"\n"),
        (
            "COPY . /s\nRUN set -e; for d in a b; do (cd /s/$d && make V=1) || exit 1; done",
            "source \"driver\" dir=\"b\"\n",
        ),
        ("COPY . /s\nRUN for d in a b; do make -C /s/${d} V=1; done", "source \"driver\" dir=\"a\"\n"),
        (
            "RUN git clone https://h.example/driver && cd driver && make && cd .. && git clone https://h.example/fw",
            "git \"https://h.example/driver\"\n",
        ),
        (
            "RUN git clone https://h.example/a && git clone https://h.example/b && make -C a",
            "git \"https://h.example/a\"\n",
        ),
        (
            "RUN git clone https://h.example/a\nRUN git -C a checkout v2\nWORKDIR a/src\nRUN make",
            "git \"https://h.example/a\" ref=\"v2\"\n",
        ),
        (
            "RUN git clone --branch v1.2 https://h.example/a && pushd a && make && popd",
            "git \"https://h.example/a\" ref=\"v1.2\"\n",
        ),
        (
            "ARG REV=abc\nRUN git clone https://h.example/a && cd a && git checkout ${REV} && make",
            "ref=\"abc\"\n",
        ),
        (
            "RUN git init a && cd a && git remote add origin https://h.example/a && git fetch --depth 1 origin v3 && git checkout FETCH_HEAD && make",
            "git \"https://h.example/a\" ref=\"v3\"\n",
        ),
        (
            "RUN git clone https://h.example/a /w\nFROM x AS c\nCOPY --from=0 /w /src\nRUN cd /src/sub && make\nFROM y",
            "source \"driver\" dir=\"sub\"\n",
        ),
        (
            "COPY . /src\nRUN (cd /src/m && make M=/src/m -C /lib/modules/${KVER}/build modules)\nRUN cd /src && rm -rf m",
            "source \"driver\" dir=\"m\"\n    output",
        ),
        (
            "RUN curl -L https://h.example/d-1.tar.gz | tar xz && cd d-1 && make",
            "archive \"https://h.example/d-1.tar.gz\"\n",
        ),
        (
            "RUN wget https://h.example/d-1.tgz && tar xf d-1.tgz --strip-components=1 -C /s && make -C /s",
            "archive \"https://h.example/d-1.tgz\" strip=1\n",
        ),
        ("RUN --mount=type=bind,source=drv,target=/s make -C /s", "path \"drv\"\n"),
        (
            "ADD https://github.com/a/b.git#v9 /s\nRUN make -C /s",
            "git \"https://github.com/a/b.git\" ref=\"v9\"\n",
        ),
    ] {
        let (manifest, _) = imported(&format!("FROM debian:12 AS b\nARG KVER\n{text}\n"));
        assert!(manifest.contains(expected), "{text}\n{manifest}");
    }
    let (manifest, _) = imported(
        "FROM a\nRUN git clone https://h.example/a && cd a && make\nRUN git clone https://h.example/b && cd b/k && make\nRUN cp /a/a.ko /b/k/b.ko /opt",
    );
    assert!(
        manifest.contains("module \"b\" {\n    source \"driver-2\" dir=\"k\"\n    make\n}"),
        "{manifest}"
    );
}

#[test]
fn what_is_done_before_make_is_a_step_or_named() {
    let head = "FROM ubuntu:22.04\nARG KERNEL_VERSION\nWORKDIR /s\nCOPY . .\n";
    for (text, expected) in [
        ("RUN export MODE=x && make", " MODE=\"x\"\n    make\n"),
        ("ENV MODE=a B=\"c d\"\nRUN make", " MODE=\"a\" B=\"c d\"\n    make\n"),
        ("RUN cp defconfigs/x .config && make", "        cp defconfigs/x .config\n        make\n"),
        (
            "RUN ./configure --with-linux=/lib/modules/${KERNEL_VERSION}/build && make && make install",
            "        ./configure --with-linux={kernel_dir}\n        make\n",
        ),
        ("RUN BASE=${KERNEL_VERSION%%-*} && make V=$BASE", "        KERNEL_VERSION=\"{kernel}\"\n"),
        ("RUN sed -i s/a/b/ /s/Makefile && make SRC=/s", "        sed -i s/a/b/ {source_dir}/Makefile\n"),
        ("ARG DEBUG=1\nRUN make", " DEBUG=\"1\"\n"),
        ("RUN make SRC=$(pwd)/x", "    make SRC=\"{source_dir}/x\"\n"),
        ("RUN make", "    os \"ubuntu\" \"22.04\" {\n        kernel \"5.15.0-91-generic\"\n"),
    ] {
        let (manifest, _) = imported(&format!("{head}{text}\n"));
        assert!(manifest.contains(expected), "{text}\n{manifest}");
    }
    for (text, expected) in [
        ("RUN make V=${KERNEL_VERSION%%-*}", ":5: `${KERNEL_VERSION%%-*}` is another text than"),
        (
            "RUN make\nFROM debian:12\nCOPY firmware /lib/firmware",
            ":7: `COPY firmware /lib/firmware` is left out: say `firmware`",
        ),
        (
            "RUN make\nFROM debian:12\nCOPY x.conf /etc/modprobe.d/",
            ":7: `COPY x.conf /etc/modprobe.d/` is left out: say `option`",
        ),
        (
            "RUN make\nFROM debian:12\nCOPY --from=0 /s/tool /usr/bin/",
            ":7: `COPY --from=0 /s/tool /usr/bin/` is left out: if the image",
        ),
        (
            "COPY script /usr/local/bin\nRUN make",
            ":5: `COPY script /usr/local/bin` is left out: make is not called in it",
        ),
        ("ADD patches/*.patch /p/\nRUN make", ":5: `ADD patches/*.patch /p/` is left out: say `patch`"),
        ("ADD install.sh /tmp\nRUN make", ":5: `ADD install.sh /tmp` is left out: if the image needs it"),
        (
            "RUN git clone https://h.example/fw\nRUN make",
            ":5: `git clone https://h.example/fw` is left out: make is not called in it",
        ),
        (
            "ARG REV\nRUN git clone https://h.example/r && cd r && git checkout ${REV} && make",
            ":6: `git checkout ${REV}` names what the file does not say",
        ),
        ("LABEL a=b\nRUN make", ":5: `LABEL a=b` is left out"),
        ("RUN make\nRUN pip install x", ":6: `pip install x` is left out"),
    ] {
        let (_, warnings) = imported(&format!("{head}{text}\n"));
        assert!(
            warnings.iter().any(|one| one.contains(&format!("Dockerfile{expected}"))),
            "{text}\n{warnings:#?}"
        );
    }
}

#[test]
fn a_pipe_behind_make_is_named() {
    let text = |make: &str| format!("FROM debian:12\nCOPY . /s\nWORKDIR /s\nRUN {make}\n");
    for (make, kept, left) in [
        ("make -C /s V=1 2>&1 | tee build.log", "make V=", "`| tee build.log` is left out"),
        ("make all |& tail -n 20 | cat", "make \"all\"", "`| tail -n 20 | cat` is left out"),
        ("make 'A=x|y'", "make A=\"x|y\"", ""),
        ("make A=x\\|y B=\"\\\"|\"", "make A=\"x|y\"", ""),
        ("yes '' | make config && make", "yes '' | make config", ""),
    ] {
        let (manifest, warnings) = imported(&text(make));
        let all = format!("{manifest}\n{warnings:?}");
        assert!(manifest.contains(kept) && all.contains(left), "{make}: {all}");
        assert_eq!(all.contains("hides that make failed"), !left.is_empty(), "{make}: {all}");
    }
}

#[test]
fn what_builds_nothing_says_so() {
    let (manifest, warnings) = imported("FROM debian:12\nRUN apt-get install -y nginx\nCMD [\"nginx\"]");
    assert!(warnings.contains(&"Dockerfile: nothing here builds a module".to_owned()), "{warnings:?}");
    assert!(!manifest.contains("load \"") && manifest.contains("os \"debian\" \"12\""), "{manifest}");
}

//! What hand-written Dockerfiles say in their own ways, and what must not be lost or made up of it.

use super::imported;
use crate::import::{Kind, Place, write};
use crate::system::fs::Memory;
use crate::text::ids::RelPath;

/// A Dockerfile beside its sources.
fn beside(text: &str, files: &[(&str, &str)]) -> String {
    let mut tree = Memory::new();
    for (path, text) in files {
        tree.insert(RelPath::parse(path).unwrap(), *text);
    }
    let file = RelPath::parse("Dockerfile").unwrap();
    let place = Place { kind: Kind::Dockerfile, file, dir: RelPath::root(), text: text.to_owned() };
    let mut draft = crate::import::draft(&tree, &place, "hint").unwrap();
    draft.matrix = crate::import::matrix::examples().remove(0);
    write(&draft)
}

#[test]
fn alpines_packages_and_kernels_are_named_and_not_taken_for_others() {
    let (manifest, warnings) = imported(
        "FROM alpine:3.19\nARG KVER=6.6.32-0-lts\nRUN apk update && apk add --no-cache -t .tools build-base linux-lts-dev bison perl=5.38.2-r0\nCOPY . /s\nRUN cd /s && make K=$KVER && apk del .tools",
    );
    assert_eq!(
        warnings,
        [
            "Dockerfile:2: `ARG KVER=6.6.32-0-lts` is left out: it is the kernel of no system that drvc knows: put those of your nodes into the matrix",
            "Dockerfile:3: `bison perl=5.38.2-r0` is left out: Alpine calls its packages so: say `packages`, with the names that the system of the matrix has",
        ]
    );
    assert!(!manifest.contains("    packages"), "{manifest}");
    assert!(manifest.contains("make K=\"{kernel}\"\n"), "{manifest}");
}

#[test]
fn what_is_copied_into_the_sources_where_it_is_in_the_project_is_taken() {
    for copies in ["COPY Makefile *.c /d/\nCOPY inc /d/inc/", "COPY inc/ /d/inc\nCOPY Makefile /d/"] {
        let (manifest, warnings) = imported(&format!("FROM debian:12\n{copies}\nRUN cd /d && make all"));
        assert_eq!(warnings, Vec::<String>::new(), "{copies}");
        assert_eq!(manifest.matches("\nsource ").count(), 1, "{manifest}");
    }
    let (_, warnings) = imported("FROM debian:12\nCOPY drv /d\nCOPY other/inc /d/inc\nRUN cd /d && make all");
    assert_eq!(
        warnings,
        [
            "Dockerfile:3: `COPY other/inc /d/inc` is left out: put it into the source, where make looks for it"
        ]
    );
}

#[test]
fn the_place_of_the_sources_is_put_into_options_of_the_compiler() {
    let (manifest, _) = imported(
        "FROM debian:12\nARG KVER\nCOPY s /src\nRUN make -C /lib/modules/$KVER/build M=/src EXTRA_CFLAGS=\"-DX -I/src/inc -L/srcs\" modules",
    );
    assert!(
        manifest
            .contains("make -C {kernel_dir} M=$PWD EXTRA_CFLAGS=\"-DX -I{source_dir}/inc -L/srcs\" modules"),
        "{manifest}"
    );
    let (manifest, _) = imported(
        "FROM debian:12\nARG KVER\nCOPY s /src\nRUN make -C /lib/modules/$KVER/build SUBDIRS=/src V=1 modules",
    );
    assert!(manifest.contains(" M=$PWD V=1 modules"), "{manifest}");
}

#[test]
fn how_many_jobs_there_are_is_no_script() {
    for jobs in ["-j$(nproc)", "-j \"$(nproc)\"", "-j`nproc`", "--jobs=$(nproc --all)"] {
        let (manifest, _) = imported(&format!("FROM debian:12\nCOPY s /s\nRUN cd /s && make all {jobs} V=1"));
        assert!(manifest.contains("    make \"all\" V=\"1\"\n"), "{jobs}\n{manifest}");
    }
}

#[test]
fn an_option_that_the_call_of_make_sets_makes_its_module_certain() {
    let files = [("s/Kbuild", "obj-$(CONFIG_QA) := qa.o\nobj-$(CONFIG_QB) += qb.o\n")];
    for call in ["make -C /lib/modules/$KVER/build M=/s CONFIG_QA=m modules", "CONFIG_QA=m make -C /s"] {
        let manifest = beside(&format!("FROM debian:12\nARG KVER\nCOPY s /s\nRUN {call}\n"), &files);
        for expected in [
            "    output \"qa.ko\"\n",
            "    output \"qb.ko\" optional=#true\n",
            "// No modprobe was found: what is built is loaded; take out what need not be.\n",
            "    load \"qa\"\n",
        ] {
            assert!(manifest.contains(expected), "{call}: {expected}\n{manifest}");
        }
    }
}

#[test]
fn files_are_copied_by_a_list_behind_flags() {
    let (manifest, warnings) = imported(
        "FROM debian:12\nWORKDIR /b\nCOPY --chown=1:1 --link [\"drv/\", \"./\"]\nRUN ./autogen.sh && make all",
    );
    assert_eq!(warnings, Vec::<String>::new());
    assert!(manifest.contains("    path \"drv\"\n"), "{manifest}");
    assert!(manifest.contains("./autogen.sh"), "{manifest}");
}

#[test]
fn what_is_made_is_called_after_itself_where_a_module_of_the_kernel_is_loaded_first() {
    let (manifest, _) = imported(
        "FROM debian:12\nCOPY . /s\nRUN cd /s && make all && cp qj.ko /\nCMD modprobe crc16; insmod /qj.ko",
    );
    for expected in ["project \"qj\" {", "module \"qj\" {", "    load \"crc16\" \"qj\"\n"] {
        assert!(manifest.contains(expected), "{expected}\n{manifest}");
    }
}

#[test]
fn what_is_said_of_an_archive_and_of_settings_is_kept_or_named() {
    let (manifest, warnings) = imported(
        "FROM debian:12\nADD --checksum=sha256:00 https://h.example/q.tar.gz /t/\nWORKDIR /q\nRUN tar xzf /t/q.tar.gz --strip-components 1 && make all\nRUN echo options q a=1 > /etc/modprobe.d/q.conf; echo q > /etc/modules-load.d/q.conf",
    );
    assert!(manifest.contains("archive \"https://h.example/q.tar.gz\" strip=1\n"), "{manifest}");
    assert_eq!(
        warnings,
        [
            "Dockerfile:2: `--checksum=sha256:00` is left out: say it with `sha256=` behind `archive` or `file`",
            "Dockerfile:5: `echo options q a=1 > /etc/modprobe.d/q.conf` is left out: say `option`, `softdep` or `blacklist` in the image",
            "Dockerfile:5: `echo q > /etc/modules-load.d/q.conf` is left out: say `load` in the image",
        ]
    );
}

#[test]
fn a_kernel_named_with_and_without_its_architecture_is_one() {
    let bare = "5.14.0-427.13.1.el9_4";
    let full = format!("{bare}.x86_64");
    for (package, path, kernel) in
        [(bare, &*full, &*full), (&*full, &*full, &*full), (bare, &*format!("{bare}.$(uname -m)"), bare)]
    {
        let (manifest, warnings) = imported(&format!(
            "FROM registry.access.redhat.com/ubi9/ubi:9.4\nRUN dnf install -y kernel-devel-{package}\n\
             COPY s /src\nRUN make -C /lib/modules/{path}/build M=/src modules"
        ));
        assert!(warnings.is_empty(), "{warnings:?}");
        assert!(manifest.contains(&format!("        kernel \"{kernel}\"\n")), "{manifest}");
        assert!(!manifest.contains("{kernel}"), "{manifest}");
    }
}

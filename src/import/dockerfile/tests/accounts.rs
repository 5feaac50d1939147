//! Every instruction has its account, and kernels, options and needs of several modules are told apart.

use super::imported;
use crate::import::dockerfile::*;

/// Instructions as people write them; `@` stands for a word that no other instruction has.
const REAL: [&str; 44] = [
    "ENV MODE_@=v@",
    "ENV X@ y@",
    "ARG A@=b@",
    "ARG A@",
    "LABEL l@=x",
    "MAINTAINER m@",
    "USER u@",
    "EXPOSE 80@",
    "VOLUME /v@",
    "SHELL [\"/bin/bash\", \"-c\", \"@\"]",
    "HEALTHCHECK CMD h@",
    "STOPSIGNAL 9@",
    "ONBUILD RUN o@",
    "CMD [\"modprobe\", \"m@\"]",
    "ENTRYPOINT [\"/e@\"]",
    "CMD /run@.sh",
    "COPY c@ /somewhere",
    "COPY c@.sh /usr/local/bin/",
    "ADD a@.tar.gz /x",
    "ADD https://h.example/f@ /x",
    "COPY --from=ghcr.io/x@/y /bin/t /bin/t",
    "COPY f@.bin /lib/firmware/",
    "COPY k@.ko /opt/lib/modules/",
    "RUN apt-get install -y p@",
    "RUN dnf -y install ./p@.rpm",
    "RUN git clone https://h.example/r@",
    "RUN git clone -b v@ https://h.example/r && cd r && make",
    "RUN cd /src && ./configure --x@",
    "RUN cd /src && make t@",
    "RUN sed -i s/@/b/ /src/Makefile && make -C /src",
    "RUN pip install q@",
    "RUN curl -o /usr/bin/c@ https://h.example/c@",
    "RUN wget https://h.example/w@.tar.gz && tar xf w@.tar.gz",
    "RUN echo x@ > /etc/y",
    "RUN insmod i@.ko",
    "RUN dkms install d@/1",
    "RUN rpm -i r@.rpm",
    "RUN if [ -e @ ]; then x; fi",
    "RUN for a in @; do make $a; done",
    "RUN export E@=f@ && cd /src && make",
    "RUN V=${KVER%%-@} && echo $V",
    "RUN useradd s@",
    "RUN --mount=type=secret,id=s@ cat /run/secrets/x > y",
    "RUN python3 z@.py | tee log",
];

proptest::proptest! {
    #[test]
    fn every_instruction_is_accounted_for(chosen in proptest::collection::vec((0..REAL.len(), proptest::bool::weighted(0.1)), 1..12)) {
        let mut text = "FROM debian:12 AS b\nARG KVER\nCOPY src /src\nRUN make -C /src KVER=$KVER\n".to_owned();
        for (at, (which, stage)) in chosen.iter().enumerate() {
            if *stage {
                text += "FROM b\n";
            }
            text += &REAL[*which].replace('@', &format!("zq{at}z"));
            text.push('\n');
        }
        let instructions = lines::read(&text);
        let mut reading = Reading { last: instructions.iter().filter(|one| one.keyword == "FROM").count(), ..Reading::default() };
        instructions.iter().for_each(|one| reading.take(one, &text));
        let mut draft = Draft::default();
        reading.drafted(&mut draft, "Dockerfile", "hint");
        reading.accounted(&mut draft, "Dockerfile");
        let (manifest, warnings) = imported(&text);
        for one in &instructions {
            let fated = reading.fates.iter().any(|(line, _)| *line == one.line);
            proptest::prop_assert!(fated, "line {} has no account:\n{text}", one.line);
            let marks = one.rest.split(|c: char| !c.is_ascii_alphanumeric()).filter_map(|word| word.get(word.find("zq")?..word.rfind('z')? + 1));
            for mark in marks {
                let said = manifest.contains(mark) || warnings.iter().any(|one| one.contains(mark));
                proptest::prop_assert!(said, "`{mark}` of line {} is lost:\n{text}\n{manifest}", one.line);
            }
        }
    }
}

#[test]
fn what_names_one_kernel_is_of_the_kernel_that_is_built_for() {
    let clone = "FROM debian:12\nRUN git clone -b v1 https://h.example/m /m\n";
    for (text, expected) in [
        (
            "RUN for k in 6.1.0-55-amd64 6.1.0-56-amd64; do make -C /lib/modules/$k/build M=/m modules && make -C /lib/modules/$k/build M=/m clean; done",
            "module \"m\" {\n    // which `.ko` files come out is not said: say so with `output`\n    source \"driver\"\n    output \"*.ko\"\n",
        ),
        (
            "RUN for k in 6.1.0-55-amd64 6.1.0-56-amd64; do make -C /m K=$k; done",
            "kernel \"6.1.0-55-amd64\" \"6.1.0-56-amd64\"",
        ),
        ("RUN make -C /m KVER=6.1.0-56-amd64 all", "    make \"all\" KVER=\"{kernel}\"\n"),
        ("RUN make -C /m KDIR=/usr/src/linux-headers-6.1.0-56-amd64", "    make KDIR=\"{kernel_dir}\"\n"),
        (
            "ARG KVER=6.1.0-56-amd64\nENV SHORT=${KVER%-amd64}\nRUN make -C /m ABI=${SHORT##*-}",
            "        KVER=\"{kernel}\"\n        SHORT=\"${KVER%-amd64}\"\n        make -C {source_dir} ABI=${SHORT##*-}\n",
        ),
    ] {
        let (manifest, _) = imported(&format!("{clone}{text}\n"));
        assert!(manifest.contains(expected), "{text}\n{manifest}");
        let block = manifest.split("module ").nth(1).and_then(|rest| rest.split("matrix").next()).unwrap();
        assert!(!block.contains("6.1.0-5"), "{text}\n{manifest}");
    }
}

#[test]
fn each_module_has_its_own_options_and_needs() {
    let two = "FROM debian:12\nRUN git clone -b v1 https://h.example/bus && git clone -b v1 https://h.example/dev\nRUN make -C bus\n";
    for (text, expected) in [
        (
            "RUN cd dev && KBUILD_EXTRA_SYMBOLS=/bus/Module.symvers make KDIR=/k",
            "    needs \"bus\"\n    make KDIR=\"/k\"\n",
        ),
        ("ENV KBUILD_EXTRA_SYMBOLS=/bus/Module.symvers\nRUN make -C dev", "    needs \"bus\"\n    make\n"),
        (
            "RUN make -C dev\nCMD modprobe bus speed=3 && modprobe -d /opt dev mode=2 mode=2",
            "    load \"bus\" \"dev\"\n    option \"bus\" speed=\"3\"\n    option \"dev\" mode=\"2\"\n",
        ),
        (
            "RUN make -C dev\nCMD [\"sh\", \"-c\", \"insmod /lib/modules/$(uname -r)/dev.ko mode=2 && sleep inf\"]",
            "    option \"dev\" mode=\"2\"\n",
        ),
    ] {
        let (manifest, _) = imported(&format!("{two}{text}\n"));
        assert!(manifest.contains(expected), "{text}\n{manifest}");
        assert!(!manifest.contains("Module.symvers"), "{text}\n{manifest}");
    }
    let (_, warnings) = imported(&format!("{two}CMD modprobe $MODULE mode=2\n"));
    assert!(warnings.iter().any(|one| one.contains("CMD modprobe $MODULE")), "{warnings:?}");
    let script = "FROM debian:12\nCOPY driver /driver\nCOPY build.sh /build.sh\nRUN /build.sh /driver\nRUN cp /driver/out/q.ko /opt/\n";
    let (manifest, warnings) = imported(script);
    assert!(manifest.contains("    output \"out/q.ko\"\n"), "{manifest}");
    assert!(
        warnings.iter().any(|one| one.contains("`/build.sh` is none of the source's files")),
        "{warnings:?}"
    );
}

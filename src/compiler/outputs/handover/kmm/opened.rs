//! From the Dockerfile of one kernel to one for every kernel of its stream: `DTK_AUTO` and `KERNEL_FULL_VERSION` are
//! what KMM fills in when it builds in the cluster.

/// What a stage declares in which the kernel stands.
const ARGUMENT: &str = "ARG KERNEL_FULL_VERSION\n";

/// The same Dockerfile with the kernel and its Driver Toolkit left open; nothing where the kernel stands in text that
/// no shell and no builder would fill in.
pub(super) fn open(dockerfile: &str, kernel: &str) -> Option<String> {
    let mut text = String::from("ARG DTK_AUTO\n");
    let mut stage = String::new();
    let mut quotes = Quotes::default();
    for line in dockerfile.split_inclusive('\n') {
        if line.starts_with("FROM ") {
            text.push_str(&std::mem::take(&mut stage));
            stage.push_str(&opened_from(line, kernel)?);
        } else if line.starts_with('#') {
            stage.push_str(&line.replace(kernel, "KERNEL_FULL_VERSION"));
        } else {
            let is_json =
                ["RUN [", "CMD [", "COPY [", "ENTRYPOINT ["].iter().any(|start| line.starts_with(start));
            let names_it = line.contains(kernel);
            if names_it && is_json {
                return None;
            }
            if names_it && !stage.contains(ARGUMENT) {
                // A stage knows the arguments that it declares, and no other.
                let behind_from = stage.find('\n').map_or(stage.len(), |end| end + 1);
                stage.insert_str(behind_from, ARGUMENT);
            }
            stage.push_str(&opened(line, kernel, &mut quotes));
        }
    }
    Some(text + &stage)
}

/// `FROM IMAGE AS kernel`: the Driver Toolkit. Any other base is the same for the whole stream.
fn opened_from(line: &str, kernel: &str) -> Option<String> {
    if line.trim_end().ends_with(" AS kernel") {
        return Some("FROM ${DTK_AUTO} AS kernel\n".into());
    }
    (!line.contains(kernel)).then(|| line.to_owned())
}

/// Which quotes are open.
#[derive(Clone, Copy, Default)]
struct Quotes {
    single: bool,
    double: bool,
}

/// A line of a shell, or of `ENV` or `LABEL`, which quote alike: between single quotes nothing is filled in, so these
/// are closed around the variable. An instruction that ends closes all quotes.
fn opened(line: &str, kernel: &str, quotes: &mut Quotes) -> String {
    let mut text = String::new();
    let Quotes { mut single, mut double } = *quotes;
    let mut escaped = false;
    let mut rest = line;
    while let Some(letter) = rest.chars().next() {
        if let Some(behind) = rest.strip_prefix(kernel) {
            text.push_str(if single { "'\"${KERNEL_FULL_VERSION}\"'" } else { "${KERNEL_FULL_VERSION}" });
            rest = behind;
            continue;
        }
        match letter {
            '\'' if !double && !escaped => single = !single,
            '"' if !single && !escaped => double = !double,
            _ => {}
        }
        escaped = letter == '\\' && !escaped && !single;
        text.push(letter);
        rest = rest.get(letter.len_utf8()..).unwrap_or_default();
    }
    let goes_on = line.trim_end_matches('\n').ends_with('\\');
    *quotes = if goes_on { Quotes { single, double } } else { Quotes::default() };
    // Quotes that were closed as soon as they were opened.
    text.replace("''\"${KERNEL_FULL_VERSION}\"", "\"${KERNEL_FULL_VERSION}\"")
        .replace("\"${KERNEL_FULL_VERSION}\"''", "\"${KERNEL_FULL_VERSION}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kernels_are_left_open_in_every_kind_of_quotes() {
        let dockerfile = "FROM dtk@sha256:1 AS kernel\nENV K='5.1' A='b'\nRUN d=/usr/5.1 \"a 5.1\" 'say \"5.1\"'\n\n\
                          FROM ubi\nLABEL kernel-version='5.1'\n";
        let expected = "ARG DTK_AUTO\nFROM ${DTK_AUTO} AS kernel\nARG KERNEL_FULL_VERSION\n\
                        ENV K=\"${KERNEL_FULL_VERSION}\" A='b'\n\
                        RUN d=/usr/${KERNEL_FULL_VERSION} \"a ${KERNEL_FULL_VERSION}\" \
                        'say \"'\"${KERNEL_FULL_VERSION}\"'\"'\n\n\
                        FROM ubi\nARG KERNEL_FULL_VERSION\nLABEL kernel-version=\"${KERNEL_FULL_VERSION}\"\n";
        assert_eq!(open(dockerfile, "5.1").as_deref(), Some(expected));
        assert_eq!(open("FROM a AS kernel\nRUN [\"/bin/sh\", \"-c\", \"echo 5.1\"]\n", "5.1"), None);
    }
}

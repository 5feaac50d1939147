//! Text of a Dockerfile into the same text with its variables put in, as far as they are known, and bounded.

use super::{HERE, KERNEL, KERNEL_DIR};
use crate::text::ids::Arch;
use std::collections::BTreeMap;

/// Names of build arguments that hold the kernel's release.
const KERNELS: [&str; 15] = [
    "KERNELRELEASE",
    "KERNEL_VERSION",
    "KERNEL_FULL_VERSION",
    "KERNELVERSION",
    "KERNELVER",
    "KERNEL_FULL",
    "KVER",
    "KVERS",
    "KVERSION",
    "KERNEL",
    "KERNEL_RELEASE",
    "KERNEL_UNAME",
    "DRIVER_TOOLKIT_KERNEL",
    "TARGET_KERNEL",
    "KERNEL_VER",
];
/// Bytes that putting in values may add to a text.
const MAX_GROWTH: usize = 4096;
/// How deep `${A:-${B:-…}}` is followed.
const MAX_DEPTH: usize = 8;

/// The values of variables by name: those of ARG and ENV, and what a RUN assigns.
#[derive(Clone, Default)]
pub(super) struct Values {
    known: BTreeMap<String, String>,
    /// Kernels that the file names by their releases.
    pub(super) kernels: Vec<String>,
}

/// One `$NAME` or `${NAME…}`.
struct Use<'t> {
    name: &'t str,
    /// What stands behind the name within braces.
    operator: &'t str,
    whole: &'t str,
    rest: &'t str,
}

impl Values {
    pub(super) fn is_kernel(&self, name: &str) -> bool {
        let changed = self.known.get(name).is_some_and(|value| value.contains(['$', '`']));
        !changed
            && (KERNELS.iter().any(|one| one.eq_ignore_ascii_case(name))
                || self.known.get(name).is_some_and(|value| value == KERNEL))
    }

    pub(super) fn set(&mut self, name: &str, value: String) {
        if !value.is_empty() || !self.known.contains_key(name) {
            self.known.insert(name.to_owned(), value);
        }
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        if self.is_kernel(name) {
            return Some(KERNEL);
        }
        self.known.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// A text with what is known put in; a variable without a value, or one that the text changes, stays.
    pub(super) fn put_in(&self, text: &str) -> String {
        let programs = [("pwd", HERE), ("uname -r", KERNEL)];
        let text = programs.iter().fold(text.to_owned(), |text, (program, mark)| {
            text.replace(&format!("$({program})"), mark).replace(&format!("`{program}`"), mark)
        });
        let mut out = String::new();
        self.expand(&text, text.len() + MAX_GROWTH, 0, &mut out);
        for kernel in &self.kernels {
            out = replaced(&out, kernel);
        }
        // A release is put in with its architecture, where kernels have one in their names.
        for arch in Arch::ALL.iter().map(|arch| arch.name()).chain(["$(uname -m)", "$(arch)", "`uname -m`"]) {
            out = out.replace(&format!("{KERNEL}.{arch}"), KERNEL);
        }
        for known in [
            format!("/usr/src/kernels/{KERNEL}"),
            format!("/lib/modules/{KERNEL}/build"),
            format!("/usr/src/linux-headers-{KERNEL}"),
        ] {
            out = out.replace(&known, KERNEL_DIR);
        }
        // SUSE's: /usr/src/linux-RELEASE-obj/ARCH/FLAVOUR, of a release without its flavour.
        let releases = self.kernels.iter().filter_map(|kernel| kernel.rsplit_once('-'));
        for release in releases.map(|(release, _)| release).chain([KERNEL]) {
            while let Some((before, after)) = out.split_once(&format!("/usr/src/linux-{release}-obj")) {
                let end = after
                    .find(|c: char| !c.is_ascii_alphanumeric() && !"/_-".contains(c))
                    .unwrap_or(after.len());
                out = format!("{before}{KERNEL_DIR}{}", after.get(end..).unwrap_or_default());
            }
        }
        out
    }

    fn expand(&self, text: &str, limit: usize, depth: usize, out: &mut String) {
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('$') {
            out.push_str(before);
            let Some(one) = using(after) else {
                out.push('$');
                rest = after;
                continue;
            };
            rest = one.rest;
            let known = if one.name == "PWD" { Some(HERE) } else { self.get(one.name) };
            let (kind, other) = operation(one.operator);
            match (known, kind) {
                (Some(value), "" | ":-" | "-" | ":=" | "=" | ":?" | "?")
                    if out.len() + value.len() <= limit =>
                {
                    out.push_str(value)
                }
                (None, ":-" | "-" | ":=" | "=") if depth < MAX_DEPTH => {
                    self.expand(other, limit, depth + 1, out)
                }
                (Some(_), ":+" | "+") if depth < MAX_DEPTH => self.expand(other, limit, depth + 1, out),
                (None, ":+" | "+") => {}
                _ => out.extend(["$", one.whole]),
            }
        }
        out.push_str(rest);
    }

    /// Each `${NAME…}` of a text that makes another text of the kernel's release, or of a value that is known.
    pub(super) fn changed<'t>(&self, text: &'t str) -> Vec<&'t str> {
        let kept = |operator: &str| {
            let operator = operator.strip_prefix(':').unwrap_or(operator);
            operator.is_empty() || operator.starts_with(['-', '=', '+', '?'])
        };
        uses(text)
            .into_iter()
            .filter(|one| {
                !kept(one.operator) && (self.is_kernel(one.name) || self.known.contains_key(one.name))
            })
            .map(|one| one.whole)
            .collect()
    }

    /// The assignments that shell text needs before it: of variables in it that have a value here, and of those that
    /// these values name.
    pub(super) fn assignments(&self, text: &str) -> String {
        let mut lines = String::new();
        self.assign(text, 0, &mut lines);
        lines
    }

    fn assign(&self, text: &str, depth: usize, lines: &mut String) {
        for one in uses(text) {
            let Some(value) = self.get(one.name).filter(|_| depth < MAX_DEPTH) else { continue };
            let line = format!("{}=\"{value}\"\n", one.name);
            if !lines.contains(&line) {
                self.assign(value, depth + 1, lines);
                lines.push_str(&line);
            }
        }
    }

    /// Names in a text that nothing gives a value.
    pub(super) fn missing<'t>(&self, text: &'t str) -> Vec<&'t str> {
        let set = |name: &str| text.contains(&format!("{name}=")) || text.contains(&format!("for {name} "));
        let mut names: Vec<&str> = uses(text).into_iter().map(|one| one.name).collect();
        names.retain(|name| self.get(name).is_none() && *name != "PWD" && !set(name));
        names.dedup();
        names
    }
}

/// The kernel whose headers are at `/usr/src/linux-RELEASE-obj/ARCH/FLAVOUR`.
pub(super) fn of_suse(path: &str) -> Option<String> {
    let (release, rest) = path.split_once("/usr/src/linux-")?.1.split_once("-obj/")?;
    Some(format!("{release}-{}", rest.split('/').nth(1)?))
}

/// A text with a kernel's release in it taken for the kernel that is built for, unless a longer name holds it.
fn replaced(text: &str, kernel: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(kernel) {
        let longer = after.starts_with(|c: char| c.is_ascii_alphanumeric() || "_+~-".contains(c))
            || before.ends_with(|c: char| c.is_ascii_alphanumeric() || c == '.');
        out.extend([before, if longer { kernel } else { KERNEL }]);
        rest = after;
    }
    out + rest
}

fn uses(text: &str) -> Vec<Use<'_>> {
    text.match_indices('$').filter_map(|(at, _)| using(text.get(at + 1..)?)).collect()
}

/// `:-rest` as `:-` and `rest`.
fn operation(operator: &str) -> (&str, &str) {
    let colon = usize::from(operator.starts_with(':'));
    let sign = operator.get(colon..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
    operator.split_at_checked(colon + sign).unwrap_or((operator, ""))
}

/// What stands behind a `$`, where it is a variable.
fn using(after: &str) -> Option<Use<'_>> {
    let braced = after.strip_prefix('{');
    let inner = braced.unwrap_or(after);
    let end = inner.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(inner.len());
    let name =
        inner.get(..end).filter(|name| name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_'))?;
    if braced.is_none() {
        return Some(Use { name, operator: "", whole: name, rest: inner.get(end..)? });
    }
    let mut open = 1_usize;
    let close = inner.char_indices().find(|(_, c)| {
        open = match c {
            '{' => open + 1,
            '}' => open - 1,
            _ => open,
        };
        open == 0
    });
    let (close, _) = close?;
    Some(Use {
        name,
        operator: inner.get(end..close)?,
        whole: after.get(..close + 2)?,
        rest: inner.get(close + 1..)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_put_in_and_bounded() {
        let mut values = Values::default();
        values.set("A", "a".into());
        values.set("B", "x.y".into());
        for (text, expected) in [
            ("$A/${A}b", "a/ab"),
            ("${C:-d}${C-$A}${A:+q}${C:+r}", "daq"),
            ("${KVER}", KERNEL),
            ("/lib/modules/$KVER/build", KERNEL_DIR),
            ("${KVER%%-*}", "${KVER%%-*}"),
            ("${B/x/${A}}", "${B/x/${A}}"),
            ("$$ $(ls) ${", "$$ $(ls) ${"),
            ("$(uname -r)", KERNEL),
        ] {
            assert_eq!(values.put_in(text), expected, "{text}");
        }
        values.set("SHORT", "${KVER%-amd64}".into());
        let before = format!("KVER=\"{KERNEL}\"\nSHORT=\"${{KVER%-amd64}}\"\n");
        assert_eq!(values.assignments("make V=${SHORT%%-*} W=${SHORT##*-}"), before);
        values.kernels.push("6.1.0-56-amd64".into());
        let text = "linux-headers-6.1.0-56-amd64 6.1.0-56-amd64-x /lib/modules/6.1.0-56-amd64/build";
        let expected = format!("linux-headers-{KERNEL} 6.1.0-56-amd64-x {KERNEL_DIR}");
        assert_eq!(values.put_in(text), expected);
        for with_arch in ["/lib/modules/${KVER}.x86_64/build", "/usr/src/kernels/$KVER.$(uname -m)"] {
            assert_eq!(values.put_in(with_arch), KERNEL_DIR, "{with_arch}");
        }
        assert_eq!(values.changed("${KVER%%-*} ${B%.*} ${Z%x} ${A:-b}"), ["{KVER%%-*}", "{B%.*}"]);
        for n in 0..29 {
            let value = values.put_in(&format!("${{A{n}}}${{A{n}}}"));
            values.set(&format!("A{}", n + 1), if n == 0 { "x".repeat(10) } else { value });
        }
        assert!(values.get("A28").unwrap().len() < 10_000);
    }
}

//! Small programs and what they print: `echo`, `printf`, `cut`, `tr`, `sed`, `basename` and `dirname`.

use std::fmt::Write as _;

/// What a program prints, for these arguments and these lines as its input; `None` where that is not known.
pub(super) fn run(name: &str, texts: &[String], input: Option<&[String]>) -> Option<String> {
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    if texts.iter().any(|text| super::is_symbolic(text)) {
        return None;
    }
    let lines = || input.filter(|lines| !lines.iter().any(|line| super::is_symbolic(line)));
    match (name, texts.as_slice()) {
        ("basename", [path]) => Some(format!("{}\n", base(path)?)),
        ("basename", [path, suffix]) => {
            let base = base(path)?;
            Some(format!("{}\n", base.strip_suffix(suffix).filter(|rest| !rest.is_empty()).unwrap_or(base)))
        }
        ("dirname", [path]) => Some(match path.trim_end_matches('/').rsplit_once('/') {
            Some(("", _)) => "/\n".to_owned(),
            Some((dir, _)) => format!("{}\n", dir.trim_end_matches('/')),
            None => ".\n".to_owned(),
        }),
        ("cat", []) => each(lines()?, |line| Some(line.to_owned())),
        ("head", ["-n1" | "-1"] | ["-n", "1"]) => each(lines()?.get(..1)?, |line| Some(line.to_owned())),
        ("tail", ["-n1" | "-1"] | ["-n", "1"]) => {
            each(lines()?.last().as_slice().iter().copied().cloned().collect::<Vec<_>>().as_slice(), |line| {
                Some(line.to_owned())
            })
        }
        ("cut", arguments) => cut(arguments, lines()?),
        ("tr", arguments) => translate(arguments, lines()?),
        ("sed", ["-e" | "-E" | "-r", script] | [script]) => {
            substitute(script, texts.len() > 1 && texts.first() != Some(&"-e"), lines()?)
        }
        ("seq", [last]) => numbers("1", last),
        ("seq", [first, last]) => numbers(first, last),
        _ => None,
    }
}

fn base(path: &str) -> Option<&str> {
    path.trim_end_matches('/').rsplit('/').next().filter(|base| !base.is_empty())
}

fn numbers(first: &str, last: &str) -> Option<String> {
    let (first, last) = (first.parse::<u16>().ok()?, last.parse::<u16>().ok()?);
    (last < 4096)
        .then(|| (first..=last).fold(String::new(), |text, number| text + &number.to_string() + "\n"))
}

fn each(lines: &[String], change: impl Fn(&str) -> Option<String>) -> Option<String> {
    let mut out = String::new();
    for line in lines {
        out.push_str(&change(line)?);
        out.push('\n');
    }
    Some(out)
}

fn cut(arguments: &[&str], lines: &[String]) -> Option<String> {
    let (mut by, mut fields) = ("\t", None);
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        match *argument {
            "-d" => by = rest.next()?,
            "-f" => fields = rest.next().copied(),
            other => match (other.strip_prefix("-d"), other.strip_prefix("-f")) {
                (Some(text), _) => by = text,
                (_, Some(text)) => fields = Some(text),
                _ => return None,
            },
        }
    }
    let mut wanted = Vec::new();
    for part in fields?.split(',') {
        let (from, to) = part.split_once('-').unwrap_or((part, part));
        let from = if from.is_empty() { 1 } else { from.parse::<usize>().ok()? };
        let to = if to.is_empty() { usize::MAX } else { to.parse().ok()? };
        wanted.push(from..=to);
    }
    each(lines, |line| {
        if by.is_empty() || !line.contains(by) {
            return Some(line.to_owned());
        }
        let parts = line.split(by).zip(1..).filter(|(_, at)| wanted.iter().any(|range| range.contains(at)));
        Some(parts.map(|(part, _)| part).collect::<Vec<_>>().join(by))
    })
}

fn translate(arguments: &[&str], lines: &[String]) -> Option<String> {
    match arguments {
        ["-d", set] => {
            let set = characters(set)?;
            each(lines, |line| Some(line.chars().filter(|c| !set.contains(c)).collect()))
        }
        [from, to] => {
            let (from, to) = (characters(from)?, characters(to)?);
            if from.contains(&'\n') || to.contains(&'\n') {
                return None;
            }
            each(lines, |line| {
                let change = |c: char| match from.iter().rposition(|one| *one == c) {
                    Some(at) => to.get(at).or(to.last()).copied(),
                    None => Some(c),
                };
                line.chars().map(change).collect()
            })
        }
        _ => None,
    }
}

/// The characters of a set of `tr`.
fn characters(set: &str) -> Option<Vec<char>> {
    let ranges = |from: char, to: char| (from..=to).collect::<Vec<_>>();
    match set {
        "[:upper:]" => return Some(ranges('A', 'Z')),
        "[:lower:]" => return Some(ranges('a', 'z')),
        "[:digit:]" => return Some(ranges('0', '9')),
        _ if set.contains(['[', '\\']) => return None,
        _ => {}
    }
    let all: Vec<char> = set.chars().collect();
    let mut out = Vec::new();
    let mut at = 0;
    while let Some(&c) = all.get(at) {
        match (all.get(at + 1), all.get(at + 2)) {
            (Some('-'), Some(&to)) if c <= to && to.is_ascii() => {
                out.extend(c..=to);
                at += 3;
            }
            _ => {
                out.push(c);
                at += 1;
            }
        }
    }
    Some(out)
}

/// A single `s/…/…/`.
fn substitute(script: &str, extended: bool, lines: &[String]) -> Option<String> {
    let mut chars = script.strip_prefix('s')?.chars();
    let by = chars.next().filter(|c| !c.is_alphanumeric() && *c != '\\')?;
    let parts: Vec<&str> = chars.as_str().split(by).collect();
    let [pattern, replacement, flags] = parts.as_slice() else { return None };
    if replacement.contains('\\') || replacement.contains('&') || pattern.ends_with('\\') {
        return None;
    }
    let regex = regex::Regex::new(&expression(pattern, extended)?).ok()?;
    let times = match *flags {
        "" => 1,
        "g" => 0,
        _ => return None,
    };
    each(lines, |line| Some(regex.replacen(line, times, regex::NoExpand(replacement)).into_owned()))
}

/// A POSIX expression, basic or extended, in the words of this language.
fn expression(pattern: &str, extended: bool) -> Option<String> {
    // Which of two alternatives is taken differs.
    if pattern.contains('|') || pattern.contains("\\|") {
        return None;
    }
    if extended {
        return (!pattern.contains('\\') || pattern.contains("\\.")).then(|| pattern.to_owned());
    }
    let mut out = String::new();
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next()? {
                c @ ('(' | ')' | '{' | '}' | '+' | '?') => out.push(c),
                c if c.is_alphanumeric() => return None,
                c => out.extend(['\\', c]),
            },
            '(' | ')' | '{' | '}' | '+' | '?' => out.extend(['\\', c]),
            c => out.push(c),
        }
    }
    Some(out)
}

/// Splits a line as `read` does, into no more than `most` parts; the last takes the rest.
pub(super) fn split(text: &str, separators: &str, most: usize) -> Vec<String> {
    let blank = |c: char| " \t\n".contains(c) && separators.contains(c);
    let mut rest = text.trim_matches(blank);
    let mut parts = Vec::new();
    while !rest.is_empty() {
        let end = rest.find(|c| separators.contains(c)).filter(|_| parts.len() + 1 < most);
        let Some(end) = end else {
            parts.push(rest.to_owned());
            break;
        };
        let (part, after) = rest.split_at(end);
        parts.push(part.to_owned());
        let after = after.trim_start_matches(blank);
        let mut chars = after.chars();
        rest = match chars.next() {
            Some(c) if separators.contains(c) && !blank(c) => chars.as_str().trim_start_matches(blank),
            _ => after,
        };
    }
    parts
}

pub(super) fn echo(texts: &[String]) -> Option<String> {
    let flags =
        texts.iter().take_while(|text| ["-n", "-e", "-E", "-ne", "-en"].contains(&text.as_str())).count();
    let (flags, texts) = texts.split_at_checked(flags)?;
    let text = texts.join(" ");
    // Behind a backslash, `echo -e` takes other digits than `$'…'`.
    let digits = text.split('\\').skip(1).any(|part| part.starts_with(|c: char| c.is_ascii_digit()));
    let text = match flags.iter().any(|flag| flag.contains('e')) {
        true if digits => return None,
        true => escapes(&text)?,
        false => text,
    };
    Some(if flags.iter().any(|flag| flag.contains('n')) { text } else { text + "\n" })
}

/// `printf FORMAT ARGUMENT…`
pub(super) fn printf(texts: &[String]) -> Option<String> {
    let (format, mut rest) = texts.split_first()?;
    let format = escapes(format)?;
    let mut out = String::new();
    loop {
        let before = rest.len();
        let mut chars = format.chars();
        while let Some(c) = chars.next() {
            if c != '%' {
                out.push(c);
                continue;
            }
            let mut width = String::new();
            let kind = loop {
                match chars.next()? {
                    c @ ('0'..='9' | '-') => width.push(c),
                    c => break c,
                }
            };
            if kind == '%' {
                out.push('%');
                continue;
            }
            let argument = rest.first().map(String::as_str);
            rest = rest.get(1..).unwrap_or_default();
            formatted(&mut out, kind, &width, argument)?;
        }
        if rest.is_empty() || rest.len() == before || out.len() > super::MAX_BYTES {
            return Some(out);
        }
    }
}

fn formatted(out: &mut String, kind: char, width: &str, argument: Option<&str>) -> Option<()> {
    let argument = argument.unwrap_or_default();
    let size = width.trim_start_matches(['-', '0']).parse::<usize>().unwrap_or(0);
    if size > 100 || (super::is_symbolic(argument) && size > 0) {
        return None;
    }
    let number = || if argument.is_empty() { Some(0) } else { argument.parse::<i64>().ok() };
    let text = match kind {
        's' => argument.to_owned(),
        'd' | 'i' if width.starts_with('0') => format!("{:0size$}", number()?),
        'd' | 'i' => number()?.to_string(),
        'x' if width.starts_with('0') => format!("{:0size$x}", number()?),
        'x' => format!("{:x}", number()?),
        _ => return None,
    };
    let written =
        if width.starts_with('-') { write!(out, "{text:<size$}") } else { write!(out, "{text:>size$}") };
    written.ok()
}

/// A text with the backslashes of `echo -e`, `printf` and `$'…'` put in; `None` for those that are seldom seen.
pub(super) fn escapes(text: &str) -> Option<String> {
    let mut out = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        if chars.as_str().starts_with(|c: char| c.is_digit(8)) {
            out.push(number(&mut chars, 3, 8)?);
            continue;
        }
        out.push(match chars.next()? {
            'n' => '\n',
            't' => '\t',
            c @ ('\\' | '\'' | '"') => c,
            'x' => number(&mut chars, 2, 16)?,
            'u' => number(&mut chars, 4, 16)?,
            _ => return None,
        });
    }
    Some(out)
}

/// The character of so many digits at most; not one that is only a byte of a longer one.
fn number(chars: &mut std::str::Chars<'_>, most: usize, radix: u32) -> Option<char> {
    let rest = chars.as_str();
    let digits: String = rest.chars().take(most).take_while(|c| c.is_digit(radix)).collect();
    *chars = rest.get(digits.len()..)?.chars();
    let code = u8::from_str_radix(&digits, radix).ok().filter(|code| code.is_ascii() && *code > 0);
    code.map(char::from)
}

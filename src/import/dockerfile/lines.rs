//! A Dockerfile's text into instructions, with the line that each begins on.

/// One instruction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Instruction {
    /// The line that it begins on, from 1.
    pub(super) line: usize,
    /// Its keyword, in capitals.
    pub(super) keyword: String,
    /// What follows, continued lines joined by a blank.
    pub(super) rest: String,
    /// The words of a RUN that are the engine's, as `--mount=…`.
    pub(super) flags: Vec<String>,
}

/// Reads the instructions; comments and blank lines, also within an instruction, are passed over. What a RUN is given
/// between `<<EOF` and `EOF` is its commands.
pub(super) fn read(text: &str) -> Vec<Instruction> {
    let mut instructions: Vec<Instruction> = Vec::new();
    let mut open: Option<(usize, String)> = None;
    let mut document: Option<String> = None;
    let escape = if escapes_by_backtick(text) { '`' } else { '\\' };
    for (at, line) in text.lines().enumerate() {
        if let Some(end) = &document {
            if line.trim_start_matches('\t') == end {
                document = None;
            } else if let Some(one) = instructions.last_mut().filter(|one| one.keyword == "RUN") {
                one.rest.extend(["\n", line]);
            }
            continue;
        }
        let trimmed = line.trim();
        if trimmed.starts_with('#') || (trimmed.is_empty() && open.is_some()) {
            continue;
        }
        let (start, mut whole) = open.take().unwrap_or((at + 1, String::new()));
        let (part, goes_on) = match trimmed.strip_suffix(escape) {
            Some(part) => (part.trim_end(), true),
            None => (trimmed, false),
        };
        whole.push_str(if whole.is_empty() { "" } else { " " });
        whole.push_str(part);
        if goes_on {
            open = Some((start, whole));
        } else if let Some(mut one) = instruction(start, &whole) {
            document = here_document(&mut one);
            instructions.push(one);
        }
    }
    instructions.extend(open.and_then(|(start, whole)| instruction(start, &whole)));
    instructions
}

/// Whether the first comments say `# escape=` with a backtick.
fn escapes_by_backtick(text: &str) -> bool {
    let comments = text.lines().map_while(|line| line.trim().strip_prefix('#'));
    comments.into_iter().any(|line| line.replace(' ', "").eq_ignore_ascii_case("escape=`"))
}

/// The words of a line; quotes keep a word together and are taken off.
pub(super) fn words(text: &str) -> Vec<String> {
    let (mut words, mut current, mut quote) = (Vec::new(), None::<String>, None);
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (Some(open), _) if c == open => quote = None,
            (None, '\'' | '"') => {
                quote = Some(c);
                current.get_or_insert_default();
            }
            (None, _) if c.is_whitespace() => words.extend(current.take()),
            (None | Some('"'), '\\') => current.get_or_insert_default().extend(chars.next()),
            _ => current.get_or_insert_default().push(c),
        }
    }
    words.extend(current);
    words
}

fn instruction(line: usize, text: &str) -> Option<Instruction> {
    let (keyword, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let (keyword, mut rest) = (keyword.to_uppercase(), rest.trim());
    let mut flags = Vec::new();
    while keyword == "RUN" && rest.starts_with("--") {
        let (flag, after) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
        flags.push(flag.to_owned());
        rest = after.trim_start();
    }
    (!keyword.is_empty()).then(|| Instruction { line, keyword, rest: rest.to_owned(), flags })
}

/// The word that ends the text which an instruction goes on with; it is taken out of a RUN that is nothing but that text.
fn here_document(one: &mut Instruction) -> Option<String> {
    if !["RUN", "COPY", "ADD"].contains(&one.keyword.as_str()) {
        return None;
    }
    let word = one.rest.split_whitespace().find_map(|word| word.strip_prefix("<<"))?;
    let end = word.trim_start_matches('-').trim_matches(['"', '\'']).to_owned();
    let plain = !end.is_empty() && end.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if one.rest.starts_with("<<") {
        one.rest = one.rest.split_once(char::is_whitespace).map_or("", |(_, rest)| rest).to_owned();
    }
    plain.then_some(end)
}

/// The words of an exec form, `["a", "b"]`; `None` where it is none.
pub(super) fn exec_form(rest: &str) -> Option<Vec<String>> {
    rest.starts_with('[').then(|| serde_json::from_str(rest).ok()).flatten()
}

/// The simple commands of shell text, and the operator before each; quotes and `$(…)` keep what is in them together.
pub(super) fn commands(text: &str) -> Vec<(&'static str, String)> {
    let mut commands = Vec::new();
    let (mut before, mut current) = ("", String::new());
    let (mut quote, mut inner) = (None, 0_usize);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c == '\\' {
            current.push(c);
            current.extend(chars.next());
            continue;
        }
        if c == '$' && chars.peek() == Some(&'(') && quote != Some('\'') {
            inner += 1;
        }
        if c == ')' && quote != Some('\'') {
            inner = inner.saturating_sub(1);
        }
        let operator = match (quote, c) {
            _ if inner > 0 => None,
            (Some(open), _) => {
                quote = quote.filter(|_| c != open);
                None
            }
            (None, '\'' | '"') => {
                quote = Some(c);
                None
            }
            (None, '&') if chars.peek() == Some(&'&') => Some("&&"),
            (None, '|') if chars.peek() == Some(&'|') => Some("||"),
            (None, ';') => Some(";"),
            (None, '\n') => Some(";"),
            _ => None,
        };
        match operator {
            None => current.push(c),
            Some(operator) => {
                if operator.len() == 2 {
                    chars.next();
                }
                commands.push((before, std::mem::take(&mut current).trim().to_owned()));
                before = operator;
            }
        }
    }
    commands.push((before, current.trim().to_owned()));
    commands.retain(|(_, command)| !command.is_empty());
    commands
}

/// The first command of a pipe, without what sends its errors along, and the commands behind it.
pub(super) fn before_pipe(text: &str) -> (&str, Option<&str>) {
    let (mut quote, mut escaped) = (None, false);
    for (at, c) in text.char_indices() {
        if std::mem::take(&mut escaped) {
            continue;
        }
        match (c, quote) {
            ('\\', None | Some('"')) => escaped = true,
            ('\'' | '"', None) => quote = Some(c),
            (_, Some(open)) if c == open => quote = None,
            ('|', None) => {
                let (first, rest) = text.split_at(at);
                let first = first.trim_end();
                let first = first.strip_suffix("2>&1").unwrap_or(first).trim_end();
                return (first, Some(rest.trim_start_matches(['|', '&', ' '])));
            }
            _ => {}
        }
    }
    (text, None)
}

/// The same commands, where a loop or a condition is one with all that is in it.
pub(super) fn whole_commands(text: &str) -> Vec<String> {
    let (mut whole, mut open): (Vec<String>, usize) = (Vec::new(), 0);
    for (operator, command) in commands(text) {
        match whole.last_mut().filter(|_| open > 0) {
            Some(last) => {
                last.extend([if operator == ";" { "" } else { " " }, operator, " ", command.as_str()])
            }
            None => whole.push(command.clone()),
        }
        for word in command.split_whitespace() {
            match word {
                "if" | "for" | "while" | "until" | "case" => open += 1,
                "fi" | "done" | "esac" => open = open.saturating_sub(1),
                "then" | "do" | "else" | "elif" | "{" | "!" => {}
                _ => break,
            }
        }
    }
    whole
}

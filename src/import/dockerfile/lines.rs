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
}

/// Reads the instructions; comments and blank lines, also within an instruction, are passed over.
pub(super) fn read(text: &str) -> Vec<Instruction> {
    let mut instructions = Vec::new();
    let mut open: Option<(usize, String)> = None;
    for (at, line) in text.lines().enumerate() {
        let trimmed = line.trim();
        if trimmed.starts_with('#') || (trimmed.is_empty() && open.is_some()) {
            continue;
        }
        let (start, mut whole) = open.take().unwrap_or((at + 1, String::new()));
        let (part, goes_on) = match trimmed.strip_suffix('\\') {
            Some(part) => (part.trim_end(), true),
            None => (trimmed, false),
        };
        whole.push_str(if whole.is_empty() { "" } else { " " });
        whole.push_str(part);
        if goes_on {
            open = Some((start, whole));
        } else {
            instructions.extend(instruction(start, &whole));
        }
    }
    instructions.extend(open.and_then(|(start, whole)| instruction(start, &whole)));
    instructions
}

fn instruction(line: usize, text: &str) -> Option<Instruction> {
    let (keyword, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    (!keyword.is_empty()).then(|| Instruction {
        line,
        keyword: keyword.to_uppercase(),
        rest: rest.trim().to_owned(),
    })
}

/// The words of an exec form, `["a", "b"]`; `None` where it is none.
pub(super) fn exec_form(rest: &str) -> Option<Vec<String>> {
    rest.starts_with('[').then(|| serde_json::from_str(rest).ok()).flatten()
}

/// The simple commands of shell text, and the operator before each; quotes keep what is in them together.
pub(super) fn commands(text: &str) -> Vec<(&'static str, String)> {
    let mut commands = Vec::new();
    let (mut before, mut current) = ("", String::new());
    let mut quote = None;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c == '\\' {
            current.push(c);
            current.extend(chars.next());
            continue;
        }
        let operator = match (quote, c) {
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

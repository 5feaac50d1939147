//! The guard: reads a Dockerfile's text back into instructions the way BuildKit, buildah and podman all do, and
//! refuses what they would read differently.

/// One instruction with its lines joined and its comments dropped, blanks at line breaks folded into one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instruction(pub String);

impl Instruction {
    /// The keyword, such as `RUN`.
    #[must_use]
    pub fn keyword(&self) -> &str {
        self.0.split(' ').next().unwrap_or_default()
    }

    /// What follows the keyword.
    #[must_use]
    pub fn rest(&self) -> &str {
        self.0.split_once(' ').map_or("", |(_, rest)| rest)
    }
}

/// The longest line that BuildKit reads: its scanner's token limit, less one.
pub(super) const LONGEST_LINE: usize = 65_534;

/// Instructions that drvc writes. `ADD`, `ARG`, `ONBUILD` and the rest never appear.
const KEYWORDS: &[&str] = &["FROM", "RUN", "COPY", "ENV", "WORKDIR", "LABEL", "CMD", "ENTRYPOINT", "USER"];

/// Splits text into instructions.
///
/// # Errors
/// What engines would read differently: carriage returns and other control characters, lines that end in two
/// backslashes, blank lines or comments inside an instruction, an instruction without its end, a line too long.
pub fn parse(text: &str) -> Result<Vec<Instruction>, String> {
    let mut instructions = Vec::new();
    let mut open: Option<String> = None;
    for line in text.lines() {
        if line.len() > LONGEST_LINE {
            return Err(format!("a line of {} bytes is longer than BuildKit reads", line.len()));
        }
        let trimmed = line.trim_matches([' ', '\t']);
        if trimmed.is_empty() || trimmed.starts_with('#') {
            if open.is_some() {
                return Err("there is a blank line or comment inside an instruction".into());
            }
            continue;
        }
        let (body, continues) = match trimmed.strip_suffix('\\') {
            Some(body) if body.ends_with('\\') => return Err("a line ends in two backslashes".into()),
            Some(body) => (body.trim_end_matches([' ', '\t']), true),
            None => (trimmed, false),
        };
        let instruction = match open.take() {
            Some(before) if body.is_empty() => before,
            Some(before) => before + " " + body,
            None => body.to_string(),
        };
        if continues {
            open = Some(instruction);
        } else {
            instructions.push(Instruction(instruction));
        }
    }
    match open {
        Some(_) => Err("the last line continues into nothing".into()),
        None => Ok(instructions),
    }
}

/// What the last stage sees of the kernel's while it installs packages, and does not have afterwards.
const MIRRORS: &str = "--mount=type=bind,from=kernel,source=/drvc,target=/drvc";

/// Checks the instructions of an inert rendering: only keywords and flags that drvc means to write, and no quoted word
/// within other quotes.
///
/// # Errors
/// What is not allowed, in words.
pub fn allow(instruction: &Instruction) -> Result<(), String> {
    let keyword = instruction.keyword();
    if !KEYWORDS.contains(&keyword) {
        return Err(format!("`{keyword}` is not an instruction that a template may use"));
    }
    let flags = instruction.rest().split(' ').take_while(|word| word.starts_with("--"));
    for flag in flags {
        let fine = match keyword {
            "COPY" => flag.starts_with("--from="),
            "RUN" => flag.starts_with("--mount=type=secret,") || flag == MIRRORS,
            _ => false,
        };
        if !fine {
            return Err(format!("`{keyword} {flag}` is not a flag that a template may use"));
        }
    }
    if instruction.rest().contains("<<") {
        return Err(format!("`{keyword}` has a heredoc, which older engines read as instructions"));
    }
    let exec_form = instruction.rest().starts_with('[');
    if exec_form != matches!(keyword, "CMD" | "ENTRYPOINT") && keyword != "RUN" {
        return Err(format!("`{keyword}` is not written in this form"));
    }
    if exec_form {
        let shell_word = instruction.rest().contains("\u{1}S");
        return if shell_word { Err("`{{sq …}}` is used in exec form".into()) } else { Ok(()) };
    }
    if instruction.rest().contains("\u{1}J") {
        return Err("`{{json …}}` is used outside exec form".into());
    }
    allow_quotes(instruction.rest())
}

/// A word that is to be quoted must not stand within quotes already: there, its own quotes would end them.
fn allow_quotes(text: &str) -> Result<(), String> {
    let (mut quote, mut chars) = (None, text.char_indices());
    while let Some((at, c)) = chars.next() {
        match (c, quote) {
            ('\\', None | Some('"')) => drop(chars.next()),
            ('\'' | '"', None) => quote = Some(c),
            (_, Some(open)) if c == open => quote = None,
            ('\u{1}', Some(_)) if text[at..].starts_with("\u{1}S") => {
                return Err("`{{sq …}}` is used inside quotes".into());
            }
            _ => {}
        }
    }
    match quote {
        Some(quote) => Err(format!("a {quote} is never closed")),
        None => Ok(()),
    }
}

//! 500 projects made at random from a fixed seed: BuildKit's own parser (the Python package `dockerfile`) reads their
//! Dockerfiles into the instructions and values that drvc reads, and finds the texts of the manifest in them.
//!
//! What buildah makes of such texts, the container case `templates` shows.

use crate::differential::Random;
use crate::project::MANIFEST;
use drvc::compiler::compile::compile;
use drvc::compiler::render::{Instruction, read_instructions};
use drvc::system::fs::{Memory, Reader};
use drvc::text::ids::RelPath;
use serde::Deserialize;
use std::io::Write as _;
use std::process::{Command, Stdio};

const PROJECTS: usize = 500;

/// What texts are made of: what means something to shells, to Dockerfiles, to KDL or to templates.
const PIECES: &[&str] = &[
    "'",
    "\"",
    "$",
    "`",
    "\\",
    "#",
    "<<EOF",
    "<<-'EOF'",
    "${HOME}",
    "$(id)",
    "\\\\",
    "\\n",
    "'\\''",
    ";",
    "&&",
    "||",
    "|",
    ">",
    "*",
    "?",
    "~",
    "!",
    "=",
    " ",
    "  ",
    "--",
    "-x",
    "RUN x",
    "FROM scratch",
    "# escape=`",
    "é",
    "%s",
    "%",
    "[",
    "]",
    "(",
    ")",
    ",",
    "\\ ",
    "' RUN '",
    "[\"a\"]",
    "a",
    "b",
    "0",
    "${x:-y}",
    "$$",
    "/",
    "..",
    "ONBUILD",
];

/// Prints each instruction of each text, as BuildKit reads it.
const READER: &str = "
import dockerfile, json, sys
print(json.dumps([[{'keyword': one.cmd.upper(), 'flags': one.flags, 'json': one.json, 'value': one.value}
                   for one in dockerfile.parse_string(text)] for text in json.load(sys.stdin)]))
";

#[derive(Debug, Deserialize)]
struct Read {
    keyword: String,
    flags: Vec<String>,
    json: bool,
    value: Vec<String>,
}

/// A project's texts, each of which has to come out of its Dockerfiles as it went in.
struct Texts {
    env: Vec<String>,
    labels: Vec<String>,
    words: Vec<String>,
    scripts: Vec<String>,
}

impl Texts {
    fn new(random: &mut Random) -> Self {
        let mut texts = |most: usize, lines: bool| -> Vec<String> {
            let text = |random: &mut Random| {
                let mut text = String::new();
                for _ in 0..=random.below(6) {
                    text += PIECES[random.below(PIECES.len())];
                    if lines && random.below(3) == 0 {
                        text += ["\n", "\n\n", "\t", "\n# x\n"][random.below(4)];
                    }
                }
                text
            };
            (0..random.below(most + 1)).map(|_| text(random)).collect()
        };
        Self {
            env: texts(4, false),
            labels: texts(3, false),
            words: texts(5, false),
            scripts: texts(2, true),
        }
    }

    /// The project of all tests, with these texts in it.
    fn manifest(&self) -> String {
        let quoted = |text: &String| serde_json::to_string(text).unwrap();
        // A brace is a name's in all texts but scripts.
        let doubled = |text: &String| quoted(&text.replace('{', "{{").replace('}', "}}"));
        let mut module = String::new();
        for (at, text) in self.env.iter().enumerate() {
            module += &format!("    env V{at}={}\n", doubled(text));
        }
        if !self.words.is_empty() {
            let words: Vec<_> = self.words.iter().map(doubled).collect();
            module += &format!("    run \"printf\" \"%s\" {}\n", words.join(" "));
        }
        for text in &self.scripts {
            module += &format!("    script {}\n", quoted(text));
        }
        let labels = self.labels.iter().enumerate();
        let labels: String =
            labels.map(|(at, text)| format!("    label \"com.example.l{at}\"={}\n", doubled(text))).collect();
        let (head, rest) = MANIFEST.split_once("\nmodule \"").unwrap();
        let (name, rest) = rest.split_once(" {\n").unwrap();
        let (image, rest) = rest.split_once("\nimage \"").unwrap().1.split_once(" {\n").unwrap();
        format!(
            "{head}\nmodule \"{name} {{\n    source \"driver\"\n{module}}}\n\nimage \"{image} {{\n{labels}{rest}"
        )
    }
}

/// The Dockerfiles of a manifest; none where it is refused.
fn dockerfiles(manifest: &str) -> Option<Vec<String>> {
    let mut tree = Memory::new();
    tree.insert(RelPath::parse("drivers.kdl").unwrap(), manifest.as_bytes());
    tree.insert(RelPath::parse("driver/Kbuild").unwrap(), &b"obj-m := example.o\n"[..]);
    tree.insert(RelPath::parse("driver/example.c").unwrap(), &b""[..]);
    let compilation = compile(&Reader::new(&tree), &crate::request());
    let plan = compilation.plan?;
    let files = plan.outputs().iter().filter(|(path, _)| path.as_str().ends_with("Dockerfile"));
    Some(files.map(|(_, output)| output.text()).collect())
}

/// What BuildKit reads of each text; nothing where its parser is not installed.
#[expect(clippy::disallowed_methods, reason = "only where the parser is looked for depends on it")]
fn buildkit(texts: &[String]) -> Option<Vec<Vec<Read>>> {
    let work = std::env::var("E2E_WORK").unwrap_or_else(|_| "/var/tmp/drvc-e2e".into());
    for python in [format!("{work}/venv/bin/python3"), "python3".into()] {
        let mut command = Command::new(python);
        command.args(["-c", READER]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let Ok(mut child) = command.spawn() else { continue };
        let mut input = child.stdin.take().unwrap();
        let bytes = serde_json::to_vec(texts).unwrap();
        let writer = std::thread::spawn(move || input.write_all(&bytes));
        let output = child.wait_with_output().unwrap();
        let _ = writer.join();
        if output.status.success() {
            return Some(serde_json::from_slice(&output.stdout).unwrap());
        }
    }
    None
}

/// With one blank for each row of them: line breaks become blanks in either reading, in different number.
fn folded(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Holds what drvc reads of an instruction to what BuildKit does.
fn same(ours: &Instruction, theirs: &Read) -> bool {
    let flags: String = theirs.flags.iter().map(|flag| format!("{flag} ")).collect();
    let Some(rest) = ours.rest().strip_prefix(&flags) else { return false };
    let value = match theirs.keyword.as_str() {
        _ if theirs.json => {
            return serde_json::from_str(rest).is_ok_and(|words: Vec<String>| words == theirs.value);
        }
        "ENV" | "LABEL" => theirs.value.chunks(2).map(|pair| pair.join("=")).collect::<Vec<_>>().join(" "),
        _ => theirs.value.join(" "),
    };
    ours.keyword() == theirs.keyword && folded(rest) == folded(&value)
}

/// The text that a word in quotes stands for.
fn unquoted(word: &str) -> String {
    let inner = word.strip_prefix('\'').and_then(|word| word.strip_suffix('\'')).unwrap_or(word);
    inner.replace("'\\''", "'").replace("'\"'\"'", "'")
}

/// Whether each text of a project is in what BuildKit reads.
fn arrived(texts: &Texts, read: &[Read]) -> Result<(), String> {
    let of = |keyword: &str, prefix: &str| -> Vec<String> {
        let pairs = read.iter().filter(|one| one.keyword == keyword).flat_map(|one| one.value.chunks(2));
        let own = pairs.filter(|pair| pair[0].trim_matches(['\'', '"']).starts_with(prefix));
        own.map(|pair| unquoted(&pair[1])).collect()
    };
    let env = of("ENV", "V");
    let labels = of("LABEL", "com.example.l");
    if env != texts.env || labels != texts.labels {
        return Err(format!("{env:?} {labels:?}"));
    }
    let words: Vec<_> = texts.words.iter().map(|word| format!("'{}'", word.replace('\'', "'\\''"))).collect();
    let run = folded(&format!("'printf' '%s' {}", words.join(" ")));
    let runs =
        |text: &str| read.iter().any(|one| one.keyword == "RUN" && folded(&one.value[0]).contains(text));
    if !words.is_empty() && !runs(&run) {
        return Err(format!("no RUN has {run}"));
    }
    let scripts = read.iter().filter(|one| one.keyword == "RUN" && one.json);
    let scripts: Vec<_> = scripts.filter_map(|one| one.value.get(2)).collect();
    if texts.scripts.iter().any(|script| !scripts.contains(&script)) {
        return Err(format!("{scripts:?}"));
    }
    Ok(())
}

/// So many projects that are not refused, each with its Dockerfile; and how many were refused.
fn projects(number: usize, random: &mut Random) -> (Vec<(Texts, String)>, usize) {
    let (mut projects, mut refused) = (Vec::new(), 0);
    while projects.len() < number {
        let texts = Texts::new(random);
        match dockerfiles(&texts.manifest()).as_deref() {
            Some([file]) => projects.push((texts, file.clone())),
            Some(files) => panic!("{} Dockerfiles", files.len()),
            None => refused += 1,
        }
    }
    (projects, refused)
}

#[test]
#[expect(clippy::disallowed_macros, reason = "a skipped test says so")]
fn buildkit_reads_500_projects_as_drvc_does() {
    let mut random = Random::new(500);
    let (mut tried, mut instructions, mut refused, mut values) = (0, 0, 0, 0);
    let wanted = crate::cases(PROJECTS);
    while tried < wanted {
        let (projects, bad) = projects(PROJECTS.min(wanted - tried), &mut random);
        let files: Vec<String> = projects.iter().map(|(_, file)| file.clone()).collect();
        let Some(read) = buildkit(&files) else {
            eprintln!("skipped: the Python package `dockerfile` is not installed");
            return;
        };
        for ((texts, file), theirs) in projects.iter().zip(&read) {
            let ours = read_instructions(file).unwrap();
            assert_eq!(ours.len(), theirs.len(), "{file}");
            for (ours, theirs) in ours.iter().zip(theirs) {
                assert!(same(ours, theirs), "{ours:?}\n{theirs:?}");
            }
            arrived(texts, theirs).unwrap_or_else(|cause| panic!("{}\n{file}\n{cause}", texts.manifest()));
            instructions += ours.len();
            values += texts.env.len() + texts.labels.len() + texts.words.len() + texts.scripts.len();
        }
        tried += projects.len();
        refused += bad;
    }
    // A text may be a whole command line in one word, which is taken for a mistake.
    assert!(refused < wanted, "{refused} are refused");
    eprintln!("{tried} projects, {values} texts, {instructions} instructions; {refused} refused");
}

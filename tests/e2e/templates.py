"""Reads Dockerfiles of drvc with the programs of others: BuildKit's parser, hadolint and shellcheck.

templates.py examples DIRECTORY      the Dockerfiles of the compiled examples
templates.py hostile DIRECTORY DRVC  manifests of hostile texts, compiled by DRVC below DIRECTORY; leaves a Dockerfile
                                     with thirty of them, and what has to come out, in DIRECTORY
"""

import json
import pathlib
import random
import shlex
import subprocess
import sys

import dockerfile

KEYWORDS = {"from", "run", "copy", "env", "workdir", "label", "cmd"}
# Versions of packages come from the lock file, where there is one.
IGNORED = ["DL3008", "DL3033", "DL3037", "DL3041"]


def fail(message):
    sys.exit(f"error: {message}")


def keywords(text):
    """The instructions of a Dockerfile by the plainest reading: what begins where no line is open."""
    found, is_open = [], False
    for line in text.splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if not is_open:
            found.append(line.split()[0].lower())
        is_open = line.endswith("\\")
    return found


def instructions(text, name):
    """The instructions as BuildKit reads them; they have to be those that stand there."""
    parsed = dockerfile.parse_string(text)
    names = [one.cmd.lower() for one in parsed]
    if names != keywords(text):
        fail(f"{name}: BuildKit reads other instructions than are written: {names}")
    if not set(names) <= KEYWORDS:
        fail(f"{name}: {set(names) - KEYWORDS} in it")
    return parsed


def checked(command, text):
    done = subprocess.run(command, input=text, text=True, capture_output=True)
    return done.stdout + done.stderr if done.returncode else ""


def examples(directory):
    files = sorted(pathlib.Path(directory).glob("*/drivers.out/**/Dockerfile"))
    shells = {}
    for file in files:
        text = file.read_text()
        for one in instructions(text, file):
            if one.cmd.lower() == "run" and not one.json:
                shells.setdefault(one.value[0], file)
        ignored = [word for rule in IGNORED for word in ("--ignore", rule)]
        command = ["hadolint", "--no-color", "--failure-threshold", "warning", *ignored, "-"]
        if complaint := checked(command, text):
            fail(f"hadolint, {file}:\n{complaint}")
    for shell, file in shells.items():
        command = ["shellcheck", "--shell=sh", "--severity=warning", "-"]
        if complaint := checked(command, shell):
            fail(f"shellcheck, {file}:\n{complaint}")
    scripts = {file.read_text().split("\n", 1)[1] for file in pathlib.Path(directory).glob("*/drivers.out/build/*")}
    for script in scripts:
        if complaint := checked(["shellcheck", "--severity=style", "-"], script):
            fail(f"shellcheck:\n{complaint}")
    if len(files) < 10 or len(shells) < 20 or len(scripts) < 7:
        fail(f"only {len(files)} Dockerfiles, {len(shells)} commands and {len(scripts)} scripts below {directory}")
    print(f"  {len(files)} Dockerfiles, {len(shells)} different commands, {len(scripts)} scripts")


PARTS = [
    "'", '"', "$", "`", "\\", "#", "<<EOF", "<<-'EOF'", "${HOME}", "$(id)", "`id`", "{{x}}", "{", "}", "\\\\", "\\n", "'\\''",
    ";", "&&", "||", "|", ">", "*", "?", "~", "!", "=", " ", "  ", "--", "-x", "RUN x", "FROM scratch", "# escape=`", "é",
    "%s", "%", "[", "]", "(", ")", ",", "\\ ", "' RUN '", '["a"]', "a", "b", "0", "${x:-y}", "$$", "/", "..", "ONBUILD",
]


def hostile_text(dice, field):
    """A text of hostile parts. Scripts have braces of their own, which drvc leaves alone where no name is in them."""
    parts = PARTS
    if field == "script":
        parts = [part for part in PARTS if part not in ("{", "}", "{{x}}")] + ["\n", "\n\n", "\t", "\n# x\n"]
    return "".join(dice.choice(parts) for _ in range(dice.randint(1, 6)))


def kdl(text, field):
    """A KDL text that means the text: braces doubled for drvc, the rest escaped for KDL."""
    doubled = text if field == "script" else text.replace("{", "{{").replace("}", "}}")
    return json.dumps(doubled, ensure_ascii=False)


MANIFEST = """drvc edition=1
project "hostile"
source "here" {{ path "here"; }}
module "words" {{
    source "here"
    env HOSTILE={env}
    run "printf" "%s" {word} {word2}
    script {script}
}}
module "made" {{ source "here"; make {target} VAR={var}; }}
image "hostile" {{
    module "words" "made"
    label "com.example.hostile"={label}
}}
matrix {{ os "debian" "12" {{ kernel "6.1.0-18-amd64"; }}; }}
"""
FIELDS = ["env", "word", "word2", "script", "target", "var", "label"]


def words_after(parsed, first):
    """The words of the RUN that begins with these words, as a shell splits them."""
    for one in parsed:
        if one.cmd.lower() == "run" and not one.json:
            try:
                words = shlex.split(one.value[0])
            except ValueError:
                continue
            if words[: len(first)] == first:
                return words[len(first) :]
    fail(f"no RUN begins with {first}")


def pair(parsed, cmd, name):
    """The value of a name in ENV or LABEL, without its quotes; and as it is written."""
    for one in parsed:
        if one.cmd.lower() == cmd:
            values = list(one.value)
            for key, value in zip(values[::3], values[1::3]) if len(values) % 3 == 0 else zip(values[::2], values[1::2]):
                if key.strip("\"'") == name:
                    return "".join(shlex.split(value)), value
    fail(f"no {cmd} {name}")


def compiled(directory, drvc, values):
    """The only Dockerfile; none where a word is refused as a whole command line: nothing is written then."""
    (directory / "drivers.kdl").write_text(MANIFEST.format(**{name: kdl(text, name) for name, text in values.items()}))
    done = subprocess.run([drvc, "compile", "--force", "-C", directory], capture_output=True, text=True)
    if done.returncode == 1 and "error[command-line]" in done.stderr:
        return None
    if done.returncode:
        fail(f"drvc ends with {done.returncode}:\n{done.stderr}")
    (file,) = directory.glob("drivers.out/**/Dockerfile")
    return file.read_text()


def hostile(directory, drvc):
    dice = random.Random(20240817)
    project = directory / "project"
    (project / "here").mkdir(parents=True)
    (project / "here" / "Makefile").write_text("")
    harmless = compiled(project, drvc, {name: "harmless" for name in FIELDS})
    shape = [one.cmd.lower() for one in instructions(harmless, "harmless")]
    samples, refused = [], 0
    while len(samples) < 500:
        number = len(samples) + refused
        values = {name: hostile_text(dice, name) for name in FIELDS}
        text = compiled(project, drvc, values)
        if text is None:
            refused += 1
            continue
        name = f"manifest {number}: {values}"
        parsed = instructions(text, name)
        if [one.cmd.lower() for one in parsed] != shape:
            fail(f"{name}: other instructions than those of harmless texts")
        env, env_written = pair(parsed, "env", "HOSTILE")
        label, label_written = pair(parsed, "label", "com.example.hostile")
        words = words_after(parsed, ["printf", "%s"])
        (script,) = [one.value[2] for one in parsed if one.cmd.lower() == "run" and one.json]
        # The checks of what was made follow in the same RUN.
        made, after = (behind := words_after(parsed, ["make"]))[1:3], behind[3:6]
        if after != ["&&", "sh", "/drvc/bin/install-module"]:
            fail(f"{name}\n  the words of make: {behind}")
        seen = {"env": env, "label": label, "word": words[0], "word2": words[1], "script": script}
        seen |= {"target": made[0], "var": made[1].removeprefix("VAR=")}
        if len(words) != 2 or seen != values:
            fail(f"{name}\n  became {seen}")
        samples.append((values, env_written, label_written, text))
    print(f"  {len(samples)} hostile manifests mean what they say, {refused} are refused as command lines")
    write_build(directory, samples[:30])


def write_build(directory, samples):
    """A Dockerfile of the very texts that drvc wrote, and what has to come out of it."""
    lines, runs = ["FROM docker.io/library/debian:12"], []
    expected = {"env": [], "labels": {}, "words": []}
    for number, (values, env, label, text) in enumerate(samples):
        (run,) = [line for line in text.splitlines() if line.startswith("RUN 'printf' '%s' ")]
        lines.append(f"ENV V{number}={env}")
        lines.append(f"LABEL v{number}={label}")
        runs.append(run.removeprefix("RUN ").replace("'%s'", "'%s\\0'", 1) + " >>/words")
        expected["env"].append(f"V{number}={values['env']}")
        expected["labels"][f"v{number}"] = values["label"]
        expected["words"] += [values["word"], values["word2"]]
    expected["env"].sort()
    (directory / "build").mkdir()
    lines.append("RUN " + " && \\\n    ".join(runs))
    (directory / "build" / "Dockerfile").write_text("\n".join(lines) + "\n")
    (directory / "expected.json").write_text(json.dumps(expected))


if sys.argv[1] == "examples":
    examples(sys.argv[2])
else:
    hostile(pathlib.Path(sys.argv[2]), sys.argv[3])

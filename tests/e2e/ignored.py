"""Holds ignore files to engines: what of a tree reaches a build is what the plan lists, no more and no less.

ignored.py DRVC KERNEL DIRECTORY ROUNDS ENGINE...: makes a tree by hand and ROUNDS random ones in DIRECTORY.
"""
import json
import os
import random
import shutil
import subprocess
import sys

NAMES = ["a.c", "b.h", "a b.c", "q(1).c", "é.c", "[x].c", "!y", "#z", " lead", "p+q^$.c", "back\\slash", "{c}.d",
         "a.o", "keep.log", "x.log", "Kbuild", "README.md", "m.mod.c", ".a.o.cmd", "y.patch", "tail ", "com,ma=1.c"]
DIRECTORIES = ["src", "d(1)", "[e]", "f g", "!h", "#i", "é", "local", "deep", ".github", ".tmp_versions", "w+", ".git"]

MANIFEST = """drvc edition=1
project "e2e"
source "all" {{ path "." {{
{rules}
}}; }}
source "part" {{ path "src"; patch "fix.patch"; }}
module "all" {{ source "all"; }}
module "part" {{ source "part"; }}
image "all" {{ module "all" "part"; load "all" "part"; }}
matrix {{ os "debian" "12" {{ kernel "{kernel}"; }}; }}
"""


def write(path, text="x\n"):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def by_hand(top):
    for directory in ["src", "src/d(1)", "src/[e]/deep", "!h", "#i", " j", "src/local", "src/deep/.git", "k/l/m"]:
        for name in NAMES:
            write(f"{top}/{directory}/{name}")
    os.makedirs(f"{top}/src/empty/too")
    os.symlink("a.c", f"{top}/src/link.c")
    os.symlink("d(1)", f"{top}/src/to-dir")
    os.symlink("../README.md", f"{top}/src/left-out")
    return ['ignore "local" "*.log"', 'include "*" "/src/a.o"']


def at_random(top, dice):
    directories = [""]
    for _ in range(dice.randrange(3, 14)):
        directories.append(f"{dice.choice(directories)}/{dice.choice(DIRECTORIES)}")
    for directory in directories:
        for name in dice.sample(NAMES, dice.randrange(0, 9)):
            if not os.path.isdir(f"{top}{directory}/{name}"):
                write(f"{top}{directory}/{name}")
        os.makedirs(f"{top}{directory}/src", exist_ok=True)
    rules = ['ignore "local"', 'ignore "*.log"', 'ignore "/src/a.c" "f g"', 'include "*" "*.md"', 'include "*.c" "*.o"',
             'ignore "*.c" "!/src/a.c"']
    write(f"{top}/.gitignore", dice.choice(["", "*.d\n", "/deep\n", "deep/\n!keep.log\n"]))
    return dice.sample(rules, dice.randrange(0, 3))


def run(*words, **options):
    done = subprocess.run(words, text=True, capture_output=True, **options)
    if done.returncode not in (0, 3):
        sys.exit(f"{words}: {done.stdout}{done.stderr}")
    return done.stdout


def listing(root):
    """Paths of files and links beneath a directory."""
    found = set()
    for at, directories, files in os.walk(root):
        links = [name for name in directories if os.path.islink(f"{at}/{name}")]
        found |= {os.path.relpath(f"{at}/{name}", root) for name in files + links}
    return found


def built(engine, top, dockerfile, ignore, out):
    if engine == "docker":
        shutil.copy(ignore, f"{dockerfile}.dockerignore")
        run("/usr/bin/docker", "build", "--no-cache", "-q", "-f", dockerfile, "-o", out, top, env={**os.environ, "DOCKER_BUILDKIT": "1"})
        return listing(out)
    build = [engine, "build", "--no-cache", "-q", "--isolation", "chroot", "--ignorefile", ignore, "-f", dockerfile, top]
    image = run(*build).split()[-1]
    try:
        if engine == "podman":
            return listing(run("podman", "image", "mount", image).strip())
        container = run("buildah", "from", image).strip()
        try:
            return listing(run("buildah", "mount", container).strip())
        finally:
            run("buildah", "rm", container)
    finally:
        run(engine, "rmi", "--force", image)


def main():
    drvc, kernel, directory, rounds, *engines = sys.argv[1:]
    most = 0
    for number in range(-1, int(rounds)):
        top = f"{directory}/{number + 1}"
        rules = by_hand(top) if number < 0 else at_random(top, random.Random(number))
        for name in ["Kbuild", "all.c", "src/Kbuild", "src/part.c", "fix.patch"]:
            write(f"{top}/{name}")
        write(f"{top}/drivers.kdl", MANIFEST.format(rules="\n".join(rules), kernel=kernel))
        run(drvc, "compile", "-C", top)
        out = f"{top}/drivers.out"
        with open(f"{out}/plan.json", encoding="utf-8") as file:
            plan = json.load(file)
        ignore = f"{out}/{plan['targets'][0]['id']}/Dockerfile.dockerignore"
        listed = {file["path"] for files in plan["contexts"].values() for file in files}
        scripts = listed | {path for path in listing(top) if path.startswith("drivers.out/build/")}
        most = max(most, os.path.getsize(ignore))
        dockerfile = f"{directory}/{number + 1}.Dockerfile"
        write(dockerfile, "FROM scratch\nCOPY . /\n")
        for engine in engines:
            seen = built(engine, top, dockerfile, ignore, f"{directory}/{number + 1}.{engine}")
            if not listed <= seen <= scripts:
                with open(ignore, encoding="utf-8") as file:
                    text = file.read()
                sys.exit(f"tree {number}, {engine}:\n  lacks {sorted(listed - seen)}\n  has {sorted(seen - scripts)}\n{text}")
    print(f"{int(rounds) + 1} trees, {len(engines)} engines, ignore files of at most {most} bytes")


main()

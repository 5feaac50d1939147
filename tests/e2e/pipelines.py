"""Writes every script of pipelines as a file of its own: pipelines.py FILE... DIRECTORY"""

import pathlib
import re
import sys

from ruamel.yaml import YAML


def scripts(node):
    """The texts that runners hand to a shell."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key in ("run", "script", "before_script") and isinstance(value, (str, list)):
                yield value if isinstance(value, str) else "\n".join(value)
            else:
                yield from scripts(value)
    elif isinstance(node, list):
        for value in node:
            yield from scripts(value)


*files, directory = sys.argv[1:]
target = pathlib.Path(directory)
target.mkdir(parents=True, exist_ok=True)
number = 0
for path in files:
    for text in scripts(YAML(typ="safe").load(pathlib.Path(path))):
        if "${{" in re.sub(r"\$\{\{ matrix\.\w+ \}\}", "", text):
            sys.exit(f"{path}: an expression in a script, where its value would be read as shell:\n{text}")
        number += 1
        head = "# shellcheck disable=SC2086,SC2154\n"
        (target / f"{number}.sh").write_text(head + text + "\n", encoding="utf-8")

"""Fails where a YAML 1.1 reader (PyYAML) and a YAML 1.2 reader (ruamel.yaml) get other values out of a file.

    yaml-versions.py FILE...
"""

import sys

import yaml
from ruamel.yaml import YAML

newer = YAML(typ="safe", pure=True)
for path in sys.argv[1:]:
    with open(path, encoding="utf-8") as file:
        text = file.read()
    old, new = list(yaml.safe_load_all(text)), list(newer.load_all(text))
    # `1` and `true` are equal to Python.
    if repr(old) != repr(new):
        sys.exit(f"{path} is another to YAML 1.1 than to YAML 1.2")

"""Holds the documents of a CRD's kind in YAML files to its schema: crd.py CRD FILE..."""

import sys

import jsonschema
from ruamel.yaml import YAML

yaml = YAML(typ="safe")


def closed(schema):
    """The schema with unknown fields refused, which a cluster would drop without a word."""
    if isinstance(schema, dict):
        schema = {key: closed(value) for key, value in schema.items()}
        if "properties" in schema and not schema.get("x-kubernetes-preserve-unknown-fields"):
            schema.setdefault("additionalProperties", False)
    elif isinstance(schema, list):
        schema = [closed(value) for value in schema]
    return schema


def main(crd, files):
    with open(crd, encoding="utf-8") as file:
        definition = yaml.load(file)
    kind = definition["spec"]["names"]["kind"]
    version = next(one for one in definition["spec"]["versions"] if one["storage"])
    root = closed(version["schema"]["openAPIV3Schema"])
    root["properties"]["metadata"] = {"type": "object"}
    validator = jsonschema.Draft202012Validator(root)
    api = f"{definition['spec']['group']}/{version['name']}"
    checked = wrong = 0
    for path in files:
        with open(path, encoding="utf-8") as file:
            documents = [one for one in yaml.load_all(file) if one and one["kind"] == kind]
        for document in documents:
            checked += 1
            problems = [f"{list(error.absolute_path)}: {error.message}" for error in validator.iter_errors(document)]
            if document["apiVersion"] != api:
                problems.append(f"apiVersion is not {api}")
            wrong += bool(problems)
            for problem in problems:
                print(f"{path}: {problem}", file=sys.stderr)
    if wrong or not checked:
        sys.exit(f"{wrong} of {checked} documents of kind {kind} are wrong")


main(sys.argv[1], sys.argv[2:])

"""Holds the resources in YAML files to OpenShift's API: openshift.py SPECIFICATION FILE..."""

import json
import sys

import jsonschema
from ruamel.yaml import YAML

# Newer than the specification.
NEWER = {"com.github.openshift.api.build.v1.DockerBuildStrategy": "volumes"}


def closed(definitions):
    """The definitions with unknown fields refused, which a cluster would drop without a word. It fills in the status."""
    for name, definition in definitions.items():
        if "status" in definition.get("required", []):
            definition["required"].remove("status")
        if "properties" in definition:
            definition.setdefault("additionalProperties", False)
            if name in NEWER:
                definition["properties"][NEWER[name]] = {"type": "array"}
    return definitions


def main(specification, files):
    with open(specification, encoding="utf-8") as file:
        definitions = closed(json.load(file)["definitions"])
    of_kind = {}
    for name, definition in definitions.items():
        for kind in definition.get("x-kubernetes-group-version-kind", []):
            group = f"{kind['group']}/" if kind["group"] else ""
            of_kind[(group + kind["version"], kind["kind"])] = name
    wrong = 0
    kinds = set()
    for path in files:
        with open(path, encoding="utf-8") as file:
            documents = [one for one in YAML(typ="safe").load_all(file) if one]
        for document in documents:
            name = of_kind.get((document["apiVersion"], document["kind"]))
            if name is None:
                sys.exit(f"{path}: OpenShift has no {document['kind']} of {document['apiVersion']}")
            schema = {"$ref": f"#/definitions/{name}", "definitions": definitions}
            for error in jsonschema.Draft4Validator(schema).iter_errors(document):
                wrong += 1
                print(f"{path}: {list(error.absolute_path)}: {error.message}", file=sys.stderr)
            kinds.add(document["kind"])
    if wrong or kinds != {"BuildConfig", "ImageStream"}:
        sys.exit(f"{wrong} mistakes in resources of kind {sorted(kinds)}")


main(sys.argv[1], sys.argv[2:])

"""attestations.py REGISTRY REPOSITORY TAG DIRECTORY: what is attached to an image, found and checked without drvc.

As clients of OCI's distribution 1.1 do: the referrers API, or the index under the tag of the digest where the registry has
none. SPDX documents are read and validated by the SPDX project's own tools, and by its JSON schema where SPDX_SCHEMA names
one; statements by the in-toto project's bindings, whose message types are the published ones. Each document is written to
DIRECTORY by its title; the types are printed.
"""

import hashlib
import json
import os
import sys
import urllib.error
import urllib.request

from google.protobuf.json_format import Parse, ParseDict
from in_toto_attestation.predicates.provenance.v1 import provenance_pb2
from in_toto_attestation.v1 import statement_pb2
from in_toto_attestation.v1.statement import Statement
from spdx_tools.spdx.parser.parse_anything import parse_file
from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document

registry, repository, tag, directory = sys.argv[1:]
accept = ", ".join(f"application/vnd.{kind}+json" for kind in ("oci.image.index.v1", "oci.image.manifest.v1",
                                                              "docker.distribution.manifest.v2"))


def get(path):
    request = urllib.request.Request(f"http://{registry}/v2/{repository}/{path}", headers={"Accept": accept})
    return urllib.request.urlopen(request).read()


def blob(descriptor):
    data = get("blobs/" + descriptor["digest"])
    assert len(data) == descriptor["size"], descriptor
    assert "sha256:" + hashlib.sha256(data).hexdigest() == descriptor["digest"], descriptor
    return data


digest = "sha256:" + hashlib.sha256(get("manifests/" + tag)).hexdigest()
try:
    index = json.loads(get("referrers/" + digest))
except urllib.error.HTTPError:
    index = json.loads(get("manifests/" + digest.replace(":", "-")))
assert index["mediaType"] == "application/vnd.oci.image.index.v1+json", index

for listed in index["manifests"]:
    manifest = json.loads(get("manifests/" + listed["digest"]))
    assert manifest["subject"]["digest"] == digest, manifest
    assert manifest["artifactType"] == listed["artifactType"], (manifest, listed)
    assert manifest.get("annotations", {}) == listed.get("annotations", {}), (manifest, listed)
    assert blob(manifest["config"]) == b"{}"
    [layer] = manifest["layers"]
    title = os.path.join(directory, layer["annotations"]["org.opencontainers.image.title"])
    with open(title, "wb") as file:
        file.write(blob(layer))
    if listed["artifactType"] == "application/spdx+json":
        problems = validate_full_spdx_document(parse_file(title), "SPDX-2.3")
        assert not problems, "\n".join(problem.validation_message for problem in problems[:5])
        if os.environ.get("SPDX_SCHEMA"):
            import jsonschema
            with open(os.environ["SPDX_SCHEMA"]) as schema:
                jsonschema.validate(json.load(open(title)), json.load(schema))
    elif listed["artifactType"] == "application/vnd.in-toto+json":
        message = Parse(open(title).read(), statement_pb2.Statement())
        Statement.copy_from_pb(message).validate()
        assert listed["annotations"]["in-toto.io/predicate-type"] == message.predicate_type
        assert message.predicate_type == "https://slsa.dev/provenance/v1"
        provenance = ParseDict(json.load(open(title))["predicate"], provenance_pb2.Provenance())
        assert provenance.build_definition.build_type and provenance.run_details.builder.id, provenance
    print(listed["artifactType"])

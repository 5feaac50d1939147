"""artifact.py REGISTRY/REPOSITORY@DIGEST: puts an empty image under the tag that cosign 2 has for the signatures of an image.

artifact.py REGISTRY/REPOSITORY@DIGEST TYPE FILE: attaches a file to the image, in place of all that is attached, by the tag of
its digest.
"""

import hashlib
import http.client
import json
import sys

name, digest = sys.argv[1].split("@")
registry, repository = name.split("/", 1)
connection = http.client.HTTPConnection(registry)
IMAGE = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"


def ask(method, path, body=None, headers={}):
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    answer.read()
    assert answer.status < 300, (method, path, answer.status)
    return answer


def described(data, kind):
    return {"mediaType": kind, "digest": "sha256:" + hashlib.sha256(data).hexdigest(), "size": len(data)}


def blob(data, kind):
    descriptor = described(data, kind)
    place = ask("POST", f"/v2/{repository}/blobs/uploads/").getheader("Location").split(registry, 1)[-1]
    ask("PUT", place + "&digest=" + descriptor["digest"], data, {"Content-Type": "application/octet-stream"})
    return descriptor


def put(tag, content):
    data = json.dumps(content).encode()
    kind = content["mediaType"]
    ask("PUT", f"/v2/{repository}/manifests/{tag or described(data, kind)['digest']}", data, {"Content-Type": kind})
    return described(data, kind)


tag = digest.replace(":", "-")
config = blob(b"{}", "application/vnd.oci.empty.v1+json")
if len(sys.argv) == 2:
    put(tag + ".sig", {"schemaVersion": 2, "mediaType": IMAGE, "config": config, "layers": []})
else:
    kind, file = sys.argv[2:]
    layer = blob(open(file, "rb").read(), kind)
    manifest = {"schemaVersion": 2, "mediaType": IMAGE, "artifactType": kind, "config": config, "layers": [layer]}
    listed = put(None, manifest) | {"artifactType": kind}
    put(tag, {"schemaVersion": 2, "mediaType": INDEX, "manifests": [listed]})

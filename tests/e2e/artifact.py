"""artifact.py REGISTRY/REPOSITORY@DIGEST: puts an empty image under the tag that cosign 2 has for the signatures of an image.

artifact.py REGISTRY/REPOSITORY@DIGEST TYPE FILE: attaches a file to the image, in place of all that is attached, by the tag of
its digest.
"""

import sys

from put import Repository

name, digest = sys.argv[1].split("@")
repository = Repository(*name.split("/", 1))
IMAGE = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"

tag = digest.replace(":", "-")
config = repository.blob(b"{}", "application/vnd.oci.empty.v1+json")
if len(sys.argv) == 2:
    repository.manifest({"schemaVersion": 2, "mediaType": IMAGE, "config": config, "layers": []}, tag + ".sig")
else:
    kind, file = sys.argv[2:]
    layer = repository.blob(open(file, "rb").read(), kind)
    manifest = {"schemaVersion": 2, "mediaType": IMAGE, "artifactType": kind, "config": config, "layers": [layer]}
    listed = repository.manifest(manifest) | {"artifactType": kind}
    repository.manifest({"schemaVersion": 2, "mediaType": INDEX, "manifests": [listed]}, tag)

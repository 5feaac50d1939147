"""Puts small images into a registry: registry.py REGISTRY < JSON, one image or index a line; prints the digest of each.

{"image": "path", "tag": "1", "arch": "amd64", "files": {"etc/x": "text"}, "below": 2}   an image of its files' layer on some others
{"index": "path", "tag": "1", "of": {"amd64": "sha256:...", "arm64": "sha256:..."}}      an index
"""

import gzip
import hashlib
import io
import json
import sys
import tarfile
import urllib.request

OCI = "application/vnd.oci.image."
registry = sys.argv[1]


def digest(content):
    return "sha256:" + hashlib.sha256(content).hexdigest()


def send(method, url, content=b"", kind="application/octet-stream"):
    request = urllib.request.Request(url, data=content, method=method, headers={"Content-Type": kind})
    return urllib.request.urlopen(request)


def put_blob(path, content):
    location = send("POST", f"{registry}/v2/{path}/blobs/uploads/").headers["Location"]
    joint = "&" if "?" in location else "?"
    send("PUT", f"{location}{joint}digest={digest(content)}", content)
    return {"digest": digest(content), "size": len(content)}


def put_manifest(path, tag, kind, manifest):
    content = json.dumps({"schemaVersion": 2, "mediaType": OCI + kind, **manifest}).encode()
    send("PUT", f"{registry}/v2/{path}/manifests/{tag or digest(content)}", content, OCI + kind)
    return digest(content), len(content)


def layer(files):
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w") as tar:
        for name, text in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(text.encode())
            tar.addfile(entry, io.BytesIO(text.encode()))
    return gzip.compress(plain.getvalue(), mtime=0)


def image(spec):
    path = spec["image"]
    layers = [layer({f"below/{number}": "x"}) for number in range(spec.get("below", 0))] + [layer(spec.get("files", {}))]
    layers = [{"mediaType": OCI + "layer.v1.tar+gzip", **put_blob(path, content)} for content in layers]
    config = {"architecture": spec["arch"], "os": "linux", "config": {"Labels": spec.get("labels")}}
    config = {"mediaType": OCI + "config.v1+json", **put_blob(path, json.dumps(config).encode())}
    return put_manifest(path, spec.get("tag"), "manifest.v1+json", {"config": config, "layers": layers})[0]


def index(spec):
    manifests = []
    for arch, name in spec["of"].items():
        accept = {"Accept": OCI + "manifest.v1+json"}
        url = f"{registry}/v2/{spec['index']}/manifests/{name}"
        content = urllib.request.urlopen(urllib.request.Request(url, headers=accept)).read()
        platform = {"architecture": arch, "os": "linux"}
        kind = OCI + "manifest.v1+json"
        manifests.append({"mediaType": kind, "digest": name, "size": len(content), "platform": platform})
    return put_manifest(spec["index"], spec.get("tag"), "index.v1+json", {"manifests": manifests})[0]


for line in sys.stdin:
    spec = json.loads(line)
    print(index(spec) if "index" in spec else image(spec), flush=True)

"""A repository of a registry on loopback, for scripts of the tests that put there what no engine makes."""

import hashlib
import http.client
import json


def described(data, kind):
    return {"mediaType": kind, "digest": "sha256:" + hashlib.sha256(data).hexdigest(), "size": len(data)}


class Repository:
    """`registry` is HOST:PORT; what is put there comes back as its descriptor."""

    def __init__(self, registry, name):
        self.registry, self.name = registry, name
        self.connection = http.client.HTTPConnection(registry)

    def ask(self, method, path, body=None, headers={}):
        self.connection.request(method, path, body, headers)
        answer = self.connection.getresponse()
        answer.read()
        assert answer.status < 300, (method, path, answer.status)
        return answer

    def blob(self, data, kind):
        descriptor = described(data, kind)
        upload = self.ask("POST", f"/v2/{self.name}/blobs/uploads/").getheader("Location")
        place = upload.split(self.registry, 1)[-1] + "&digest=" + descriptor["digest"]
        self.ask("PUT", place, data, {"Content-Type": "application/octet-stream"})
        return descriptor

    def manifest(self, content, tag=None):
        """Under its tag, or by its digest alone."""
        data, kind = json.dumps(content).encode(), content["mediaType"]
        descriptor = described(data, kind)
        self.ask("PUT", f"/v2/{self.name}/manifests/{tag or descriptor['digest']}", data, {"Content-Type": kind})
        return descriptor

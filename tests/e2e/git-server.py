"""Serves git repositories and files over https: git-server.py DIRECTORY CERTIFICATE KEY PORT-FILE, which gets the port.

With - for certificate and key it is http. With MIRROR=/PREFIX=URL what begins with /PREFIX/ comes from URL. A file NAME.location redirects NAME to the address in it. With LOGIN=USER:WORD in
the environment, everything asks for that login, or for WORD as bearer. What Git LFS holds is in lfs/SHA256, for all repositories.
"""

import base64
import http.server
import json
import os
import ssl
import subprocess
import sys
import urllib.error
import urllib.request

directory, certificate, key, port_file = sys.argv[1:]


class Handler(http.server.BaseHTTPRequestHandler):
    """Sends files as they are, and hands every other request to `git http-backend`."""

    def is_known(self):
        login = os.environ.get("LOGIN")
        given = self.headers.get("Authorization", "")
        basic = "Basic " + base64.b64encode((login or "").encode()).decode()
        return not login or given in (basic, "Bearer " + login.split(":", 1)[1])

    def do_GET(self):
        if not self.is_known():
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="e2e"')
            self.send_header("Content-Length", "0")
            self.end_headers()
            return self.finish_tls()
        path, _, query = self.path.partition("?")
        prefix, _, origin = os.environ.get("MIRROR", "").partition("=")
        if prefix and path.startswith(prefix + "/"):
            return self.send_from(origin + path.removeprefix(prefix))
        file = os.path.join(directory, path.lstrip("/"))
        if os.path.isfile(file + ".location"):
            self.send_response(302)
            self.send_header("Location", open(file + ".location").read().strip())
            self.send_header("Content-Length", "0")
            self.end_headers()
            return self.finish_tls()
        if ".git" not in path and os.path.isfile(file):
            return self.send_whole(file)
        if path.endswith(".git/info/lfs/objects/batch"):
            return self.send_lfs()
        env = os.environ | {
            "GIT_PROJECT_ROOT": directory,
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "REQUEST_METHOD": self.command,
            "PATH_INFO": path,
            "QUERY_STRING": query,
        }
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        answer = subprocess.run(["git", "http-backend"], input=body, env=env, stdout=subprocess.PIPE).stdout
        status = b"200 OK"
        if answer.startswith(b"Status: "):
            line, answer = answer.split(b"\r\n", 1)
            status = line.removeprefix(b"Status: ")
        head, content = answer.split(b"\r\n\r\n", 1)
        length = b"Content-Length: %d" % len(content)
        self.wfile.write(b"\r\n".join([b"HTTP/1.0 " + status, head, length, b"", content]))
        self.finish_tls()

    do_POST = do_GET
    do_HEAD = do_GET  # as zypper asks before it fetches

    def finish_tls(self):
        self.wfile.flush()
        if certificate != "-":
            self.connection.unwrap()

    def send_from(self, url):
        try:
            with urllib.request.urlopen(url) as answer:
                status, content = 200, answer.read()
        except urllib.error.HTTPError as error:
            status, content = error.code, b""
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
        self.finish_tls()

    def send_lfs(self):
        """Git LFS's batch API: where each object is, and the login that it asks for."""
        wanted = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["objects"]
        here = f"https://{self.headers['Host']}/lfs/"
        login = {"Authorization": self.headers["Authorization"]} if "Authorization" in self.headers else {}
        found = [one | {"actions": {"download": {"href": here + one["oid"], "header": login}}} for one in wanted]
        content = json.dumps({"transfer": "basic", "objects": found}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/vnd.git-lfs+json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
        self.finish_tls()

    def send_whole(self, file):
        with open(file, "rb") as opened:
            content = opened.read()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)
        self.finish_tls()


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
if certificate != "-":
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
with open(port_file, "w") as file:
    file.write(str(server.server_address[1]))
server.serve_forever()

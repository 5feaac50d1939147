"""A token server and a door: token-server.py REGISTRY NAME PASSWORD PORT-FILE, which gets the port.

GET /token wants the name and the password and hands out a token. Everything else is handed on to the registry with
that token, and answered with a challenge without it.
"""

import base64
import http.server
import secrets
import sys
import urllib.error
import urllib.request

registry, name, password, port_file = sys.argv[1:]
token = secrets.token_hex(16)
basic = "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, headers, content):
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content if self.command != "HEAD" else b"")

    def do_GET(self):
        host = self.headers["Host"]
        said = self.headers.get("Authorization")
        if self.path.startswith("/token?"):
            if said != basic:
                return self.answer(401, {}, b"")
            return self.answer(200, {"Content-Type": "application/json"}, b'{"token": "%s"}' % token.encode())
        if said != f"Bearer {token}":
            challenge = f'Bearer realm="http://{host}/token",service="e2e",scope="repository:private:pull"'
            return self.answer(401, {"WWW-Authenticate": challenge}, b"")
        request = urllib.request.Request(registry + self.path, method=self.command)
        request.add_header("Accept", self.headers.get("Accept", "*/*"))
        try:
            answer = urllib.request.urlopen(request)
        except urllib.error.HTTPError as error:
            answer = error
        keep = ("Content-Type", "Docker-Content-Digest")
        headers = {key: answer.headers[key] for key in keep if answer.headers[key]}
        self.answer(answer.status, headers, answer.read())

    do_HEAD = do_GET


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
with open(port_file, "w") as file:
    file.write(str(server.server_address[1]))
server.serve_forever()

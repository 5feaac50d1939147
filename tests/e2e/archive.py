#!/usr/bin/env python3
"""A mirror of Debian's archive with a short index, for the images of the tests.

    archive.py DIR index <<'LINES'    makes DIR/dists out of Debian's own indices: each line a file and its archive
    archive.py DIR serve              hands it out on 127.0.0.1:8412

Debian's index has 64,000 packages, and reading it is most of what each `apt-get` of a build does. This one has what the
drivers of the tests are built with, and all that these depend on: the same stanzas, the same checksums. The packages
themselves come out of Debian's archive when they are asked for, and are kept in DIR/pool.
"""

import hashlib
import http.server
import os
import pathlib
import re
import shutil
import sys
import tempfile
import urllib.request

WANTED = re.compile(
    r"linux-(headers|image|kbuild|config|compiler)-.*|.*-dkms|dkms"
    r"|gcc(-1\d)?|g\+\+|make|bc|flex|bison|libelf-dev|libssl-dev|libc6-dev|binutils|build-essential|dwarves|pahole"
    r"|autoconf|automake|libtool|m4|pkg-config|pkgconf|libxtables-dev|iptables|kmod|cpio|patch|perl|python3|gawk"
    r"|git|git-lfs|ca-certificates|curl|openssh-client|openssl|gnupg|xz-utils|zstd|bzip2|unzip|rsync|file|diffutils"
    r"|sbsigntool|opensc|libengine-pkcs11-openssl|softhsm2|strace|procps|dnf|rpm|zypper"
)
ADDRESS = ("127.0.0.1", 8412)


def stanzas(path):
    """The packages of an index, by name: each stanza's text and fields."""
    for text in pathlib.Path(path).read_text().split("\n\n"):
        fields = dict(re.findall(r"^([A-Za-z-]+): (.*)$", text, re.M))
        if fields:
            yield fields["Package"], text, fields


def index(directory, lines):
    """Writes the short index; `pool/N/...` in it is a file of the archive in line N of `DIR/archives`."""
    packages, provides, archives = {}, {}, []
    for line in lines:
        path, archive = line.split()
        if archive not in archives:
            archives.append(archive)
        for name, text, fields in stanzas(path):
            text = text.replace("\nFilename: ", f"\nFilename: pool/{archives.index(archive)}/")
            packages.setdefault(name, []).append((text, fields))
            for virtual in re.findall(r"[a-z0-9][a-z0-9+.-]+(?= \(|,|$)", fields.get("Provides", "")):
                provides.setdefault(virtual, []).append(name)
    base = [name for name, found in packages.items() if found[0][1].get("Priority") in ("required", "important")]
    todo = base + [name for name in packages if WANTED.fullmatch(name)]
    taken = set()
    while todo:
        name = todo.pop()
        if name in taken or name not in packages and name not in provides:
            continue
        taken.add(name)
        todo += provides.get(name, []) if name not in packages else []
        for _, fields in packages.get(name, []):
            depends = fields.get("Pre-Depends", "") + ", " + fields.get("Depends", "")
            todo += re.findall(r"(?:^|[,|])\s*([a-z0-9][a-z0-9+.-]+)", depends)
    text = "\n\n".join(text.strip() for name in sorted(taken) for text, _ in packages.get(name, [])) + "\n"
    suite = directory / "dists/bookworm"
    (suite / "main/binary-amd64").mkdir(parents=True, exist_ok=True)
    (suite / "main/binary-amd64/Packages").write_text(text)
    digest, size = hashlib.sha256(text.encode()).hexdigest(), len(text.encode())
    (suite / "Release").write_text(
        "Origin: Debian\nLabel: Debian\nSuite: oldstable\nCodename: bookworm\nArchitectures: amd64\nComponents: main\n"
        f"SHA256:\n {digest} {size} main/binary-amd64/Packages\n"
    )
    (directory / "archives").write_text("\n".join(archives) + "\n")
    print(f"{len(taken)} of {len(packages)} packages, {size} bytes", file=sys.stderr)


class Archive(http.server.SimpleHTTPRequestHandler):
    """Files of the directory; a package that is not there yet is brought first."""

    protocol_version = "HTTP/1.1"

    def translate_path(self, path):
        found = super().translate_path(path)
        asked = re.fullmatch(r"/pool/(\d+)/(.*)", self.path.split("?")[0])
        if asked and not os.path.exists(found):
            archive = pathlib.Path("archives").read_text().split()[int(asked[1])]
            os.makedirs(os.path.dirname(found), exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=os.path.dirname(found), delete=False) as kept:
                with urllib.request.urlopen(archive.rstrip("/") + "/" + asked[2]) as answer:
                    shutil.copyfileobj(answer, kept)
            os.rename(kept.name, found)
        return found

    def log_message(self, *_):
        pass


def main():
    directory = pathlib.Path(sys.argv[1])
    if sys.argv[2] == "index":
        return index(directory, sys.stdin)
    os.chdir(directory)
    http.server.ThreadingHTTPServer(ADDRESS, Archive).serve_forever()


main()

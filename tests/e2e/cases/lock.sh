#!/usr/bin/env bash
# needs: docker-registry git jq openssl python3 strace
# `drvc lock` against servers on this machine: git over http, https and git's own protocol; a registry with indexes for two
# architectures, once behind a token server; release payloads and Driver Toolkits laid out as OpenShift's.
. "$(dirname "$0")/../case.sh"
export HOME=$CASE_DIR/home XDG_CACHE_HOME=$CASE_DIR/cache XDG_CONFIG_HOME=$CASE_DIR/config
unset REGISTRY_AUTH_FILE DOCKER_CONFIG XDG_RUNTIME_DIR GIT_SSL_CAINFO GIT_SSL_CAPATH
export NO_PROXY=127.0.0.1 no_proxy=127.0.0.1
mkdir -p "$HOME"
servers=()
trap 'kill "${servers[@]}" 2>/dev/null || true' EXIT

# wait_for FILE: until a server has written its port there.
wait_for() {
    local try
    for try in $(seq 100); do
        [ ! -s "$1" ] || { cat "$1"; return; }
        [ "$try" != 100 ] || die "a server does not start: $1"
        sleep 0.1
    done
}

# free_port: a port of this machine that nobody listens on.
free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

# --- servers

port=$(free_port)
REGISTRY=127.0.0.1:$port
cat >"$CASE_DIR/registry.yml" <<YML
version: 0.1
log: {level: error}
storage: {filesystem: {rootdirectory: $CASE_DIR/registry}}
http: {addr: $REGISTRY}
YML
docker-registry serve "$CASE_DIR/registry.yml" >"$CASE_DIR/logs/registry" 2>&1 &
servers+=($!)
for try in $(seq 100); do
    ! python3 -c "import urllib.request; urllib.request.urlopen('http://$REGISTRY/v2/')" 2>/dev/null || break
    [ "$try" != 100 ] || die "the registry does not start"
    sleep 0.1
done
put() { python3 "$E2E_DIR/registry.py" "http://$REGISTRY"; }

python3 "$E2E_DIR/token-server.py" "http://$REGISTRY" user word "$CASE_DIR/token.port" >"$CASE_DIR/logs/token" 2>&1 &
servers+=($!)
TOKEN=127.0.0.1:$(wait_for "$CASE_DIR/token.port")

# Git over https; the user's own settings lead on to http and to git's own protocol.
mkdir -p "$CASE_DIR/git/driver" "$CASE_DIR/keys"
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1 \
    -keyout "$CASE_DIR/keys/key.pem" -out "$CASE_DIR/keys/ca.pem" 2>/dev/null
python3 "$E2E_DIR/git-server.py" "$CASE_DIR/git" "$CASE_DIR/keys/ca.pem" "$CASE_DIR/keys/key.pem" "$CASE_DIR/git.port" \
    >"$CASE_DIR/logs/git" 2>&1 &
servers+=($!)
GIT=https://127.0.0.1:$(wait_for "$CASE_DIR/git.port")
daemon=$(free_port)
git daemon --reuseaddr --export-all --listen=127.0.0.1 --port="$daemon" --base-path="$CASE_DIR/git" \
    >"$CASE_DIR/logs/git-daemon" 2>&1 &
servers+=($!)
git config --global http.sslCAInfo "$CASE_DIR/keys/ca.pem"
git config --global "url.git://127.0.0.1:$daemon/.insteadOf" https://daemon.example/
git config --global user.name e2e
git config --global user.email e2e@localhost
git config --global init.defaultBranch main

repository=$CASE_DIR/git/driver
git -C "$repository" init -q
git -C "$repository" commit -q --allow-empty -m one
one=$(git -C "$repository" rev-parse HEAD)
git -C "$repository" tag plain
git -C "$repository" tag -a -m annotated annotated
git -C "$repository" commit -q --allow-empty -m two
two=$(git -C "$repository" rev-parse HEAD)

# --- images

amd64=$(echo '{"image": "debian", "arch": "amd64"}' | put)
arm64=$(echo '{"image": "debian", "arch": "arm64"}' | put)
index=$(printf '{"index": "debian", "tag": "12", "of": {"amd64": "%s", "arm64": "%s"}}\n' "$amd64" "$arm64" | put)
echo '{"image": "debian", "tag": "12-slim", "arch": "amd64"}' | put >/dev/null
echo '{"image": "private", "tag": "12", "arch": "amd64"}' | put >/dev/null

# toolkit ARCH KERNEL RT: a Driver Toolkit; prints its reference.
toolkit() {
    jq -nc --arg arch "$1" --arg kernel "$2" --arg rt "$3" '{image: "toolkit", arch: $arch, below: 2, files: {"etc/driver-toolkit-release.json":
        ({KERNEL_VERSION: $kernel, RT_KERNEL_VERSION: $rt, RHEL_VERSION: "9.4"} | tojson)}}' | put | sed "s|^|$REGISTRY/toolkit@|"
}
# payload RELEASE ARCH NAME=TOOLKIT...: a release payload, whose topmost layer names the toolkits.
payload() {
    local tags
    tags=$(printf '%s\n' "${@:3}" | jq -Rnc '[inputs | capture("(?<name>[^=]*)=(?<image>.*)") | {name, from: {kind: "DockerImage", name: .image}}]')
    jq -nc --arg tag "$1-$2" --argjson tags "$tags" --arg arch "$(case $2 in x86_64) echo amd64 ;; *) echo arm64 ;; esac)" \
        '{image: "ocp-release", tag: $tag, arch: $arch, below: 3, files: {"release-manifests/image-references":
        ({kind: "ImageStream", apiVersion: "image.openshift.io/v1", spec: {tags: ([{name: "cli", from: {kind: "DockerImage", name: "x"}}] + $tags)}} | tojson)}}' |
        put >/dev/null
}
first=$(toolkit amd64 5.14.0-427.13.1.el9_4.x86_64 5.14.0-427.13.1.el9_4.x86_64+rt)
arm=$(toolkit arm64 5.14.0-427.13.1.el9_4.aarch64 "package kernel-rt-core is not installed")
second=$(toolkit amd64 5.14.0-427.16.1.el9_4.x86_64 5.14.0-427.16.1.el9_4.x86_64+rt)
payload 4.16.9 x86_64 "driver-toolkit=$first"
payload 4.16.9 aarch64 "driver-toolkit=$arm"
payload 4.16.10 x86_64 "driver-toolkit=$first"
payload 4.16.10 aarch64 "driver-toolkit=$arm"
payload 4.16.11-rc.1 x86_64 "driver-toolkit=$second"

# --- a manifest that leaves all of it open

dir=$CASE_DIR/project
drvc() { "$DRVC" "$1" -C "$dir" "${@:2}"; }
# lock LOG ARG...: drvc lock, which has to succeed.
lock() {
    drvc lock --allow-host 127.0.0.1 --allow-http daemon.example "${@:2}" >"$CASE_DIR/logs/$1" 2>&1 ||
        { cat "$CASE_DIR/logs/$1" >&2; die "drvc lock ${*:2}"; }
}
# fails CODE LOG ARG...: drvc lock, which has to end with that code and leave the lock as it is.
fails() {
    local code=0 before
    before=$(cat "$dir/drivers.lock")
    drvc lock --allow-host 127.0.0.1 --allow-http daemon.example "${@:3}" >"$CASE_DIR/logs/$2" 2>&1 || code=$?
    equal "exit code of drvc lock, $2: $(cat "$CASE_DIR/logs/$2")" "$code" "$1"
    equal "the lock after $2" "$(cat "$dir/drivers.lock")" "$before"
}
entries() { python3 -c 'import json, sys, tomllib; print(json.dumps(tomllib.load(open(sys.argv[1], "rb"))))' "$dir/drivers.lock" | jq -r "$1"; }

manifest "$dir" <<KDL
profile "debian" "debian.kdl"
profile "openshift" "openshift.kdl"
source "branch" {
    git "$GIT/driver" branch="main"
}
source "tag" {
    git "$GIT/driver" tag="plain"
}
source "annotated" {
    git "https://daemon.example/driver" tag="annotated"
}
module "one" {
    source "branch"
}
module "two" {
    source "tag"
}
module "three" {
    source "annotated"
}
image "driver" {
    module "one" "two" "three"
    load "one"
}
matrix {
    os "debian" "12" {
        kernel "6.1.0-18-amd64" "6.1.0-18-arm64"
    }
    os "openshift" "4.16" {
        z latest=2
        flavor "default" "rt"
    }
    os "openshift" "4.16" {
        z latest=2
        arch "aarch64"
    }
    exclude arch="aarch64" os="debian" reason="its runtime image is for x86_64 alone"
}
KDL
cat >"$dir/debian.kdl" <<KDL
profile edition=1 extends="debian"
line "12" {
    release "12" {
        base "$REGISTRY/debian:12"
        minimal "$REGISTRY/debian:12-slim"
    }
}
KDL
cat >"$dir/openshift.kdl" <<KDL
profile edition=1 extends="openshift"
payload "$REGISTRY/ocp-release"
line "4.16" {
    runs "9.4" {
        base "$REGISTRY/debian:12"
        minimal "$REGISTRY/debian:12"
    }
}
KDL

code=0
drvc lock >"$CASE_DIR/logs/refused" 2>&1 || code=$?
equal "without --allow-host" "$code" 4
contains "the refusal" "$(cat "$CASE_DIR/logs/refused")" "allow it with \`--allow-host 127.0.0.1\`"

lock cold
say "cold: $(tail -1 "$CASE_DIR/logs/cold")"
equal "the branch" "$(entries '.git[] | select(.reference == "refs/heads/main") | .commit')" "$two"
equal "the tag" "$(entries '.git[] | select(.reference == "refs/tags/plain") | .commit')" "$one"
equal "the annotated tag's commit" "$(entries '.git[] | select(.reference == "refs/tags/annotated") | .commit')" "$one"
equal "the index" "$(entries '.image[] | select(.reference | endswith("debian:12")) | .digest')" "$index"
equal "the image for Arm" "$(entries '.image[] | select(.reference | endswith("debian:12")) | .platforms.aarch64')" "$arm64"
equal "the newest releases" "$(entries '[.zstreams[] | select(.arch == "x86_64") | .releases[]] | join(" ")')" "4.16.10 4.16.9"
equal "the toolkit" "$(entries '.openshift[] | select(.release == "4.16.9" and .arch == "x86_64") | ."driver-toolkit"')" "$first"
equal "the real-time kernels" "$(entries '[.openshift[] | .realtime // "none"] | unique | join(" ")')" "5.14.0-427.13.1.el9_4.x86_64+rt none"

drvc compile --locked >"$CASE_DIR/logs/compile" 2>&1 || { cat "$CASE_DIR/logs/compile" >&2; die "drvc compile --locked"; }
# Two releases with one kernel are one target: for each flavour and architecture one, and Debian's.
equal "targets" "$(jq '.targets | length' "$dir/drivers.out/plan.json")" 4

before=$(cat "$dir/drivers.lock")
lock second
say "second: $(tail -1 "$CASE_DIR/logs/second")"
contains "nothing moved" "$(cat "$CASE_DIR/logs/second")" "nothing moved"
lock update --update
say "update: $(tail -1 "$CASE_DIR/logs/update")"
contains "nothing moved, asked anew" "$(cat "$CASE_DIR/logs/update")" "nothing moved"
equal "the lock" "$(cat "$dir/drivers.lock")" "$before"

# --- without a network

strace -f -e trace=%network -o "$CASE_DIR/logs/strace" "$DRVC" lock -C "$dir" --offline >/dev/null 2>&1 || die "drvc lock --offline"
equal "sockets under --offline" "$(grep -c 'socket(' "$CASE_DIR/logs/strace")" 0
drvc lock --check >"$CASE_DIR/logs/check" 2>&1 || die "drvc lock --check"

# --- each field of each entry: removed, changed or added, --locked names the entry

python3 - "$dir/drivers.lock" "$CASE_DIR/mutants" <<'PYTHON'
import pathlib, re, sys
text = open(sys.argv[1]).read()
head, *paragraphs = re.split(r"(?=^\[\[)", text, flags=re.M)
out = pathlib.Path(sys.argv[2])
out.mkdir()
number = 0
def put(at, paragraph, what):
    global number
    number += 1
    (out / f"{number}").write_text(head + "".join(paragraphs[:at] + [paragraph] + paragraphs[at + 1:]))
    (out / f"{number}.what").write_text(f"{what} of {paragraphs[at].splitlines()[0]}")
for at, paragraph in enumerate(paragraphs):
    for field in re.findall(r"^([a-z-]+ = (?:\[\n(?: .*\n)*\]|.*))\n", paragraph, flags=re.M):
        key = field.split(" ")[0]
        put(at, paragraph.replace(field + "\n", ""), f"{key} removed")
        changed = re.sub(r"([0-9])(?=[^0-9]*$)", lambda m: str((int(m[1]) + 1) % 10), field, count=1)
        if changed == field:
            changed = re.sub(r'"([a-z])', lambda m: '"' + ("b" if m[1] == "a" else "a"), field, count=1)
        put(at, paragraph.replace(field, changed), f"{key} changed")
    put(at, paragraph.rstrip("\n") + '\nnew = "x"\n\n', "a field added")
PYTHON
cp "$dir/drivers.lock" "$CASE_DIR/good.lock"
mutants=0
for mutant in "$CASE_DIR"/mutants/*.what; do
    cp "${mutant%.what}" "$dir/drivers.lock"
    code=0
    drvc compile --locked >"$CASE_DIR/logs/mutant" 2>&1 || code=$?
    equal "exit code of compile --locked, $(cat "$mutant"): $(cat "$CASE_DIR/logs/mutant")" "$code" 3
    grep -q 'the lock file' "$CASE_DIR/logs/mutant" || die "$(cat "$mutant"): $(cat "$CASE_DIR/logs/mutant")"
    mutants=$((mutants + 1))
done
say "$mutants changes of fields, each noticed"
lock repaired
equal "the lock, resolved anew" "$(cat "$dir/drivers.lock")" "$(cat "$CASE_DIR/good.lock")"

# --- what moves

git -C "$repository" commit -q --allow-empty -m three
git -C "$repository" tag -f plain >/dev/null 2>&1
fails 4 moved-tag
contains "a moved tag" "$(cat "$CASE_DIR/logs/moved-tag")" "the tag \`plain\` was $one"
lock update-tag --update plain
contains "the tag moves" "$(cat "$CASE_DIR/logs/update-tag")" "moved \`refs/tags/plain\` of $GIT/driver: ${one:0:12} -> "
lacks "the branch stays" "$(cat "$CASE_DIR/logs/update-tag")" refs/heads/main
payload 4.16.11 x86_64 "driver-toolkit=$second"
lock update-openshift --update openshift
contains "releases first" "$(head -3 "$CASE_DIR/logs/update-openshift"; grep -m1 '^moved' "$CASE_DIR/logs/update-openshift")" \
    "moved z-streams of openshift 4.16, x86_64: + 4.16.11, - 4.16.9"
fails 2 unknown-name --update drvier

# --- credentials

sed -i "s|$REGISTRY/debian:12\"|$TOKEN/private:12\"|" "$dir/debian.kdl"
fails 4 no-credentials
contains "a registry without credentials" "$(cat "$CASE_DIR/logs/no-credentials")" "credentials are needed"
mkdir -p "$XDG_CONFIG_HOME/containers"
printf '{"auths": {"%s": {"auth": "%s"}}}' "$TOKEN" "$(printf user:word | base64)" >"$XDG_CONFIG_HOME/containers/auth.json"
lock credentials
contains "with credentials" "$(cat "$CASE_DIR/logs/credentials")" "added image \`$TOKEN/private:12\`"
lacks "the lock" "$(cat "$dir/drivers.lock")" word

# --- an architecture that an image is not there for

sed -i '/exclude arch/d' "$dir/drivers.kdl"
fails 1 missing-platform
contains "a missing architecture" "$(cat "$CASE_DIR/logs/missing-platform")" "error[missing-platform]"

# --- what a digest does not hold

rm -rf "$XDG_CACHE_HOME"
blob=$(find "$CASE_DIR/registry" -path "*/${first##*sha256:}/data")
echo ' ' >>"$blob"
fails 4 wrong-digest --update openshift
contains "another content" "$(cat "$CASE_DIR/logs/wrong-digest")" "http://$REGISTRY/v2/toolkit/manifests/"

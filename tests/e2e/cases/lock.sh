#!/usr/bin/env bash
# needs: docker-registry git jq openssl python3 strace
# `drvc lock` against servers on this machine: git over http, https and git's own protocol; files over https; a registry
# with indexes for two architectures, once behind a token server; release payloads and Driver Toolkits laid out as
# OpenShift's, of one node stream and of two.
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
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1 -addext basicConstraints=CA:FALSE \
    -keyout "$CASE_DIR/keys/key.pem" -out "$CASE_DIR/keys/ca.pem" 2>/dev/null
python3 "$E2E_DIR/git-server.py" "$CASE_DIR/git" "$CASE_DIR/keys/ca.pem" "$CASE_DIR/keys/key.pem" "$CASE_DIR/git.port" \
    >"$CASE_DIR/logs/git" 2>&1 &
servers+=($!)
GIT=https://127.0.0.1:$(wait_for "$CASE_DIR/git.port")
python3 "$E2E_DIR/git-server.py" "$CASE_DIR/git" - - "$CASE_DIR/http.port" >"$CASE_DIR/logs/http" 2>&1 &
servers+=($!)
HTTP=http://127.0.0.1:$(wait_for "$CASE_DIR/http.port")
daemon=$(free_port)
git daemon --reuseaddr --export-all --listen=127.0.0.1 --port="$daemon" --base-path="$CASE_DIR/git" \
    >"$CASE_DIR/logs/git-daemon" 2>&1 &
servers+=($!)
git config --global http.sslCAInfo "$CASE_DIR/keys/ca.pem"
git config --global "url.git://127.0.0.1:$daemon/.insteadOf" https://daemon.example/
git config --global "url.$HTTP/.insteadOf" https://http.example/
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

# Files of the same server. drvc trusts its certificate as the machine's.
export SSL_CERT_FILE=$CASE_DIR/keys/ca.pem
mkdir "$CASE_DIR/git/files"
c_module "$CASE_DIR/driver-1.0" driver
tar -czf "$CASE_DIR/git/files/driver-1.0.tar.gz" -C "$CASE_DIR" driver-1.0
archive=$(sha256sum "$CASE_DIR/git/files/driver-1.0.tar.gz" | cut -d' ' -f1)
echo "$GIT/files/driver-1.0.tar.gz" >"$CASE_DIR/git/files/same-host.tar.gz.location"
echo https://localhost/driver-1.0.tar.gz >"$CASE_DIR/git/files/other-host.tar.gz.location"

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
nine=$(toolkit amd64 5.14.0-687.5.3.el9_8.x86_64 "")
ten=$(toolkit amd64 6.12.0-211.7.1.el10_2.x86_64 "")
payload 4.22.1 x86_64 "driver-toolkit=$nine" "driver-toolkit-10=$ten"

# --- a manifest that leaves all of it open

dir=$CASE_DIR/project
drvc() { "$DRVC" "$1" -C "$dir" "${@:2}"; }
# lock LOG ARG...: drvc lock, which has to succeed.
lock() {
    drvc lock --allow-host 127.0.0.1 --allow-http daemon.example --allow-http http.example "${@:2}" >"$CASE_DIR/logs/$1" 2>&1 ||
        { cat "$CASE_DIR/logs/$1" >&2; die "drvc lock ${*:2}"; }
}
# fails CODE LOG ARG...: drvc lock, which has to end with that code and leave the lock as it is.
fails() {
    local code=0 before
    before=$(cat "$dir/drivers.lock")
    drvc lock --allow-host 127.0.0.1 --allow-http daemon.example --allow-http http.example "${@:3}" >"$CASE_DIR/logs/$2" 2>&1 || code=$?
    equal "exit code of drvc lock, $2: $(cat "$CASE_DIR/logs/$2")" "$code" "$1"
    equal "the lock after $2" "$(cat "$dir/drivers.lock")" "$before"
}
entries() { python3 -c 'import json, sys, tomllib; print(json.dumps(tomllib.load(open(sys.argv[1], "rb"))))' "$dir/drivers.lock" | jq -r "$1"; }

manifest "$dir" <<KDL
profile "debian" "debian.kdl"
profile "openshift" "openshift.kdl"
$(for server in "$GIT" https://http.example https://daemon.example; do
    name=$(sed 's|https://||; s|[.:].*||' <<<"$server")
    for ref in branch=main tag=plain tag=annotated; do
        printf 'source "%s" {\n    git "%s/driver" %s="%s"\n}\n' "$name-${ref#*=}" "$server" "${ref%=*}" "${ref#*=}"
    done
done)
source "archive" {
    archive "$GIT/files/driver-1.0.tar.gz"
}
source "same-host" {
    archive "$GIT/files/same-host.tar.gz"
}
$(for name in {127,http,daemon}-{main,plain,annotated} archive same-host; do
    printf 'module "m-%s" {\n    source "%s"\n}\n' "$name" "$name"
done)
image "driver" {
    module $(printf '"m-%s" ' {127,http,daemon}-{main,plain,annotated} archive same-host)
    load "m-archive"
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
    os "openshift" "4.22.1"
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
line "4.22" {
    runs "9.8" {
        base "$REGISTRY/debian:12"
        minimal "$REGISTRY/debian:12"
    }
    runs "10.2" {
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
for server in "$GIT" https://http.example https://daemon.example; do
    commits=".git[] | select(.url == \"$server/driver\")"
    equal "the branch at $server" "$(entries "$commits | select(.reference == \"refs/heads/main\") | .commit")" "$two"
    equal "the tag at $server" "$(entries "$commits | select(.reference == \"refs/tags/plain\") | .commit")" "$one"
    equal "the annotated tag's commit at $server" "$(entries "$commits | select(.reference == \"refs/tags/annotated\") | .commit")" "$one"
done
equal "the archive" "$(entries '.archive[] | .sha256')" "$archive"$'\n'"$archive"
equal "the node streams" "$(entries '[.openshift[] | select(.release == "4.22.1") | ."driver-toolkit"] | sort | join(" ")')" \
    "$(printf '%s\n' "$nine" "$ten" | sort | paste -sd' ')"
equal "the index" "$(entries '.image[] | select(.reference | endswith("debian:12")) | .digest')" "$index"
equal "the image for Arm" "$(entries '.image[] | select(.reference | endswith("debian:12")) | .platforms.aarch64')" "$arm64"
equal "the newest releases" "$(entries '[.zstreams[] | select(.arch == "x86_64") | .releases[]] | join(" ")')" "4.16.10 4.16.9"
equal "the toolkit" "$(entries '.openshift[] | select(.release == "4.16.9" and .arch == "x86_64") | ."driver-toolkit"')" "$first"
equal "the real-time kernels" "$(entries '[.openshift[] | .realtime // "none"] | unique | join(" ")')" "5.14.0-427.13.1.el9_4.x86_64+rt none"

drvc compile --locked >"$CASE_DIR/logs/compile" 2>&1 || { cat "$CASE_DIR/logs/compile" >&2; die "drvc compile --locked"; }
# Two releases with one kernel are one target: for each flavour and architecture one, and Debian's; 4.22 has two.
equal "targets" "$(jq '.targets | length' "$dir/drivers.out/plan.json")" 6
for stream in "5.14.0-687.5.3.el9_8.x86_64 $nine" "6.12.0-211.7.1.el10_2.x86_64 $ten"; do
    contains "the stage of ${stream% *}" "$(cat "$dir/drivers.out/$(target "$dir" "${stream% *}" dockerfile)")" "FROM ${stream#* }"
done

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

# --- an entry that was changed: --locked names it, and it is resolved anew (tests/it/locked.rs changes every field)

cp "$dir/drivers.lock" "$CASE_DIR/good.lock"
sed -i "0,/$archive/s//${archive//[0-9]/0}/" "$dir/drivers.lock"
code=0
drvc compile --locked >"$CASE_DIR/logs/edited" 2>&1 || code=$?
equal "exit code of compile --locked" "$code" 3
contains "the report" "$(cat "$CASE_DIR/logs/edited")" "the lock file's entry for \`$GIT/files/"
lock repaired
equal "the lock, resolved anew" "$(cat "$dir/drivers.lock")" "$(cat "$CASE_DIR/good.lock")"

# --- what moves

git -C "$repository" commit -q --allow-empty -m three
git -C "$repository" tag -f plain >/dev/null 2>&1
fails 4 moved-tag
contains "a moved tag" "$(cat "$CASE_DIR/logs/moved-tag")" "the tag \`plain\` was $one"
equal "servers whose tag moved" "$(grep -c "the tag \`plain\` was $one and is " "$CASE_DIR/logs/moved-tag")" 3
lock update-tag --update plain
contains "the tag moves" "$(cat "$CASE_DIR/logs/update-tag")" "moved \`refs/tags/plain\` of $GIT/driver: ${one:0:12} -> "
lacks "the branch stays" "$(cat "$CASE_DIR/logs/update-tag")" refs/heads/main
payload 4.16.11 x86_64 "driver-toolkit=$second"
lock update-openshift --update openshift
contains "releases first" "$(head -3 "$CASE_DIR/logs/update-openshift"; grep -m1 '^moved' "$CASE_DIR/logs/update-openshift")" \
    "moved z-streams of openshift 4.16, x86_64: + 4.16.11, - 4.16.9"
fails 2 unknown-name --update drvier

# --- a file that another server has

sed -i "s|files/same-host|files/other-host|" "$dir/drivers.kdl"
fails 4 other-host
contains "a redirect" "$(cat "$CASE_DIR/logs/other-host")" "$GIT/files/other-host.tar.gz\`: it redirects to another server, \`https://localhost/driver-1.0.tar.gz\`"
contains "what to do" "$(cat "$CASE_DIR/logs/other-host")" "--allow-host localhost"
sed -i "s|files/other-host|files/same-host|" "$dir/drivers.kdl"

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

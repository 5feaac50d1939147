#!/usr/bin/env bash
# needs: images root buildah podman dockerd mmdebstrap jq git openssl python3 sshd strace
# Sources behind a login: git by ssh at a real sshd, git, an archive and a file over https with a token (see git.sh). The
# secrets reach the step that fetches, and nothing else.
# shellcheck disable=SC2016
. "$(dirname "$0")/../case.sh"
. "$E2E_DIR/git.sh"

kernel=$(newest amd64)
dir=$CASE_DIR/project served=$CASE_DIR/served
export S=$CASE_DIR/secrets
mkdir -p "$S" "$CASE_DIR/ssh" "$served"

# --- servers: their logins are canaries

token=TOKEN-canary-5811
export LOGIN="robot:$token"
# `LOGIN` of the server is of no use to those that ask it.
# held REPOSITORY FILE: the file is held by Git LFS: the repository has its pointer.
held() {
    local sum
    sum=$(sha256sum <"$1/$2" | cut -d' ' -f1)
    mkdir -p "$served/lfs"
    echo '*.bin filter=lfs diff=lfs merge=lfs -text' >"$1/.gitattributes"
    cp "$1/$2" "$served/lfs/$sum"
    printf 'version https://git-lfs.github.com/spec/v1\noid sha256:%s\nsize %d\n' "$sum" "$(stat -c %s "$1/$2")" >"$CASE_DIR/pointer"
    mv "$CASE_DIR/pointer" "$1/$2"
}
for name in second third; do
    c_module "$served/$name" "$name"
    echo "the firmware of $name" >"$served/$name/$name.bin"
    held "$served/$name" "$name.bin"
    git_repository "$served/$name" >/dev/null
done
mkdir "$CASE_DIR/packed"
c_module "$CASE_DIR/packed/fourth-1.0" fourth
tar -C "$CASE_DIR/packed" -czf "$served/fourth.tar.gz" fourth-1.0
echo 'a table' >"$served/table.conf"
git_server "$served"
unset LOGIN
# The repository by ssh has one by https as a submodule, beneath the same login as another source.
GIT_SSL_CAINFO=$E2E_WORK/git/ca.pem git -C "$served/second" -c credential.helper= \
    -c "credential.helper=!f() { echo username=robot; echo password=$token; }; f" \
    submodule --quiet add "$GIT_URL/third/.git" third 2>"$CASE_DIR/logs/submodule"
git -C "$served/second" -c user.name=e2e -c user.email=e2e@localhost commit -q -m two
echo "$token" >"$S/git-token"

c_module "$CASE_DIR/first" first
echo 'the firmware of first' >"$CASE_DIR/first/first.bin"
held "$CASE_DIR/first" first.bin
git_repository "$CASE_DIR/first" >/dev/null
ssh-keygen -q -t ed25519 -N '' -C deploy -f "$CASE_DIR/ssh/deploy"
ssh-keygen -q -t ed25519 -N '' -C other -f "$CASE_DIR/ssh/other"
ssh-keygen -q -t ed25519 -N '' -C host -f "$CASE_DIR/ssh/host"
cp "$CASE_DIR/ssh/deploy.pub" "$CASE_DIR/ssh/authorized"
# As variables of CI hand it over: without the last line feed.
printf %s "$(cat "$CASE_DIR/ssh/deploy")" >"$S/deploy-key"
key_canary=$(sed -n 3p "$CASE_DIR/ssh/deploy")
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
mkdir -p /run/sshd
cat >"$CASE_DIR/ssh/config" <<CONF
ListenAddress 127.0.0.1:$port
HostKey $CASE_DIR/ssh/host
AuthorizedKeysFile $CASE_DIR/ssh/authorized
PasswordAuthentication no
PermitRootLogin prohibit-password
StrictModes no
UsePAM no
PidFile $CASE_DIR/ssh/pid
SetEnv PATH=$CASE_DIR/ssh/bin:$PATH
CONF
# By ssh, Git LFS asks where the objects are, and how to log in there.
mkdir "$CASE_DIR/ssh/bin"
cat >"$CASE_DIR/ssh/bin/git-lfs-authenticate" <<SH
#!/bin/sh
printf '{"href": "%s/first.git/info/lfs", "header": {"Authorization": "Basic %s"}}' "$GIT_URL" "$(printf 'robot:%s' "$token" | base64)"
SH
chmod +x "$CASE_DIR/ssh/bin/git-lfs-authenticate"
"$(command -v sshd)" -f "$CASE_DIR/ssh/config" -E "$CASE_DIR/ssh/log"
trap 'kill "$(cat "$CASE_DIR/ssh/pid")" $(jobs -p) 2>/dev/null || true' EXIT
host_key=$(cut -d' ' -f1,2 "$CASE_DIR/ssh/host.pub")

# --- the project, and its lock

# The base images are in no registry: their entries stay open, and are not asked for.
lfs='lfs #true'
project() {
    manifest "$dir" <<KDL
source "first" { git "ssh://root@127.0.0.1:$port$CASE_DIR/first" branch="main" { secret "deploy-key" host-key="${1:-$host_key}"; $lfs; }; }
source "second" { git "$GIT_URL/second/.git" branch="main" { secret "git-token" user="robot"; submodules #true; $lfs; }; }
source "fourth" { archive "$GIT_URL/fourth.tar.gz" strip=1 { secret "git-token"; }; }
source "table" { file "$GIT_URL/table.conf" { secret "git-token" user="robot"; }; }
module "first" { source "first"; }
module "second" { source "second"; }
module "third" { source "second" dir="third"; }
module "fourth" { source "fourth"; }
image "private" { module "first" "second" "third" "fourth"; load "first"; file "*.conf" from="table" to="/etc/driver"; file "*.bin" from="first" to="/etc/driver"; file "*.bin" from="second" to="/etc/driver"; file "third/*.bin" from="second" to="/etc/driver"; }
matrix { os "debian" "12" { kernel "$kernel"; base "$GIT_BASE"; }; }
KDL
}
# drvc's own requests trust the server's certificate by SSL_CERT_FILE, git's by GIT_SSL_CAINFO.
export SSL_CERT_FILE=$E2E_WORK/git/ca.pem GIT_SSL_CAINFO=$E2E_WORK/git/ca.pem XDG_CACHE_HOME=$CASE_DIR/cache HOME=$CASE_DIR/home
mkdir -p "$HOME"
lock() {
    local name=$1
    shift
    "$DRVC" lock -C "$dir" --allow-host 127.0.0.1 "$@" >"$CASE_DIR/logs/$name" 2>&1 </dev/null
}
secrets=(--secret "id=deploy-key,src=$S/deploy-key" --secret "id=git-token,src=$S/git-token")

project
code=0; lock nothing 127.0.0.1 || code=$?
equal "exit code without secrets" $code 4
contains "ssh without a key" "$(cat "$CASE_DIR/logs/nothing")" 'Host key verification failed'
contains "https without a token" "$(cat "$CASE_DIR/logs/nothing")" 'unable to get password from user'
contains "a file without a token" "$(cat "$CASE_DIR/logs/nothing")" 'credentials are needed, or were not accepted (status 401)'

# In part: by ssh alone.
code=0; lock part 127.0.0.1 --secret "id=deploy-key,src=$S/deploy-key" || code=$?
equal "exit code with one secret" $code 4
contains "what is written all the same" "$(cat "$dir/drivers.lock")" "ssh://root@127.0.0.1:$port$CASE_DIR/first"
lacks "what is not" "$(cat "$dir/drivers.lock")" "$GIT_URL/second"

project "$(cut -d' ' -f1,2 "$CASE_DIR/ssh/other.pub")"
code=0; lock host --update first "${secrets[@]}" || code=$?
equal "exit code at another host" $code 4
contains "another host" "$(cat "$CASE_DIR/logs/host")" 'the server has another key than `host-key`'
project
code=0; lock key --update first --secret "id=deploy-key,src=$CASE_DIR/ssh/other" || code=$?
equal "exit code with another key" $code 4
contains "another key" "$(cat "$CASE_DIR/logs/key")" 'a key is needed: hand over the secret of the source'

strace -f -qq -e trace=execve -s 100000 -o "$CASE_DIR/logs/lock.strace" \
    "$DRVC" lock 127.0.0.1 -C "$dir" --allow-host 127.0.0.1 "${secrets[@]}" >"$CASE_DIR/logs/lock" 2>&1 </dev/null ||
    { cat "$CASE_DIR/logs/lock" >&2; die "drvc lock"; }

# --- builds

compile "$dir"
lacks "warnings" "$(cat "$CASE_DIR/logs/compile")" unpinned-source
equal "secrets of the plan" "$(target "$dir" private 'secrets | map(.id) | join(" ")')" 'deploy-key git-token'
podman save -q --format docker-archive "$GIT_BASE" | docker load -q >/dev/null
for engine in buildah podman docker; do
    builds_ok $engine "$dir" private
    root=$(root_of $engine "$(image_of "$dir" private)")
    equal "modules of $engine" "$(find "$root/opt/lib/modules/$kernel/updates" -name '*.ko' -printf '%f\n' | sort | xargs)" \
        'first.ko fourth.ko second.ko third.ko'
    equal "the file" "$(cat "$root/etc/driver/table.conf")" 'a table'
    for name in first second third; do
        equal "what Git LFS holds" "$(cat "$root/etc/driver/$name.bin")" "the firmware of $name"
    done
done

# Without a word of it, pointers are no files; with `#false` they are.
sed -i 's/ lfs #true;//g' "$dir/drivers.kdl"
compile "$dir"
builds_not 'first.bin:version https://git-lfs' buildah "$dir" private
# buildah keeps the container of a step that has failed, with the secrets that it had mounted, until somebody removes it.
buildah rm --all >"$CASE_DIR/logs/removed"
lfs='lfs #false'
project
compile "$dir"
builds_ok buildah "$dir" private
contains "what is left of Git LFS" "$(cat "$(root_of buildah "$(image_of "$dir" private)")/etc/driver/second.bin")" 'version https://git-lfs'
lfs='lfs #true'
project
compile "$dir"

# What goes wrong says which secret to look at. Another text has the steps that fetch run again, and no package installed again.
again() { printf 's/git init -q \\. &&/git init -q . \\&\\& echo %s \\&\\&/; s/set -eu; fail()/set -eu; echo %s; fail()/' "$1" "$1"; }
cp -r "$S" "$CASE_DIR/good"
echo wrong >"$S/git-token"
spoilt private "$(again 1)" 'Authentication failed for'
cp "$CASE_DIR/good/git-token" "$S/"
echo wrong >"$S/deploy-key"
spoilt private "$(again 2)" 'drvc: the secret deploy-key is no key that ssh reads without a passphrase'
cp "$CASE_DIR/good/deploy-key" "$S/"

# --- canaries: what buildah's build runs, all stores, logs, outputs, the lock and the cache

file=$dir/drivers.out/$(target "$dir" private dockerfile)
sed "$(again 3)" "$file" >"$CASE_DIR/Dockerfile.again"
for stage in source-first source-second source-fourth source-table; do
    (cd "$dir" && strace -f -qq -e trace=execve -s 100000 -o "$CASE_DIR/logs/$stage.strace" \
        buildah build --layers --isolation chroot --network host --secret "id=deploy-key,src=$S/deploy-key" \
        --secret "id=git-token,src=$S/git-token" --pull=never --target $stage -t localhost/e2e/$stage \
        --ignorefile "$file.dockerignore" -f "$CASE_DIR/Dockerfile.again" .) \
        >"$CASE_DIR/logs/$stage" 2>&1 </dev/null || { tail -20 "$CASE_DIR/logs/$stage" >&2; die "no stage $stage"; }
done
grep -q '"fetch", "-q", "--depth"' "$CASE_DIR/logs/source-first.strace" || die "strace does not see what the build runs"
for place in "$E2E_WORK/storage" "$E2E_WORK/docker" "$dir" "$CASE_DIR/logs" "$CASE_DIR/cache" "$CASE_DIR/home"; do
    [ -e "$place" ] || continue
    # A tree is searched without the two servers' own files, which are elsewhere.
    found=$(grep -rlaF -e "$token" -e "$key_canary" -e "$(printf 'robot:%s' "$token" | base64)" "$place" 2>/dev/null | head -5 || true)
    equal "canaries in $place" "$found" ''
done
for image in $(for stage in source-first source-second; do echo localhost/e2e/$stage; done) "$(image_of "$dir" private)"; do
    lacks "the history of $image" "$(podman history --no-trunc "$image"; config_of podman "$image")" canary
done

#!/usr/bin/env bash
# needs: images root buildah podman dockerd mmdebstrap jq git openssl python3 docker-registry skopeo strace qemu-system-x86_64
# A site without the internet: base images out of a registry of its own, packages, git and files by https from a server that
# only its own authority vouches for, all on loopback (docs/company.md). What is public is named in the manifest and in the
# base images, and leads nowhere while drvc locks and engines build. At the end the image is verified and booted, with the
# kernel out of the mirror.
# shellcheck disable=SC2016
. "$(dirname "$0")/../case.sh"
. "$E2E_DIR/build.sh"
. "$E2E_DIR/git.sh"
. "$E2E_DIR/registry.sh"

kernel=$(newest amd64)
dir=$CASE_DIR/project served=$CASE_DIR/served
mkdir -p "$served/git" "$served/files" "$dir"
unset http_proxy https_proxy HTTP_PROXY HTTPS_PROXY all_proxy ALL_PROXY

# --- the site: what its administrators have copied from the internet

for name in second first; do
    c_module "$CASE_DIR/$name" $name
    git_repository "$CASE_DIR/$name" >/dev/null
    git clone -q --bare "$CASE_DIR/$name" "$served/git/$name.git"
    git -C "$served/git/$name.git" config uploadpack.allowAnySHA1InWant true
done
# The submodule is named as the internet has it.
git -C "$CASE_DIR/first" -c protocol.file.allow=always -c "url.$served/git/.insteadOf=https://git.example.org/" \
    submodule --quiet add https://git.example.org/second.git second
git -C "$CASE_DIR/first" -c user.name=e2e -c user.email=e2e@localhost commit -q -m two
git -C "$CASE_DIR/first" push -q "$served/git/first.git" main
echo 'a table' >"$served/files/table.conf"
MIRROR=/debian=$ARCHIVE git_server "$served"
authority=$E2E_WORK/git/ca.pem
cp "$authority" "$dir/site.pem"
start_registry 5973
trap 'stop_registry; kill $(jobs -p) 2>/dev/null || true' EXIT

# Base images as Debian makes them: apt asks the internet, and there are no certificates. Their registry plays the internet's.
base_image "$REGISTRY/internet/library/debian:12" "$CASE_DIR" <<'DOCKERFILE'
FROM docker.io/library/debian:12
RUN echo 'deb [trusted=yes] http://debian.example.org/debian bookworm main' >/etc/apt/sources.list && rm -rf /etc/ssl/certs
DOCKERFILE
podman tag "$REGISTRY/internet/library/debian:12" "$REGISTRY/internet/library/debian:12-slim"
for tag in 12 12-slim; do
    podman push -q --tls-verify=false "$REGISTRY/internet/library/debian:$tag" >/dev/null
    podman rmi "$REGISTRY/internet/library/debian:$tag" >/dev/null
done

# --- the project: nothing in it but `mirror` knows the site

cat >"$dir/site.kdl" <<KDL
mirror {
    registries "registries.conf"
    packages "http://debian.example.org/debian" "$GIT_URL/debian"
    git "https://git.example.org" "$GIT_URL/git"
    files "https://files.example.org" "$GIT_URL/files"
    ca "site.pem"
}
KDL
cat >"$dir/registries.conf" <<CONF
[[registry]]
location = "docker.io"
[[registry.mirror]]
location = "$REGISTRY/internet"
insecure = true
CONF
printf 'profile edition=1 extends="debian"\nline "12" {\n    release "12" {\n        mirror "http://debian.example.org/debian" suite="bookworm" component="main"\n    }\n}\n' \
    >"$dir/os.kdl"
project() {
    manifest "$dir" <<KDL
$1
profile "debian" "os.kdl"
source "first" { git "https://git.example.org/first.git" branch="main" { submodules #true; }; }
source "table" { file "https://files.example.org/table.conf"; }
module "first" { source "first"; }
module "second" { source "first" dir="second"; }
image "site" { module "first" "second"; load "first"; file "*.conf" from="table" to="/etc/driver"; }
matrix { os "debian" "12" { kernel match="$kernel"; }; }
KDL
}
project 'include "site.kdl"'

# --- the lock: asked of the site alone, which is trusted by its own authority

export XDG_CACHE_HOME=$CASE_DIR/cache HOME=$CASE_DIR/home
mkdir -p "$HOME"
strace -f -qq -e trace=connect -o "$CASE_DIR/logs/lock.strace" "$DRVC" lock -C "$dir" --allow-host 127.0.0.1 \
    >"$CASE_DIR/logs/lock" 2>&1 </dev/null || { cat "$CASE_DIR/logs/lock" >&2; die "drvc lock"; }
equal "whom drvc lock asked beside this machine" \
    "$(grep -o 'inet6*_addr("[^"]*")\|inet_pton([^)]*)' "$CASE_DIR/logs/lock.strace" | grep -v '127\.0\.0\.1\|::1' | sort -u)" ''
lock=$(cat "$dir/drivers.lock")
for name in docker.io/library/debian:12 docker.io/library/debian:12-slim https://git.example.org/first.git https://files.example.org/table.conf "$kernel"; do
    contains "drivers.lock" "$lock" "$name"
done
lacks "addresses of the site in drivers.lock" "$lock" 127.0.0.1

compile "$dir"
lacks "warnings" "$(cat "$CASE_DIR/logs/compile")" warning
key=$(target "$dir" site key)

# --- the images that builds need, copied into the site's registry

"$DRVC" images -C "$dir" --format skopeo >"$CASE_DIR/images.yaml"
skopeo --registries-conf "$dir/registries.conf" sync --all --scoped --src-tls-verify=false --dest-tls-verify=false \
    --src yaml --dest docker "$CASE_DIR/images.yaml" "$REGISTRY/hub" >"$CASE_DIR/logs/skopeo" 2>&1 ||
    { cat "$CASE_DIR/logs/skopeo" >&2; die "skopeo sync"; }
sed -i "s|registries .*|images \"docker.io\" \"$REGISTRY/hub/docker.io\"|" "$dir/site.kdl"
rm -r "$CASE_DIR/registry/docker/registry/v2/repositories/internet"
compile "$dir"
equal "the key with another mirror" "$(target "$dir" site key)" "$key"

# --- builds in which the public names lead to an address where nobody listens

nowhere=()
for name in debian.example.org security.example.org git.example.org files.example.org docker.io registry-1.docker.io; do
    nowhere+=("--add-host $name:127.0.0.9")
done
for engine in buildah podman docker; do
    arguments=("${nowhere[@]}")
    [ $engine = docker ] || arguments+=(--tls-verify=false)
    builds_ok $engine "$dir" site "${arguments[@]}"
    root=$(root_of $engine "$(image_of "$dir" site)")
    equal "modules of $engine" "$(find "$root/opt/lib/modules/$kernel/updates" -name '*.ko' -printf '%f\n' | sort | xargs)" \
        'first.ko second.ko'
    equal "the file" "$(cat "$root/etc/driver/table.conf")" 'a table'
    equal "what apt asks in the image of $engine" "$(cat "$root/etc/apt/sources.list")" \
        'deb [trusted=yes] http://debian.example.org/debian bookworm main'
    # Neither the authority nor an address of the site is left: one line of the certificate is enough to tell.
    found=$(grep -rlaF -e "$(sed -n 3p "$authority")" -e "$GIT_URL" "$root" 2>/dev/null || true)
    equal "what is left of the site in the image of $engine" "$found" ''
    equal "what is left of the script" "$(find "$root/drvc" "$root/var/tmp/drvc-mirrors" -type f 2>/dev/null || true)" ''
done
lacks "the history" "$(podman history --no-trunc "$(image_of "$dir" site)")" "$GIT_URL"

# --- loaded: symbols and kernel come from the mirror, whose authority is the manifest's, and nobody else is asked

podman rmi -f "$(image_of "$dir" site)" >/dev/null
built_ok podman "$dir" --allow-host 127.0.0.1 --engine-arg=--tls-verify=false "${nowhere[@]/#--add-host /--engine-arg=--add-host=}"
cp "$OUT" "$CASE_DIR/logs/build"
for command in verify boot; do
    strace -f --seccomp-bpf -qq -e trace=connect -o "$CASE_DIR/logs/$command.strace" "$DRVC" $command -C "$dir" site --engine podman \
        --allow-host 127.0.0.1 >"$CASE_DIR/logs/$command" 2>&1 </dev/null || { cat "$CASE_DIR/logs/$command" >&2; die "drvc $command"; }
    equal "whom drvc $command asked beside this machine" \
        "$(grep -o 'inet6*_addr("[^"]*")\|inet_pton([^)]*)' "$CASE_DIR/logs/$command.strace" | grep -v '127\.0\.0\.1\|::1' | sort -u)" ''
done
contains "what the machine says" "$(cat "$CASE_DIR/logs/boot")" 'every module loads (2 modules, taint OE)'
sed 's/^/    /' "$CASE_DIR"/logs/{build,verify,boot} >&2

# Without the mirror nothing can be fetched, and the key is the same.
cp -r "$dir" "$CASE_DIR/public"
dir=$CASE_DIR/public
project ''
compile "$dir"
equal "the key without a mirror" "$(target "$dir" site key)" "$key"
sed -i "s|^FROM docker.io/|FROM $REGISTRY/hub/docker.io/|" "$dir/drivers.out/$(target "$dir" site dockerfile)"
builds_not 'debian.example.org' buildah "$dir" site "${nowhere[@]}" --tls-verify=false

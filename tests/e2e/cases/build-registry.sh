#!/usr/bin/env bash
# needs: images root buildah podman dockerd mmdebstrap rpmbuild createrepo_c jq docker-registry python3
# `drvc build --push` with a real registry on loopback: push, skip without an engine, stale key, a tag that is copied, a
# missing architecture and the index of two, prune; and how long 1,000 targets that are up to date take.
. "$(dirname "$0")/../case.sh"
. "$E2E_DIR/build.sh"
. "$E2E_DIR/registry.sh"

start_registry 5971
kernel=$(newest amd64)
dir=$CASE_DIR/project
cp -r "$E2E_DIR/../../examples/06-build-here/driver" "$CASE_DIR/"
mkdir -p "$dir"
mv "$CASE_DIR/driver" "$dir/"
echo "/* $EPOCHREALTIME */" >>"$dir/driver/counter/counter.c"
# The base image by the digest that podman has for it: nothing is unpinned.
base=$(podman image inspect docker.io/library/debian:12 | jq -r '.[0].RepoDigests[0]')
# project TAG KERNELS: the manifest.
project() {
    cat >"$dir/drivers.kdl" <<KDL
drvc edition=1
project "e2e" { registry "$REGISTRY/e2e"; }
source "driver" { path "driver"; }
module "counter" { source "driver" dir="counter"; }
image "counter" { module "counter"; tag "$1"; base "$base"; packages "kmod"; }
matrix { os "debian" "12" { base "$base"; $2; }; }
KDL
}
push() { built_ok podman "$dir" --push --push-arg=--tls-verify=false --allow-host 127.0.0.1 "$@"; }
# manifest_of TAG: as the registry has it.
manifest_of() {
    python3 - "http://$REGISTRY/v2/e2e/counter/manifests/$1" <<'PY'
import sys, urllib.request
accept = "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json"
print(urllib.request.urlopen(urllib.request.Request(sys.argv[1], headers={"Accept": accept})).read().decode())
PY
}

project '{kernel}' "kernel \"$kernel\""
push
says '1 target: 1 built'
equal "pushes" "$(started push)" 1
push
says '1 target: 1 up to date'
equal "engines that a second run starts" "$(cat "$COUNT")" ''
podman rmi "$(image_of "$dir" counter)" >/dev/null
rm -rf "$dir/drivers.out/.drvc"
push
equal "engines without state and without the image" "$(cat "$COUNT")" ''

# Another image under the tag.
podman push --tls-verify=false docker.io/library/debian:12 "$REGISTRY/e2e/counter:$kernel" >/dev/null 2>&1
push --dry-run
says 'the image was not built by drvc'
push
says '1 target: 1 built'

# A new tag for the same key is a copy of the manifest.
project 'v2-{kernel}' "kernel \"$kernel\""
push
says '1 target: 1 named'
equal "engines for a new tag" "$(cat "$COUNT")" ''
equal "manifest of the new tag" "$(manifest_of "v2-$kernel")" "$(manifest_of "$kernel")"

# A lock that lacks something is completed first, and not under --locked.
podman push --tls-verify=false docker.io/library/debian:12 "$REGISTRY/e2e/debian:12" >/dev/null 2>&1
pinned=$base base=$REGISTRY/e2e/debian:12
project '{kernel}' "kernel \"$kernel\""
built_not 3 'nothing was built' podman "$dir" --locked --allow-host 127.0.0.1
[ ! -e "$dir/drivers.lock" ] || die "--locked writes a lock"
built_ok podman "$dir" --engine-arg=--tls-verify=false --allow-host 127.0.0.1
says 'drivers.lock lacks something: asking for it'
says '1 target: 1 built'
contains "the lock" "$(cat "$dir/drivers.lock")" "reference = \"$base\""
rm "$dir/drivers.lock"
base=$pinned

# Two architectures of one tag. The other one cannot be built here: an image with its key stands in for it.
project both "arch \"x86_64\" \"aarch64\"; kernel \"$kernel\" \"${kernel%amd64}arm64\""
push --target arch=x86_64
says '1 target: 1 '
push --dry-run
says 'has no image for arm64'
key=$(jq -r '.targets[] | select(.arch == "aarch64") | .key' "$dir/drivers.out/plan.json")
container=$(buildah from --arch arm64 scratch)
buildah config --arch arm64 --label "dev.drvc.key=$key" "$container"
buildah commit -q "$container" "$REGISTRY/e2e/counter:both-arm64" >/dev/null
buildah rm "$container" >/dev/null
push
says '2 targets: 1 pushed, 1 up to date'
equal "architectures of the index" "$(manifest_of both | jq -r '.manifests[].platform.architecture' | xargs)" 'amd64 arm64'
push
says '2 targets: 2 up to date'
equal "engines for two architectures that are there" "$(cat "$COUNT")" ''

# What no target names any more goes when it is asked for twice.
echo '/* another key */' >>"$dir/driver/counter/counter.c"
project current "kernel \"$kernel\""
push
prune() { PATH=$CASE_DIR/bin:$PATH "$DRVC" prune -C "$dir" --engine podman --registry --allow-host 127.0.0.1 "$@" 2>&1; }
contains "prune --registry" "$(prune)" "would remove $REGISTRY/e2e/counter@"
manifest_of both >/dev/null
prune --yes >"$CASE_DIR/logs/prune"
manifest_of current >/dev/null || die "prune removed what a target names"
! manifest_of both >/dev/null 2>&1 || die "prune --yes left what no target names"

# A registry that is not there: an error where images go there, a word where they do not.
stop_registry
built_not 4 "$REGISTRY" podman "$dir" --push --push-arg=--tls-verify=false --allow-host 127.0.0.1
podman rmi "$(image_of "$dir" counter)" >/dev/null
built_ok podman "$dir" --allow-host 127.0.0.1
says 'only images of the engine count'

# 1,000 targets that are up to date.
start_registry 5971
many=$CASE_DIR/many
mkdir -p "$many"
cp -r "$dir/driver" "$many/"
project '{kernel}' "kernel $(seq -f '"6.1.0-%g-amd64"' -s ' ' 1 1000)"
cp "$dir/drivers.kdl" "$many/"
compile "$many"
PYTHONPATH=$E2E_DIR python3 - "$REGISTRY" "$many/drivers.out/plan.json" <<'PY'
import json, sys
from put import Repository
repository = Repository(sys.argv[1], "e2e/counter")
for target in json.load(open(sys.argv[2]))["targets"]:
    config = json.dumps({"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": []},
                         "config": {"Labels": {"dev.drvc.key": target["key"]}}}).encode()
    config = repository.blob(config, "application/vnd.oci.image.config.v1+json")
    repository.manifest({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "layers": [],
                         "config": config}, target["tags"][0].rsplit(":", 1)[1])
PY
start=$EPOCHREALTIME
built_ok podman "$many" --push --allow-host 127.0.0.1
say "  1,000 targets that are up to date: $(((${EPOCHREALTIME/./} - ${start/./}) / 1000)) ms"
says '1000 targets: 1000 up to date'
equal "engines for 1,000 targets that are up to date" "$(cat "$COUNT")" ''

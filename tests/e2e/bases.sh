#!/usr/bin/env bash
# Makes the base images of the container tests from this machine's own apt sources: Debian 12, and a RHEL 9.4 stand-in.
#
# No container registry is needed. `bases.sh` leaves images that exist alone; `bases.sh --force` makes them anew.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

debian="docker.io/library/debian:12 docker.io/library/debian:12-slim"
rhel="registry.access.redhat.com/ubi9/ubi:9.4 registry.access.redhat.com/ubi9/ubi-minimal:9.4"
recipe=$(cat "$E2E_DIR/bases.sh" "$E2E_DIR/standin.sh" | sha256sum | cut -c1-16)
stamp=$E2E_WORK/bases.$recipe

# Tars are imported with the recipe as a label, in podman's store (buildah's too) and in our Docker daemon.
import() {
    local tar=$1 name
    shift
    for name in "$@"; do
        podman import -q --change "LABEL dev.drvc.e2e=$recipe" --change 'CMD ["bash"]' "$tar" "$name" >/dev/null
        docker import --change "LABEL dev.drvc.e2e=$recipe" --change 'CMD ["bash"]' "$tar" "$name" >/dev/null
    done
}

start_docker
if [ "${1:-}" != --force ] && [ -e "$stamp" ]; then
    have=yes
    for name in $debian $rhel; do
        podman image exists "$name" && docker image inspect "$name" >/dev/null 2>&1 || have=no
    done
    [ $have = yes ] && exit 0
fi

apt_sources >"$E2E_WORK/sources.list"
[ -s "$E2E_WORK/sources.list" ] || die "no Debian package source on this machine; run apt-get update"

say "base image: Debian 12"
mmdebstrap --quiet --variant=minbase bookworm "$E2E_WORK/debian.tar" "$E2E_WORK/sources.list"
# shellcheck disable=SC2086
import "$E2E_WORK/debian.tar" $debian

say "base image: RHEL 9.4 stand-in (Debian with dnf, and a repository of rpm packages made of Debian's)"
"$E2E_DIR/standin.sh" "$E2E_WORK/debian.tar" "$E2E_WORK/rhel.tar"
# shellcheck disable=SC2086
import "$E2E_WORK/rhel.tar" $rhel

rm -f "$E2E_WORK"/bases.*
touch "$stamp"

#!/usr/bin/env bash
# Makes the base images of the container tests from this machine's own apt sources: Debian 12 and 13, and a RHEL 9.4 stand-in.
# Within Debian 12's, apt asks a mirror with a short index (archive.py); within Debian 13's, that of the machine.
#
# No container registry is needed. `bases.sh` leaves images that exist alone; `bases.sh --force` makes them anew.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

debian="docker.io/library/debian:12 docker.io/library/debian:12-slim"
trixie="docker.io/library/debian:13 docker.io/library/debian:13-slim"
rhel="registry.access.redhat.com/ubi9/ubi:9.4 registry.access.redhat.com/ubi9/ubi-minimal:9.4"
export E2E_WORK ARCHIVE
[ "${1:-}" != --force ] || rm -f "$E2E_WORK"/made.*

# import TAR NAME...: one image of many names, in podman's store (which is buildah's too) and in our Docker daemon.
import() {
    local tar=$1 name
    shift
    podman import -q --change 'CMD ["bash"]' "$tar" "$1" >/dev/null
    docker import --change 'CMD ["bash"]' "$tar" "$1" >/dev/null
    for name in "${@:2}"; do
        podman tag "$1" "$name"
        docker tag "$1" "$name"
    done
}

# recipe FILE...: what the images are made by; made WHAT RECIPE NAME...: whether they were made by just that and are there.
recipe() { cat "$@" | sha256sum | cut -c1-16; }
made() {
    local name
    [ -e "$E2E_WORK/made.$1.$2" ] || return 1
    for name in "${@:3}"; do
        podman image exists "$name" && docker image inspect "$name" >/dev/null 2>&1 || return 1
    done
}

# As in Docker's own Debian images, apt keeps neither packages nor its binary caches, and dpkg flushes nothing to disk.
settings() {
    echo force-unsafe-io >"$E2E_WORK/docker-apt-speedup"
    cat >"$E2E_WORK/docker-clean" <<'CONF'
DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb /var/cache/apt/archives/partial/*.deb || true"; };
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
Acquire::Languages "none";
CONF
}

debian_tar() {
    say "base image: Debian 12"
    apt_sources >"$E2E_WORK/sources.list"
    [ -s "$E2E_WORK/sources.list" ] || die "no Debian package source on this machine; run apt-get update"
    # shellcheck disable=SC2016
    mmdebstrap --quiet --variant=minbase \
        --customize-hook='rm -rf "$1"/var/cache/apt/*.bin "$1"/var/lib/apt/lists/*' \
        --customize-hook='cp "$E2E_WORK/docker-clean" "$1/etc/apt/apt.conf.d/"' \
        --customize-hook='rm -f "$1"/etc/apt/sources.list.d/*; echo "deb [trusted=yes] $ARCHIVE bookworm main" >"$1/etc/apt/sources.list"' \
        --setup-hook='mkdir -p "$1/etc/dpkg/dpkg.cfg.d"; cp "$E2E_WORK/docker-apt-speedup" "$1/etc/dpkg/dpkg.cfg.d/"' \
        bookworm "$E2E_WORK/debian.tar" "$E2E_WORK/sources.list"
}

# Its kernel, as `uname -r` has it, is in trixie.kernel.
trixie_tar() {
    local url
    say "base image: Debian 13"
    url=$(apt_sources | awk '$4 == "bookworm" {print $3; exit}')
    # shellcheck disable=SC2016
    mmdebstrap --quiet --variant=apt \
        --customize-hook='chroot "$1" apt-cache depends linux-headers-amd64 | sed -n "s/.*Depends: linux-headers-//p" >"$E2E_WORK/trixie.kernel"' \
        --customize-hook='rm -rf "$1"/var/cache/apt/*.bin "$1"/var/lib/apt/lists/*' \
        --customize-hook='cp "$E2E_WORK/docker-clean" "$1/etc/apt/apt.conf.d/"' \
        --setup-hook='mkdir -p "$1/etc/dpkg/dpkg.cfg.d"; cp "$E2E_WORK/docker-apt-speedup" "$1/etc/dpkg/dpkg.cfg.d/"' \
        trixie "$E2E_WORK/trixie.tar" \
        "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $url trixie main"
}

rhel_tar() {
    say "base image: RHEL 9.4 stand-in (Debian with dnf, and repositories of rpm packages made of Debian's)"
    "$E2E_DIR/standin.sh" "$E2E_WORK/debian.tar" "$E2E_WORK/rhel.tar"
}

start_docker
settings
if ! archive_answers; then
    [ "$E2E_FROM" != "$E2E_WORK" ] || archive_index
    trap stop_archive EXIT
    start_archive
fi
of_debian=$(recipe "$E2E_DIR/bases.sh")
of_rhel=$(recipe "$E2E_DIR/bases.sh" "$E2E_DIR/standin.sh")
# shellcheck disable=SC2086
if ! made debian "$of_debian" $debian; then
    [ "$E2E_FROM" != "$E2E_WORK" ] || debian_tar
    import "$E2E_FROM/debian.tar" $debian
    rm -f "$E2E_WORK"/made.*
    touch "$E2E_WORK/made.debian.$of_debian"
fi
# shellcheck disable=SC2086
if ! made trixie "$of_debian" $trixie; then
    if [ "$E2E_FROM" = "$E2E_WORK" ] || [ ! -e "$E2E_FROM/trixie.tar" ]; then
        trixie_tar
    else
        cp "$E2E_FROM/trixie.tar" "$E2E_FROM/trixie.kernel" "$E2E_WORK"
    fi
    import "$E2E_WORK/trixie.tar" $trixie
    rm -f "$E2E_WORK"/made.trixie.*
    touch "$E2E_WORK/made.trixie.$of_debian"
fi
# shellcheck disable=SC2086
if ! made rhel "$of_rhel" $rhel; then
    [ "$E2E_FROM" != "$E2E_WORK" ] || rhel_tar
    import "$E2E_FROM/rhel.tar" $rhel
    rm -f "$E2E_WORK"/made.rhel.*
    touch "$E2E_WORK/made.rhel.$of_rhel"
fi

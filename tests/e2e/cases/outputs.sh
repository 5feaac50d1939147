#!/usr/bin/env bash
# needs: git jq check-jsonschema docker-buildx
# What `output` makes of example 08, held to its consumers: bake files and `matrix --format bake` by buildx itself, the
# workflow and both pipelines of GitLab by their published JSON schemas, KMM's Modules by its CRD where KMM_CRD names
# one, and a matrix of GitHub by what `fromJSON` gets.
. "$(dirname "$0")/../case.sh"

cp -R "$ROOT/examples/08-everywhere" "$CASE_DIR/project"
cd "$CASE_DIR/project" || exit
"$DRVC" compile 2>"$CASE_DIR/compile.log" || { cat "$CASE_DIR/compile.log" >&2; die "example 08 does not compile"; }

# bake_of FILE: the targets that bake would build, as bake says.
bake_of() { docker-buildx bake -f "$1" --print 2>"$CASE_DIR/bake.log" || { cat "$CASE_DIR/bake.log" >&2; die "bake refuses $1"; }; }
: >"$CASE_DIR/baked"
for file in drivers.out/bake/*/*.json; do
    bake_of "$file" | jq -r '.target[] | "\(.dockerfile) \(.tags[0]) \(.platforms[0])"' >>"$CASE_DIR/baked"
done
equal "what bake builds" "$(sort "$CASE_DIR/baked")" "$(jq -r '.targets[] | "drivers.out/\(.dockerfile) \(.tags[0]) linux/" +
    {x86_64: "amd64", aarch64: "arm64"}[.arch]' drivers.out/plan.json | sort)"
rm -r drivers.out/pt-char-dev/debian-12-x86_64
"$DRVC" matrix --changed --format bake >"$CASE_DIR/changed.json" 2>/dev/null
equal "what bake builds of what changed" "$(bake_of "$CASE_DIR/changed.json" | jq -c '[.target[].tags[]]')" \
    '["quay.io/example/pt-char-dev:6.1.0-56-amd64"]'
say "  buildx reads every bake file"

schema() { check-jsonschema "$@" >"$CASE_DIR/schema.log" 2>&1 || { cat "$CASE_DIR/schema.log" >&2; die "$*"; }; }
schema --builtin-schema vendor.github-workflows drivers.out/github/drvc.yml
schema --builtin-schema vendor.gitlab-ci --data-transform gitlab-ci drivers.out/gitlab/drvc.yml
for push in '' --push; do
    for which in --all --changed; do
        # shellcheck disable=SC2086
        "$DRVC" matrix $which --format gitlab $push >"$CASE_DIR/child.yml" 2>/dev/null
        schema --builtin-schema vendor.gitlab-ci --data-transform gitlab-ci "$CASE_DIR/child.yml"
    done
done
equal "the matrix of GitHub" "$("$DRVC" matrix --all --format github 2>/dev/null | jq -c '[.images.include[].runner] | sort')" \
    '["ubuntu-24.04","ubuntu-24.04","ubuntu-24.04","ubuntu-24.04-arm"]'
say "  GitHub's and GitLab's schemas hold"

# The scripts of the pipelines are shell.
python3 "$E2E_DIR/pipelines.py" drivers.out/github/drvc.yml drivers.out/gitlab/drvc.yml "$CASE_DIR/child.yml" "$CASE_DIR/scripts"
shellcheck -S warning -s bash "$CASE_DIR"/scripts/*.sh >&2 || die "shellcheck refuses a script of a pipeline"

if [ -f "${KMM_CRD:-}" ]; then
    python3 "$E2E_DIR/crd.py" "$KMM_CRD" drivers.out/kmm/*.yaml || die "KMM's CRD refuses a Module"
    say "  KMM's CRD holds"
else
    say "  not checked: KMM's CRD, since KMM_CRD names no file"
fi

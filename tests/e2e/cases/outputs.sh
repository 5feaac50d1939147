#!/usr/bin/env bash
# needs: git jq check-jsonschema docker-buildx
# What `output` makes of example 08, held to its consumers: bake files and `matrix --format bake` by buildx itself, the
# workflow and both pipelines of GitLab by their published JSON schemas, BuildConfigs and ImageStreams by OpenShift's API
# where npm has it, KMM's Modules (example 09's too) by its CRD where KMM_CRD names one, all YAML by readers of
# 1.1 and of 1.2, and a matrix of GitHub by what `fromJSON` gets. Then
# the same of a manifest with a toolkit and secrets.
. "$(dirname "$0")/../case.sh"

cp -R "$ROOT/examples/08-everywhere" "$CASE_DIR/project"
cd "$CASE_DIR/project" || exit
"$DRVC" compile 2>"$CASE_DIR/compile.log" || { cat "$CASE_DIR/compile.log" >&2; die "example 08 does not compile"; }

# bake_of FILE: the targets that bake would build, as bake says.
bake_of() { docker-buildx bake -f "$1" --print "${@:2}" 2>"$CASE_DIR/bake.log" || { cat "$CASE_DIR/bake.log" >&2; die "bake refuses $1"; }; }
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
find drivers.out "$ROOT/examples/09-cluster-devices/drivers.out" -name '*.y*ml' \
    -exec python3 "$E2E_DIR/yaml-versions.py" {} + || die "YAML 1.1 and 1.2 differ"
say "  YAML 1.1 and 1.2 read the same"

# The scripts of the pipelines are shell.
python3 "$E2E_DIR/pipelines.py" drivers.out/github/drvc.yml drivers.out/gitlab/drvc.yml "$CASE_DIR/child.yml" "$CASE_DIR/scripts"
shellcheck -S warning -s bash "$CASE_DIR"/scripts/*.sh >&2 || die "shellcheck refuses a script of a pipeline"

openshift=$E2E_FROM/venv/share/openshift.json
if [ -f "$openshift" ]; then
    find drivers.out/buildconfig -name '*.yaml' -exec python3 "$E2E_DIR/openshift.py" "$openshift" {} + ||
        die "OpenShift's API refuses a BuildConfig"
    say "  OpenShift's API holds"
else
    say "  not checked: OpenShift's API, which npm would have"
fi

# KMM_CRD may name several files: of Modules, and of both kinds of validations.
[ -n "${KMM_CRD:-}" ] || say "  not checked: KMM's CRDs, since KMM_CRD names no file"
for crd in ${KMM_CRD:-}; do
    find drivers.out/kmm "$ROOT/examples/09-cluster-devices/drivers.out/kmm" -name '*.yaml' -exec python3 "$E2E_DIR/crd.py" "$crd" {} + || die "$crd refuses a resource"
    say "  $(basename "$crd") holds"
done

# A toolkit, and secrets.
cp -R "$ROOT/examples/04-own-toolkit" "$CASE_DIR/toolkit"
cd "$CASE_DIR/toolkit" || exit
echo 'output { bake; github { install "drvc --version"; }; gitlab { install "drvc --version"; image "quay.io/example/drvc:latest"; }; }' >>drivers.kdl
"$DRVC" compile 2>"$CASE_DIR/compile.log" || { cat "$CASE_DIR/compile.log" >&2; die "example 04 with outputs does not compile"; }
kit=$(jq -r '.toolkits[0].reference' drivers.out/plan.json)
bake_of drivers.out/bake/pt-char-dev/rhel-8.5.json >"$CASE_DIR/baked"
equal "what the driver is baked on" "$(jq -r '.target[.target[] | .contexts // {} | .[] | ltrimstr("target:")].tags[0]' "$CASE_DIR/baked")" "$kit"
equal "the name that its Dockerfile has for it" "$(jq -r '.target[] | .contexts // {} | keys[]' "$CASE_DIR/baked")" \
    "$(sed -n 's/^FROM \(.*\) AS kernel$/\1/p' drivers.out/pt-char-dev/*/*/Dockerfile)"
equal "what bake gets the subscription from" "$(jq -r '.target[] | select(.contexts == null) | .secret | sort | join(" ")' "$CASE_DIR/baked")" \
    'id=rhsm-activation-key,env=RHSM_ACTIVATION_KEY id=rhsm-org,env=RHSM_ORG'
equal "toolkits alone" "$(bake_of drivers.out/bake/pt-char-dev/rhel-8.5.json _toolkit | jq -r '[.target[].tags[]] | join(" ")')" "$kit"
"$DRVC" matrix --all --format gitlab --push >"$CASE_DIR/child.yml" 2>/dev/null
schema --builtin-schema vendor.github-workflows drivers.out/github/drvc.yml
schema --builtin-schema vendor.gitlab-ci --data-transform gitlab-ci drivers.out/gitlab/drvc.yml
schema --builtin-schema vendor.gitlab-ci --data-transform gitlab-ci "$CASE_DIR/child.yml"
python3 "$E2E_DIR/pipelines.py" drivers.out/github/drvc.yml drivers.out/gitlab/drvc.yml "$CASE_DIR/child.yml" "$CASE_DIR/scripts"
shellcheck -S warning -s bash "$CASE_DIR"/scripts/*.sh >&2 || die "shellcheck refuses a script of a pipeline"
say "  the same with a toolkit and secrets"

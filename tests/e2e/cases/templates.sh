#!/usr/bin/env bash
# needs: images root buildah podman dockerd mmdebstrap rpmbuild createrepo_c jq hadolint shellcheck python-dockerfile
# Every Dockerfile of every example, as BuildKit's parser, hadolint and shellcheck read it; and 500 manifests whose
# texts try to be something else than texts, read back by BuildKit's parser and, for thirty, by a real build.
. "$(dirname "$0")/../case.sh"

cp -R "$E2E_DIR/../../examples" "$CASE_DIR/examples"
for example in "$CASE_DIR"/examples/*/; do
    "$DRVC" compile -C "$example" >"$CASE_DIR/compile.log" 2>&1 || { cat "$CASE_DIR/compile.log" >&2; die "$example does not compile"; }
done
python3 "$E2E_DIR/templates.py" examples "$CASE_DIR/examples"
python3 "$E2E_DIR/templates.py" hostile "$CASE_DIR" "$DRVC"

# The build of templates.py: environment, labels and words, as an engine understood them.
LOG=$CASE_DIR/logs/build
patiently "$CASE_DIR/build" 'buildah build --layers --isolation chroot --network host -t drvc-e2e-hostile .' ||
    { cat "$LOG" >&2; die "buildah cannot build what hostile manifests say"; }
root=$(root_of buildah drvc-e2e-hostile)
config_of buildah drvc-e2e-hostile | jq -S '{env: [.Env[] | select(startswith("V"))] | sort, labels: (.Labels |
    with_entries(select(.key | startswith("v"))))}' >"$CASE_DIR/config.json"
equal "environment and labels" "$(cat "$CASE_DIR/config.json")" "$(jq -S '{env, labels}' "$CASE_DIR/expected.json")"
equal "words" "$(jq -Rsc 'split("\u0000") | map(select(. != ""))' "$root/words")" "$(jq -c .words "$CASE_DIR/expected.json")"
say "  30 hostile texts survive a real build"

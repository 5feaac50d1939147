#!/usr/bin/env bash
# needs: images root buildah podman dockerd mmdebstrap rpmbuild createrepo_c jq git docker-registry python3
# The scripts of the jobs of GitHub's workflow and GitLab's pipeline, one after the other on this machine, with a registry on
# loopback and a git history: everything in the first run, toolkit first; what a commit changes in the next; nothing
# pushed for a pull request. What this does not prove: that the services run jobs as jobs.py does.
. "$(dirname "$0")/../case.sh"
. "$E2E_DIR/registry.sh"
. "$E2E_DIR/subscribed.sh"

start_registry 5972
registry=localhost:5972
subscribed_image
kernel=5.14.0-427.13.1.el9_4.x86_64
# What a subscription would bring is simply there.
base_image $SUBSCRIBED-open "$CASE_DIR" <<DOCKERFILE
FROM $SUBSCRIBED
RUN cp /usr/share/standin/redhat.repo /etc/yum.repos.d/
DOCKERFILE

# Runners are given these options by their settings.
mkdir "$CASE_DIR/bin"
cat >"$CASE_DIR/bin/drvc" <<SH
#!/bin/sh
[ "\$1" = build ] || exec "$DRVC" "\$@"
shift
exec "$DRVC" build --engine-arg=--isolation=chroot --engine-arg=--network=host --engine-arg=--tls-verify=false \\
    --push-arg=--tls-verify=false --push-arg=--compression-format=zstd --allow-host localhost "\$@" 2>>"$CASE_DIR/logs/drvc"
SH
cat >"$CASE_DIR/bin/podman" <<'SH'
#!/bin/sh
[ "$1" != login ] || { shift; set -- login --tls-verify=false "$@"; }
exec /usr/bin/podman "$@"
SH
chmod +x "$CASE_DIR"/bin/*
export PATH=$CASE_DIR/bin:$PATH REGISTRY_AUTH_FILE=$CASE_DIR/auth.json

dir=$CASE_DIR/project
c_module "$dir/driver" driver
cat >"$dir/drivers.kdl" <<KDL
drvc edition=1
project "e2e" { registry "$registry/e2e"; }
toolkit "kit"
entitlement "none"
source "driver" { path "driver"; }
module "driver" { source "driver"; }
image "driver" { module "driver"; load "driver"; }
matrix {
    os "rhel" "9.4" {
        kernel "$kernel"
        base "$SUBSCRIBED-open"
        builder "toolkit"
        repository enable="rhel-9-for-x86_64-appstream-rpms"
        repository enable="rhel-9-for-x86_64-baseos-rpms"
    }
}
output {
    github { install "drvc --version"; runner "subscribed" arch="x86_64"; }
    gitlab { install "drvc --version"; runner "subscribed" arch="x86_64"; }
}
KDL
compile "$dir"
cd "$dir" || exit
workflow=.github/workflows/drvc.yml
mkdir -p .github/workflows
cp drivers.out/github/drvc.yml $workflow
commit() { git add -A && git -c user.name=A -c user.email=a@example.com commit -qm "$1"; }
git init -q -b main .
commit first
first=$(git rev-parse HEAD)

# job FILE NAME VALUES: runs it; said FILE-OF-DRVC: what `drvc build` said meanwhile.
job() {
    : >"$CASE_DIR/logs/drvc"
    python3 "$E2E_DIR/jobs.py" "$@" >"$CASE_DIR/logs/job" 2>&1 || { cat "$CASE_DIR/logs/job" "$CASE_DIR/logs/drvc" >&2; die "job $2 of $1 fails"; }
}
says() { grep -qF -- "$1" "$CASE_DIR/logs/drvc" || { cat "$CASE_DIR/logs/drvc" >&2; die "drvc build does not say: $1"; }; }

# changes BASE: the first job of GitHub; MATRIX is what it gives to the others.
changes() {
    export GITHUB_WORKSPACE=$dir GITHUB_OUTPUT=$CASE_DIR/output GITHUB_STEP_SUMMARY=$CASE_DIR/summary RUNNER_TEMP=$CASE_DIR
    : >"$GITHUB_OUTPUT"
    : >"$GITHUB_STEP_SUMMARY"
    job $workflow changes "$(jq -n --arg base "$1" '{
        "github.event.pull_request.base.sha || github.event.before": $base,
        "steps.page.outputs.artifact-url": "https://github.example.com/page"}')"
    MATRIX=$(sed -n 's/^matrix=//p' "$GITHUB_OUTPUT")
}
# phase PHASE PUSHES: its jobs, each with the values of its line of the matrix.
phase() {
    local line push=
    [ "$2" = false ] || push=--push
    while read -r line; do
        job $workflow "$1" "$(jq -n --argjson line "$line" --arg pushes "$2" --arg push "$push" '{
            "matrix.targets": $line.targets, "secrets.LOCALHOST_5972_USER": "robot", "secrets.LOCALHOST_5972_PASSWORD": "secret",
            "github.ref == \u0027refs/heads/main\u0027": $pushes,
            "(github.ref == \u0027refs/heads/main\u0027) && \u0027--push\u0027 || \u0027\u0027": $push}')"
    done < <(jq -c ".$1.include[]" <<<"$MATRIX")
}

changes 0000000000000000000000000000000000000000
equal "jobs of the first run" "$(jq -c '[.toolkits, .images | .include | length]' <<<"$MATRIX")" '[1,1]'
phase toolkits true
says '1 toolkit: 1 built'
equal "who is logged in" "$(jq -r '.auths | keys[]' "$REGISTRY_AUTH_FILE")" $registry
# A runner has no image of another runner's.
kit=$(jq -r '.toolkits[0].reference' drivers.out/plan.json)
/usr/bin/podman untag "$kit"
phase images true
says "building driver/"
lacks "what the job of an image builds" "$(cat "$CASE_DIR/logs/drvc")" 'building _toolkit'
says '1 target: 1 built'
phase toolkits true
says '1 toolkit: 1 up to date'
phase images true
says '1 target: 1 up to date'

echo '/* another byte */' >>driver/driver.c
drvc compile 2>/dev/null
commit second
changes "$first"
contains "summary of the run" "$(cat "$CASE_DIR/summary")" '1 target changed'
contains "summary of the run" "$(cat "$CASE_DIR/summary")" '(https://github.example.com/page)'
contains "page of all targets" "$(cat "$CASE_DIR/drvc-report.html")" 'driver/'
equal "jobs for one target" "$(jq -c '[.toolkits, .images | .include | length]' <<<"$MATRIX")" '[1,1]'
# A pull request pushes nothing.
phase images false
says '1 target: 1 built'
drvc build --push --dry-run --engine podman
says '1 target: 1 to build'

# The same commit on GitLab: first for a merge request, then on the main branch.
export CI_PROJECT_DIR=$CASE_DIR/gitlab
mkdir "$CI_PROJECT_DIR"
child=$CI_PROJECT_DIR/drvc-jobs.yml
job drivers.out/gitlab/drvc.yml drvc-changes "$(jq -n --arg base "$first" '{CI_MERGE_REQUEST_DIFF_BASE_SHA: $base, CI_DEFAULT_BRANCH: "main"}')"
lacks "jobs for a merge request" "$(cat "$child")" 'toolkits x86_64'
job "$child" 'images x86_64' '{}'
says '1 target: 1 up to date'
job drivers.out/gitlab/drvc.yml drvc-changes "$(jq -n --arg base "$first" '{CI_COMMIT_BEFORE_SHA: $base, CI_COMMIT_BRANCH: "main", CI_DEFAULT_BRANCH: "main"}')"
user='{"LOCALHOST_5972_USER": "robot", "LOCALHOST_5972_PASSWORD": "secret"}'
job "$child" 'toolkits x86_64' "$user"
says '1 toolkit: 1 up to date'
job "$child" 'images x86_64' "$user"
says '1 target: 1 pushed'

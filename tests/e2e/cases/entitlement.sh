#!/usr/bin/env bash
# needs: images root buildah podman dockerd mmdebstrap rpmbuild createrepo_c jq modinfo rpm
# Subscriptions by secrets, against a stand-in of subscription-manager that records its calls: what is registered is
# always unregistered, every failure fails the build with words, and no secret stays anywhere. What this does not prove:
# that Red Hat's servers answer so.
. "$(dirname "$0")/../case.sh"
. "$(dirname "$0")/../subscribed.sh"

subscribed_image
kernel=5.14.0-427.13.1.el9_4.x86_64
dir=$CASE_DIR/project
c_module "$dir/driver" driver
export S=$CASE_DIR/secrets
mkdir -p "$S"

# project ENTITLEMENT [KERNEL]: the manifest, compiled.
project() {
    manifest "$dir" <<KDL
source "driver" { path "driver"; }
module "driver" { source "driver"; }
image "driver" { module "driver"; load "driver"; }
matrix { os "rhel" "9.4" { kernel "${2:-$kernel}"; base "$SUBSCRIBED"; entitlement $1; }; }
KDL
    compile "$dir"
}

# secrets ORG KEY: what is handed over for rhsm.
secrets() { printf '%s\n' "$1" >"$S/rhsm-org"; printf '%s\n' "$2" >"$S/rhsm-activation-key"; }

# calls LAYER...: what the stage that was built up to LAYER recorded. The stage of the kernel stands on that of the tools.
calls() {
    local log=$CASE_DIR/calls.out words
    words=$(command_line buildah "$dir" driver | sed "s|-t [^ ]*|--target $1 -t localhost/e2e/calls|")
    LOG=$CASE_DIR/logs/calls
    patiently "$dir" "$words" || { cat "$LOG" >&2; die "no stage $1"; }
    cat "$(root_of buildah localhost/e2e/calls)/usr/share/standin/calls" >"$log"
    tr '\n' ';' <"$log"
}

# clean ROOT: nothing of a subscription is left in a builder.
clean() {
    local left
    left=$(find "$1/etc/pki/consumer" "$1/etc/pki/entitlement" "$1/etc/yum.repos.d/redhat.repo" ! -type d 2>/dev/null || true)
    equal "what is left of the subscription" "$left" ''
}

# --- rhsm: registered, exactly the repositories needed, unregistered, in one RUN each
secrets ORG-canary-4711 KEY-canary-4712
project '"rhsm"'
equal "secrets in the plan" "$(target "$dir" driver 'secrets | map(.id) | join(" ")')" 'rhsm-activation-key rhsm-org'
builds_ok buildah "$dir" driver
root=$(root_of buildah "$(image_of "$dir" driver)")
equal "vermagic" "$(modinfo -F vermagic "$root/opt/lib/modules/$kernel/updates/driver.ko" | cut -d' ' -f1)" $kernel
base='repos --disable=* --enable=rhel-9-for-x86_64-baseos-rpms --enable=rhel-9-for-x86_64-appstream-rpms'
eus=' --enable=rhel-9-for-x86_64-appstream-eus-rpms --enable=rhel-9-for-x86_64-baseos-eus-rpms'
equal "calls" "$(calls kernel)" "register;$base;unregister;register;$base$eus;unregister;"
clean "$(root_of buildah localhost/e2e/calls)"

# The canary: neither value is in an image, its history, its configuration, the outputs, the state or a log.
for image in "$(image_of "$dir" driver)" localhost/e2e/calls; do
    podman save -q --format oci-archive -o "$CASE_DIR/image.tar" "$image"
    rm -rf "$CASE_DIR/image" && mkdir "$CASE_DIR/image" && tar -xf "$CASE_DIR/image.tar" -C "$CASE_DIR/image"
    for blob in "$CASE_DIR"/image/blobs/sha256/*; do gzip -dcf "$blob" 2>/dev/null || cat "$blob"; done >"$CASE_DIR/image.all"
    podman history --no-trunc "$image" >>"$CASE_DIR/image.all"
    config_of buildah "$image" >>"$CASE_DIR/image.all"
    grep -aq 'dev.drvc\|standin' "$CASE_DIR/image.all" || die "the search for secrets does not see into $image"
    # The stand-in itself knows the values; elsewhere they must not be.
    equal "canaries in $image" "$(grep -av -- '--org=ORG-canary' "$CASE_DIR/image.all" | grep -aoE '(ORG|KEY)-canary-[0-9]+' | sort | uniq -c | xargs)" ''
done
equal "canaries in outputs, state and logs" \
    "$(grep -rlaE '(ORG|KEY)-canary-[0-9]+' "$dir" "$CASE_DIR/logs" | xargs)" ''

# --- each failure fails the build, says what to look at, and still unregisters
secrets ORG-canary-4711 KEY-canary-wrong
builds_not 'drvc: the system cannot be registered: see rhsm-org and rhsm-activation-key (entitlement "rhsm")' \
    buildah "$dir" driver --no-cache
contains "what a failed registration ends with" "$(tail -20 "$LOG")" 'This system is currently not registered.'
secrets ORG-canary-4711 KEY-canary-4712

# A release whose repositories the subscription does not have.
cat >"$dir/mine.kdl" <<'KDL'
profile edition=1 extends="rhel"
subscription "rhel-9-for-unknown-rpms"
KDL
project '"rhsm"'
echo 'profile "rhel" "mine.kdl"' >>"$dir/drivers.kdl"
compile "$dir"
builds_not 'drvc: the subscription of rhsm-org lacks a repository (entitlement "rhsm")' buildah "$dir" driver
lacks "the end" "$(grep -a '^drvc:' "$LOG")" 'could not be unregistered'

# A package that no repository has: "Unable to find a match" gets the name of the entitlement.
project '"rhsm"' 5.14.0-427.99.1.el9_4.x86_64
builds_not 'drvc: packages are missing: does rhsm-org have this release? (entitlement "rhsm")' \
    buildah "$dir" driver
contains "dnf's own words" "$(cat "$LOG")" 'Unable to find a match: kernel-devel-5.14.0-427.99.1.el9_4.x86_64'

# A secret that is not handed over.
project '"rhsm" org-secret="our-org"'
builds_not 'our-org' buildah "$dir" driver

# --- certs, with Docker too, which mounts nothing by itself
echo certificate >"$S/entitlement-certificate"
echo key-canary-4713 >"$S/entitlement-key"
project '"certs"'
podman save -q --format docker-archive $SUBSCRIBED | docker load -q >/dev/null
for engine in buildah docker; do
    builds_ok $engine "$dir" driver
    root=$(root_of $engine "$(image_of "$dir" driver)")
    equal "vermagic" "$(modinfo -F vermagic "$root/opt/lib/modules/$kernel/updates/driver.ko" | cut -d' ' -f1)" $kernel
done
contains "calls" "$(calls kernel)" 'certificates;'
root=$(root_of buildah localhost/e2e/calls)
clean "$root"
equal "the key in the builder" "$(grep -rla key-canary-4713 "$root" 2>/dev/null | xargs)" ''
equal "the key in logs" "$(grep -rla key-canary-4713 "$dir" "$CASE_DIR/logs" | xargs)" ''
: >"$S/entitlement-certificate"
builds_not 'drvc: no repositories could be made of entitlement-certificate (entitlement "certs")' \
    buildah "$dir" driver --no-cache

# --- host: nothing is handed over; where the machine has no subscription, that is said
project '"host"'
builds_not 'host subscribed?' buildah "$dir" driver

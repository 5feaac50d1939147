#!/usr/bin/env bash
# needs: images root buildah podman jq dpkg-deb docker-registry python3
# What `drvc verify` finds in images: a sound one, and one broken in each way. Nothing of them is run.
. "$(dirname "$0")/../case.sh"
. "$E2E_DIR/registry.sh"

kernel=6.1.0-56-amd64
cp -r "$ROOT/examples/06-build-here" "$CASE_DIR/project"
cd "$CASE_DIR/project" || exit
"$DRVC" build --engine buildah --engine-arg=--isolation=chroot --engine-arg=--network=host --target "$kernel" ||
    die "example 06 cannot be built"
image=localhost/ticker:$kernel

# The symbols of three kernels, from the packages of their headers.
headers=$PWD/headers
mkdir -p "$headers"
for one in 54 55 56; do
    (cd "$headers" && apt-get -qq -o APT::Sandbox::User=root download "linux-headers-6.1.0-$one-amd64") || die "no headers of $one"
done
own=$(echo "$headers"/linux-headers-6.1.0-56-amd64_*.deb)

# finds CODE WORDS...: drvc verify exits with 1 and reports just this code (but for notes).
finds() {
    local code=$1 found
    shift
    found=$("$DRVC" verify --engine podman --format json "$@") && die "verify finds nothing, not $code"
    found=$(jq -r '.findings[] | select(.level != "note") | .code' <<<"$found" | sort -u | paste -sd' ')
    [ "$found" = "$code" ] || die "verify finds '$found', not '$code'"
}

# broken NAME COMMAND: the image after a command was run in its root, which is $root.
broken() {
    local container root
    container=$(buildah from --pull-never "$image")
    root=$(buildah mount "$container")
    (cd "$root" && eval "$2") || die "$1 cannot be made"
    buildah commit -q "$container" "localhost/drvc-e2e-verify:$1" >/dev/null
    buildah rm "$container" >/dev/null
}

"$DRVC" verify --engine podman "$image" --symvers "$own" || die "the sound image has findings"
"$DRVC" verify --engine buildah ticker "$kernel" --symvers "$own" || die "the sound target has findings"
# The same image from everywhere an image may lie.
start_registry 5974
podman push -q --tls-verify=false "$image" "docker://$REGISTRY/e2e/sound:1" 2>/dev/null
for form in oci-archive docker-archive oci-dir; do podman save -q --format $form -o "sound.$form" "$image"; done
for place in sound.oci-archive sound.docker-archive sound.oci-dir "--from registry --allow-http 127.0.0.1 $REGISTRY/e2e/sound:1"; do
    # shellcheck disable=SC2086
    "$DRVC" verify $place --symvers "$own" | grep -q 'nothing is wrong' || die "the sound image has findings as $place"
done

modules=opt/lib/modules/$kernel
broken dep ": >$modules/modules.dep"
finds stale-modules-dep "localhost/drvc-e2e-verify:dep" --symvers "$own"
broken place "mv $modules opt/lib/modules/6.1.0-1-amd64"
finds 'missing-label wrong-kernel' localhost/drvc-e2e-verify:place
broken worker 'rm bin/cp usr/bin/cp 2>/dev/null; ! [ -e bin/cp ]'
finds kmm-contract localhost/drvc-e2e-verify:worker --symvers "$own"
broken tools "printf '#!/bin/sh\n' >usr/bin/gcc && chmod 755 usr/bin/gcc"
finds build-tools localhost/drvc-e2e-verify:tools --symvers "$own"
broken damaged "printf 'no module' >$modules/updates/counter.ko"
finds 'damaged-module missing-dependency missing-symbol stale-modules-dep' localhost/drvc-e2e-verify:damaged --symvers "$own"

# The kernel changes instead of the image: a symbol of another version, and one that is gone.
dpkg-deb --fsys-tarfile "$own" | tar -xO "./usr/src/linux-headers-$kernel/Module.symvers" >own.symvers
sed 's/^0x[0-9a-f]*\tmodule_layout\t/0x00000001\tmodule_layout\t/' own.symvers >changed.symvers
finds changed-symbol "$image" --symvers changed.symvers
grep -v "$(printf '\t__fentry__\t')" own.symvers >missing.symvers
finds missing-symbol "$image" --symvers missing.symvers

# On which other kernels it would load: Debian kept the versions from 55 to 56, and not from 54.
"$DRVC" verify --engine podman "$image" --symvers "$own" --format json \
    --against 55="$(echo "$headers"/linux-headers-6.1.0-55-amd64_*.deb)" \
    --against 54="$(echo "$headers"/linux-headers-6.1.0-54-amd64_*.deb)" >against.json
jq -c '[.against[] | [.kernel, .loads, .differences]]' against.json
[ "$(jq -c '[.against[] | [.kernel, .loads]]' against.json)" = '[["55",true],["54",false]]' ] || die "other kernels"

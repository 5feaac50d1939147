#!/usr/bin/env bash
# needs: images root buildah podman jq dpkg-deb docker-registry python3 modprobe
# What `drvc verify` finds in images: a sound one, and one broken in each way. Nothing of them is run.
. "$(dirname "$0")/../case.sh"
. "$E2E_DIR/registry.sh"

kernel=$(newest amd64)
cp -r "$ROOT/examples/06-build-here" "$CASE_DIR/project"
cd "$CASE_DIR/project" || exit
sed -i "s/6\.1\.0-[0-9]*-/${kernel%-amd64}-/g" drivers.kdl
"$DRVC" build --engine buildah --engine-arg=--isolation=chroot --engine-arg=--network=host --target "$kernel" ||
    die "example 06 cannot be built"
image=localhost/ticker:$kernel

# The symbols of a kernel, from the package of its headers: headers KERNEL is that file, symvers KERNEL its Module.symvers.
mkdir headers
headers() {
    (cd headers && apt-get -qq -o APT::Sandbox::User=root download "linux-headers-$1") || die "no headers of $1"
    echo "$PWD/headers/linux-headers-$1"_*.deb
}
symvers() { dpkg-deb --fsys-tarfile "$PWD/headers/linux-headers-$1"_*.deb | tar -xO "./usr/src/linux-headers-$1/Module.symvers"; }
own=$(headers "$kernel")

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
symvers "$kernel" >own.symvers
sed 's/^0x[0-9a-f]*\tmodule_layout\t/0x00000001\tmodule_layout\t/' own.symvers >changed.symvers
finds changed-symbol "$image" --symvers changed.symvers
grep -v "$(printf '\t__fentry__\t')" own.symvers >missing.symvers
finds missing-symbol "$image" --symvers missing.symvers

# On which other kernels it would load: on those that export each symbol that its modules need in the same version, as
# modprobe and comm tell.
versions() { awk '{print $2, $1}' | sort -u; }
container=$(buildah from --pull-never "$image")
mounted=$(buildah mount "$container")
for ko in "$mounted/$modules/updates"/*.ko; do modprobe --dump-modversions "$ko"; done | versions >used
buildah rm "$container" >/dev/null
# What the modules have of each other is in no kernel.
comm -12 used <(versions <own.symvers) >needed
[ -s needed ] || die "the modules use no symbol of the kernel"
against=() expected=
for other in $(others amd64 | tail -3); do
    against+=(--against "$other=$(headers "$other")")
    lacking=$(comm -23 needed <(symvers "$other" | versions))
    expected+="$other $([ -n "$lacking" ] && echo false || echo true)"$'\n'
done
"$DRVC" verify --engine podman "$image" --symvers "$own" --format json "${against[@]}" >against.json
jq -c '[.against[] | [.kernel, .loads, .differences]]' against.json
equal "other kernels" "$(jq -r '.against[] | "\(.kernel) \(.loads)"' against.json | sort)" "$(sort <<<"${expected%?}")"

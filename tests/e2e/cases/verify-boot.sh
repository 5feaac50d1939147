#!/usr/bin/env bash
# needs: images root buildah podman dockerd mmdebstrap rpmbuild createrepo_c jq openssl strip qemu-system-x86_64
# Drivers of Debian's *-dkms packages, built for a real cloud kernel: each image is verified against that kernel's symbols,
# and all are booted in QEMU, with the kernel out of its package. Then images that are broken on purpose, each
# named by `drvc verify` or `drvc boot`. Kernels and symbols come from the machine's own apt sources.
. "$(dirname "$0")/../case.sh"
. "$E2E_DIR/build.sh"
export XDG_CACHE_HOME=$CASE_DIR/cache XDG_CONFIG_HOME=$CASE_DIR/config

kernel=$(newest cloud-amd64)
other=$(others cloud-amd64 | tail -1)
other=${other#linux-headers-}
dir=$CASE_DIR/project
mkdir -p "$dir" "$CASE_DIR/deb"

debian_profile "$dir/debian.kdl" "$ARCHIVE bookworm main"

# --- built

for driver in dm-writeboost nat-rtsp rapiddisk vpoll; do
    (cd "$CASE_DIR/deb" && apt-get -qq -o APT::Sandbox::User=root download "$driver-dkms" && dpkg-deb -x "$driver"-dkms_*.deb "$driver") \
        >>"$CASE_DIR/logs/apt" 2>&1 || die "apt offers no $driver-dkms"
    mv "$CASE_DIR/deb/$driver"/usr/src/* "$dir/$driver"
done
# One that goes wrong when it is told to: it does not come to an end, or crashes.
c_module "$dir/fault" fault 'if (mode == 1) { for (;;) msleep(1000); } BUG_ON(mode == 2);' '#include <linux/delay.h>
static int mode;
module_param(mode, int, 0444);
MODULE_FIRMWARE("fault/chip.bin");'
printf 'CHIP' >"$dir/fault/chip.bin"

(cd "$CASE_DIR/deb" && apt-get -qq -o APT::Sandbox::User=root download "linux-headers-$kernel" "linux-image-$kernel") \
    >>"$CASE_DIR/logs/apt" 2>&1 || die "apt offers no packages of $kernel"
headers=$(echo "$CASE_DIR"/deb/linux-headers-*.deb) package=$(echo "$CASE_DIR"/deb/linux-image-*.deb)

signed=$CASE_DIR/signed earlier=$CASE_DIR/earlier
mkdir -p "$signed" "$earlier"
cp -r "$dir/debian.kdl" "$dir/dm-writeboost" "$dir/vpoll" "$signed"
cp -r "$dir/debian.kdl" "$dir/vpoll" "$earlier"
openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=e2e-boot -addext keyUsage=digitalSignature \
    -keyout "$signed/key" -out "$signed/key.pem" 2>/dev/null
matrix() { printf 'profile "debian" "debian.kdl"\nmatrix { os "debian" "12" { kernel "%s"; }; }\n' "$1"; }
{ cat "$E2E_DIR/../data/boot-drivers.kdl"; matrix "$kernel"; } | manifest "$dir"
{
    printf 'source "vpoll" { path "vpoll"; }\nmodule "vpoll" { source "vpoll"; }\nimage "vpoll-earlier" { module "vpoll"; }\n'
    matrix "$other"
} | manifest "$earlier"
{
    cat <<'KDL'
source "dm-writeboost" { path "dm-writeboost"; }
source "vpoll" { path "vpoll"; }
module "vpoll" { source "vpoll"; }
module "dm-writeboost" {
    source "dm-writeboost"
    make "all" KERNEL_TREE="{kernel_dir}"
}
image "dm-writeboost" { module "dm-writeboost" "vpoll"; load "dm-writeboost"; in-tree "link"; }
signing { key secret="key"; certificate "key.pem"; }
KDL
    matrix "$kernel"
} | manifest "$signed"

start=$EPOCHREALTIME
built_ok buildah "$dir" --offline -j 2 --keep-going
built_ok buildah "$signed" --offline --secret "id=key,src=$signed/key"
say "  built in $(((${EPOCHREALTIME/./} - ${start/./}) / 1000000)) s"

# --- verified

# verified DIR IMAGE [ARG...]: nothing is wrong with it, and its symbols were compared with the kernel's own.
verified() {
    local json
    json=$("$DRVC" verify -C "$1" --engine podman "$2/debian" --format json "${@:3}" 2>"$CASE_DIR/logs/verify") ||
        { cat "$CASE_DIR/logs/verify" >&2; printf '%s\n' "$json" >&2; die "$2 has findings"; }
    lacks "symbols of $2" "$json" unverified-symbols
    say "  verified $2: $(jq -r '[.modules[] | "\(.name) (\(.symbols) symbols)"] | join(", ")' <<<"$json")"
}
verified "$dir" vpoll "${allow[@]}"
for image in nat-rtsp rapiddisk fault; do verified "$dir" "$image" --symvers "$headers" --offline; done
verified "$signed" dm-writeboost --symvers "$headers" --offline
against=$("$DRVC" verify -C "$dir" --engine podman vpoll/debian "${allow[@]}" --against "6.1.0-*" --format json 2>/dev/null) || die "--against"
say "  vpoll of $kernel on others: $(jq -c '[.against[] | [.kernel, .loads]]' <<<"$against")"
equal "the kernel against itself" "$(jq --arg k "$kernel" '.against[] | select(.kernel == $k).loads' <<<"$against")" true
equal "how many kernels were compared" "$(jq '.against | length' <<<"$against")" \
    "$(packages_of headers '6\.1\.0-[0-9]+-cloud-amd64' | wc -l)"
printf '[list]\n%s\n' "$(jq -r .modules[].name <<<"$against")" >"$CASE_DIR/stable"
! "$DRVC" verify -C "$dir" --engine podman vpoll/debian --offline --stablelist "$CASE_DIR/stable" >"$CASE_DIR/logs/stable" ||
    die "no symbol is outside of an empty list"
contains "the list of stable symbols" "$(cat "$CASE_DIR/logs/stable")" 'warning[not-on-stablelist]'

# --- booted

# broken NAME IMAGE COMMAND: the image after a command was run in its root.
modules=opt/lib/modules/$kernel
broken() {
    local container root
    container=$(buildah from --pull-never "$(image_of "${4:-$dir}" "$2")")
    root=$(buildah mount "$container")
    (cd "$root" && eval "$3") || die "$1 cannot be made"
    buildah commit -q "$container" "localhost/drvc-e2e-boot:$1" >/dev/null
    buildah rm "$container" >/dev/null
}
# The name of a symbol that a module uses, in another spelling; and its version in __versions.
rename_symbol() { LC_ALL=C sed -i "s/$1/$2/g" "$3"; }
change_version() {
    python3 - "$@" <<'PY'
import sys
symbol, path = sys.argv[1].encode(), sys.argv[2]
data = bytearray(open(path, "rb").read())
at = data.index(symbol + b"\0" * (56 - len(symbol)))
data[at - 8] ^= 0xff
open(path, "wb").write(data)
PY
}
broken missing-symbol vpoll "rename_symbol device_destroy device_destroX $modules/updates/vpoll.ko"
broken hang fault "printf 'options fault mode=1\n' >etc/modprobe.d/fault.conf"
broken crash fault "printf 'options fault mode=2\n' >etc/modprobe.d/fault.conf"

# boots NAME DIR WORDS...: in the background; its report is NAME.json, its exit code NAME.code.
boots() {
    (
        code=0
        "$DRVC" boot -C "$2" --engine podman "${allow[@]}" --format json --junit "$CASE_DIR/$1.xml" "${@:3}" \
            >"$CASE_DIR/$1.json" 2>"$CASE_DIR/logs/boot-$1" || code=$?
        echo $code >"$CASE_DIR/$1.code"
    ) &
}
# A machine each of the two processors: more would make each other slow.
boots dm-writeboost "$signed" dm-writeboost/debian
wait
boots rapiddisk "$dir" rapiddisk/debian
boots nat-rtsp "$dir" nat-rtsp/debian
wait
boots missing-symbol "$dir" localhost/drvc-e2e-boot:missing-symbol --kernel "$package"
wait
boots hang "$dir" localhost/drvc-e2e-boot:hang --kernel "$package" --boot-timeout 120
boots crash "$dir" localhost/drvc-e2e-boot:crash --kernel "$package"

# An image counts as built only when it boots: one that gets no time does not.
compile "$earlier"
image=$(image_of "$earlier" vpoll-earlier)
# One of an earlier run would count as built.
podman rmi --force --ignore "$image" >/dev/null
built_not 4 'the kernel had not come to the image after' buildah "$earlier" --boot --boot-timeout 1 "${allow[@]}"
! podman image exists "$image" || die "an image that did not boot has a name"

# --- broken, and found by looking

# finds CODES NAME: drvc verify reports just these.
finds() {
    local found
    found=$("$DRVC" verify -C "$dir" --engine podman --format json "localhost/drvc-e2e-boot:$2" \
        --symvers "$headers" --offline 2>/dev/null) &&
        die "nothing is found in $2"
    equal "what is found in $2" "$(jq -r '.findings[] | select(.level != "note") | .code' <<<"$found" | sort -u | paste -sd' ')" "$1"
    say "  found in $2: $(jq -r '[.findings[] | select(.level != "note") | .message][0]' <<<"$found")"
}
finds missing-symbol missing-symbol
built_ok buildah "$earlier" --boot "${allow[@]}"
says "every module loads"
cp "$(root_of buildah "$(image_of "$earlier" vpoll-earlier)")/opt/lib/modules/$other/updates/vpoll.ko" "$CASE_DIR/earlier.ko"
broken wrong-kernel vpoll "cp '$CASE_DIR/earlier.ko' $modules/updates/vpoll.ko"
# Whether that kernel has other versions of symbols is for Debian to decide.
found=$("$DRVC" verify -C "$dir" --engine podman localhost/drvc-e2e-boot:wrong-kernel --symvers "$headers" --offline 2>/dev/null) &&
    die "nothing is found in a module of another kernel"
contains "a module of another kernel" "$found" "error[wrong-kernel]: \`vpoll\` was built for $other, not for $kernel"
broken changed-symbol vpoll "change_version device_destroy $modules/updates/vpoll.ko"
finds changed-symbol changed-symbol
broken missing-firmware fault "rm opt/lib/firmware/fault/chip.bin"
finds missing-firmware missing-firmware
broken unsigned dm-writeboost "strip -g $modules/updates/dm-writeboost.ko" "$signed"
finds unsigned-module unsigned
broken modules-dep vpoll ": >$modules/modules.dep"
finds stale-modules-dep modules-dep
broken kmm rapiddisk 'rm -f bin/cp usr/bin/cp'
finds kmm-contract kmm
wait

# --- what the machines said

table=$(printf '%-16s %-8s %s\n' IMAGE SECONDS MODULES)
for name in dm-writeboost rapiddisk nat-rtsp; do
    [ "$(cat "$CASE_DIR/$name.code")" = 0 ] || { cat "$CASE_DIR/$name.json" "$CASE_DIR/logs/boot-$name" >&2; die "$name does not boot"; }
    equal "modules of $name" "$(jq -c '[.modules[] | select(.outcome != "loaded" or .unloaded != true)]' "$CASE_DIR/$name.json")" '[]'
    contains "JUnit of $name" "$(cat "$CASE_DIR/$name.xml")" 'failures="0"'
    table+=$(printf '\n%-16s %-8s %s' "$name" "$(jq .seconds "$CASE_DIR/$name.json")" "$(jq -r '[.modules[].name] | join(" ")' "$CASE_DIR/$name.json")")
done
say "$table"
contains "what dm-writeboost links to" "$(jq -r '.messages[]' "$CASE_DIR/dm-writeboost.json")" 'device-mapper: '
equal "taint by a signed driver" "$(jq -r .taint "$CASE_DIR/dm-writeboost.json")" OE
equal "parameters" "$(jq -r '.modules[] | select(.name == "nf_conntrack_rtsp").parameters | .ports + " " + .max_outstanding' "$CASE_DIR/nat-rtsp.json")" \
    '554,8554 16'

# fails NAME CODE TEXT: that machine's report has this problem, and says this in it; and in JUnit's words too.
fails() {
    equal "the exit code of $1" "$(cat "$CASE_DIR/$1.code")" 1
    contains "the problems of $1" "$(jq -r '.problems[].code' "$CASE_DIR/$1.json" | paste -sd' ')" "$2"
    contains "what is said of $1" "$(jq -r --arg c "$2" '.problems[] | select(.code == $c).message' "$CASE_DIR/$1.json")" "$3"
    contains "JUnit of $1" "$(cat "$CASE_DIR/$1.xml")" "type=\"$2\""
    say "  fails: $(jq -r --arg c "$2" '.problems[] | select(.code == $c).message' "$CASE_DIR/$1.json" | head -1)"
}
fails missing-symbol missing-symbol device_destroX
fails hang hang "had not loaded \`fault\` after"
fails crash kernel-crash 'kernel BUG at'

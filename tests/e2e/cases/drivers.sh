#!/usr/bin/env bash
# needs: images root buildah podman dockerd mmdebstrap rpmbuild createrepo_c jq git openssl python3 modinfo curl
# The manifests of docs/drivers.md, built for real from what Debian carries of these drivers: packages by apt, and a
# tarball of its archive, which a server of our own hands to the build (see git.sh) under its real checksum.
. "$(dirname "$0")/../case.sh"
. "$E2E_DIR/git.sh"

kernel=$(newest amd64)
served=$CASE_DIR/served
mkdir -p "$served" "$CASE_DIR/debs"

# driver N: the Nth manifest of the page, for the newest kernel that apt offers; DIR is where it lies.
driver() {
    DIR=$CASE_DIR/$1
    mkdir -p "$DIR"
    awk -v n="$1" '/^```kdl/ {at++; next} /^```/ {if (at == n) exit; next} at == n' "$ROOT/docs/drivers.md" |
        sed "s/6\.1\.0-56-amd64/$kernel/; s|https://mirror.example.com/debian|$GIT_URL|; s|^\( *\)kernel \".*|&\n\1base \"$GIT_BASE\"|" >"$DIR/drivers.kdl"
}

# unpacked PACKAGE DIR: the sources in a package of Debian.
unpacked() {
    local debs=$CASE_DIR/debs
    (cd "$debs" && apt-get -qq download "$1" 2>/dev/null) || die "apt cannot download $1"
    rm -rf "$debs/files"
    dpkg-deb -x "$debs/$1"_*.deb "$debs/files"
    mkdir -p "$2"
    cp -r "$debs"/files/usr/src/*/. "$2/"
}

# modules WHICH: what the image's modules are, one line.
built() { find "$(root_of buildah "$(image_of "$DIR" "$1")")/opt" -path '*/updates/*.ko' -printf '%f\n' | sort | xargs; }

mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' 'Release: bookworm' | head -1)
tarball=pool/main/i/iptables-netflow/iptables-netflow_2.6.orig.tar.gz
patches=pool/main/i/iptables-netflow/iptables-netflow_2.6-4+deb12u1.debian.tar.xz
for file in pool/main/x/xtables-addons/xtables-addons_3.31.orig.tar.xz "$tarball" "$patches"; do
    mkdir -p "$served/$(dirname $file)"
    curl -fsS -o "$served/$file" "${mirror%/}/$file" || die "Debian's archive does not hand over $file"
done
git_server "$served"

driver 1
compile "$DIR"
builds_ok buildah "$DIR" xtables-addons
equal "modules of xtables-addons" "$(built xtables-addons | wc -w)" 23

driver 2
mkdir -p "$DIR/patches"
tar -xJf "$served/$patches" -C "$CASE_DIR/debs" debian/patches
cp "$CASE_DIR"/debs/debian/patches/cherry-pick_6[6a]* "$DIR/patches"
compile "$DIR"
builds_ok buildah "$DIR" ipt-netflow
equal "modules of ipt-netflow" "$(built ipt-netflow)" ipt_NETFLOW.ko

driver 3
unpacked jool-dkms "$DIR/jool"
compile "$DIR"
builds_ok buildah "$DIR" jool
equal "modules of jool" "$(built jool)" 'jool.ko jool_common.ko jool_siit.ko'
root=$(root_of buildah "$(image_of "$DIR" jool)")
contains "dependencies of jool" "$(grep '^updates/jool.ko:' "$root/opt/lib/modules/$kernel/modules.dep")" updates/jool_common.ko

driver 4
mkdir -p "$DIR/carl9170/$kernel" "$DIR/carl9170/firmware"
(cd "$CASE_DIR/debs" && apt-get -qq download "linux-image-$kernel" firmware-linux-free 2>/dev/null) || die "apt-get download"
for file in "$CASE_DIR"/debs/linux-image-* "$CASE_DIR"/debs/firmware-*; do dpkg-deb -x "$file" "$CASE_DIR/debs/carl"; done
cp "$CASE_DIR/debs/carl/lib/modules/$kernel/kernel/drivers/net/wireless/ath/carl9170/carl9170.ko" "$DIR/carl9170/$kernel/"
cp "$CASE_DIR/debs/carl/lib/firmware/carl9170-1.fw" "$DIR/carl9170/firmware/"
compile "$DIR"
builds_ok buildah "$DIR" carl9170
root=$(root_of buildah "$(image_of "$DIR" carl9170)")
cmp "$root/opt/lib/modules/$kernel/updates/carl9170.ko" "$DIR/carl9170/$kernel/carl9170.ko" || die "the finished module was changed"
[ -s "$root/opt/lib/firmware/carl9170-1.fw" ] || die "the firmware is not in the image"
contains "dependencies of carl9170" "$(grep '^updates/carl9170.ko:' "$root/opt/lib/modules/$kernel/modules.dep")" mac80211.ko

#!/usr/bin/env bash
# Makes the root of a RHEL 9.4 stand-in: Debian with real dnf and rpm, and a repository that carries Debian's files.
#
# The packages bear RHEL's names (gcc, git-core, kernel-devel-5.14.0-427.13.1.el9_4.x86_64, ...) and hold the files of
# Debian's packages; the kernel says RHEL's release in utsrelease.h and kernel.release. microdnf is a link to dnf, since
# Debian has none. Usage: standin.sh DEBIAN.tar RHEL.tar
set -euo pipefail
. "$(dirname "$0")/lib.sh"

base=$(realpath "$1") result=$(realpath -m "$2")
version=5.14.0 release=427.13.1.el9_4
kernel=$version-$release.x86_64
work=$E2E_WORK/standin root=$E2E_WORK/standin/root repo=$E2E_WORK/standin/repo
in_root() { chroot "$root" env DEBIAN_FRONTEND=noninteractive "$@"; }

rm -rf "$work"
mkdir -p "$root" "$repo" "$work/debs" "$work/files"
tar -xf "$base" -C "$root"
in_root apt-get -qq update
# Each call of apt would read all of Debian's package lists again.
mv "$root/etc/apt/apt.conf.d/docker-clean" "$work/"
in_root apt-get -qq install -y --no-install-recommends dnf rpm cpio >"$work/apt.log" 2>&1 || die "see $work/apt.log"
debian=$(newest amd64)

# closure PACKAGE...: what installing them here would bring, by name.
closure() { in_root apt-get install -s --no-install-recommends "$@" | awk '/^Inst /{print $2}' | sort -u; }

# unpack PACKAGE: its files in $work/files/PACKAGE, on a merged /usr.
unpack() {
    local dir=$work/files/$1 part
    [ -d "$dir" ] && return
    (cd "$root/tmp" && in_root sh -c "cd /tmp && apt-get -qq download $1")
    mkdir "$dir"
    dpkg-deb -x "$root/tmp/$1"_*.deb "$dir"
    rm -f "$root/tmp/$1"_*.deb
    for part in bin sbin lib lib64; do
        [ -d "$dir/$part" ] || continue
        mkdir -p "$dir/usr/$part"
        cp -a "$dir/$part/." "$dir/usr/$part/" && rm -rf "${dir:?}/$part"
    done
    rm -rf "$dir/usr/share/doc" "$dir/usr/share/man" "$dir/usr/share/locale"
}

# package NAME VERSION RELEASE ARCH FILES-DIR REQUIRES: one stanza of a spec file.
package() {
    printf '%%package -n %s\nVersion: %s\nRelease: %s\nSummary: stand-in\nAutoReqProv: no\n' "$1" "$2" "$3"
    # shellcheck disable=SC2086
    [ -z "$6" ] || printf 'Requires: %s\n' $6
    [ "$4" != noarch ] || printf 'BuildArch: noarch\n'
    [ "$1" != bash ] || printf 'Provides: /bin/sh\n'
    printf '%%description -n %s\nStand-in.\n' "$1"
    if [ -n "$5" ] && [ -n "$(find "$5" ! -type d -print -quit)" ]; then
        (cd "$5" && find . ! -type d | sed 's|^\.\(.*\)|"\1"|') >"$work/$1.list"
        printf '%%files -n %s -f %s\n' "$1" "$work/$1.list"
    else
        printf '%%files -n %s\n' "$1"
    fi
}

header() {
    cat <<SPEC
%global debug_package %{nil}
%global __os_install_post %{nil}
%global _binary_payload w1.gzdio
%global _build_id_links none
Name: $1
Version: 1
Release: 1
Summary: stand-in
License: GPL
AutoReqProv: no
%description
Stand-in.
SPEC
}

make_rpms() {
    rpmbuild --quiet -bb --buildroot "$work/buildroot" --define "_topdir $work/rpmbuild" --define "_rpmdir $repo" \
        --target x86_64 "$1" >"$1.log" 2>&1 || { grep -v 'absolute symlink' "$1.log" | tail -20 >&2; die "rpmbuild $1"; }
    rm -rf "$work/buildroot"
}

# Tools. RHEL's name on the left, Debian's packages for it on the right.
tools="
gcc gcc libc6-dev
make make
binutils binutils
kmod kmod
bc bc
bison bison
flex flex
diffutils diffutils
elfutils-libelf-devel libelf-dev
openssl-devel libssl-dev
xz xz-utils
git-core git
patch patch
ca-certificates ca-certificates
"
header tools >"$work/tools.spec"
printf '%%install\n' >"$work/tools.install"
declare -A done_=()
while read -r name packages; do
    [ -n "$name" ] || continue
    needs=
    # shellcheck disable=SC2086
    for one in $(closure $packages); do
        needs+=" debian-$one"
        [ -z "${done_[$one]:-}" ] || continue
        done_[$one]=1
        unpack "$one"
        if [ "$one" = ca-certificates ]; then
            mkdir -p "$work/files/$one/etc/ssl/certs"
            cp /etc/ssl/certs/ca-certificates.crt "$work/files/$one/etc/ssl/certs/"
        fi
        package "debian-$one" 12 1 x86_64 "$work/files/$one" '' >>"$work/tools.spec"
        printf 'mkdir -p %%{buildroot}; cp -a %s/. %%{buildroot}/\n' "$work/files/$one" >>"$work/tools.install"
    done
    package "$name" 1 1 x86_64 '' "$needs" >>"$work/tools.spec"
done <<<"$tools"
cat "$work/tools.install" >>"$work/tools.spec"
make_rpms "$work/tools.spec"

# Kernel: Debian's headers and a part of its modules, under RHEL's paths and release.
abi=${debian%-amd64}
devel=$work/files/kernel-devel core=$work/files/kernel-core modules=$work/files/kernel-modules
mkdir -p "$devel/usr/src/kernels" "$core/lib/modules/$kernel" "$modules/lib/modules/$kernel/kernel"
for one in "linux-headers-$debian" "linux-headers-$abi-common" linux-kbuild-6.1 "linux-image-$debian"; do
    unpack "$one"
done
for one in "linux-headers-$debian" "linux-headers-$abi-common" linux-kbuild-6.1; do
    cp -a "$work/files/$one/." "$devel/"
done
rm -rf "$devel/usr/lib/modules" "${devel:?}/lib"
mv "$devel/usr/src/linux-headers-$debian" "$devel/usr/src/kernels/$kernel"
tree=$devel/usr/src/kernels/$kernel
ln -sfn /usr/lib/linux-kbuild-6.1/scripts "$tree/scripts"
ln -sfn /usr/lib/linux-kbuild-6.1/tools "$tree/tools"
printf '#define UTS_RELEASE "%s"\n' "$kernel" >"$tree/include/generated/utsrelease.h"
printf '%s\n' "$kernel" >"$tree/include/config/kernel.release"
sed -i "s/^override KERNELRELEASE.*/override KERNELRELEASE = $kernel/" "$tree/.kernelvariables"
image=$work/files/linux-image-$debian
[ -d "$image/usr/lib/modules" ] || mv "$image/lib" "$image/usr/lib"
intree=$image/usr/lib/modules/$debian
cp "$intree"/modules.{builtin,builtin.modinfo,order} "$core/lib/modules/$kernel/"
cp "$image/boot/config-$debian" "$core/lib/modules/$kernel/config"
ln -s "/usr/src/kernels/$kernel" "$core/lib/modules/$kernel/build"
for one in lib crypto drivers/base drivers/media/mc drivers/media/v4l2-core; do
    [ -d "$intree/kernel/$one" ] || continue
    mkdir -p "$modules/lib/modules/$kernel/kernel/$one"
    cp -a "$intree/kernel/$one/." "$modules/lib/modules/$kernel/kernel/$one/"
done
find "$modules" -name '*.ko' -exec xz -T0 --check=crc32 {} +
for one in core modules; do
    mkdir -p "$work/files/kernel-$one/usr"
    mv "$work/files/kernel-$one"/lib "$work/files/kernel-$one/usr/"
done

header kernel-standin >"$work/kernel.spec"
{
    package kernel-devel $version $release x86_64 "$devel" 'make gcc'
    package kernel-devel-matched $version $release x86_64 '' "kernel-devel=$version-$release kernel-core=$version-$release"
    package kernel-headers $version $release x86_64 '' ''
    package kernel-core $version $release x86_64 "$core" ''
    printf '%%post -n kernel-core\necho "scriptlet of kernel-core ran" >&2; exit 1\n'
    package bash 5 1 x86_64 '' ''
    package kernel-modules-core $version $release x86_64 '' "kernel-core=$version-$release"
    package kernel-modules $version $release x86_64 "$modules" \
        "kernel-core=$version-$release kernel-modules-core=$version-$release"
    package kernel-modules-extra $version $release x86_64 '' "kernel-modules=$version-$release"
    printf '%%install\nmkdir -p %%{buildroot}\n'
    printf 'cp -a %s/. %%{buildroot}/\n' "$devel" "$core" "$modules"
} >>"$work/kernel.spec"
sed -i 's/^\(Requires: [a-z-]*\)=/\1 = /' "$work/kernel.spec"
make_rpms "$work/kernel.spec"

# The repositories travel inside the image. As in RHEL's own images, the kernel's are there but not enabled, and they are
# found for the release that dnf is told alone. RHEL's release file makes dnf see RHEL.
standin=$root/usr/share/standin
mkdir -p "$standin/ubi" "$standin/9.4/appstream" "$standin/9.4/baseos"
mv "$repo"/x86_64/kernel-devel-* "$standin/9.4/appstream/"
mv "$repo"/x86_64/kernel-* "$standin/9.4/baseos/"
mv "$repo"/x86_64/* "$standin/ubi/"
mkdir -p "$root/etc/yum.repos.d" "$root/etc/dnf/vars"
for one in ubi 9.4/appstream 9.4/baseos; do createrepo_c -q "$standin/$one"; done
cat >"$root/etc/yum.repos.d/standin.repo" <<'REPO'
[ubi]
name=stand-in for UBI's repositories
baseurl=file:///usr/share/standin/ubi
gpgcheck=0

[rhel-9-for-x86_64-appstream-eus-rpms]
name=stand-in for EUS
baseurl=file:///usr/share/standin/$releasever/appstream
gpgcheck=0
enabled=0

[rhel-9-for-x86_64-baseos-eus-rpms]
name=stand-in for EUS
baseurl=file:///usr/share/standin/$releasever/baseos
gpgcheck=0
enabled=0
REPO
printf 'Red Hat Enterprise Linux release 9.4 (stand-in)\n' >"$root/etc/redhat-release"
ln -sf dnf "$root/usr/bin/microdnf"
mv "$work/docker-clean" "$root/etc/apt/apt.conf.d/"
rm -rf "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/{*.bin,archives/*.deb} "$root"/tmp/*
tar -C "$root" --one-file-system -cf "$result" .

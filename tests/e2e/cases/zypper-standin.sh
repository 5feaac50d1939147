#!/usr/bin/env bash
# needs: images root buildah podman mmdebstrap rpmbuild createrepo_c jq modinfo git openssl python3
# SUSE's path with real zypper and rpm, against a stand-in of SLES 15 SP5: Debian with zypper, and a repository whose
# packages hold Debian's kernel under SUSE's names, paths and release. As SUSE's do, they have a build counter behind
# their release, each another one, and provide the version without it. The tools are Debian's, installed in the image:
# their packages are empty. Then the repository is where nobody listens, as the base image has it, and a mirror on loopback
# takes its place. What this does not prove: that SUSE's packages hold what these do.
. "$(dirname "$0")/../case.sh"
. "$E2E_DIR/git.sh"

version=5.14.21 source=150500.55.83
kernel=$version-$source-default
image=registry.suse.com/bci/bci-base:15.5
debian=$(newest amd64)
abi=${debian%-amd64}
work=$CASE_DIR/standin root=$CASE_DIR/standin/root
in_root() { chroot "$root" env DEBIAN_FRONTEND=noninteractive "$@"; }

mkdir -p "$root" "$work/files" "$work/devel" "$work/modules"
tar -xf "$E2E_FROM/debian.tar" -C "$root"
in_root apt-get -qq update
in_root apt-get -qq install -y --no-install-recommends zypper rpm gcc-12 gcc make binutils kmod libelf-dev patch \
    >"$work/apt.log" 2>&1 || die "see $work/apt.log"

# The kernel, as in standin.sh, with SUSE's paths.
for one in "linux-headers-$debian" "linux-headers-$abi-common" linux-kbuild-6.1 "linux-image-$debian"; do
    in_root sh -c "cd /tmp && apt-get -qq download $one"
    mkdir "$work/files/$one"
    dpkg-deb -x "$root/tmp/$one"_*.deb "$work/files/$one"
    rm -f "$root/tmp/$one"_*.deb
done
base=$work/devel/usr/src/linux-$version-$source
obj=$base-obj/x86_64/default
mkdir -p "$(dirname "$obj")" "$work/modules/lib/modules/$kernel/kernel/drivers/media" "$root/usr/lib/linux-kbuild-6.1"
mv "$work/files/linux-headers-$debian/usr/src/linux-headers-$debian" "$obj"
mv "$work/files/linux-headers-$abi-common/usr/src/linux-headers-$abi-common" "$work/devel/usr/src/"
cp -a "$work/files/linux-kbuild-6.1/usr/lib/linux-kbuild-6.1/." "$root/usr/lib/linux-kbuild-6.1/"
ln -sfn /usr/lib/linux-kbuild-6.1/scripts "$obj/scripts"
ln -sfn /usr/lib/linux-kbuild-6.1/tools "$obj/tools"
printf '#define UTS_RELEASE "%s"\n' $kernel >"$obj/include/generated/utsrelease.h"
printf '%s\n' $kernel >"$obj/include/config/kernel.release"
sed -i "s/^override KERNELRELEASE.*/override KERNELRELEASE = $kernel/" "$obj/.kernelvariables"
intree=$work/files/linux-image-$debian/lib/modules/$debian
cp "$intree"/modules.{builtin,builtin.modinfo,order} "$work/modules/lib/modules/$kernel/"
cp -a "$intree/kernel/drivers/media/"{mc,v4l2-core} "$work/modules/lib/modules/$kernel/kernel/drivers/media/"
(cd "$work/modules" && mkdir -p usr && mv lib usr/)

# package NAME RELEASE FILES-DIR: a stanza of the spec file; its own version is provided without the build counter.
package() {
    printf '%%package -n %s\nVersion: %s\nRelease: %s\nSummary: stand-in\nAutoReqProv: no\n' "$1" $version "$2"
    printf 'Provides: %s = %s-%s\n%%description -n %s\nStand-in.\n' "$1" $version $source "$1"
    if [ -z "$3" ]; then
        printf '%%files -n %s\n' "$1"
    else
        (cd "$3" && find . ! -type d | sed 's|^\.\(.*\)|"\1"|') >"$work/$1.list"
        printf '%%files -n %s -f %s\n' "$1" "$work/$1.list"
    fi
}
{
    printf '%%global debug_package %%{nil}\n%%global __os_install_post %%{nil}\n%%global _build_id_links none\n'
    printf '%%global _binary_payload w1.gzdio\nName: standin\nVersion: 1\nRelease: 1\nSummary: stand-in\nLicense: GPL\n'
    printf 'AutoReqProv: no\n%%description\nStand-in.\n'
    package kernel-default-devel $source.1 "$work/devel"
    package kernel-devel $source.2 ''
    package kernel-default $source.3 "$work/modules"
    printf '%%post -n kernel-default\necho "scriptlet of kernel-default ran" >&2; exit 1\n'
    for one in gcc make kmod binutils libelf-devel gawk diffutils xz flex bison git-core patch; do package $one 1 ''; done
    printf '%%install\nmkdir -p %%{buildroot}\ncp -a %s/. %s/. %%{buildroot}/\n' "$work/devel" "$work/modules"
} >"$work/standin.spec"
rpmbuild --quiet -bb --buildroot "$work/buildroot" --define "_topdir $work/rpmbuild" --define "_rpmdir $work/repo" \
    --target x86_64 "$work/standin.spec" >"$work/rpmbuild.log" 2>&1 || { tail -20 "$work/rpmbuild.log" >&2; die rpmbuild; }
mkdir -p "$root/usr/share/standin" "$root/etc/zypp/repos.d"
mv "$work"/repo/x86_64/*.rpm "$root/usr/share/standin/"
createrepo_c -q "$root/usr/share/standin"
printf '[SLE_BCI]\nname=stand-in for SLE_BCI\nenabled=1\nbaseurl=dir:///usr/share/standin\ngpgcheck=0\n' \
    >"$root/etc/zypp/repos.d/SLE_BCI.repo"
rm -rf "$root"/var/lib/apt/lists/* "$work/files" "$work/devel" "$work/modules" "$work/buildroot" "$work/rpmbuild"
tar -C "$root" -cf "$work/suse.tar" .
podman import -q --change 'CMD ["bash"]' "$work/suse.tar" $image >/dev/null
rm -rf "$root" "$work/suse.tar"

dir=$CASE_DIR/project
c_module "$dir/media" media 'v4l2_device_disconnect(0);' '#include <media/v4l2-device.h>'
manifest "$dir" <<KDL
source "media" { path "media"; }
module "media" { source "media"; }
image "zypper-media" { module "media"; load "media"; in-tree "copy"; }
matrix { os "sles" "15.5" { kernel "$kernel"; }; }
KDL
compile "$dir"
builds_ok buildah "$dir" zypper-media
contains "installed for the kernel" "$(cat "$LOG")" "kernel-default-devel-$version-$source.1"
lacks "what rpm did" "$(cat "$LOG")" 'scriptlet of kernel-default ran'
root=$(root_of buildah "$(image_of "$dir" zypper-media)")
modules=$root/opt/lib/modules/$kernel
equal "vermagic" "$(modinfo -F vermagic "$modules/updates/media.ko" | cut -d' ' -f1)" $kernel
equal "copied dependencies" "$(sed -n 's/^updates.media.ko: //p' "$modules/modules.dep" | tr ' ' '\n' | sort)" \
    "$(printf 'kernel/drivers/media/%s.ko\n' mc/mc v4l2-core/videodev)"

sed -i 's/55\.83-default/55.99-default/' "$dir/drivers.kdl"
compile "$dir"
builds_not 'kernel-default-devel=5.14.21-150500.55.99' buildah "$dir" zypper-media

# --- out of a mirror

served=$CASE_DIR/served public=localhost/e2e/bci-of-the-internet:15.5
cp -r "$(root_of buildah $image)/usr/share/standin" "$served"
git_server "$served"
base_image $public "$CASE_DIR" <<DOCKERFILE
FROM $image
RUN sed -i 's|dir:///usr/share/standin|https://repos.example.org|' /etc/zypp/repos.d/SLE_BCI.repo && rm -r /usr/share/standin
DOCKERFILE
cp "$E2E_WORK/git/ca.pem" "$dir/site.pem"
printf 'profile edition=1 extends="sles"\nline "15" {\n    base "%s"\n    minimal "%s"\n}\n' $public $public >"$dir/os.kdl"
sed -i 's/55\.99-default/55.83-default/; s/zypper-media/zypper-mirrored/; s/^matrix/profile "sles" "os.kdl"\n&/' "$dir/drivers.kdl"
printf 'mirror { packages "https://repos.example.org" "%s"; ca "site.pem"; }\n' "$GIT_URL" >>"$dir/drivers.kdl"
nowhere=(--add-host repos.example.org:127.0.0.9)
compile "$dir"
builds_ok buildah "$dir" zypper-mirrored "${nowhere[@]}"
root=$(root_of buildah "$(image_of "$dir" zypper-mirrored)")
[ -s "$root/opt/lib/modules/$kernel/updates/media.ko" ] || die "the image has no module"
contains "what zypper asks in the image" "$(cat "$root/etc/zypp/repos.d/SLE_BCI.repo")" baseurl=https://repos.example.org
equal "what is left of the site" "$(grep -rlaF -e "$(sed -n 3p "$dir/site.pem")" -e "$GIT_URL" "$root" || true)" ''
sed -i '/^mirror/d' "$dir/drivers.kdl"
compile "$dir"
builds_not 'repos.example.org' buildah "$dir" zypper-mirrored "${nowhere[@]}"
podman rmi -f $image $public >/dev/null 2>&1 || true
say "  zypper finds packages by what they provide, without their build counters"

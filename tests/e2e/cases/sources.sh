#!/usr/bin/env bash
# needs: images root buildah podman dockerd mmdebstrap rpmbuild createrepo_c jq git openssl python3 modinfo
# Sources that are downloaded (archive, file, source package) and that come from images; finished modules; firmware and
# files; images that stand on a base of their own, and on a micro image. The server is one of our own (see git.sh).
. "$(dirname "$0")/../case.sh"
. "$E2E_DIR/git.sh"

kernel=$(newest amd64)
dir=$CASE_DIR/project served=$CASE_DIR/served
mkdir -p "$dir" "$served"
sha256_of() { sha256sum "$1" | cut -d' ' -f1; }

# An archive with a directory around it, a file, and a source package of rpm whose %prep applies a patch.
c_module "$CASE_DIR/packed/driver-1.0/src" packed
mkdir "$CASE_DIR/packed/driver-1.0/fw"
echo one >"$CASE_DIR/packed/driver-1.0/fw/one.bin"
echo two >"$CASE_DIR/packed/driver-1.0/fw/two.bin"
tar -C "$CASE_DIR/packed" -cJf "$served/driver-1.0.tar.xz" driver-1.0
echo 'a table' >"$served/table.conf"
c_module "$CASE_DIR/prepared/prepared-2.0" prepared
tar -C "$CASE_DIR/prepared" -czf "$CASE_DIR/prepared/prepared-2.0.tar.gz" prepared-2.0
cat >"$CASE_DIR/prepared/says.patch" <<'PATCH'
--- a/prepared.c
+++ b/prepared.c
@@ -1,3 +1,4 @@
 #include <linux/module.h>
+MODULE_INFO(says, "prepared");
 
 static int __init prepared_init(void)
PATCH
cat >"$CASE_DIR/prepared/prepared.spec" <<'SPEC'
Name: prepared
Version: 2.0
Release: 1
Summary: A driver
License: GPL-2.0-only
Source0: prepared-2.0.tar.gz
Patch0: says.patch
BuildRequires: nothing-that-is-here
%description
A driver.
%prep
%autosetup -p1
%build
exit 1
SPEC
rpmbuild --quiet --nodeps -bs --define "_sourcedir $CASE_DIR/prepared" --define "_srcrpmdir $served" \
    "$CASE_DIR/prepared/prepared.spec" >"$CASE_DIR/logs/rpmbuild" 2>&1 || die "rpmbuild -bs"
echo 'no archive' >"$served/broken.tar.xz"
sed -i 's/^%autosetup.*/exit 1/' "$CASE_DIR/prepared/prepared.spec"
sed -i 's/^Release: 1/Release: 2/' "$CASE_DIR/prepared/prepared.spec"
rpmbuild --quiet --nodeps -bs --define "_sourcedir $CASE_DIR/prepared" --define "_srcrpmdir $served" \
    "$CASE_DIR/prepared/prepared.spec" >>"$CASE_DIR/logs/rpmbuild" 2>&1 || die "rpmbuild -bs"
git_server "$served"

# An image of a vendor: a finished module, built here for this very kernel, and one that says another kernel.
archive_sum=$(sha256_of "$served/driver-1.0.tar.xz")
file_sum=$(sha256_of "$served/table.conf")
srpm_sum=$(sha256_of "$served/prepared-2.0-1.src.rpm")
manifest "$dir" <<KDL
source "archive" { archive "$GIT_URL/driver-{version}.tar.xz" sha256="$archive_sum" strip=1; }
source "file" { file "$GIT_URL/table.conf"; }
source "srpm" { srpm "$GIT_URL/prepared-2.0-1.src.rpm" sha256="$srpm_sum"; }
module "packed" { source "archive" dir="src"; script "make -C {kernel_dir} M=\$PWD modules; mkdir ../made; cp packed.ko ../made/made.dat"; }
module "prepared" { source "srpm" dir="prepared-2.0"; }
image "downloads" {
    module "packed" "prepared"
    load "packed"
    firmware "fw/*.bin" from="archive" to="vendor"
    file "made/*.dat" from="packed" to="/opt/made"
    file "*.conf" from="file" to="/etc/driver"
    file "etc/debian_version" from="docker.io/library/debian:12" to="/opt/other"
}
matrix { os "debian" "12" { kernel "$kernel"; base "$GIT_BASE"; }; }
KDL
sed -i 's/project "e2e"/project "e2e" { version "1.0"; }/' "$dir/drivers.kdl"
cat >"$dir/drivers.lock" <<LOCK
version = 1

[[archive]]
url = "$GIT_URL/table.conf"
sha256 = "$file_sum"
LOCK
compile "$dir"
lacks "warnings" "$(cat "$CASE_DIR/logs/compile")" unpinned-source
builds_ok buildah "$dir" downloads
root=$(root_of buildah "$(image_of "$dir" downloads)")
updates=$root/opt/lib/modules/$kernel/updates
equal "modules" "$(find "$updates" -name '*.ko' -printf '%f\n' | sort | xargs)" 'packed.ko prepared.ko'
equal "what %prep put in" "$(modinfo -F says "$updates/prepared.ko")" prepared
equal "firmware" "$(cd "$root/opt/lib/firmware" && find . -type f | sort | xargs)" './vendor/one.bin ./vendor/two.bin'
equal "the file" "$(cat "$root/etc/driver/table.conf")" 'a table'
[ -s "$root/opt/made/made.dat" ] || die "no built file in the image"
[ -s "$root/opt/other/debian_version" ] || die "no file of the other image"
equal "command" "$(config_of buildah "$(image_of "$dir" downloads)" | jq -c .Cmd)" '["/opt/bin/drvc-load","--firmware","packed"]'

# Finished modules, out of the image that was just built: they are copied as they are, and checked.
vendor=$CASE_DIR/vendor
mkdir -p "$vendor/lib/$kernel"
cp "$updates/packed.ko" "$vendor/lib/$kernel/finished.ko"
sed 's/\x00vermagic=6\.1\.0-/\x00vermagic=6.1.1-/' "$updates/packed.ko" >"$vendor/lib/$kernel/elsewhere.ko"
! cmp -s "$vendor/lib/$kernel/elsewhere.ko" "$updates/packed.ko" || die "no vermagic to change"
c_module "$CASE_DIR/stranger" stranger 'return no_such_function();' 'extern int no_such_function(void);'
base_image localhost/drvc-e2e-vendor:1 "$vendor" <<'DOCKERFILE'
FROM scratch
COPY lib /lib
DOCKERFILE
base_image localhost/drvc-e2e-own:1 "$vendor" <<'DOCKERFILE'
FROM docker.io/library/debian:12-slim
DOCKERFILE
finished=$CASE_DIR/finished
manifest "$finished" <<KDL
source "vendor" { image "localhost/drvc-e2e-vendor:1" dir="/lib"; }
module "finished" { source "vendor" dir="{kernel}"; build "none"; }
module "elsewhere" { source "vendor" dir="{kernel}"; build "none"; }
source "wrong-sum" { archive "$GIT_URL/driver-1.0.tar.xz" sha256="${file_sum}"; }
source "no-file" { file "$GIT_URL/absent.conf"; }
source "too-far" { archive "$GIT_URL/driver-1.0.tar.xz" sha256="$archive_sum" strip=9; }
source "no-archive" { archive "$GIT_URL/broken.tar.xz" sha256="$(sha256_of "$served/broken.tar.xz")"; }
source "no-prep" { srpm "$GIT_URL/prepared-2.0-2.src.rpm" sha256="$(sha256_of "$served/prepared-2.0-2.src.rpm")"; }
module "no-archive" { source "no-archive"; }
module "no-prep" { source "no-prep"; }
module "wrong-sum" { source "wrong-sum"; }
module "no-file" { source "no-file"; }
module "too-far" { source "too-far"; }
image "finished" { module "finished"; load "finished"; base "localhost/drvc-e2e-own:1"; packages "kmod"; }
image "bare" { module "finished"; load "finished"; base "localhost/drvc-e2e-own:1"; }
image "elsewhere" { module "elsewhere"; }
image "wrong-sum" { module "wrong-sum"; }
image "no-file" { module "no-file"; }
image "no-archive" { module "no-archive"; }
image "no-prep" { module "no-prep"; }
image "too-far" { module "too-far"; }
matrix { os "debian" "12" { kernel "$kernel"; base "$GIT_BASE"; }; }
KDL
compile "$finished"
builds_ok buildah "$finished" finished
root=$(root_of buildah "$(image_of "$finished" finished)")
cmp "$root/opt/lib/modules/$kernel/updates/finished.ko" "$vendor/lib/$kernel/finished.ko" || die "a finished module was changed"
[ -x "$root/usr/sbin/modprobe" ] || die "modprobe is not in the image"
builds_not 'drvc: there is no modprobe: change base, or add packages' buildah "$finished" bare
builds_not "drvc: module elsewhere: elsewhere.ko is of kernel 6.1.1-" buildah "$finished" elsewhere
builds_not "has the checksum $archive_sum: change sha256 if it is to be this file" buildah "$finished" wrong-sum
builds_not "drvc: source no-file: $GIT_URL/absent.conf cannot be fetched: change its URL" buildah "$finished" no-file
builds_not 'driver-1.0.tar.xz lies below 9 directories: change strip' buildah "$finished" too-far

builds_not 'broken.tar.xz cannot be unpacked' buildah "$finished" no-archive
builds_not 'prepared-2.0-2.src.rpm cannot be prepared' buildah "$finished" no-prep

# A micro image: RHEL's stand-in has none, so that Debian's stands in for it. dnf installs into it from outside.
# (The library that its kmod needs is in every image of RHEL, so that the stand-in's packages leave it out.)
base_image registry.access.redhat.com/ubi9/ubi-micro:9.4 "$CASE_DIR" <<'DOCKERFILE'
FROM docker.io/library/debian:12-slim
RUN apt-get update && apt-get install -y --no-install-recommends libssl3 && rm -rf /var/lib/apt/lists/*
DOCKERFILE
micro=$CASE_DIR/micro
c_module "$micro/driver" tiny
manifest "$micro" <<'KDL'
source "driver" { path "driver"; }
module "tiny" { source "driver"; }
image "tiny" { module "tiny"; load "tiny"; base "micro"; }
entitlement "none"
matrix {
    os "rhel" "9.4" {
        kernel "5.14.0-427.13.1.el9_4.x86_64"
        repository enable="rhel-9-for-x86_64-appstream-eus-rpms"
        repository enable="rhel-9-for-x86_64-baseos-eus-rpms"
    }
}
KDL
compile "$micro"
builds_ok buildah "$micro" tiny
root=$(root_of buildah "$(image_of "$micro" tiny)")
contains "what modprobe would do" "$(chroot "$root" modprobe -d /opt -S 5.14.0-427.13.1.el9_4.x86_64 --show-depends tiny)" tiny.ko
[ ! -e "$root/usr/bin/dnf" ] || die "a package manager is in the micro image"
# Of what lies in the copy of the micro image, only what is new comes into the layer.
size=$(podman history --format json "$(image_of "$micro" tiny)" | jq '.[3].size')
[ "$size" -lt 5000000 ] || die "the layer with kmod has $size bytes: the micro image is in it a second time"

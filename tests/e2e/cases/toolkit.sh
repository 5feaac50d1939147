#!/usr/bin/env bash
# needs: images root buildah podman dockerd mmdebstrap rpmbuild createrepo_c jq modinfo rpm
# Toolkit images and drivers on top of them: for the RHEL stand-in with buildah, for Debian 12 with Docker. The toolkit
# holds the compiler of the kernel, though a newer one is to be had, and the kernel's own modules; a driver's Dockerfile
# installs nothing. A compiler of another version fails.
# shellcheck disable=SC2016
. "$(dirname "$0")/../case.sh"
. "$(dirname "$0")/../subscribed.sh"

subscribed_image
rhel=5.14.0-427.13.1.el9_4.x86_64
debian=$(newest amd64)
# One toolkit holds both.
cloud=${debian%-amd64}-cloud-amd64
dir=$CASE_DIR/project
c_module "$dir/driver" driver
c_module "$dir/media" media 'v4l2_device_disconnect(0);' '#include <media/v4l2-device.h>'
cat >"$dir/drivers.kdl" <<KDL
drvc edition=1
project "e2e" { registry "registry.example.com/e2e"; }
toolkit "kit" { flavor "cloud"; }
entitlement "none"
source "driver" { path "driver"; }
source "media" { path "media"; }
module "driver" { source "driver"; }
module "media" { source "media"; }
image "driver" { module "driver"; load "driver"; only os="debian"; }
image "media" { module "media"; load "media"; in-tree "copy"; only os="rhel"; }
matrix {
    os "rhel" "9.4" {
        kernel "$rhel"
        base "$SUBSCRIBED"
        builder "toolkit"
        repository enable="rhel-9-for-x86_64-appstream-rpms"
        repository enable="rhel-9-for-x86_64-baseos-rpms"
    }
    os "debian" "12" {
        kernel "$debian" "$cloud"
        builder "toolkit"
    }
}
KDL
# What a subscription would bring is simply there.
base_image $SUBSCRIBED-open "$CASE_DIR" <<DOCKERFILE
FROM $SUBSCRIBED
RUN cp /usr/share/standin/redhat.repo /etc/yum.repos.d/
DOCKERFILE
sed -i "s|$SUBSCRIBED|$SUBSCRIBED-open|" "$dir/drivers.kdl"
compile "$dir"

# toolkit_id OS: the toolkit's id.
toolkit_id() { jq -r --arg os "$1" '.toolkits[] | select(.os == $os) | .id' "$dir/drivers.out/plan.json"; }
equal "toolkits" "$(jq '.toolkits | length' "$dir/drivers.out/plan.json")" 2

kit=$(toolkit_id rhel)
equal "the toolkit's id" "$kit" "_toolkit/rhel-9.4-x86_64/$rhel"
builds_ok buildah "$dir" "$kit"
reference=$(target "$dir" "$kit" reference)
equal "the toolkit's tag" "$reference" "registry.example.com/e2e/kit:$rhel-$(target "$dir" "$kit" key | cut -c1-16)"
root=$(root_of buildah "$reference")
equal "the release file" "$(jq -c . "$root/etc/driver-toolkit-release.json")" \
    "{\"KERNEL_VERSION\":\"$rhel\",\"RT_KERNEL_VERSION\":\"\",\"RHEL_VERSION\":\"9.4\"}"
packages=$(rpm --root "$root" -qa --qf '%{NAME}-%{VERSION}\n')
for name in kernel-devel-5.14.0 kernel-devel-matched-5.14.0 kernel-headers-5.14.0 kernel-core-5.14.0 kernel-modules-5.14.0 \
    kernel-modules-extra-5.14.0 gcc-12.2.0 kabi-dw-1 kernel-abi-stablelists-1 rpm-build-1; do
    contains "packages of the toolkit" "$packages" "$name"
done
lacks "packages of the toolkit" "$packages" gcc-13.1.0
lacks "what dnf did" "$(cat "$LOG")" 'scriptlet of kernel-core ran'
config=$(config_of buildah "$reference")
equal "label kernel-version" "$(jq -r '.Labels["kernel-version"]' <<<"$config")" $rhel
lacks "labels of what is built by hand" "$(jq -c .Labels <<<"$config")" dev.drvc.

# What is not to be had.
spoilt "$kit" 's|^        dnf install|& --exclude=gcc|' 'drvc: gcc 12.2.0, which compiled the kernel, is missing: change kernel, or repository'
spoilt "$kit" 's|kernel-headers-5|kernel-headers-6|' 'drvc: packages of the kernel are missing: change kernel, or repository'
spoilt "$kit" 's|kernel-modules-extra-5|kernel-modules-extra-6|' \
    'drvc: packages of the kernel are missing: change kernel, or repository'

file=$dir/drivers.out/$(target "$dir" media dockerfile)
contains "the driver's Dockerfile" "$(cat "$file")" "FROM $reference AS kernel"
lacks "the driver's builder" "$(sed '/^FROM registry.access/,$d' "$file")" 'dnf install'
builds_ok buildah "$dir" media
root=$(root_of buildah "$(image_of "$dir" media)")
equal "vermagic" "$(modinfo -F vermagic "$root/opt/lib/modules/$rhel/updates/media.ko" | cut -d' ' -f1)" $rhel
contains "modules.dep" "$(cat "$root/opt/lib/modules/$rhel/modules.dep")" kernel/drivers/media/v4l2-core/videodev.ko.xz
lacks "packages of the driver's image" "$(rpm --root "$root" -qa)" kernel-devel

kit=$(toolkit_id debian)
builds_ok docker "$dir" "$kit"
for kernel in "$debian" "$cloud"; do
    builds_ok docker "$dir" "$kernel"
    root=$(root_of docker "$(image_of "$dir" "$kernel")")
    equal "vermagic" "$(modinfo -F vermagic "$root/opt/lib/modules/$kernel/updates/driver.ko" | cut -d' ' -f1)" "$kernel"
done

# A compiler of another version: the base image says another.
base_image $SUBSCRIBED-open "$CASE_DIR" <<DOCKERFILE
FROM $SUBSCRIBED-open
RUN printf '%s\n' '#!/bin/sh' 'echo 13.1.0' >/usr/local/bin/gcc && chmod 755 /usr/local/bin/gcc
DOCKERFILE
builds_not 'drvc: gcc 12.2.0 compiled the kernel, and gcc is 13.1.0: change kernel, or packages of toolkit' \
    buildah "$dir" "$(toolkit_id rhel)"
podman untag $SUBSCRIBED-open

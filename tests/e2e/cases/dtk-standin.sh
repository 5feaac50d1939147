#!/usr/bin/env bash
# needs: images root buildah podman dockerd mmdebstrap rpmbuild createrepo_c jq modinfo
# The path of OpenShift's Driver Toolkit, against a stand-in: the RHEL 9.4 stand-in with the kernel's packages in it and
# the toolkit's release file, under the name of the real image. What this does not prove: that Red Hat's image is so.
. "$(dirname "$0")/../case.sh"

kernel=5.14.0-427.13.1.el9_4.x86_64
toolkit=registry.redhat.io/openshift4/driver-toolkit-rhel9:v4.18
dir=$CASE_DIR/project
c_module "$dir/driver" driver

# toolkit KERNEL: makes the stand-in, whose release file names KERNEL.
toolkit() {
    base_image $toolkit "$CASE_DIR" <<DOCKERFILE
FROM registry.access.redhat.com/ubi9/ubi:9.4
RUN dnf install -y --releasever=9.4 --enablerepo=rhel-9-for-x86_64-appstream-eus-rpms gcc make kmod binutils kernel-devel-$kernel
RUN echo '{"KERNEL_VERSION":"$1","RT_KERNEL_VERSION":"","RHEL_VERSION":"9.4"}' >/etc/driver-toolkit-release.json
DOCKERFILE
}

manifest "$dir" <<KDL
source "driver" { path "driver"; }
module "driver" { source "driver"; }
image "driver" { module "driver"; load "driver"; }
matrix { os "openshift" "4.18.90" { kernel "$kernel"; }; }
KDL
compile "$dir"
equal "builder" "$(target "$dir" driver builder)" dtk

toolkit $kernel
builds_ok buildah "$dir" driver
root=$(root_of buildah "$(image_of "$dir" driver)")
equal "vermagic" "$(modinfo -F vermagic "$root/opt/lib/modules/$kernel/updates/driver.ko" | cut -d' ' -f1)" $kernel

toolkit 5.14.0-427.18.1.el9_4.x86_64
builds_not 'drvc: the Driver Toolkit is of another kernel, change kernel or the openshift release: {"KERNEL_VERSION":' \
    buildah "$dir" driver
podman untag $toolkit

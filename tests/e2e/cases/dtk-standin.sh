#!/usr/bin/env bash
# needs: images root buildah podman dockerd mmdebstrap rpmbuild createrepo_c jq modinfo
# The path of OpenShift's Driver Toolkit, against a stand-in: the RHEL 9.4 stand-in with the kernel's packages in it and
# the toolkit's release file, under the name of the real image; and the Dockerfile that KMM builds from in a cluster. What
# this does not prove: that Red Hat's image is so.
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

# What KMM builds in the cluster: the Dockerfile in its ConfigMap, with nothing but that text, the kernel and the toolkit.
# Its source comes from an image, since such a build has no files of the repository.
base_image localhost/drvc-e2e-dtk-source:1 "$dir" <<DOCKERFILE
FROM scratch
COPY driver /driver
DOCKERFILE
manifest "$CASE_DIR/kmm" <<KDL
source "driver" { image "localhost/drvc-e2e-dtk-source:1" dir="/driver"; }
module "driver" { source "driver"; }
image "driver" { module "driver"; load "driver"; repository "registry.example.com/driver"; }
matrix { os "openshift" "4.18.90" { kernel "$kernel"; }; }
output { kmm { build regexp="^5\\\\.14\\\\.0-427\\\\..*$"; }; }
KDL
compile "$CASE_DIR/kmm"
mkdir "$CASE_DIR/cluster"
python3 - "$CASE_DIR/kmm/drivers.out/kmm/driver.yaml" >"$CASE_DIR/cluster/Dockerfile" <<'PY'
import sys
from ruamel.yaml import YAML
documents = [one for one in YAML(typ="safe").load_all(open(sys.argv[1])) if one]
config = {one["metadata"]["name"]: one["data"]["dockerfile"] for one in documents if one["kind"] == "ConfigMap"}
(module,) = [one for one in documents if one["kind"] == "Module"]
mappings = module["spec"]["moduleLoader"]["container"]["kernelMappings"]
names = {one["build"]["dockerfileConfigMap"]["name"] for one in mappings}
assert len(mappings) == 2 and names == set(config) and len(config) == 1, (mappings, config)
print(config.popitem()[1], end="")
PY
lacks "KMM's Dockerfile" "$(cat "$CASE_DIR/cluster/Dockerfile")" "$kernel"
# in_cluster KERNEL TOOLKIT: what KMM has its builder do.
in_cluster() {
    LOG=$CASE_DIR/logs/in-cluster
    patiently "$CASE_DIR/cluster" "buildah build --layers --isolation chroot --network host -t $in_cluster \
        --build-arg KERNEL_FULL_VERSION=$1 --build-arg KERNEL_VERSION=$1 --build-arg DTK_AUTO=$2 ."
}
in_cluster=localhost/drvc-e2e-in-cluster:1
toolkit $kernel
in_cluster $kernel $toolkit || { cat "$LOG" >&2; die "KMM's Dockerfile does not build"; }
root=$(root_of buildah $in_cluster)
equal "vermagic of KMM's build" "$(modinfo -F vermagic "$root/opt/lib/modules/$kernel/updates/driver.ko" | cut -d' ' -f1)" $kernel
equal "label of KMM's build" "$(config_of buildah $in_cluster | jq -r '.Labels["kernel-version"]')" $kernel
# A kernel that is not the toolkit's.
! in_cluster 5.14.0-427.18.1.el9_4.x86_64 $toolkit || die "KMM's Dockerfile builds for a kernel that the toolkit is not of"
grep -qF 'drvc: the Driver Toolkit is of another kernel' "$LOG" || { cat "$LOG" >&2; die "KMM's build does not say why it fails"; }
say "  KMM's Dockerfile builds"
podman untag $toolkit

#!/usr/bin/env bash
# needs: images root buildah podman dockerd mmdebstrap rpmbuild createrepo_c jq modinfo dpkg-deb
# Drivers of other people: six of Debian's dkms packages, unchanged, through `drvc init`, and five of them through `drvc build`
# for a real kernel. They are the ways in which a dkms.conf names its modules and builds them. All of Debian's, against dkms itself:
# tests/e2e/dkms-all.sh.
. "$(dirname "$0")/../case.sh"
. "$E2E_DIR/build.sh"

kernel=$(newest amd64)
mkdir -p "$CASE_DIR/deb"
(cd "$CASE_DIR/deb" && apt-get -qq download {acpi-call,bbswitch,ddcci,dm-writeboost,jool,v4l2loopback}-dkms) \
    >"$CASE_DIR/logs/apt" 2>&1 || { cat "$CASE_DIR/logs/apt" >&2; die "apt does not offer the drivers"; }

# taken_over PACKAGE TEXT...: its source as it is installed becomes a manifest, in the directory $project, that fmt and check have
# nothing against, with these texts in it.
taken_over() {
    local package=$1 dir=$CASE_DIR/$1 text
    shift
    project=$dir/project
    mkdir -p "$project"
    dpkg-deb -x "$CASE_DIR/deb/$package"_*.deb "$dir/deb"
    "$DRVC" init -C "$project" --from "$(dirname "$dir"/deb/usr/src/*/dkms.conf)" --kernel "$kernel" 2>"$dir/init"
    for text; do contains "the manifest of $package" "$(cat "$project/drivers.kdl")" "$text"; done
    "$DRVC" fmt --check -C "$project"
    "$DRVC" check -C "$project"
}

# imported PACKAGE TEXT...: the same, and an image with MODULES in it.
imported() {
    local name root start=$EPOCHREALTIME
    taken_over "$@"
    built_ok buildah "$project" --offline
    says '1 target: 1 '
    root=$(root_of buildah "$(image_of "$project" "$kernel")")/opt/lib/modules/$kernel/updates
    equal "modules of $1" "$(cd "$root" && echo *.ko)" "$MODULES"
    for name in $MODULES; do
        equal "vermagic of $name" "$(modinfo -F vermagic "$root/$name" | cut -d' ' -f1)" "$kernel"
    done
    say "  $1: $MODULES ($(((${EPOCHREALTIME/./} - ${start/./}) / 1000000)) s)"
}

# The kernel's own build system, said and unsaid; an option of the kernel's configuration.
MODULES=acpi_call.ko imported acpi-call-dkms 'requires-config "CONFIG_ACPI"' 'output "acpi_call.ko"'
MODULES=bbswitch.ko imported bbswitch-dkms 'source "driver"'
# Two modules in two directories, and options that a grep looks for.
MODULES='ddcci-backlight.ko ddcci.ko' imported ddcci-dkms 'requires-config "CONFIG_BACKLIGHT_CLASS_DEVICE" "CONFIG_I2C"'
# The driver's own Makefile, and a version that the kernel must have.
MODULES=dm-writeboost.ko imported dm-writeboost-dkms 'make "all" KERNEL_TREE="{kernel_dir}"' 'only kernel=">=3.9"'
# One option or another by the kernel's version: the kernel has one of the two.
MODULES=v4l2loopback.ko imported v4l2loopback-dkms 'CONFIG_VIDEO_V4L2 is not set, or not'
built_ok buildah "$project" --offline
says '1 target: 1 up to date'
equal "builds of a second run" "$(started build)" 0
# Three builds in one command. The case `drivers` builds it, by the manifest of the manual.
taken_over jool-dkms '&& make -C {kernel_dir} M={source_dir}/src/mod/siit modules' \
    'output "src/mod/common/jool_common.ko" "src/mod/nat64/jool.ko" "src/mod/siit/jool_siit.ko"'

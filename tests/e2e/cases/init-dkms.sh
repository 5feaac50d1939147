#!/usr/bin/env bash
# needs: images root buildah podman dockerd mmdebstrap rpmbuild createrepo_c jq modinfo dpkg-deb
# Six of Debian's dkms packages through `drvc init` and a real build: the ways in which a dkms.conf names its modules and
# builds them. All of them, against dkms itself: tests/e2e/dkms-all.sh.
. "$(dirname "$0")/../case.sh"

kernel=$(newest amd64)

# imported PACKAGE [TEXT...]: its source as it is installed becomes a manifest that fmt and check agree with, with these
# texts in it; and an image with MODULES in it.
imported() {
    local package=$1 dir=$CASE_DIR/$1 text root name
    shift
    mkdir -p "$dir/deb" "$dir/project"
    (cd "$dir/deb" && apt-get -qq download "$package" 2>/dev/null && dpkg-deb -x ./*.deb .)
    "$DRVC" init -C "$dir/project" --from "$(dirname "$dir"/deb/usr/src/*/dkms.conf)" --kernel "$kernel" 2>"$dir/init"
    for text; do contains "the manifest of $package" "$(cat "$dir/project/drivers.kdl")" "$text"; done
    "$DRVC" fmt --check -C "$dir/project"
    "$DRVC" check -C "$dir/project"
    compile "$dir/project"
    builds_ok buildah "$dir/project" "$kernel"
    root=$(root_of buildah "$(image_of "$dir/project" "$kernel")")
    equal "modules of $package" "$(cd "$root/opt/lib/modules/$kernel/updates" && echo *.ko)" "$MODULES"
    for name in $MODULES; do
        equal "vermagic of $name" "$(modinfo -F vermagic "$root/opt/lib/modules/$kernel/updates/$name" | cut -d' ' -f1)" "$kernel"
    done
    say "  $package: $MODULES"
}

# The kernel's own build system, said and unsaid; an option of the kernel's configuration.
MODULES=acpi_call.ko imported acpi-call-dkms 'requires-config "CONFIG_ACPI"' 'output "acpi_call.ko"'
MODULES=bbswitch.ko imported bbswitch-dkms 'source "driver"'
# Two modules in two directories, and options that a grep looks for.
MODULES='ddcci-backlight.ko ddcci.ko' imported ddcci-dkms 'requires-config "CONFIG_BACKLIGHT_CLASS_DEVICE" "CONFIG_I2C"'
# The driver's own Makefile, and a version that the kernel must have.
MODULES=dm-writeboost.ko imported dm-writeboost-dkms 'make "all" KERNEL_TREE="{kernel_dir}"' 'only kernel=">=3.9"'
# Three builds in one command.
MODULES='jool.ko jool_common.ko jool_siit.ko' imported jool-dkms '&& make -C {kernel_dir} M={source_dir}/src/mod/siit modules'
# What only the kernel knows is said on the screen and in the manifest.
MODULES=v4l2loopback.ko imported v4l2loopback-dkms 'make "all" KERNEL_DIR="{kernel_dir}"' '// driver/dkms.conf:'
contains "warnings of v4l2loopback" "$(cat "$CASE_DIR/v4l2loopback-dkms/init")" 'warning: driver/dkms.conf:9: BUILD_EXCLUSIVE_KERNEL='

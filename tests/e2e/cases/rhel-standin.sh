#!/usr/bin/env bash
# needs: images root buildah podman dockerd mmdebstrap rpmbuild createrepo_c jq modinfo
# RHEL's path with real dnf and rpm, against a stand-in of RHEL 9.4: Debian's files under RHEL's package names, in
# repositories of RHEL's ids (see standin.sh). The manifest is that of examples/01-one-module; its git source is a
# directory here, with a module of the same name. What this does not prove: that Red Hat's packages hold what these do.
. "$(dirname "$0")/../case.sh"

kernel=5.14.0-427.13.1.el9_4.x86_64
dir=$CASE_DIR/project
c_module "$dir/sources/src/kernel_module" ptemplate_char_dev
cat >"$dir/sources/src/kernel_module/Makefile" <<'MAKE'
KVER ?= $(shell uname -r)
KERNEL_SRC_DIR ?= /lib/modules/$(KVER)/build
all:
	$(MAKE) -C $(KERNEL_SRC_DIR) M=$(PWD) modules
MAKE
sed '/git "https/c\    path "sources"' "$E2E_DIR/../../examples/01-one-module/drivers.kdl" >"$dir/drivers.kdl"
cat >>"$dir/drivers.kdl" <<'KDL'
source "media" { path "media"; }
module "media" { source "media"; }
image "media" { module "media"; load "media"; in-tree "copy"; }
KDL
c_module "$dir/media" media 'v4l2_device_disconnect(0);' '#include <media/v4l2-device.h>'
compile "$dir"

builds_ok buildah "$dir" pt-char-dev
contains "installed for the kernel" "$(cat "$LOG")" kernel-devel
root=$(root_of buildah "$(image_of "$dir" pt-char-dev)")
modules=$root/opt/lib/modules/$kernel
equal "vermagic" "$(modinfo -F vermagic "$modules/updates/ptemplate_char_dev.ko" | cut -d' ' -f1)" $kernel
equal "modules.dep" "$(cat "$modules/modules.dep")" 'updates/ptemplate_char_dev.ko:'
[ ! -e "$modules/host" ] || die "the kernel's modules are linked to though none is needed"
equal "the link for merged systems" "$(readlink "$root/opt/usr/lib")" ../lib
config=$(config_of buildah "$(image_of "$dir" pt-char-dev)")
equal "command" "$(jq -c .Cmd <<<"$config")" '["/opt/bin/drvc-load","ptemplate_char_dev"]'
lacks "labels of what is built by hand" "$(jq -c .Labels <<<"$config")" dev.drvc.

# The kernel's modules, whose packages have scripts that must not run: that of the stand-in fails.
builds_ok buildah "$dir" media
lacks "what dnf did" "$(cat "$LOG")" 'scriptlet of kernel-core ran'
root=$(root_of buildah "$(image_of "$dir" media)")
equal "copied dependencies" \
    "$(sed -n 's/^updates.media.ko: //p' "$root/opt/lib/modules/$kernel/modules.dep" | tr ' ' '\n' | sort)" \
    "$(printf 'kernel/drivers/media/%s.ko.xz\n' mc/mc v4l2-core/videodev)"

sed -i 's/5.14.0-427.13.1/5.14.0-427.99.1/' "$dir/drivers.kdl"
compile "$dir"
builds_not 'kernel-devel-5.14.0-427.99.1.el9_4.x86_64' buildah "$dir" pt-char-dev

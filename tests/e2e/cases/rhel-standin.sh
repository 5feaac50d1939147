#!/usr/bin/env bash
# needs: images root buildah podman dockerd mmdebstrap rpmbuild createrepo_c jq modinfo git openssl python3
# RHEL's path with real dnf and rpm, against a stand-in of RHEL 9.4: Debian's files under RHEL's package names, in
# repositories of RHEL's ids (see standin.sh). The manifest is that of examples/01-one-module; its git source is a
# directory here, with a module of the same name. Then the repositories are where nobody listens, as the base image has them,
# and a mirror on loopback takes their place, for dnf and for the image that is shipped. What this does not prove: that Red Hat's packages hold what these do.
. "$(dirname "$0")/../case.sh"
. "$E2E_DIR/git.sh"

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

# --- the same out of a mirror: one repository has its address beside a list of mirrors, as a comment

git_server "$(root_of buildah registry.access.redhat.com/ubi9/ubi:9.4)/usr/share/standin"
base_image localhost/e2e/ubi-of-the-internet:9.4 "$CASE_DIR" <<'DOCKERFILE'
FROM registry.access.redhat.com/ubi9/ubi:9.4
RUN sed -i -e 's|file:///usr/share/standin|https://repos.example.org|' \
    -e '/baseos$/s|^\(baseurl\)=\(.*\)|metalink=https://repos.example.org/list\n#\1=\2|' /etc/yum.repos.d/standin.repo && \
    rm -r /usr/share/standin
DOCKERFILE
dir=$CASE_DIR/mirrored
mkdir "$dir"
c_module "$dir/media" media 'v4l2_device_disconnect(0);' '#include <media/v4l2-device.h>'
cp "$E2E_WORK/git/ca.pem" "$dir/site.pem"
public="localhost/e2e/ubi-of-the-internet:{release}"
printf 'profile edition=1 extends="rhel"\nline "9" {\n    base "%s"\n    minimal "%s"\n}\n' $public $public >"$dir/os.kdl"
mirrored() {
    manifest "$dir" <<KDL
$1
profile "rhel" "os.kdl"
source "media" { path "media"; }
module "media" { source "media"; }
image "mirrored" { module "media"; load "media"; in-tree "copy"; }
matrix { os "rhel" "9.4" { kernel "$kernel"; }; }
KDL
    compile "$dir"
}
nowhere=(--add-host repos.example.org:127.0.0.9)
mirrored "mirror { packages \"https://repos.example.org\" \"$GIT_URL\"; ca \"site.pem\"; }"
key=$(target "$dir" mirrored key)
builds_ok buildah "$dir" mirrored "${nowhere[@]}"
root=$(root_of buildah "$(image_of "$dir" mirrored)")
[ -s "$root/opt/lib/modules/$kernel/updates/media.ko" ] || die "the image has no module"
equal "what dnf asks in the image" "$(cat "$root/etc/yum.repos.d/standin.repo")" \
    "$(cat "$(root_of buildah localhost/e2e/ubi-of-the-internet:9.4)/etc/yum.repos.d/standin.repo")"
equal "what is left of the site" "$(grep -rlaF -e "$(sed -n 3p "$dir/site.pem")" -e "$GIT_URL" "$root" || true)" ''
mirrored ''
equal "the key without a mirror" "$(target "$dir" mirrored key)" "$key"
builds_not 'repos.example.org' buildah "$dir" mirrored "${nowhere[@]}"

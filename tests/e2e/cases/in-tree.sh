#!/usr/bin/env bash
# needs: images root buildah podman dockerd mmdebstrap rpmbuild createrepo_c jq
# A module that uses symbols of the kernel's own modules: linked to, copied, or refused; one that is only named by a softdep;
# and one that exports what a module of the kernel exports too.
. "$(dirname "$0")/../case.sh"

kernel=$(newest amd64)
dir=$CASE_DIR/project
c_module "$dir/user" user 'v4l2_device_disconnect(0); return crc_itu_t(0, "a", 1);' \
    '#include <linux/crc-itu-t.h>
#include <media/v4l2-device.h>'
c_module "$dir/plain" plain
c_module "$dir/core" my_core '' 'int arc4_setkey(void *context, const u8 *key, unsigned int length);
int arc4_setkey(void *context, const u8 *key, unsigned int length) { return 0; }
EXPORT_SYMBOL_GPL(arc4_setkey);'
c_module "$dir/uses" my_user 'return arc4_setkey(0, 0, 0) + crc_itu_t(0, "a", 1);' '#include <linux/crc-itu-t.h>
int arc4_setkey(void *context, const u8 *key, unsigned int length);'
c_module "$dir/mii" mii
c_module "$dir/it87" it87
manifest "$dir" <<KDL
source "core" { path "core"; }
module "my_core" { source "core"; }
source "uses" { path "uses"; }
module "my_user" { source "uses"; needs "my_core"; }
image "own-link" { module "my_core" "my_user"; load "my_user"; in-tree "link"; }
image "own-copy" { module "my_core" "my_user"; load "my_user"; in-tree "copy"; }
source "user" { path "user"; }
module "user" { source "user"; }
source "plain" { path "plain"; }
module "plain" { source "plain"; }
image "link" { module "user"; load "user"; in-tree "link"; }
image "copy" { module "user"; load "user"; in-tree "copy"; }
image "softdep" { module "plain"; load "plain"; softdep "plain" { pre "crc-itu-t"; }; in-tree "copy"; }
// Two with a name of the kernel's own: mii exports symbols, it87 is known by its option alone.
source "mii" { path "mii"; }
module "mii" { source "mii"; }
source "it87" { path "it87"; }
module "it87" { source "it87"; }
image "names" { module "mii" "it87"; load "mii" "it87"; }
image "names-replaced" { module "mii" "it87"; load "mii" "it87"; replaces "mii" "it87"; }
image "none" { module "user"; load "user"; in-tree "none"; }
matrix { os "debian" "12" { kernel "$kernel"; }; }
KDL
compile "$dir"

# dependencies ROOT: what modules.dep says of user.ko, one a line.
dependencies() { sed -n 's|^updates/user.ko: ||p' "$1/opt/lib/modules/$kernel/modules.dep" | tr ' ' '\n' | sort; }

builds_ok buildah "$dir" link
root=$(root_of buildah "$(image_of "$dir" link)")
equal "the link to the host's modules" "$(readlink "$root/opt/lib/modules/$kernel/host")" "/lib/modules/$kernel"
equal "linked dependencies" "$(dependencies "$root")" "$(printf 'host/kernel/%s.ko\n' \
    drivers/media/mc/mc drivers/media/v4l2-core/videodev lib/crc-itu-t)"
equal "modules in the image" "$(find "$root/opt" -name '*.ko' -printf '%f\n')" user.ko

builds_ok buildah "$dir" copy
root=$(root_of buildah "$(image_of "$dir" copy)")
[ ! -e "$root/opt/lib/modules/$kernel/host" ] || die "the link to the host is there though its modules are copied"
equal "copied dependencies" "$(dependencies "$root")" "$(printf 'kernel/%s.ko\n' \
    drivers/media/mc/mc drivers/media/v4l2-core/videodev lib/crc-itu-t)"
equal "modules in the image" "$(find "$root/opt" -name '*.ko' -printf '%f\n' | sort | xargs)" \
    'crc-itu-t.ko mc.ko user.ko videodev.ko'
contains "what modprobe would do" "$(modprobe -d "$root/opt" -S "$kernel" --show-depends user)" \
    "insmod $root/opt/lib/modules/$kernel/kernel/lib/crc-itu-t.ko"

# A module that needs nothing, and one of the kernel's that is to be loaded before it.
builds_ok buildah "$dir" softdep
root=$(root_of buildah "$(image_of "$dir" softdep)")
contains "what modprobe would do with a softdep" \
    "$(modprobe -C "$root/etc/modprobe.d" -d "$root/opt" -S "$kernel" --show-depends plain)" \
    "insmod $root/opt/lib/modules/$kernel/kernel/lib/crc-itu-t.ko"

builds_not 'drvc: in-tree is "none", yet the kernel has to give: ' buildah "$dir" none

# arc4_setkey is in libarc4 too: the driver's own module wins, whichever way the kernel's come in.
for way in link copy; do
    builds_ok buildah "$dir" "own-$way"
    root=$(root_of buildah "$(image_of "$dir" "own-$way")")
    equal "dependencies of my_user, by $way" \
        "$(sed -n 's|^updates/my_user.ko: ||p' "$root/opt/lib/modules/$kernel/modules.dep" | xargs -n1 basename | sort | xargs)" \
        'crc-itu-t.ko my_core.ko'
done

# None of the kernel's modules is in this builder: its lists and configuration know most of their names.
builds_ok buildah "$dir" names
warned=$(grep '^drvc: warning: ' "$LOG")
contains "what is said of mii" "$warned" 'the kernel has a module mii too, and a node that has loaded that one keeps it: write replaces "mii"'
contains "what is said of it87" "$warned" 'CONFIG_SENSORS_IT87 of the kernel may be a module it87 too'
builds_ok buildah "$dir" names-replaced
lacks "what is said of those that are replaced" "$(cat "$LOG")" 'drvc: warning: '

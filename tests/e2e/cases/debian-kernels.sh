#!/usr/bin/env bash
# needs: images root buildah podman dockerd mmdebstrap rpmbuild createrepo_c jq modinfo
# examples/06-build-here for three real Debian 12 kernels, by the commands in the Dockerfiles' heads: one each with buildah,
# podman and Docker's BuildKit, two flavours of 6.1, and 6.12, whose headers bring the kernel's own modules along, each of
# them compressed, as Debian 12 and as Debian 13 have it. The images are looked at from outside. (All flavours with all engines are in the case `build`.)
. "$(dirname "$0")/../case.sh"

# looked_at ENGINE DIR KERNEL: everything that the image should be.
looked_at() {
    local engine=$1 dir=$2 kernel=$3 image root config modules name
    image=$(image_of "$dir" "$kernel")
    root=$(root_of "$engine" "$image")
    config=$(config_of "$engine" "$image")
    modules=$root/opt/lib/modules/$kernel
    for name in counter ticker; do
        contains "vermagic of $name" "$(modinfo -F vermagic "$modules/updates/$name.ko") " "$kernel SMP "
        equal "sections with debug information in $name.ko" "$(readelf -S "$modules/updates/$name.ko" | grep -c debug_info || true)" 0
    done
    equal "below /opt" "$(cd "$root/opt" && find . -maxdepth 3 -printf '%p %l\n' | sort)" \
        "$(printf '%s \n' . ./bin ./bin/drvc-load ./lib ./lib/modules "./lib/modules/$kernel" ./usr; echo ./usr/lib ../lib)"
    equal "modules in /opt" "$(cd "$modules" && find . -name '*.ko' | sort)" $'./updates/counter.ko\n./updates/ticker.ko'
    equal "modules.dep" "$(sort "$modules/modules.dep")" \
        $'updates/counter.ko:\nupdates/ticker.ko: updates/counter.ko'
    contains "what modprobe would do" "$(modprobe -d "$root/opt" -S "$kernel" --show-depends ticker)" \
        "insmod $root/opt/lib/modules/$kernel/updates/counter.ko"
    equal "modprobe.d" "$(cat "$root/etc/modprobe.d/ticker.conf")" 'options ticker step=2'
    equal "command" "$(jq -c .Cmd <<<"$config")" '["/opt/bin/drvc-load","ticker"]'
    equal "label kernel-version" "$(jq -r '.Labels["kernel-version"]' <<<"$config")" "$kernel"
    equal "label of the licence" "$(jq -r '.Labels["org.opencontainers.image.licenses"]' <<<"$config")" GPL-2.0-only
    lacks "labels of what is built by hand" "$(jq -c .Labels <<<"$config")" dev.drvc.
    for name in usr/bin/gcc usr/bin/make usr/bin/ld usr/bin/as usr/bin/git usr/src/drvc drvc; do
        [ ! -e "$root/$name" ] || die "/$name is in the image"
    done
    [ -x "$root/usr/sbin/modprobe" ] || die "modprobe is not in the image"
    say "  $engine: $image"
}

dir=$CASE_DIR/project
cp -r "$E2E_DIR/../../examples/06-build-here" "$dir"
rm -rf "$dir/drivers.out"
written=$(grep -o '"6\.1\.0-[0-9]*-amd64"' "$dir/drivers.kdl" | tr -d '"')
plain=$(newest amd64) rt=$(newest rt-amd64)
newer=$(offered amd64 '6\.12\.[0-9]+\+deb12' | tail -1)
if [ "$plain" != "$written" ]; then
    say "  the mirror offers $plain: it stands in for $written of the example"
    sed -i "s/${written%-amd64}-/${plain%-amd64}-/g" "$dir/drivers.kdl"
fi
sed -i "s/ \"[^\"]*-cloud-amd64\"/ \"$newer\"/; /flavor /d" "$dir/drivers.kdl"
c_module "$dir/user" user 'v4l2_device_disconnect(0); return crc_itu_t(0, "a", 1);' \
    '#include <linux/crc-itu-t.h>
#include <media/v4l2-device.h>'
cat >>"$dir/drivers.kdl" <<'KDL'
source "user" { path "user"; }
module "user" { source "user"; }
image "user" { module "user"; load "user"; in-tree "copy"; only kernel="6.12.*deb12*"; }
image "user-13" { module "user"; load "user"; in-tree "copy"; only kernel="6.12.*deb13*"; }
KDL
trixie=$(cat "$E2E_WORK/trixie.kernel")
sed -i "s/^matrix {/&\n    os \"debian\" \"13\" { kernel \"$trixie\"; }/" "$dir/drivers.kdl"
compile "$dir"

builds_ok buildah "$dir" "$plain"
looked_at buildah "$dir" "$plain"
builds_ok docker "$dir" "$rt"
looked_at docker "$dir" "$rt"

# with_in_tree IMAGE KERNEL: a module that uses in-tree ones, which are `.ko.xz`.
with_in_tree() {
    local root modules
    builds_ok podman "$dir" "$1"
    root=$(root_of podman "$(image_of "$dir" "$1")")
    modules=$root/opt/lib/modules/$2
    contains "vermagic of user" "$(modinfo -F vermagic "$modules/updates/user.ko") " "$2 SMP "
    equal "copies of the kernel's modules" "$(cd "$modules" && find kernel -name '*.ko*' | sort)" \
        "$(printf 'kernel/%s.ko.xz\n' drivers/media/mc/mc drivers/media/v4l2-core/videodev lib/crc-itu-t)"
    equal "dependencies of user" "$(sed -n 's|^updates/user.ko: ||p' "$modules/modules.dep" | tr ' ' '\n' | sort)" \
        "$(cd "$modules" && find kernel -name '*.ko*' | sort)"
    say "  podman: $2"
}

with_in_tree user "$newer"
with_in_tree user-13 "$trixie"

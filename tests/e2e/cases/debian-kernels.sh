#!/usr/bin/env bash
# needs: images root buildah podman dockerd mmdebstrap rpmbuild createrepo_c jq modinfo
# examples/06-build-here for three real Debian 12 kernels, one of each flavour, by the commands in the Dockerfiles' heads:
# one each with buildah, podman and Docker's BuildKit. The images are looked at from outside. (All flavours with all
# engines are in the case `build`.)
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
plain=$(newest amd64) cloud=$(newest cloud-amd64) rt=$(newest rt-amd64)
if [ "$plain" != "$written" ]; then
    say "  apt offers $plain: it stands in for $written of the example"
    sed -i "s/${written%-amd64}-/${plain%-amd64}-/g" "$dir/drivers.kdl"
fi
compile "$dir"

builds_ok buildah "$dir" "$plain"
looked_at buildah "$dir" "$plain"
builds_ok podman "$dir" "$cloud"
looked_at podman "$dir" "$cloud"
# podman has the same store, and this is another target: it stands on the tools layer of the first.
contains "steps of the second build" "$(grep -aA2 'install.* gcc make' "$LOG")" 'Using cache'
builds_ok docker "$dir" "$rt"
looked_at docker "$dir" "$rt"

#!/usr/bin/env bash
# Every driver that Debian has for dkms, through `drvc init` and a real build, against what dkms makes of it: prints the
# rows of the table of docs/dkms.md.
#
# dkms-all.sh [PACKAGE...]: all of `apt-cache search -- -dkms` unless named. Results are kept below
# $E2E_WORK/dkms-all and not made anew; delete a package's files there to have it looked at again. It takes an hour.
# KERNEL is the kernel, the newest 6.1 unless it is set.
. "$(dirname "$0")/case.sh"
set -euo pipefail

KERNEL=${KERNEL:-$(newest amd64)}
WORK=$E2E_WORK/dkms-all/$KERNEL
DKMS_BASE=localhost/drvc-e2e-dkms:${KERNEL//+/-}
DRVC=$(realpath "$DRVC")
mkdir -p "$WORK"
archive_answers || { trap stop_archive EXIT && start_archive; }

# by_hand PACKAGE PROJECT: what a user adds to the manifest, since dkms.conf has no word for it: what the build needs
# beside compiler, make and the kernel's headers. Debian's packages say it in their dependencies.
by_hand() {
    local line=
    case $1 in
    dahdi-dkms)
        line='packages "gawk"'
        # Debian's kernels have no CONFIG_ECHO: what dkms builds of this one cannot be loaded.
        sed -i 's| *"drivers/dahdi/dahdi_echocan_oslec.ko"||; s| "dahdi_echocan_oslec"||' "$2/drivers.kdl"
        ;;
    iptables-netflow-dkms) line='packages "libxtables-dev" "pkg-config" "iptables"' ;;
    west-chamber-dkms)
        # It takes files of the source of xtables-addons that is installed in /usr/src.
        (cd "$2" && apt-get -qq download xtables-addons-dkms && dpkg-deb -x xtables-addons-dkms_*.deb deb &&
            mv deb/usr/src/xtables-addons-* driver/ && rm -r deb xtables-addons-dkms_*.deb)
        line='script "cp -a xtables-addons-* /usr/src/"'
        ;;
    esac
    [ -z "$line" ] || sed -i "/^module /,/^}/s|^    source .*|&\n    $line|" "$2/drivers.kdl"
}

# by_dkms PACKAGE: installs the package as a user does and has dkms build it. Its source stays in $WORK/PACKAGE/src, the
# names of its modules in dkms.modules, the log in dkms.log.
by_dkms() {
    local dir=$WORK/$1 container root
    [ ! -e "$dir/dkms.done" ] || return 0
    rm -rf "$dir"
    mkdir -p "$dir/src"
    container=$(buildah from "$DKMS_BASE")
    # shellcheck disable=SC2016
    buildah run --isolation chroot --network host "$container" -- bash -c '
        export DEBIAN_FRONTEND=noninteractive
        apt-get install -y --no-install-recommends "$1"
        conf=$(dpkg -L "$1" | grep -m1 "^/usr/src/[^/]*/dkms.conf$")
        echo "=== source $(dirname "$conf")"
        . <(grep -E "^PACKAGE_(NAME|VERSION)=" "$conf")
        dkms build -m "$PACKAGE_NAME" -v "$PACKAGE_VERSION" -k "$2"
        echo "=== code $?"
        find "/var/lib/dkms/$PACKAGE_NAME" -name "*.ko*" -path "*/module/*" -printf "=== module %f\n"
        find "/var/lib/dkms/$PACKAGE_NAME" -name make.log -exec tail -40 {} \;
    ' bash "$1" "$KERNEL" >"$dir/dkms.log" 2>&1 </dev/null || true
    root=$(buildah mount "$container")
    cp -a "$root$(sed -n 's/^=== source //p' "$dir/dkms.log")/." "$dir/src/"
    buildah umount "$container" >/dev/null
    buildah rm "$container" >/dev/null
    sed -n 's/^=== module //p' "$dir/dkms.log" | sed 's/[.]ko[.].*/.ko/' | sort -u >"$dir/dkms.modules"
    touch "$dir/dkms.done"
}

# by_drvc PACKAGE: what a user does with the same source; how far it came is in drvc.state.
by_drvc() {
    local dir=$WORK/$1 project=$WORK/$1/project image root
    [ ! -e "$dir/drvc.done" ] || return 0
    rm -rf "$project" "$dir"/drvc.*
    mkdir -p "$project"
    touch "$dir/drvc.modules"
    LOG=$dir/drvc.build
    echo nothing >"$dir/drvc.state"
    "$DRVC" init -C "$project" --from "$dir/src" --kernel "$KERNEL" >"$dir/drvc.init" 2>&1 || return 0
    "$DRVC" fmt --check -C "$project" >>"$dir/drvc.init" 2>&1 || return 0
    echo imported >"$dir/drvc.state"
    by_hand "$1" "$project"
    "$DRVC" compile -C "$project" >"$dir/drvc.compile" 2>&1 || return 0
    echo compiled >"$dir/drvc.state"
    patiently "$project" "$(command_line buildah "$project" "$KERNEL")" || return 0
    echo built >"$dir/drvc.state"
    image=$(image_of "$project" "$KERNEL")
    root=$(podman image mount "$image")
    find "$root/opt/lib/modules/$KERNEL/updates" -name '*.ko' -printf '%f\n' | sort >"$dir/drvc.modules"
    podman image umount "$image" >/dev/null
    podman rmi "$image" >/dev/null 2>&1 || true
    touch "$dir/drvc.done"
}

# row PACKAGE: a line of the table.
row() {
    local dir=$WORK/$1 state dkms imported=no compiled=no built=no warnings lacking more
    state=$(cat "$dir/drvc.state")
    case $state in built) imported=yes compiled=yes built=yes ;; compiled) imported=yes compiled=yes ;; imported) imported=yes ;; esac
    dkms="$(wc -l <"$dir/dkms.modules")"
    [ "$dkms" != 0 ] || dkms=no
    [ "$built" = no ] || built=$(wc -l <"$dir/drvc.modules")
    lacking=$(comm -23 "$dir/dkms.modules" "$dir/drvc.modules" | wc -l)
    more=$(comm -13 "$dir/dkms.modules" "$dir/drvc.modules" | wc -l)
    warnings=$(grep -c '^warning: ' "$dir/drvc.init" || true)
    printf '| `%s` | %s | %s | %s | %s | %s | %s | %s |\n' "$1" "$imported" "$warnings" "$compiled" "$built" "$dkms" \
        "$([ "$built" = no ] && echo - || echo "$lacking")" "$([ "$built" = no ] && echo - || echo "$more")"
}

if [ $# -eq 0 ]; then
    # shellcheck disable=SC2046
    set -- $(apt-cache search -- -dkms | awk '$1 ~ /-dkms$/ && $1 != "dh-dkms" {print $1}' | sort)
fi
phases=${PHASES:-dkms drvc table}
if [[ $phases == *dkms* ]]; then
    printf 'FROM docker.io/library/debian:12\nRUN apt-get update && apt-get install -y --no-install-recommends dkms linux-headers-%s\n' \
        "$KERNEL" | base_image "$DKMS_BASE" "$WORK"
fi
for name; do
    [[ $phases != *dkms* ]] || by_dkms "$name"
    [[ $phases != *drvc* ]] || by_drvc "$name"
    say "$name: dkms $(wc -l <"$WORK/$name/dkms.modules"), drvc $(cat "$WORK/$name/drvc.state" 2>/dev/null || echo not tried)"
done
if [[ $phases == *table* ]]; then
    printf '| package | imported | warnings | compiled | modules by drvc | modules by dkms | missing | more |\n'
    printf '| --- | --- | --- | --- | --- | --- | --- | --- |\n'
    for name; do row "$name"; done
fi

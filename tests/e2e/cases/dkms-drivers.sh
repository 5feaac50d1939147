#!/usr/bin/env bash
# needs: images root buildah podman dockerd mmdebstrap rpmbuild createrepo_c jq modinfo
# Drivers of other people: the sources and Makefiles of Debian's *-dkms packages, unchanged, in one manifest written by
# hand, built for a real kernel by `drvc build`.
. "$(dirname "$0")/../case.sh"
. "$E2E_DIR/build.sh"

kernel=$(newest amd64)
dir=$CASE_DIR/project
mkdir -p "$dir" "$CASE_DIR/deb"
drivers='acpi-call bbswitch ddcci dm-writeboost lime-forensics tp-smapi v4l2loopback'
for driver in $drivers; do
    (cd "$CASE_DIR/deb" && apt-get -qq download "$driver-dkms") >>"$CASE_DIR/logs/apt" 2>&1 || die "apt offers no $driver-dkms"
    dpkg-deb -x "$CASE_DIR/deb/$driver"-dkms_*.deb "$CASE_DIR/deb/$driver"
    mv "$CASE_DIR/deb/$driver"/usr/src/* "$dir/$driver"
done
{ cat "$E2E_DIR/../data/dkms-drivers.kdl"; printf 'matrix { os "debian" "12" { kernel "%s"; }; }\n' "$kernel"; } | manifest "$dir"

start=$EPOCHREALTIME
built_ok buildah "$dir" --offline --keep-going -j 2
say "  seven drivers for one kernel in $(((${EPOCHREALTIME/./} - ${start/./}) / 1000000)) s"
says '7 targets: '
for image in $(jq -r '.targets[].image' "$dir/drivers.out/plan.json"); do
    root=$(root_of buildah "$(image_of "$dir" "$image")")
    modules=$(find "$root/opt/lib/modules/$kernel/updates" -name '*.ko' -printf '%f ')
    [ -n "$modules" ] || die "no module in $image"
    for module in $modules; do
        file=$root/opt/lib/modules/$kernel/updates/$module
        equal "vermagic of $module" "$(modinfo -F vermagic "$file" | cut -d' ' -f1)" "$kernel"
    done
    say "  $image: $modules"
done
built_ok buildah "$dir" --offline
says '7 targets: 9 up to date'
equal "builds of a second run" "$(started build)" 0

#!/usr/bin/env bash
# needs: images root buildah podman jq modinfo readelf qemu-system-x86_64
# One build for many kernels: Debian 12's newest kernels in three flavours, with `reuse "headers"`. What the lock says of their
# headers makes chains, and `drvc build` compiles once those that cannot be told apart: two kernels in three flavours need three
# compilations. The modules of a kernel that differs are refused in the build, and end it where `reuse` is strict. With
# E2E_MORE three drivers of Debian's *-dkms packages are built for the kernels that are alike too, which makes twelve reused
# images out of three flavours. Each is verified, and booted on its own kernel in QEMU; and one whose modules are of a kernel that
# differs is refused by that kernel itself.
. "$(dirname "$0")/../case.sh"
. "$E2E_DIR/build.sh"

export XDG_CACHE_HOME=$CASE_DIR/cache
dir=$CASE_DIR/project
mapfile -t plain < <(offered amd64 | tail -4)
mapfile -t others < <(offered cloud-amd64 | tail -2; offered rt-amd64 | tail -2)
kernels=("${plain[@]}" "${others[@]}")
cp -r "$E2E_DIR/../../examples/06-build-here" "$dir"
rm -rf "$dir/drivers.out"
# Modules that no engine has seen: of a trial that comes out of its cache nothing is said.
echo "MODULE_INFO(case, \"$EPOCHREALTIME\");" >>"$dir/driver/ticker/ticker.c"
debian_profile "$dir/debian.kdl" "$ARCHIVE bookworm main"
sed -i "/flavor/d; s/kernel \"6.*/kernel$(printf ' "%s"' "${kernels[@]}")/
    s/^matrix {/profile \"debian\" \"debian.kdl\"\n&/; s/    load \"ticker\"/&\n    reuse \"headers\"/" "$dir/drivers.kdl"
"$DRVC" lock -C "$dir" "${allow[@]}" >"$CASE_DIR/logs/lock" 2>&1 || { cat "$CASE_DIR/logs/lock" >&2; die "drvc lock"; }
compile "$dir"
plan() { jq -r "$1" "$dir/drivers.out/plan.json"; }
# of_plain FILTER: of the plain kernels' targets.
of_plain() { plan "[.targets[] | select(.flavor == \"default\")] | $1"; }
tried=$(plan '[.targets[] | select(.reuse.first)] | length')
[ "$tried" -gt 0 ] || die "no two of these kernels have the same headers: ${kernels[*]}"
kernel=$(of_plain 'map(select(.reuse.first))[0].kernel')
first=$(of_plain 'map(select(.reuse.first))[0].reuse.first | split("/")[-1]')
# The nearest wrong pair: the kernel right before that one, which the lock tells apart from it.
other=$(printf '%s\n' "${plain[@]}" | sed -n "/^$first\$/q; p" | tail -1)
[ -n "$other" ] || die "none of these kernels is before $first, which is like $kernel: ${plain[*]}"

# Fewer compilations than targets: as many as there are kernels with headers of their own.
built_ok podman "$dir" --offline
says "${#kernels[@]} targets: $((${#kernels[@]} - tried)) built, $tried reused"
while read -r flavor two one; do
    say "  $flavor: $two targets, $one compiled"
done < <(plan '.targets | group_by(.flavor)[] | "\(.[0].flavor) \(length) \(map(select(.reuse.first | not)) | length)"')
built_ok podman "$dir" --offline
says "${#kernels[@]} targets: ${#kernels[@]} up to date"
image=$(image_of "$dir" "$kernel")
modules=$(root_of podman "$image")/opt/lib/modules/$kernel
for name in counter ticker; do
    equal "the kernel that $name was built for" "$(modinfo -F vermagic "$modules/updates/$name.ko" | cut -d' ' -f1)" "$first"
done
equal "the kernel in the record" "$(sed -n 's/^kernel //p' "$modules/updates/drvc-reuse")" "$first"
equal "modules.dep" "$(sort "$modules/modules.dep")" $'updates/counter.ko:\nupdates/ticker.ko: updates/counter.ko'

# --- drivers of others, for the kernels that are alike

# others_built: three drivers of Debian's *-dkms packages.
others_built() {
    local driver kmod names=(dm-writeboost nat-rtsp vpoll)
    mkdir -p "$drivers" "$CASE_DIR/deb"
    cp "$dir/debian.kdl" "$drivers"
    mapfile -t alike < <(plan '.targets[] | select(.reuse.first) | .kernel, (.reuse.first | split("/")[-1])' | sort -u)
    for driver in "${names[@]}"; do
        (cd "$CASE_DIR/deb" && apt-get -qq -o APT::Sandbox::User=root download "$driver-dkms" && dpkg-deb -x "$driver"-dkms_*.deb "$driver") \
            >>"$CASE_DIR/logs/apt" 2>&1 || die "apt offers no $driver-dkms"
        mv "$CASE_DIR/deb/$driver"/usr/src/* "$drivers/$driver"
    done
    # what DRIVER: how its module is built.
    what() { case $1 in dm-writeboost) echo 'make "all" KERNEL_TREE="{kernel_dir}";' ;; nat-rtsp) echo 'output "nf_conntrack_rtsp.ko" "nf_nat_rtsp.ko";' ;; esac; }
    {
        echo 'profile "debian" "debian.kdl"'
        for driver in "${names[@]}"; do
            kmod=${driver/nat-rtsp/nf_nat_rtsp}
            printf 'source "%s" { path "%s"; }\nmodule "%s" { source "%s"; %s }\n' "$driver" "$driver" "$driver" "$driver" "$(what "$driver")"
            printf 'image "%s" { module "%s"; load "%s"; reuse "headers"; }\n' "$driver" "$driver" "$kmod"
        done
        printf 'matrix { os "debian" "12" { kernel%s; }; }\n' "$(printf ' "%s"' "${alike[@]}")"
    } | manifest "$drivers"
    # Modules that no engine has seen, as above.
    grep -rl --include='*.c' MODULE_LICENSE "$drivers" | while read -r file; do echo "MODULE_INFO(case, \"$EPOCHREALTIME\");" >>"$file"; done
    "$DRVC" lock -C "$drivers" "${allow[@]}" >"$CASE_DIR/logs/lock" 2>&1 || { cat "$CASE_DIR/logs/lock" >&2; die "drvc lock"; }
    built_ok podman "$drivers" --offline
    says "$((${#names[@]} * ${#alike[@]})) targets: $((${#names[@]} * (${#alike[@]} - tried))) built, $((${#names[@]} * tried)) reused"
}
drivers=$CASE_DIR/drivers
[ -z "${E2E_MORE:-}" ] || others_built

# --- verified and booted

# reused DIR: project, image, kernel, and the kernel that its modules were built for, of each target that tries them.
reused() {
    jq -r --arg dir "$1" '.targets[] | select(.reuse.first) | "\($dir) \(.tags[0]) \(.kernel) \(.reuse.first | split("/")[-1])"' \
        "$1/drivers.out/plan.json"
}
mapfile -t all < <(reused "$dir"; [ -z "${E2E_MORE:-}" ] || reused "$drivers")
say "  ${#all[@]} images are reused"
for one in "${all[@]}"; do
    read -r project_of tag kernel_of first_of <<<"$one"
    found=$("$DRVC" verify -C "$project_of" --engine podman "$tag" "${allow[@]}" 2>"$CASE_DIR/logs/verify") ||
        { cat "$CASE_DIR/logs/verify" >&2; die "$found"; }
    contains "verify of $tag" "$found" "its modules were built for $first_of and reused"
    lacks "the symbols of $kernel_of" "$found" unverified-symbols
done
# boots NAME DIR IMAGE: in the background; its report is NAME.json, its exit code NAME.code.
boots() {
    (
        code=0
        "$DRVC" boot -C "$2" --engine podman "${allow[@]}" --boot-timeout 300 --format json "$3" >"$CASE_DIR/$1.json" \
            2>"$CASE_DIR/logs/boot-$1" || code=$?
        echo $code >"$CASE_DIR/$1.code"
    ) &
}
for at in "${!all[@]}"; do
    read -r project_of tag _ <<<"${all[$at]}"
    boots "reused-$at" "$project_of" "$tag"
    # A machine each of the two processors.
    [ $((at % 2)) = 0 ] || wait
done
wait
for at in "${!all[@]}"; do
    read -r _ tag kernel_of first_of <<<"${all[$at]}"
    report=$CASE_DIR/reused-$at.json
    [ "$(cat "$CASE_DIR/reused-$at.code")" = 0 ] || { cat "$report" "$CASE_DIR/logs/boot-reused-$at" >&2; die "$tag does not boot"; }
    equal "the kernel of $tag" "$(jq -r .kernel "$report")" "$kernel_of"
    equal "what $tag does not load" "$(jq -c '[.modules[] | select(.outcome != "loaded")]' "$report")" '[]'
    say "  booted $tag in $(jq .seconds "$report") s: $(jq -r '[.modules[].name] | join(" ")' "$report") of $first_of"
done

# --- modules of a kernel that differs

# Put by hand into the image of one whose symbols have other versions: the kernel itself refuses them.
container=$(buildah from --pull-never "$(image_of "$dir" "$first")") root=$(buildah mount "$container")
cp "$(root_of podman "$(image_of "$dir" "$other")")/opt/lib/modules/$other/updates"/* "$root/opt/lib/modules/$first/updates/"
buildah commit -q "$container" localhost/drvc-e2e-reuse:wrong >/dev/null
buildah rm "$container" >/dev/null
boots wrong "$dir" localhost/drvc-e2e-reuse:wrong
wait
equal "the exit code of a wrong pair" "$(cat "$CASE_DIR/wrong.code")" 1
refused=$(jq -r '.problems[] | select(.code == "changed-symbol").lines[]' "$CASE_DIR/wrong.json")
contains "what $first says of modules of $other" "$refused" "disagrees about version of symbol"
say "  refused by $first: $(head -1 <<<"$refused")"
! found=$("$DRVC" verify -C "$dir" --engine podman localhost/drvc-e2e-reuse:wrong "${allow[@]}" 2>"$CASE_DIR/logs/verify") ||
    die "verify finds nothing: $found"
contains "verify of a wrong pair" "$found" changed-symbol

# The symbols of a kernel that differs, out of the package of its headers.
(cd "$CASE_DIR" && apt-get download -qq "linux-headers-$other" 2>/dev/null) || die "apt-get download linux-headers-$other"
! found=$("$DRVC" verify -C "$dir" --engine podman "$image" --symvers "$CASE_DIR"/linux-headers-*.deb --offline) ||
    die "verify finds nothing: $found"
contains "verify with the symbols of $other" "$found" changed-symbol

# pin KERNEL FIELD: that digest of its headers in the lock.
pin() {
    awk -v RS= -v kernel="kernel = \"$1\"" '/^\[\[headers]]/ && index($0, kernel)' "$dir/drivers.lock" | sed -n "s/^$2 = \"\(.*\)\"/\1/p"
}
# tries_wrong: builds the kernel of the wrong pair, whose own modules are there, out of a Dockerfile that tries the others.
tries_wrong() {
    compile "$dir"
    equal "what is tried on $first" "$(target "$dir" "$first" reuse.first | sed 's|.*/||')" "$other"
    drvc_build podman "$dir" --offline --target "kernel=$first"
}
# A lock that lies, so that drvc itself takes the pair for alike: the check refuses it, and the same build compiles.
for field in headers options symbols layout; do
    [ -n "$(pin "$first" $field)" ] && [ -n "$(pin "$other" $field)" ] || die "the lock has no $field of $first, or of $other"
    sed -i "s/^$field = \"$(pin "$first" $field)\"/$field = \"$(pin "$other" $field)\"/" "$dir/drivers.lock"
done
tries_wrong || { cat "$OUT" >&2; die "drvc build fails with a lock that lies"; }
refused=$(grep -a "tried and built .*/$first" "$OUT") || { cat "$OUT" >&2; die "drvc build does not say that the check refuses $other"; }
contains "what the check says" "$refused" "of $first are not those of $other"
say "  $refused"
modules=$(root_of podman "$(image_of "$dir" "$first")")/opt/lib/modules/$first
equal "vermagic" "$(modinfo -F vermagic "$modules/updates/ticker.ko" | cut -d' ' -f1)" "$first"
equal "the kernel in the record" "$(sed -n 's/^kernel //p' "$modules/updates/drvc-reuse")" "$first"
sed -i 's/reuse "headers"/& strict=#true/' "$dir/drivers.kdl"
! tries_wrong || die "drvc build takes modules of $other for $first"
says "drvc: reuse is strict, and the "

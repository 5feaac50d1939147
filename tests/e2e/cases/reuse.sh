#!/usr/bin/env bash
# needs: images root buildah podman jq modinfo readelf
# One build for many kernels: Debian 12's newest kernels in three flavours, with `reuse "headers"`. What the lock says of their
# headers makes chains, and `drvc build` compiles once those that cannot be told apart: two kernels in three flavours need three
# compilations. The modules of a kernel that differs are refused in the build, and end it where `reuse` is strict.
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
other=$(of_plain "map(select((.reuse.first | not) and .kernel != \"$first\"))[-1].kernel")
[ "$other" != null ] || die "no two of these kernels differ: ${plain[*]}"

# Fewer compilations than targets: as many as there are kernels with headers of their own.
built_ok podman "$dir" --offline
says "${#kernels[@]} targets: $((${#kernels[@]} - tried)) built, $tried reused"
while read -r flavor two one; do
    say "  $flavor: $two targets, $one compiled"
done < <(plan '.targets | group_by(.flavor)[] | "\(.[0].flavor) \(length) \(map(select(.reuse.first | not)) | length)"')
built_ok podman "$dir" --offline
says "${#kernels[@]} targets: ${#kernels[@]} up to date"
while read -r kernel_of first_of; do
    found=$("$DRVC" verify -C "$dir" --engine podman "$(image_of "$dir" "$kernel_of")" "${allow[@]}" 2>"$CASE_DIR/logs/verify") ||
        { cat "$CASE_DIR/logs/verify" >&2; die "$found"; }
    contains "verify of $kernel_of" "$found" "its modules were built for $first_of and reused"
    lacks "the symbols of $kernel_of" "$found" unverified-symbols
done < <(plan '.targets[] | select(.reuse.first) | "\(.kernel) \(.reuse.first | split("/")[-1])"')
image=$(image_of "$dir" "$kernel")
modules=$(root_of podman "$image")/opt/lib/modules/$kernel
for name in counter ticker; do
    equal "the kernel that $name was built for" "$(modinfo -F vermagic "$modules/updates/$name.ko" | cut -d' ' -f1)" "$first"
done
equal "the kernel in the record" "$(sed -n 's/^kernel //p' "$modules/updates/drvc-reuse")" "$first"
equal "modules.dep" "$(sort "$modules/modules.dep")" $'updates/counter.ko:\nupdates/ticker.ko: updates/counter.ko'

# The symbols of a kernel that differs, out of the package of its headers.
(cd "$CASE_DIR" && apt-get download -qq "linux-headers-$other" 2>/dev/null) || die "apt-get download linux-headers-$other"
! found=$("$DRVC" verify -C "$dir" --engine podman "$image" --symvers "$CASE_DIR"/linux-headers-*.deb --offline) ||
    die "verify finds nothing: $found"
contains "verify with the symbols of $other" "$found" changed-symbol

# An image of another kernel in its place: the check refuses it, and the same build compiles.
file=$dir/drivers.out/$(target "$dir" "$kernel" dockerfile)
cp "$file" "$CASE_DIR/Dockerfile"
wrong=$(image_of "$dir" "$other")
sed -i "s|^FROM .* AS first$|FROM localhost/$wrong AS first|; s|/opt/lib/modules/$first/updates|/opt/lib/modules/$other/updates|" "$file"
builds_ok buildah "$dir" "$kernel"
contains "what the check says" "$(cat "$LOG")" "drvc reuse: no: the "
modules=$(root_of buildah "$image")/opt/lib/modules/$kernel
equal "vermagic" "$(modinfo -F vermagic "$modules/updates/ticker.ko" | cut -d' ' -f1)" "$kernel"
equal "the kernel in the record" "$(sed -n 's/^kernel //p' "$modules/updates/drvc-reuse")" "$kernel"
sed -i 's/check-reuse headers$/check-reuse headers --strict/' "$file"
builds_not 'drvc: reuse is strict, and the ' buildah "$dir" "$kernel"

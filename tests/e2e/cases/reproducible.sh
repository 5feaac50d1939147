#!/usr/bin/env bash
# needs: images root buildah podman dockerd mmdebstrap rpmbuild createrepo_c jq
# The same target, built in two directories and at two times, gives the same modules byte for byte.
. "$(dirname "$0")/../case.sh"

kernel=$(newest amd64)
for dir in "$CASE_DIR/one" "$CASE_DIR/another/place"; do
    mkdir -p "$dir"
    cp -r "$E2E_DIR/../../examples/06-build-here/driver" "$dir/"
    manifest "$dir" <<KDL
source "driver" { path "driver"; }
module "counter" { source "driver" dir="counter"; }
module "ticker" { source "driver" dir="ticker"; make "modules" KDIR="{kernel_dir}"; needs "counter"; }
image "same" { module "counter" "ticker"; }
matrix { os "debian" "12" { kernel "$kernel"; }; }
KDL
    compile "$dir"
    # An environment of no meaning in front of the sources: no layer of an earlier build holds from there on.
    file=$dir/drivers.out/$(target "$dir" same dockerfile)
    sed -i "s|^FROM kernel AS module-.*|&\nRUN echo $dir $EPOCHREALTIME|" "$file"
    builds_ok buildah "$dir" same
    root=$(root_of buildah "$(image_of "$dir" same)")
    (cd "$root/opt" && find . -name '*.ko' -exec sha256sum {} + | sort) >"$dir/sums"
    [ "$(wc -l <"$dir/sums")" = 2 ] || die "there are not two modules"
    sleep 1
done
equal "modules of the second build" "$(cat "$CASE_DIR/another/place/sums")" "$(cat "$CASE_DIR/one/sums")"

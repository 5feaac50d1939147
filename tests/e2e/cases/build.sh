#!/usr/bin/env bash
# needs: images root buildah podman dockerd mmdebstrap rpmbuild createrepo_c jq modinfo
# `drvc build` for three real Debian 12 kernels, one of each flavour, with buildah, podman, Docker's BuildKit and buildx;
# what a second run does, what a changed name does, and what a failing module looks like.
. "$(dirname "$0")/../case.sh"
. "$E2E_DIR/build.sh"

dir=$CASE_DIR/project
cp -r "$E2E_DIR/../../examples/06-build-here" "$dir"
rm -rf "$dir/drivers.out"
plain=$(newest amd64)
sed -i "s/6\.1\.0-[0-9]*-/${plain%-amd64}-/g; s/project \"ticker\"/project \"drvc-build\"/; s/image \"ticker\"/image \"drvc-build\"/" "$dir/drivers.kdl"

for engine in buildah podman docker buildx; do
    # Sources that no engine has seen.
    echo "/* $EPOCHREALTIME */" >>"$dir/driver/ticker/ticker.c"
    start=$EPOCHREALTIME
    built_ok $engine "$dir" -j 2 --offline
    says '3 targets: 3 built'
    say "  $engine: three kernels in $(((${EPOCHREALTIME/./} - ${start/./}) / 1000000)) s"
    for kernel in "$plain" "${plain%-amd64}-cloud-amd64" "${plain%-amd64}-rt-amd64"; do
        config=$(config_of ${engine/buildx/docker} "$(image_of "$dir" "$kernel")")
        equal "key of $kernel" "$(jq -r '.Labels["dev.drvc.key"]' <<<"$config")" "$(target "$dir" "$kernel" key)"
        contains "bases of $kernel" "$(jq -r '.Labels["dev.drvc.base"]' <<<"$config")" 'docker.io/library/debian:12-slim='
        root=$(root_of ${engine/buildx/docker} "$(image_of "$dir" "$kernel")")
        contains "vermagic with $engine" "$(modinfo -F vermagic "$root/opt/lib/modules/$kernel/updates/ticker.ko")" "$kernel SMP "
    done
    built_ok $engine "$dir" --offline
    says '3 targets: 3 up to date'
    equal "builds of a second run with $engine" "$(started build)" 0
    rm -rf "$dir/drivers.out/.drvc"
    built_ok $engine "$dir" --offline
    equal "builds without a state with $engine" "$(started build)" 0
done

# The name alone is not enough: another image under it is replaced. Docker has built last, so podman lacks these anyway.
podman tag docker.io/library/debian:12 "localhost/$(image_of "$dir" "$plain")"
built_ok podman "$dir" --offline --dry-run --target "kernel=$plain"
says 'the image was not built by drvc'
says '1 target: 1 to build'

# A new name for what is there is a name, not a build.
sed -i 's/    load "ticker"/    load "ticker"\n    tag "again-{kernel}"/' "$dir/drivers.kdl"
built_ok docker "$dir" --offline --target "kernel=$plain"
says '1 target: 1 named'
equal "builds for a new name" "$(started build)" 0

# What does not compile for one kernel only; the others are built.
sed -i "s/    make \"modules\"/    on flavor=\"rt\" { env KCFLAGS=\"-DFAILS\"; }\n&/" "$dir/drivers.kdl"
printf '#ifdef FAILS\n#error this kernel is not for us\n#endif\n' >>"$dir/driver/ticker/ticker.c"
built_not 4 'failed: ticker.c:' podman "$dir" --offline --keep-going -j 2 --junit "$CASE_DIR/junit.xml"
says '#error this kernel is not for us'
says 'of stage module-ticker: RUN set -eu; make'
says "from $dir/drivers.kdl:"
says '3 targets: 2 built, 1 failed'
contains "JUnit" "$(cat "$CASE_DIR/junit.xml")" 'tests="3" skipped="0" failures="1"'
built_not 4 '3 targets: 2 up to date, 1 failed' podman "$dir" --offline --keep-going

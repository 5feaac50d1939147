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
    kernels=("$plain" "${plain%-amd64}-cloud-amd64" "${plain%-amd64}-rt-amd64")
    chosen=()
    # Another way to the same builder.
    [ $engine != buildx ] || { kernels=("$plain"); chosen=(--target "kernel=$plain"); }
    # Sources that no engine has seen.
    echo "/* $EPOCHREALTIME */" >>"$dir/driver/ticker/ticker.c"
    start=$EPOCHREALTIME
    built_ok $engine "$dir" -j 2 --offline "${chosen[@]}"
    says ": ${#kernels[@]} built"
    say "  $engine: ${#kernels[@]} kernels in $(((${EPOCHREALTIME/./} - ${start/./}) / 1000000)) s"
    for kernel in "${kernels[@]}"; do
        config=$(config_of ${engine/buildx/docker} "$(image_of "$dir" "$kernel")")
        equal "key of $kernel" "$(jq -r '.Labels["dev.drvc.key"]' <<<"$config")" "$(target "$dir" "$kernel" key)"
        contains "bases of $kernel" "$(jq -r '.Labels["dev.drvc.base"]' <<<"$config")" 'docker.io/library/debian:12-slim='
        root=$(root_of ${engine/buildx/docker} "$(image_of "$dir" "$kernel")")
        contains "vermagic with $engine" "$(modinfo -F vermagic "$root/opt/lib/modules/$kernel/updates/ticker.ko")" "$kernel SMP "
    done
    built_ok $engine "$dir" --offline "${chosen[@]}"
    says ": ${#kernels[@]} up to date"
    equal "builds of a second run with $engine" "$(started build)" 0
    rm -rf "$dir/drivers.out/.drvc"
    built_ok $engine "$dir" --offline "${chosen[@]}"
    equal "builds without a state with $engine" "$(started build)" 0
done

# A key is in an image that `drvc build` has made, and nowhere else: not in what a failed build leaves, nor in a stage or an
# image that is built by hand out of the same layers. What comes whole out of the engine's cache has the key of its sources.
module=$dir/driver/ticker/ticker.c
cp "$module" "$CASE_DIR/ticker.c"
by_hand() { try_build "$1" "$dir" "$plain" "${@:2}" || { cat "$LOG" >&2; die "$1 cannot build by hand: ${*:2}"; }; }
no_key() { lacks "labels of $2 with $1" "$(config_of "$1" "$2" | jq -c .Labels)" dev.drvc.; }
for engine in buildah podman docker; do
    image=$(image_of "$dir" "$plain")
    cp "$CASE_DIR/ticker.c" "$module"
    echo "/* $engine $EPOCHREALTIME */" >>"$module"
    cp "$module" "$CASE_DIR/good.c"
    built_ok $engine "$dir" --offline --target "kernel=$plain"
    key=$(target "$dir" "$plain" key)
    equal "key with $engine" "$(config_of $engine "$image" | jq -r '.Labels["dev.drvc.key"]')" "$key"
    by_hand $engine
    no_key $engine "$image"
    by_hand $engine --target module-ticker
    no_key $engine "$image"
    built_ok $engine "$dir" --offline --target "kernel=$plain"
    equal "key out of the cache of $engine" "$(config_of $engine "$image" | jq -r '.Labels["dev.drvc.key"]')" "$key"
    echo '#error of all kernels' >>"$module"
    built_not 4 'failed: ticker.c:' $engine "$dir" --offline --target "kernel=$plain"
    failed=$(target "$dir" "$plain" key)
    [ "$failed" != "$key" ] || die "another source has the same key"
    equal "what a failed build has left of its key" \
        "$(${engine/buildah/podman} images -a --filter "label=dev.drvc.key=$failed" --format '{{.ID}}')" ''
    by_hand $engine --target kernel
    no_key $engine "$image"
    cp "$CASE_DIR/good.c" "$module"
    built_ok $engine "$dir" --offline --target "kernel=$plain"
    equal "key of what was there before with $engine" "$(config_of $engine "$image" | jq -r '.Labels["dev.drvc.key"]')" "$key"
    [ -z "$(ls "$dir/drivers.out/.drvc/build")" ] || die "a file that has a key is left"
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
says 'of stage module-ticker: RUN make -j'
says "from $dir/drivers.kdl:"
says '3 targets: 2 built, 1 failed'
contains "JUnit" "$(cat "$CASE_DIR/junit.xml")" 'tests="3" skipped="0" failures="1"'
built_not 4 '3 targets: 2 up to date, 1 failed' podman "$dir" --offline --keep-going

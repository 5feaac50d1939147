#!/usr/bin/env bash
# needs: images root buildah podman dockerd mmdebstrap rpmbuild createrepo_c jq
# Files that lie about in a repository reach no stage of a build, with any engine: the ignore file that drvc writes lets
# in what is in the key and nothing else.
. "$(dirname "$0")/../case.sh"

kernel=$(newest amd64)
dir=$CASE_DIR/project
c_module "$dir/driver" driver
c_module "$dir/driver/nested" nested
printf '*.secret\n' >"$dir/.gitignore"
manifest "$dir" <<KDL
source "driver" { path "driver" { ignore "*.bak"; }; }
module "driver" { source "driver"; }
image "driver" { module "driver"; load "driver"; }
matrix { os "debian" "12" { kernel "$kernel"; }; }
KDL
touch "$dir/stray" "$dir/driver/key.secret" "$dir/driver/old.bak" "$dir/driver/nested/key.secret"
compile "$dir"
# What is no source reaches no build even where it appears after `compile`.
touch "$dir/driver/later.o" "$dir/driver/nested/.later.o.cmd" "$dir/driver/nested/later.md"

for engine in buildah podman docker; do
    # The source's stage is all that a build sees of the repository: every other stage copies from it.
    builds_ok $engine "$dir" driver --target source-driver
    if [ $engine = docker ]; then
        seen=$(docker save "$(image_of "$dir" driver)" | tar -xO --wildcards '*/layer.tar' | tar -t --ignore-zeros | grep -v '/$')
    else
        root=$(root_of $engine "$(image_of "$dir" driver)")
        seen=$(cd "$root" && find . -type f -printf '%P\n')
    fi
    equal "files in the build, $engine" "$(sort <<<"$seen")" "$(printf 'usr/src/drvc/driver/%s\n' \
        Kbuild driver.c nested/Kbuild nested/nested.c)"
    say "  $engine: only the files of the key"
done
equal "copies from outside the stages" \
    "$(grep -h '^\(COPY\|ADD\)' "$dir/drivers.out/$(target "$dir" driver dockerfile)" | grep -v -e --from= -e drivers.out/build/)" \
    'COPY driver /usr/src/drvc/driver/'

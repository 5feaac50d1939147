#!/usr/bin/env bash
# needs: images root buildah podman dockerd mmdebstrap rpmbuild createrepo_c jq docker-registry python3
# Whatever goes wrong in the middle of `drvc build`, nothing half-built counts as built, and the next run finishes the work:
# no engine, a killed engine, a killed drvc, Ctrl-C, full disks, a registry that goes away, a source that is edited.
# shellcheck disable=SC2016
. "$(dirname "$0")/../case.sh"
. "$E2E_DIR/build.sh"
. "$E2E_DIR/registry.sh"

kernel=$(newest amd64)
dir=$CASE_DIR/project flags=$CASE_DIR/flags
c_module "$dir/driver" fault "/* $EPOCHREALTIME */"
mkdir -p "$flags"
# The build looks at a directory that is not part of the key: it takes long while /flags/slow is there.
manifest "$dir" <<KDL
source "driver" { path "driver"; }
module "fault" {
    source "driver"
    script """
        make -C {kernel_dir} M="\$PWD" modules
        while [ -e /flags/slow ]; do touch /flags/here; sleep 1; done
        [ ! -e /flags/fill ] || dd if=/dev/zero of=/flags/full/file bs=1M count=8
        """
}
image "fault" { module "fault"; }
matrix { os "debian" "12" { kernel "$kernel"; }; }
KDL
volume=--engine-arg=--volume=$flags:/flags
built() { built_ok podman "$dir" --offline "$volume"; says "$1"; }

# background: starts a build that hangs, and waits until it does. DRIVER is its process, ENGINE the engine's.
background() {
    touch "$flags/slow"
    rm -f "$flags/here"
    PATH=$CASE_DIR/bin:$PATH "$DRVC" build -C "$dir" --engine podman --engine-arg=--isolation=chroot --offline \
        --engine-arg=--network=host "$volume" >"$CASE_DIR/logs/drvc" 2>&1 </dev/null &
    DRIVER=$!
    OUT=$CASE_DIR/logs/drvc
    local try
    for try in $(seq 600); do
        [ ! -e "$flags/here" ] || break
        sleep 0.5
    done
    [ -e "$flags/here" ] || { cat "$OUT"; die "the build does not come to the slow step"; }
    ENGINE=$(pgrep -P "$DRIVER" | head -1)
}
ends_with() {
    local code=0
    wait "$DRIVER" || code=$?
    equal "exit code of drvc" "$code" "$1"
}
no_image() { ! podman image exists "$(image_of "$dir" fault)" || die "there is an image after: $1"; }

# Of a run that was broken off.
compile "$dir"
podman rmi --force "$(image_of "$dir" fault)" >/dev/null 2>&1 || true

say "  no engine"
code=0
PATH=$flags "$DRVC" build -C "$dir" --offline >"$CASE_DIR/logs/none" 2>&1 || code=$?
equal "exit code without an engine" "$code" 4
contains "without an engine" "$(cat "$CASE_DIR/logs/none")" 'none of podman, buildah and docker is in PATH'

for signal in INT TERM; do
    say "  SIG$signal"
    background
    start=$EPOCHREALTIME
    kill -$signal "$DRIVER"
    if [ $signal = INT ]; then ends_with 130; else ends_with 143; fi
    took=$(((${EPOCHREALTIME/./} - ${start/./}) / 1000))
    say "    ended after $took ms"
    rm "$flags/slow"
    [ $took -lt 5000 ] || die "it takes $took ms to end"
    sleep 1
    equal "what still runs of the engine" "$(ps -eo pgid=,stat=,args= | awk -v group="$ENGINE" '$1 == group && $2 !~ /^Z/')" ''
    no_image "SIG$signal"
done

say "  the engine is killed"
background
rm "$flags/slow"
kill -KILL "$ENGINE"
ends_with 4
says 'podman was ended by signal 9'
no_image 'the end of the engine'
kill -KILL -- "-$ENGINE" 2>/dev/null || true

say "  drvc is killed"
background
kill -KILL "$DRIVER"
rm "$flags/slow"
wait "$DRIVER" || true
kill -KILL -- "-$ENGINE" 2>/dev/null || true
no_image 'the end of drvc'

say "  a disk that is full, in the build and under the outputs"
mkdir -p "$flags/full"
touch "$flags/fill"
mount -t tmpfs -o size=4m tmpfs "$flags/full"
built_not 4 'failed: No space left on device' podman "$dir" --offline "$volume"
umount "$flags/full"
rm -rf "$flags/fill" "$flags/full"
no_image 'a full disk'
mkdir -p "$CASE_DIR/small"
cp -r "$dir/drivers.kdl" "$dir/driver" "$CASE_DIR/small/"
mkdir "$CASE_DIR/small/drivers.out"
mount -t tmpfs -o size=16k tmpfs "$CASE_DIR/small/drivers.out"
head -c 16384 /dev/zero >"$CASE_DIR/small/drivers.out/zero" || true
built_not 4 'No space left on device' podman "$CASE_DIR/small" --offline "$volume"
umount "$CASE_DIR/small/drivers.out"
no_image 'full outputs'

say "  a source that is edited while it is built"
background
echo '/* edited */' >>"$dir/driver/fault.c"
rm "$flags/slow"
ends_with 4
says '`driver/fault.c` changed while the image was built'
no_image 'an edited source'

say "  after all of that"
built '1 target: 1 built'
built '1 target: 1 up to date'

say "  two at a time"
echo '/* two */' >>"$dir/driver/fault.c"
background
PATH=$CASE_DIR/bin:$PATH "$DRVC" build -C "$dir" --engine podman --offline >"$CASE_DIR/logs/second" 2>&1 </dev/null &
second=$!
for _ in $(seq 600); do
    ! grep -q 'waiting for another' "$CASE_DIR/logs/second" || break
    sleep 0.2
done
rm "$flags/slow"
ends_with 0
wait $second || { cat "$CASE_DIR/logs/second"; die "the second build fails"; }
contains "the second of two" "$(cat "$CASE_DIR/logs/second")" 'waiting for another `drvc build`'
contains "the second of two" "$(cat "$CASE_DIR/logs/second")" '1 target: 1 up to date'

say "  a build that takes too long, and one whose neighbour fails"
c_module "$dir/other" other "/* $EPOCHREALTIME */"
cat >>"$dir/drivers.kdl" <<'KDL'
source "other" { path "other"; }
module "other" {
    source "other"
    script """
        sleep 2
        [ ! -e /flags/fails ]
        make -C {kernel_dir} M="$PWD" modules
        """
}
image "other" { module "other"; }
KDL
echo '/* slow */' >>"$dir/driver/fault.c"
touch "$flags/slow" "$flags/fails"
built_not 4 'took longer than 5 s, and was ended' podman "$dir" --offline "$volume" --target fault --build-timeout 5
start=$SECONDS
built_not 4 '2 targets: 1 failed, 1 not built' podman "$dir" --offline "$volume" -j 2 --fail-fast
[ $((SECONDS - start)) -lt 60 ] || die "--fail-fast waits for the other build"

# Several stages in flight, each with a script of several lines: the one that fails is named, with the compiler's error.
parallel=$CASE_DIR/parallel
for name in first broken last; do
    c_module "$parallel/$name" $name "$([ $name != broken ] || echo 'return undeclared_thing;')"
done
{
    for name in first broken last; do
        printf 'source "%s" { path "%s"; }\nmodule "%s" {\n    source "%s"\n    script """\n' $name $name $name $name
        [ $name = broken ] || printf '        for i in $(seq 40); do echo "%s: $i, not an error"; sleep 0.5; done\n' $name
        printf '        sleep 2\n        make -C {kernel_dir} M="$PWD" modules\n        """\n}\n'
    done
    printf 'image "parallel" { module "first" "broken" "last"; }\nmatrix { os "debian" "12" { kernel "%s"; }; }\n' "$kernel"
} | manifest "$parallel"
for engine in buildah podman docker; do
    [ $engine = docker ] && jobs= || jobs=--engine-arg=--jobs=3
    # shellcheck disable=SC2086
    built_not 4 'failed: broken.c:5:' $engine "$parallel" --offline $jobs
    says 'of stage module-broken: RUN'
done
rm "$flags/slow" "$flags/fails"
built '2 targets: 2 built'
sed -i '/^source "other"/,$d' "$dir/drivers.kdl"

say "  a registry that goes away in the middle of a push"
start_registry 5972
cat >"$CASE_DIR/proxy.py" <<'PY'
import os, socket, sys, threading
# Forwards to the registry, and cuts a connection off after 64 KiB of requests as long as the file `cut` is there.
listen, target, cut = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
def pump(a, b, count):
    sent = 0
    try:
        while data := a.recv(16384):
            sent += len(data)
            if count and sent > 65536 and os.path.exists(cut):
                break
            b.sendall(data)
    except OSError:
        pass
    for end in a, b:
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
server = socket.create_server(("127.0.0.1", listen))
while True:
    client, _ = server.accept()
    other = socket.create_connection(("127.0.0.1", target))
    threading.Thread(target=pump, args=(client, other, True), daemon=True).start()
    threading.Thread(target=pump, args=(other, client, False), daemon=True).start()
PY
touch "$CASE_DIR/cut"
python3 "$CASE_DIR/proxy.py" 5973 5972 "$CASE_DIR/cut" &
PROXY=$!
trap 'stop_registry; kill $PROXY' EXIT
sed -i 's|project "e2e"|project "e2e" { registry "127.0.0.1:5973/e2e"; }|' "$dir/drivers.kdl"
push() { drvc_build podman "$dir" --push --push-arg=--tls-verify=false --allow-host 127.0.0.1 "$volume"; }
! push || { cat "$OUT"; die "the push succeeds"; }
says 'cannot push `127.0.0.1:5973/e2e/fault'
rm "$CASE_DIR/cut"
push || { cat "$OUT"; die "the push does not succeed afterwards"; }
says '1 target: 1 pushed'
equal "builds for a second push" "$(started build)" 0

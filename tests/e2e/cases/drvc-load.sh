#!/usr/bin/env bash
# needs: shellcheck jq
# The script that loads modules, run for real against a kernel that is a directory: modprobe, rmmod, what is in
# /proc and /sys, and the node's directory for firmware are stand-ins. And the DaemonSet that runs it, by Kubernetes' schema.
. "$(dirname "$0")/../case.sh"

dir=$CASE_DIR/project fakes=$CASE_DIR/fakes
c_module "$dir/driver" first
manifest "$dir" <<'KDL'
source "driver" { path "driver"; }
module "driver" { source "driver"; output "first.ko" "second.ko"; }
image "driver" { module "driver"; load "first" "second"; replaces "old" "absent"; firmware "*.c" from="driver"; }
matrix { os "debian" "12" { kernel "6.1.0-18-amd64"; }; }
KDL
compile "$dir"
dockerfile=$dir/drivers.out/$(target "$dir" driver dockerfile)
words=(--firmware --replaces old --replaces absent first second)
equal "command" "$(sed -n 's/^CMD //p' "$dockerfile")" '["/opt/bin/drvc-load", "--firmware", "--replaces", "old", "--replaces", "absent", "first", "second"]'
script=$CASE_DIR/drvc-load
cp "$dir/drivers.out/build/drvc-load" "$script"
shellcheck --shell=sh --severity=style "$script" || die "shellcheck is not content with drvc-load"

mkdir "$fakes"
cat >"$fakes/modprobe" <<SH
#!/bin/sh
echo "modprobe \$*" >>$fakes/asked
exit "\$(cat $fakes/answer 2>/dev/null || echo 0)"
SH
cat >"$fakes/rmmod" <<SH
#!/bin/sh
echo "rmmod \$*" >>$fakes/asked
SH
chmod +x "$fakes/modprobe" "$fakes/rmmod"
printf 'old 16384 0 - Live 0x0\nolder 16384 0 - Live 0x0\n' >"$fakes/modules"
mkdir "$fakes/node" "$fakes/opt"
echo table >"$fakes/opt/table.bin"
: >"$fakes/path"
printf 'tmpfs / tmpfs rw 0 0\n' >"$fakes/mounts"
sed -i "s|/proc/modules|$fakes/modules|; s|/proc/mounts|$fakes/mounts|; s|/var/lib/firmware|$fakes/node|
    s|/sys/module/firmware_class/parameters/path|$fakes/path|; s|/opt/lib/firmware|$fakes/opt|" "$script"
export PATH=$fakes:$PATH

# start: runs the script until it waits; ended SIGNAL: ends it with the signal, and sets CODE.
start() {
    local try
    : >"$fakes/asked"
    setsid sh "$script" "${words[@]}" & pid=$!
    for try in $(seq 50); do
        grep -q 'modprobe.* -a' "$fakes/asked" && break
        [ "$try" != 50 ] || die "drvc-load loads nothing"
        sleep 0.1
    done
    sleep 0.2
}
ended() {
    kill -0 "$pid" || die "drvc-load does not wait"
    kill "-$1" "$pid"
    code=0
    wait "$pid" || code=$?
    kill -- "-$pid" 2>/dev/null || true
}

# Without the node's directory no driver would find its firmware.
code=0
said=$(sh "$script" "${words[@]}" 2>&1) || code=$?
equal "code without the node's directory" $code 1
contains "what it says" "$said" "drvc-load: $fakes/node of the node is not mounted at $fakes/node"
[ ! -e "$fakes/asked" ] || die "modules are loaded without their firmware"
printf 'tmpfs %s tmpfs rw 0 0\n' "$fakes/node" >>"$fakes/mounts"

asked=$'rmmod old\nmodprobe -d /opt -a first second\nmodprobe -d /opt -r second first'
start
ended TERM
equal "code on TERM" $code 0
equal "what is asked for" "$(cat "$fakes/asked")" "$asked"
equal "the firmware on the node" "$(cat "$fakes/node/table.bin")" table
equal "where the kernel looks" "$(cat "$fakes/path")" "$fakes/node"

echo 3 >"$fakes/answer"
code=0
sh "$script" "${words[@]}" || code=$?
equal "code when modprobe fails" $code 3

# The DaemonSet of the manual runs this very command, with what it needs and no more.
python3 "$E2E_DIR/daemonset.py" "$ROOT/docs/daemonset.md" SYS_MODULE || die "docs/daemonset.md has a DaemonSet that is wrong"

#!/usr/bin/env bash
# dkms-reads.sh [--record]: holds what tests/data/dkms says that dkms reads of each dkms.conf there to dkms itself, or
# writes it anew. Each file is sourced by dkms's own functions, in a shell without network and with a limit of time, for
# two kernels and two architectures. tests/it/dkms.rs holds `drvc init` to the same files.
set -euo pipefail
data=$(realpath "$(dirname "$0")/../data/dkms")
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# Everything of dkms before its first command: the functions that read a file, among them.
sed -n '/^shopt -s extglob/,/^# Little helper function for parsing/p' "$(command -v dkms)" >"$scratch/functions"
cat >"$scratch/read" <<'SH'
. "$SCRATCH/functions"
uname() { case $1 in -r) echo "$K" ;; -m | -p | -i) echo "$A" ;; *) command uname "$@" ;; esac }
K=$2 A=$3 current_os=Linux dkms_tree=/var/lib/dkms source_tree=/usr/src module=$4 module_version=1.2
ksourcedir_fromcli=yes kernel_source_dir=$SCRATCH/build kernel_config=$kernel_source_dir/.config
mkdir -p "$SCRATCH/build" "$SCRATCH/empty"
echo 'CONFIG_CC_IS_GCC=y' >"$kernel_config"
case $K in 6.12.*) echo 'CONFIG_QQ=y' >>"$kernel_config" ;; esac
cd "$SCRATCH/empty"
read_conf "$K" "$A" "$1" >/dev/null 2>&1
[ -n "$PACKAGE_NAME" ] || build_exclude=yes
say() { [ -z "${2:-}" ] || printf '%s %s %s=%s\n' "$K" "$A" "$1" "${2//"$SCRATCH"\/build//lib/modules/$K/build}"; }
say excluded "$build_exclude"
[ -z "$build_exclude" ] || exit 0
for i in "${!built_module_name[@]}"; do
    location=${built_module_location[$i]#./}
    say module "${built_module_name[$i]:+${location#/}${built_module_name[$i]}}"
done
say make "${make_command/#make/make KERNELRELEASE=$K}"
say pre "$pre_build"
say post "$post_build"
for patch in "${patch_array[@]}"; do say patch "$patch"; done
SH
wrong=0
for conf in "$data"/*.conf; do
    name=$(basename "$conf" .conf)
    for kernel in 6.1.0-56-amd64 6.12.48-1-arm64; do
        for arch in x86_64 aarch64; do
            timeout 20 unshare --net -- env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin SCRATCH="$scratch" TMPDIR="$scratch" \
                bash "$scratch/read" "$conf" "$kernel" "$arch" "$name" </dev/null
        done
    done >"$scratch/now"
    if [ "${1:-}" = --record ]; then
        cp "$scratch/now" "$data/$name.dkms"
    elif ! diff -u "$data/$name.dkms" "$scratch/now"; then
        wrong=$((wrong + 1))
    fi
done
[ $wrong = 0 ] || { echo "$wrong files are read otherwise by this dkms"; exit 1; }

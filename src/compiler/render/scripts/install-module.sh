# Checks the files that a module's build made, and puts them where depmod ranks them first.
#
# install-module [--finished] MODULE FILE... [--optional FILE...]
#   --finished    the files were not built here: symbols stay, and no compiler is asked for
#   MODULE        the module's name in the manifest, for messages
#   FILE          .ko, .ko.gz, .ko.xz or .ko.zst; a pattern that matched nothing stands for itself
#   --optional    the files behind it may be missing
#   $DRVC_KERNEL  the kernel's release
#
# Promises uncompressed files of this kernel and its compiler, below
# /drvc/out/lib/modules/KERNEL/updates, stripped of what debuggers need: at least one, unless all
# may be missing. Fails with what to change in the manifest.
# shellcheck shell=sh
set -eu

finished=no
advice="make must use {kernel_dir} and {kernel}"
if [ "$1" = --finished ]; then
    finished=yes
    advice="take a file of this kernel, or leave the module out for it"
    shift
fi
module=$1
shift
updates=/drvc/out/lib/modules/$DRVC_KERNEL/updates
configuration=/lib/modules/$DRVC_KERNEL/build/include/config/auto.conf
compiler=
optional=no
installed=0
wanted=
xz_package=xz
! command -v apt-get >/dev/null || xz_package=xz-utils

fail() {
    printf 'drvc: module %s: %s\n' "$module" "$*" >&2
    exit 1
}

# made: the modules that are there, for messages.
made() {
    find . -name '*.ko' -o -name '*.ko.gz' -o -name '*.ko.xz' -o -name '*.ko.zst' | grep . ||
        echo none
}

# unpack PROGRAM PACKAGE FILE: prints the file's content.
unpack() {
    command -v "$1" >/dev/null ||
        fail "$3 is compressed, and the builder has no $1: add packages \"$2\""
    "$1" -dc "$3" || fail "$3 cannot be decompressed"
}

# install_file FILE
install_file() {
    name=${1##*/}
    case $name in
    *.ko.gz) name=${name%.gz} && unpack gzip gzip "$1" >"$updates/$name" ;;
    *.ko.xz) name=${name%.xz} && unpack xz "$xz_package" "$1" >"$updates/$name" ;;
    *.ko.zst) name=${name%.zst} && unpack zstd zstd "$1" >"$updates/$name" ;;
    *) cp "$1" "$updates/$name" ;;
    esac
    chmod 644 "$updates/$name"
    vermagic=$(modinfo -F vermagic "$updates/$name")
    [ "${vermagic%% *}" = "$DRVC_KERNEL" ] ||
        fail "$1 is of kernel ${vermagic%% *}, not $DRVC_KERNEL: $advice"
    [ -z "$compiler" ] || grep -aq "${mark}[.]" "$updates/$name" ||
        fail "$1 is not of $compiler, as the kernel is: change CC"
    [ "$finished" = yes ] || strip --strip-debug "$updates/$name"
    installed=$((installed + 1))
}

mkdir -p "$updates"
if [ "$finished" = no ]; then
    # 120200 is 12; that of the other compiler is 0.
    compiler=$(sed -n -e 's/^CONFIG_GCC_VERSION=\(.*\)....$/gcc \1/p' \
        -e 's/^CONFIG_CLANG_VERSION=\(.*\)....$/clang \1/p' "$configuration")
    mark="GCC: .* ${compiler#* }"
    case $compiler in clang*) mark="clang version ${compiler#* }" ;; esac
fi
for file; do
    if [ "$file" = --optional ]; then
        optional=yes
        continue
    fi
    wanted="$wanted $file"
    if [ -f "$file" ]; then
        install_file "$file"
    elif [ "$optional" = no ]; then
        fail "no $file: change output, or dir of source; there is: $(made)"
    fi
done
if [ "$installed" = 0 ] && [ "$1" = --optional ]; then
    printf 'drvc: warning: module %s: its build made none of its files (%s), all optional\n' \
        "$module" "${wanted# }" >&2
    exit 0
fi
[ "$installed" -gt 0 ] ||
    fail "its build made none of its files (${wanted# }): change output," \
        "or leave it out for this kernel; there is: $(made)"

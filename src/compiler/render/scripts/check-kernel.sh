# Checks that the builder holds the build files of one kernel, and puts them where drivers'
# Makefiles look for them.
#
# check-kernel ARCH KERNEL_DIR [driver-toolkit]
#   ARCH            what `uname -m` has to answer
#   KERNEL_DIR      the directory for `make -C`
#   driver-toolkit  the builder is a Driver Toolkit, which says in a file which kernel it is of
#   $DRVC_KERNEL    the kernel's release
#
# Promises that KERNEL_DIR is of that kernel, that the usual paths lead to it whatever the
# distribution is, that `uname -r` answers with that kernel, and that `make` compiles by clang where
# clang compiled the kernel. Fails with what to change in the manifest.
# shellcheck shell=sh
set -eu

architecture=$1
kernel_dir=$2
builder=${3:-}
release_file=/etc/driver-toolkit-release.json

fail() {
    printf 'drvc: %s\n' "$*" >&2
    exit 1
}

found=$(uname -m)
[ "$found" = "$architecture" ] ||
    fail "the builder is $found, not $architecture: change --platform, or arch"
if [ "$builder" = driver-toolkit ]; then
    grep -qs "\"${DRVC_KERNEL%+*}\"" "$release_file" ||
        fail "the Driver Toolkit is of another kernel, change kernel or the openshift release:" \
            "$(cat "$release_file")"
fi
read -r _ _ release <"$kernel_dir/include/generated/utsrelease.h" ||
    fail "no kernel in $kernel_dir: change kernel, or builder"
[ "$release" = "\"$DRVC_KERNEL\"" ] ||
    fail "$kernel_dir is of kernel $release, not $DRVC_KERNEL: change kernel, or builder"

mkdir -p "/lib/modules/$DRVC_KERNEL" /usr/src/kernels
ln -sfn "$kernel_dir" "/lib/modules/$DRVC_KERNEL/build"
for usual in "/lib/modules/$DRVC_KERNEL/source" "/usr/src/kernels/$DRVC_KERNEL" \
    "/usr/src/linux-headers-$DRVC_KERNEL"; do
    [ -e "$usual" ] || ln -sfn "$kernel_dir" "$usual"
done

printf '%s\n' '#!/bin/sh' "/bin/uname \"\$@\" | sed \"s/\$(/bin/uname -r)/$DRVC_KERNEL/\"" \
    >/usr/local/bin/uname
chmod 755 /usr/local/bin/uname

configuration=$kernel_dir/include/config/auto.conf
if grep -qs '^CONFIG_CC_IS_CLANG=y' "$configuration"; then
    # 140006 is 14.
    major=$(sed -n 's/^CONFIG_CLANG_VERSION=\(.*\)....$/\1/p' "$configuration")
    llvm="LLVM=\${end:-1}"
    grep -q '^CONFIG_LD_IS_LLD=y' "$configuration" || llvm="CC=clang\$end"
    missing="clang $major compiled this kernel: add packages \"clang\" \"lld\" \"llvm\""
    # A module's own stage may install the compiler, so it is looked for when make runs.
    printf '%s\n' '#!/bin/sh' '# Clang compiled the kernel.' 'end=' \
        "command -v clang-$major >/dev/null && end=-$major" \
        "command -v \"clang\$end\" >/dev/null || { echo 'drvc: $missing' >&2; exit 1; }" \
        "exec /usr/bin/make \"$llvm\" \"\$@\"" >/usr/local/bin/make
    chmod 755 /usr/local/bin/make
fi

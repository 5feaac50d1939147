# Gives a builder the compiler that compiled the kernel, or checks that it has it.
#
# kernel-compiler KERNEL_DIR install COMMAND...
# kernel-compiler KERNEL_DIR check COMPILER [major]
#   KERNEL_DIR  the kernel's build files, whose configuration names the compiler
#   COMMAND     installs the packages that are added to it as its last words
#   COMPILER    what builds modules, where gcc compiled the kernel
#   major       packages differ by the major version alone
#
# Promises that the compiler is of the version that compiled the kernel. Fails with what to change
# in the manifest.
# shellcheck shell=sh
set -eu

kernel_dir=$1
task=$2
shift 2
family=gcc
wanted=$(sed -n 's/^\(CONFIG_CC_VERSION_TEXT=\|# Compiler:\).*) \([0-9][0-9.]*\).*/\2/p' \
    "$kernel_dir/.config")
if grep -q '^CONFIG_CC_IS_CLANG=y' "$kernel_dir/.config"; then
    family=clang
    wanted=$(sed -n 's/^CONFIG_CC_VERSION_TEXT=.*clang version \([0-9][0-9.]*\).*/\1/p' \
        "$kernel_dir/.config")
fi

fail() {
    printf 'drvc: %s\n' "$*" >&2
    exit 1
}

case $task in
install)
    [ "$family" = gcc ] || set -- "$@" lld llvm
    "$@" "$family-$wanted" ||
        fail "$family $wanted, which compiled the kernel, is missing: change kernel, or repository"
    ;;
check)
    compiler=$1
    if [ "$family" = clang ]; then
        compiler=clang
        command -v clang >/dev/null ||
            fail "clang compiled this kernel: add packages \"clang\" \"lld\" \"llvm\" to toolkit"
        found=$(clang -dumpversion)
    else
        found=$("$compiler" -dumpfullversion)
    fi
    if [ "${2:-}" = major ]; then
        wanted=${wanted%%.*}
        found=${found%%.*}
    fi
    [ "$wanted" = "$found" ] ||
        fail "$family ${wanted:-of no known version} compiled the kernel, and $compiler" \
            "is $found: change kernel, or packages of toolkit"
    ;;
*) fail "what is $task?" ;;
esac

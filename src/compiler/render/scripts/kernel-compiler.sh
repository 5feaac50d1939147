# Gives a builder the compiler that compiled the kernel, or checks that it has it.
#
# kernel-compiler KERNEL_DIR install COMMAND...
# kernel-compiler KERNEL_DIR check COMPILER [major]
#   KERNEL_DIR  the kernel's build files, whose configuration names the compiler
#   COMMAND     installs the package that is added to it as its last word
#   COMPILER    what builds modules
#   major       packages differ by the major version alone
#
# Promises that the compiler is of the version that compiled the kernel. Fails with what to change
# in the manifest.
# shellcheck shell=sh
set -eu

kernel_dir=$1
task=$2
shift 2
wanted=$(sed -n 's/^\(CONFIG_CC_VERSION_TEXT=\|# Compiler:\).*) \([0-9][0-9.]*\).*/\2/p' \
    "$kernel_dir/.config")

fail() {
    printf 'drvc: %s\n' "$*" >&2
    exit 1
}

case $task in
install)
    "$@" "gcc-$wanted" ||
        fail "gcc $wanted, which compiled the kernel, is missing: change kernel, or repository"
    ;;
check)
    found=$("$1" -dumpfullversion)
    if [ "${2:-}" = major ]; then
        wanted=${wanted%%.*}
        found=${found%%.*}
    fi
    [ "$wanted" = "$found" ] ||
        fail "gcc ${wanted:-of no known version} compiled the kernel, and $1 is $found:" \
            "change kernel, or packages of toolkit"
    ;;
*) fail "what is $task?" ;;
esac

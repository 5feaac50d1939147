# Checks that the kernel is configured as a module asks for.
#
# check-config MODULE [CONFIG_X...] [--without CONFIG_Y...]
#   CONFIG_X      options that have to be set, built in or as a module
#   CONFIG_Y      options that must not be set
#   $DRVC_KERNEL  the kernel's release
#
# Fails at the first option that is not so, with what to change in the manifest.
# shellcheck shell=sh
set -eu

module=$1
shift
configuration=/lib/modules/$DRVC_KERNEL/build/include/config/auto.conf
wanted=yes

fail() {
    printf 'drvc: module %s: %s, change requires-config or the matrix\n' "$module" "$*" >&2
    exit 1
}

[ -r "$configuration" ] || fail "there is no $configuration"
for option; do
    if [ "$option" = --without ]; then
        wanted=no
        continue
    fi
    is_set=no
    ! grep -q "^$option=" "$configuration" || is_set=yes
    case $wanted.$is_set in
    yes.no) fail "this kernel lacks $option" ;;
    no.yes) fail "this kernel sets $option" ;;
    esac
done

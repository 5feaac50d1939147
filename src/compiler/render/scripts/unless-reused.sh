# Runs a step of a build, unless the modules of an earlier kernel's image serve this kernel.
#
# unless-reused COMMAND [WORD...]
#   COMMAND, WORD  the step
#   /drvc/reused   is there where check-reuse has found that they do
#
# Promises that the step is run as it is, or not at all.
# shellcheck shell=sh
set -eu

[ ! -e /drvc/reused ] || exit 0
exec "$@"

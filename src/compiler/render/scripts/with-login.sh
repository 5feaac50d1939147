# Runs a command that logs in to one server, with a build secret.
#
# with-login key SECRET SERVER HOST-KEY -- git ...   by ssh: the secret is a deploy key
# with-login token SECRET SERVER USER -- git ...     by https: the secret is a token
# with-login basic SECRET USER -- curl ...           the secret is a password
# with-login bearer SECRET -- curl ...               the secret is a token
#   SECRET    the id of the secret
#   SERVER    https://HOST:PORT, or for ssh as known_hosts names it
#   HOST-KEY  the server's public key
#
# Promises that the secret goes to that server only, that ssh speaks to none that has another key,
# and that the secret is in no file and in no program's words. Fails where the secret was not given,
# or is not what it should be.
# shellcheck shell=sh
set -eu

way=$1
secret=/run/secrets/$2
id=$2
shift 2

fail() {
    printf 'drvc: %s\n' "$*" >&2
    exit 1
}

[ -s "$secret" ] || fail "the secret $id was not given to this build"
case $way in
key)
    server=$1
    host_key=$2
    shift 3
    command -v ssh-agent >/dev/null || fail "ssh is not here: name its package in the profile"
    eval "$(ssh-agent -s)" >/dev/null
    hosts=$(mktemp)
    trap 'ssh-agent -k >/dev/null; rm -f "$hosts"' EXIT
    # One out of a variable may lack its last line feed, without which it is no key.
    { tr -d '\r' <"$secret" && echo; } | ssh-add -q - ||
        fail "the secret $id is no key that ssh reads without a passphrase"
    printf '%s %s\n' "$server" "$host_key" >"$hosts"
    GIT_SSH_COMMAND="ssh -oBatchMode=yes -oStrictHostKeyChecking=yes -oUserKnownHostsFile=$hosts"
    export GIT_SSH_COMMAND="$GIT_SSH_COMMAND -oGlobalKnownHostsFile=/dev/null"
    "$@"
    ;;
token)
    server=$1
    user=$2
    shift 4
    git -c credential.helper= -c "credential.$server.helper=!sh '$0' answer '$id' '$user'" "$@"
    ;;
answer)
    [ "$2" = get ] || exit 0
    printf 'username=%s\npassword=' "$1"
    tr -d '\r\n' <"$secret"
    echo
    ;;
basic)
    user=$1
    shift 3
    {
        printf 'user = "%s:' "$user"
        tr -d '\r\n' <"$secret" | sed 's/[\\"]/\\&/g'
        printf '"\n'
    } | curl --config - "$@"
    ;;
bearer)
    shift 2
    {
        printf 'header = "Authorization: Bearer '
        tr -d '\r\n' <"$secret" | sed 's/[\\"]/\\&/g'
        printf '"\n'
    } | curl --config - "$@"
    ;;
*) fail "what is $way?" ;;
esac

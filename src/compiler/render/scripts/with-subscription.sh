# Runs a command with a subscription of Red Hat's, and takes it away again.
#
# with-subscription rhsm ORG KEY [REPOSITORY...] -- COMMAND...
# with-subscription certs CERTIFICATE KEY -- COMMAND...
#   ORG, KEY          the ids of secrets: the organisation, and an activation key of it
#   REPOSITORY        what is enabled, and nothing else
#   CERTIFICATE, KEY  the ids of secrets: the certificate of an entitlement, and its key
#   COMMAND           installs packages
#
# Promises that whatever becomes of the command, the system is not registered at the end, and that
# no secret, and no file that was made of one, stays. Fails with the secret to look at.
# shellcheck shell=sh
set -eu

entitlement=$1
first=$2
second=$3
shift 3
secrets=/run/secrets
entitlements=/etc/pki/entitlement
repository_file=/etc/yum.repos.d/redhat.repo

fail() {
    printf 'drvc: %s (entitlement "%s")\n' "$*" "$entitlement" >&2
    exit 1
}

unregister() {
    code=$?
    trap - EXIT
    if ! subscription-manager unregister && [ -e /etc/pki/consumer/cert.pem ]; then
        printf 'drvc: this system could not be unregistered (entitlement "rhsm")\n' >&2
        code=1
    fi
    rm -f "$repository_file"
    for logs in /var/log/rhsm /var/lib/rhsm; do
        [ ! -d "$logs" ] || find "$logs" -type f -exec rm -f {} +
    done
    exit "$code"
}

forget_certificates() {
    code=$?
    trap - EXIT
    rm -f "$entitlements/drvc.pem" "$entitlements/drvc-key.pem" "$repository_file"
    exit "$code"
}

for secret in "$first" "$second"; do
    [ -e "$secrets/$secret" ] || fail "the secret $secret was not given to this build"
done
# A link to what the host gives containers, which hides the system's own configuration.
rm -f /etc/rhsm-host
case $entitlement in
rhsm)
    trap unregister EXIT
    subscription-manager register --org="$(cat "$secrets/$first")" \
        --activationkey="$(cat "$secrets/$second")" ||
        fail "the system cannot be registered: see $first and $second"
    enabled=
    while [ "$1" != -- ]; do
        enabled="$enabled --enable=$1"
        shift
    done
    # shellcheck disable=SC2086 # one word for each of them
    subscription-manager repos --disable='*' $enabled ||
        fail "the subscription of $first lacks a repository"
    ;;
certs)
    trap forget_certificates EXIT
    mkdir -p "$entitlements"
    ln -sf "$secrets/$first" "$entitlements/drvc.pem"
    ln -sf "$secrets/$second" "$entitlements/drvc-key.pem"
    dnf -q repolist --disablerepo='*'
    grep -q '^\[' "$repository_file" || fail "no repositories could be made of $first"
    ;;
*) fail "what is $entitlement?" ;;
esac
shift
"$@" || fail "packages are missing: does $first have this release?"

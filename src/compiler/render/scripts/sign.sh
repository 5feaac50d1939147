# Signs the modules of an image, and checks that they are signed by the certificate.
#
# sign KEY SERIAL [--hash HASH] [--pin FILE]
#   KEY               a file with the private key, or the URI of one in a PKCS#11 token
#   SERIAL            the serial number of /drvc/certificate, as modinfo prints it
#   HASH              the kernel's own unless named
#   FILE              holds the PIN of the token, or the passphrase of the key
#   $DRVC_KERNEL      the kernel's release
#
# OpenSSL's configuration in the image counts where it names pkcs11, or OPENSSL_CONF another one.
#
# Promises that every module below /drvc/out is stripped and signed by that certificate. Fails with
# what to change in the manifest.
# shellcheck shell=sh
set -eu

key=$1
serial=$2
shift 2
build_dir=/lib/modules/$DRVC_KERNEL/build
hash=
pin=

fail() {
    printf 'drvc: signing: %s\n' "$*" >&2
    exit 1
}

while [ $# -gt 0 ]; do
    case $1 in
    --hash) hash=$2 ;;
    --pin) pin=$2 KBUILD_SIGN_PIN=$(cat "$2") && export KBUILD_SIGN_PIN ;;
    *) fail "what is $1?" ;;
    esac
    shift 2
done
if [ -z "$hash" ]; then
    hash=$(sed -n 's/^CONFIG_MODULE_SIG_HASH="*\([a-z0-9-]*\)"*$/\1/p' \
        "$build_dir/include/config/auto.conf")
    [ -n "$hash" ] || fail "kernel $DRVC_KERNEL has no CONFIG_MODULE_SIG_HASH: write hash"
fi
case $key in
/*) [ -s "$key" ] || fail "the secret ${key##*/} is empty" ;;
esac
[ -x "$build_dir/scripts/sign-file" ] ||
    fail "the packages of kernel $DRVC_KERNEL have no scripts/sign-file"

# What asks a provider of OpenSSL for the token does not hand KBUILD_SIGN_PIN on to it, and may
# wait for ever where the provider was not activated before.
by_provider() {
    case ${pin:+$key} in
    '' | *pin-source=*) ;;
    *\?*) key="$key&pin-source=file:$pin" ;;
    *) key="$key?pin-source=file:$pin" ;;
    esac
    [ -z "${OPENSSL_CONF:-}" ] || return 0
    ! grep -qs pkcs11 /etc/ssl/openssl.cnf /etc/pki/tls/openssl.cnf /etc/pki/tls/openssl.d/* ||
        return 0
    printf '%s\n' 'openssl_conf = init' '[init]' 'providers = providers' \
        '[providers]' 'default = on' 'pkcs11 = on' '[on]' 'activate = 1' >/drvc/openssl.cnf
    export OPENSSL_CONF=/drvc/openssl.cnf
}
case $key in
pkcs11:*) ! grep -q OSSL_PROVIDER "$build_dir/scripts/sign-file" || by_provider ;;
esac

find /drvc/out -name '*.ko' >/drvc/modules
[ -s /drvc/modules ] || fail "there is no module to sign"
while read -r file; do
    # A signature that a finished module brought goes with this, too.
    strip --strip-debug "$file"
    "$build_dir/scripts/sign-file" "$hash" "$key" /drvc/certificate "$file" ||
        fail "$file: change key, pin, certificate or hash"
    signer="$(modinfo -F sig_key "$file") $(modinfo -F sig_hashalgo "$file")"
    [ "$signer" = "$serial $hash" ] ||
        fail "$file is signed by '$signer', not '$serial $hash': change certificate"
done </drvc/modules

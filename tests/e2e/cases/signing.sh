#!/usr/bin/env bash
# needs: images root buildah podman dockerd mmdebstrap rpmbuild createrepo_c jq openssl modinfo softhsm2-util
# examples/05-module-chain, built and signed for real with a key made here. The signatures are checked from outside by
# openssl; the key is in no layer of any image; and what goes wrong says so. Then a module of Debian 13 is signed with a key
# that is in a token of SoftHSM.
# shellcheck disable=SC2016
. "$(dirname "$0")/../case.sh"

# key NAME: a key and a certificate for it, as secrets/NAME and NAME.pem.
keys=$CASE_DIR/keys
mkdir -p "$keys"
key() {
    mkdir -p "$keys/$1"
    openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj "/O=e2e/CN=$1" -addext keyUsage=digitalSignature \
        -keyout "$keys/$1/module-signing-key" -out "$keys/$1.pem" 2>/dev/null
}
key mine
key other

# detached MODULE: cuts the signature off: MODULE.p7s and MODULE.bare. The last 12 bytes of `struct module_signature`,
# before the magic text, end in the signature's length.
detached() {
    local size magic=28 length
    size=$(stat -c %s "$1")
    equal "the end of $1" "$(tail -c $magic "$1")" '~Module signature appended~'
    length=$((16#$(tail -c $((magic + 4)) "$1" | head -c 4 | od -An -tx1 | tr -d ' \n')))
    head -c $((size - magic - 12 - length)) "$1" >"$CASE_DIR/bare"
    tail -c $((magic + 12 + length)) "$1" | head -c $length >"$CASE_DIR/p7s"
}

# signed_by CERTIFICATE MODULE: whether openssl finds that this certificate signed the module, and the module whole.
signed_by() {
    detached "$2"
    openssl cms -verify -binary -inform DER -in "$CASE_DIR/p7s" -content "$CASE_DIR/bare" -certfile "$1" \
        -CAfile "$1" -purpose any -nointern -out /dev/null 2>"$CASE_DIR/logs/openssl"
}

dir=$CASE_DIR/project
cp -r "$E2E_DIR/../../examples/05-module-chain" "$dir"
rm -rf "$dir/drivers.out"
cp "$keys/mine.pem" "$dir/keys/module-signing.pem"
written=$(grep -o '"6\.1\.0-[0-9]*-amd64"' "$dir/drivers.kdl" | tr -d '"')
kernel=$(newest amd64)
sed -i "s/$written/$kernel/" "$dir/drivers.kdl"
compile "$dir"
equal "the secrets of the plan" "$(target "$dir" chain 'secrets | map(.id) | join(" ")')" module-signing-key

export S=$keys/mine
for engine in buildah docker; do
    builds_ok $engine "$dir" chain
    root=$(root_of $engine "$(image_of "$dir" chain)")
    modules=$root/opt/lib/modules/$kernel
    equal "modules of $engine" "$(find "$modules" -name '*.ko' -printf '%P\n' | sort | xargs)" \
        'kernel/lib/crc-itu-t.ko updates/chain-bus.ko updates/chain-chip.ko updates/dummy.ko'
    for name in chain-bus chain-chip dummy; do
        signed_by "$keys/mine.pem" "$modules/updates/$name.ko" || { cat "$CASE_DIR/logs/openssl" >&2; die "$name is not signed"; }
        ! signed_by "$keys/other.pem" "$modules/updates/$name.ko" || die "any certificate will do for $name"
        equal "hash of $name" "$(modinfo -F sig_hashalgo "$modules/updates/$name.ko")" sha256
        equal "signer of $name" "$(modinfo -F signer "$modules/updates/$name.ko")" mine
        equal "debug information in $name.ko" "$(readelf -S "$modules/updates/$name.ko" 2>/dev/null | grep -c debug_info || true)" 0
    done
    # The kernel's own modules keep the distribution's signature.
    lacks "signer of crc-itu-t" "$(modinfo -F signer "$modules/kernel/lib/crc-itu-t.ko")" mine
done
# drvc computes the signatures anew, by the certificate of the manifest; another one did not make them.
verify() { "$DRVC" verify -C "$dir" "$(image_of "$dir" chain)" --engine podman --offline --format json "$@" | jq -r '.findings[].code'; }
lacks "what drvc verify finds" "$(verify --certificate "$keys/mine.pem" || true)" signature
contains "what it finds by another certificate" "$(verify --certificate "$keys/other.pem" || true)" wrong-signature
cp "$modules/updates/dummy.ko" "$CASE_DIR/changed.ko"
printf 'x' | dd of="$CASE_DIR/changed.ko" bs=1 seek=5000 conv=notrunc 2>/dev/null
! signed_by "$keys/mine.pem" "$CASE_DIR/changed.ko" || die "openssl does not notice a changed module"

# What the chain is made of: firmware, files, options, dependencies, and the module that takes the kernel's place.
equal "firmware" "$(od -An -c "$root/opt/lib/firmware/chain/chip.bin" | tr -d ' \n')" 'CHAIN001002003004\n'
[ -s "$root/usr/share/doc/chain/README" ] || die "the file is not in the image"
equal "modprobe.d" "$(cat "$root/etc/modprobe.d/chain.conf")" "options chain_chip channels=4 name=\"left bank\"
softdep chain_chip pre: crc-itu-t
blacklist pcspkr"
contains "dependencies of chain-chip" "$(modprobe -d "$root/opt" -S "$kernel" --show-depends chain-chip)" chain-bus.ko
contains "the dummy that is loaded" "$(modprobe -d "$root/opt" -S "$kernel" --show-depends dummy)" updates/dummy.ko
contains "drvc-load" "$(cat "$root/opt/bin/drvc-load")" /opt/lib/firmware

# The key: in no layer that these builds made, in no history, in no log, and not in the project.
line=$(sed -n 5p "$keys/mine/module-signing-key")
lacks "history" "$(podman history --no-trunc "$(image_of "$dir" chain)")" "$line"
found=$(find "$E2E_WORK/storage/overlay" "$E2E_WORK/docker/overlay2" "$CASE_DIR/logs" "$dir" -cnewer "$keys" -type f -print0 \
    2>/dev/null | xargs -0r grep -alF -- "$line" 2>/dev/null || true)
equal "files with a part of the private key" "$found" ''

# What only a wrong builder can bring. (Nothing is signed twice: the layer before the last is the engine's own.)
S=$keys/mine
spoilt chain 's|^    sh /drvc/bin/sign|    rm -r /drvc/out/lib; &|' 'drvc: signing: there is no module to sign'
spoilt chain 's|^    sh /drvc/bin/sign|    sed -i /SIG_HASH/d "/lib/modules/$DRVC_KERNEL/build/include/config/auto.conf"; &|' \
    "drvc: signing: kernel $kernel has no CONFIG_MODULE_SIG_HASH: write hash"
spoilt chain 's|^    sh /drvc/bin/sign|    rm "/lib/modules/$DRVC_KERNEL/build/scripts"; &|' \
    "drvc: signing: the packages of kernel $kernel have no scripts/sign-file"
spoilt chain 's|^        [0-9A-Fa-f:]*$|        00|' ": change certificate"

# A key that does not belong to the certificate, one that is empty, and none at all. A certificate of its own keeps
# engines from taking a signed layer from their caches.
# fails CERTIFICATE MESSAGE ENGINE...: the build with that certificate, with what is in $S.
fails() {
    local engine
    key "$1"
    cp "$keys/$1.pem" "$dir/keys/module-signing.pem"
    rm -rf "$dir/drivers.out"
    compile "$dir"
    [ -z "${unasked:-}" ] || sed -i 's/^# .*--secret.*/# \\/' "$dir/drivers.out/$(target "$dir" chain dockerfile)"
    for engine in "${@:3}"; do builds_not "$2" "$engine" "$dir" chain; done
}
S=$keys/other fails third 'drvc: signing: /drvc/out/lib/modules/' buildah
contains "what is to be changed" "$(cat "$LOG")" ': change key, pin, certificate or hash'
mkdir -p "$keys/empty"
: >"$keys/empty/module-signing-key"
S=$keys/empty fails fourth 'drvc: signing: the secret module-signing-key is empty' buildah
unasked=yes fails fifth 'no secret with id module-signing-key found' buildah
unasked=yes fails sixth 'secret module-signing-key not found' docker

# --- a key in a token: SoftHSM's files are this machine's, and the build sees them for as long as it runs

tokens=$CASE_DIR/tokens pin=PIN-canary-6203
mkdir -p "$tokens" "$CASE_DIR/pin" "$CASE_DIR/other-pin"
printf 'directories.tokendir = %s\n' "$tokens" >"$CASE_DIR/softhsm2.conf"
softhsm() { SOFTHSM2_CONF=$CASE_DIR/softhsm2.conf softhsm2-util "$@" >>"$CASE_DIR/logs/softhsm" 2>&1 || die "softhsm2-util $1"; }
key token
softhsm --init-token --free --label drivers --pin $pin --so-pin administrator
softhsm --import "$keys/token/module-signing-key" --token drivers --label module-signing --id a1 --pin $pin
echo $pin >"$CASE_DIR/pin/token-pin"
echo wrong >"$CASE_DIR/other-pin/token-pin"
dir=$CASE_DIR/token
c_module "$dir/driver" driver
cp "$keys/token.pem" "$dir/"
kernel=$(cat "$E2E_WORK/trixie.kernel")
manifest "$dir" <<KDL
source "driver" { path "driver"; }
module "driver" { source "driver"; }
image "token" { module "driver"; load "driver"; }
signing {
    key "pkcs11:token=drivers;object=module-signing" pin="token-pin"
    certificate "token.pem"
    packages "pkcs11-provider" "p11-kit-modules" "softhsm2"
}
matrix { os "debian" "13" { kernel "$kernel"; }; }
KDL
compile "$dir"
volume=(--volume "$tokens:/var/lib/softhsm/tokens")
S=$CASE_DIR/other-pin try_build buildah "$dir" token "${volume[@]}" && die "a token is opened by any PIN"
contains "a wrong PIN" "$(cat "$LOG")" ': change key, pin, certificate or hash'
for engine in buildah podman; do
    S=$CASE_DIR/pin builds_ok $engine "$dir" token "${volume[@]}"
    modules=$(root_of $engine "$(image_of "$dir" token)")/opt/lib/modules/$kernel
    signed_by "$keys/token.pem" "$modules/updates/driver.ko" || { cat "$CASE_DIR/logs/openssl" >&2; die "the token has not signed"; }
    equal "signer by a token" "$(modinfo -F signer "$modules/updates/driver.ko")" token
done
found=$(verify --certificate "$keys/token.pem" || true)
for code in signature unsigned; do lacks "what drvc verify finds" "$found" $code; done
contains "what it finds by another certificate" "$(verify --certificate "$keys/other.pem" || true)" wrong-signature
lacks "history" "$(podman history --no-trunc "$(image_of "$dir" token)")" $pin
line=$(sed -n 5p "$keys/token/module-signing-key")
found=$(grep -ralF -e $pin -e "$line" "$E2E_WORK/storage/overlay" "$CASE_DIR/logs" "$dir" 2>/dev/null || true)
equal "files with the PIN, or a part of the key in the token" "$found" ''
[ -z "$(find "$E2E_WORK/storage/overlay" -name 'token.object' 2>/dev/null)" ] || die "the token is in a layer"
say "  a key in a token has signed"

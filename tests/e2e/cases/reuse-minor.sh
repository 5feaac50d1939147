#!/usr/bin/env bash
# needs: images root buildah podman dockerd mmdebstrap rpmbuild createrepo_c git jq modinfo dpkg-deb python3
# A minor of RHEL for `reuse`, with real rpm and dnf: twelve kernels, each of which differs from the one before it in one chosen
# thing, or in none but its release. What `drvc lock` reads in their packages makes the chains of both levels that are written
# down here, and builds on these kernels' own headers come to what stands beside them. The headers are Debian's, with a header
# of a vendor's beside them; what this does not prove is that Red Hat's packages look like these.
. "$(dirname "$0")/../case.sh"
. "$E2E_DIR/build.sh"
export XDG_CACHE_HOME=$CASE_DIR/cache XDG_CONFIG_HOME=$CASE_DIR/config
trap '[ -z "${server:-}" ] || kill "$server" 2>/dev/null || true' EXIT

# Z-stream, what differs from the one before, and for `headers` and `abi` the z-stream that it is tried on and what becomes of a
# driver whose symbols change: `-` where it is compiled without a trial.
table='
31 nothing    -  -        -  -
32 nothing    31 reused   31 reused
33 comment    -  -        31 reused
34 nothing    33 reused   33 reused
35 inline     -  -        33 reused
36 hidden     -  -        35 reused
37 version    36 built    36 built
38 namespace  37 built    37 built
39 class      38 built    38 built
40 option     -  -        -  -
41 layout     -  -        -  -
42 nothing    41 reused   41 reused
'
rows() { grep . <<<"$table"; }
kernel() { printf '5.14.0-427.%s.1.el9_4.x86_64' "$1"; }

# --- packages

debian=$(newest amd64)
common=linux-headers-${debian%-amd64}-common
mkdir -p "$CASE_DIR/deb" "$CASE_DIR/web/rpms"
(cd "$CASE_DIR/deb" && apt-get -qq -o APT::Sandbox::User=root download "linux-headers-$debian" "$common" linux-kbuild-6.1) \
    >"$CASE_DIR/logs/apt" 2>&1 || { cat "$CASE_DIR/logs/apt" >&2; die "apt does not offer the headers of $debian"; }
tree=$CASE_DIR/tree below=$CASE_DIR/below
dpkg-deb -x "$CASE_DIR/deb/linux-headers-$debian"_*.deb "$CASE_DIR/own"
mv "$CASE_DIR/own/usr/src/linux-headers-$debian" "$tree"
for one in "$common" linux-kbuild-6.1; do dpkg-deb -x "$CASE_DIR/deb/$one"_*.deb "$below"; done
rm -rf "${below:?}/usr/share" "$tree/scripts" "$tree/tools"
ln -s /usr/lib/linux-kbuild-6.1/scripts "$tree/scripts"
ln -s /usr/lib/linux-kbuild-6.1/tools "$tree/tools"
cat >"$tree/include/vendor.h" <<'C'
#include <linux/reboot.h>
/* A structure of the vendor's. */
struct vendor { int field; };
static inline int vendor_value(struct vendor *vendor) { return vendor->field; }
C

# export_of SYMBOL SED: changes the line of a symbol in the kernel's table.
export_of() {
    sed -i "/\t$1\t/$2" "$tree/Module.symvers"
}
# differ WHAT: makes that difference.
differ() {
    local before
    before=$(cat "$tree/include/vendor.h" "$tree/Module.symvers" "$tree/include/config/auto.conf" | sha256sum)
    case $1 in
    nothing) return ;;
    comment) sed -i 's|A structure of|The structure of|' "$tree/include/vendor.h" ;;
    inline) sed -i 's|return vendor->field|return vendor->field + 1|' "$tree/include/vendor.h" ;;
    hidden) sed -i 's|int field;|int field; RH_KABI_EXTEND(int more)|; 1i #define RH_KABI_EXTEND(field) field;' "$tree/include/vendor.h" ;;
    version) export_of register_reboot_notifier 's/^0x......../0x12345678/' ;;
    namespace) export_of unregister_reboot_notifier 's/\t*$/\tVENDOR/' ;;
    class) export_of emergency_restart 's/EXPORT_SYMBOL[_GPL]*/EXPORT_SYMBOL/' ;;
    option) sed -i 's/^CONFIG_ZRAM=.*/CONFIG_ZRAM=y/' "$tree/include/config/auto.conf" ;;
    layout) export_of module_layout 's/^0x......../0x87654321/' ;;
    *) die "no difference $1" ;;
    esac
    [ "$before" != "$(cat "$tree/include/vendor.h" "$tree/Module.symvers" "$tree/include/config/auto.conf" | sha256sum)" ] ||
        die "there is nothing to change for: $1"
}

# rpm_of NAME VERSION RELEASE REQUIRES ROOT: a package of the files beneath a directory.
rpm_of() {
    local spec=$CASE_DIR/$1.spec
    {
        printf '%%global debug_package %%{nil}\n%%global __os_install_post %%{nil}\n%%global _binary_payload w1.gzdio\n'
        printf 'Name: %s\nVersion: %s\nRelease: %s\nSummary: stand-in\nLicense: GPL\nAutoReqProv: no\n' "$1" "$2" "$3"
        [ -z "$4" ] || printf 'Requires: %s\n' "$4"
        printf '%%description\nStand-in.\n%%install\nmkdir -p %%{buildroot}; cp -a %s/. %%{buildroot}/\n%%files\n' "$5"
        (cd "$5" && find . ! -type d | sed 's|^\.\(.*\)|"\1"|')
    } >"$spec"
    rpmbuild --quiet -bb --target x86_64 --define "_topdir $CASE_DIR/rpmbuild" --define "_rpmdir $CASE_DIR/web/rpms" \
        --define '_build_id_links none' "$spec" >"$CASE_DIR/logs/rpmbuild" 2>&1 ||
        { tail -5 "$CASE_DIR/logs/rpmbuild" >&2; die "rpmbuild $1"; }
}
rpm_of kernel-standin-common 1 1 '' "$below"
while read -r z what _; do
    differ "$what"
    files=$CASE_DIR/files/usr/src/kernels/$(kernel "$z")
    mkdir -p "$files" "$CASE_DIR/files/usr/lib/modules/$(kernel "$z")"
    cp -a "$tree/." "$files/"
    printf '#define UTS_RELEASE "%s"\n' "$(kernel "$z")" >"$files/include/generated/utsrelease.h"
    printf '%s\n' "$(kernel "$z")" >"$files/include/config/kernel.release"
    sed -i "s/^override KERNELRELEASE.*/override KERNELRELEASE = $(kernel "$z")/" "$files/.kernelvariables"
    ln -s "/usr/src/kernels/$(kernel "$z")" "$CASE_DIR/files/usr/lib/modules/$(kernel "$z")/build"
    rpm_of kernel-devel 5.14.0 "427.$z.1.el9_4" 'gcc make kernel-standin-common' "$CASE_DIR/files"
    rm -rf "$CASE_DIR/files"
done < <(rows)
createrepo_c -q "$CASE_DIR/web/rpms"
python3 "$E2E_DIR/git-server.py" "$CASE_DIR/web" - - "$CASE_DIR/port" >"$CASE_DIR/logs/server" 2>&1 &
server=$!
for _ in $(seq 50); do [ -s "$CASE_DIR/port" ] || sleep 0.1; done
port=$(cat "$CASE_DIR/port") || die "the web server does not start"

# --- the chains

# The base image knows the repository as a machine with a subscription does.
base_image localhost/e2e/minor:9.4 "$CASE_DIR/web" <<'DOCKERFILE'
FROM registry.access.redhat.com/ubi9/ubi:9.4
COPY rpms /usr/share/standin/9.4/appstream
DOCKERFILE
base=localhost/e2e/minor@$(podman image inspect localhost/e2e/minor:9.4 --format '{{.Digest}}')
dir=$CASE_DIR/project
c_module "$dir/plain" plain '(void)vendor_value(&vendor);' $'#include <vendor.h>\nstatic struct vendor vendor;'
c_module "$dir/user" user 'if (register_reboot_notifier(&notifier)) emergency_restart(); unregister_reboot_notifier(&notifier);' \
    $'#include <vendor.h>\nMODULE_IMPORT_NS(VENDOR);\nstatic struct notifier_block notifier;'
# Modules that no engine has seen: of a trial that comes out of its cache nothing is said.
echo "MODULE_INFO(case, \"$EPOCHREALTIME\");" | tee -a "$dir/plain/plain.c" >>"$dir/user/user.c"
printf 'profile edition=1 extends="rhel"\nline "9" {\n    base "%s"\n    minimal "%s"\n    release "9.4" {\n        base "%s"\n        minimal "%s"\n        mirror "http://localhost:%s/rpms"\n    }\n}\n' \
    "$base" "$base" "$base" "$base" "$port" >"$dir/rhel.kdl"
{
    printf 'profile "rhel" "rhel.kdl"\n'
    for driver in plain user; do
        printf 'source "%s" { path "%s"; }\nmodule "%s" { source "%s"; }\n' $driver $driver $driver $driver
        for level in headers abi; do
            printf 'image "%s-%s" { module "%s"; load "%s"; in-tree "none"; reuse "%s"; }\n' $driver $level $driver $driver $level
        done
    done
    printf 'matrix { os "rhel" "9.4" { kernel'
    rows | while read -r z _; do printf ' "%s"' "$(kernel "$z")"; done
    printf '; }; }\n'
} | manifest "$dir"
"$DRVC" lock -C "$dir" --allow-http localhost --format json >"$CASE_DIR/lock.json" 2>"$CASE_DIR/logs/lock" ||
    { cat "$CASE_DIR/logs/lock" >&2; die "drvc lock"; }
say "  $(tail -1 "$CASE_DIR/logs/lock")"
# short FILTER: z-streams instead of kernels, and `-` for none.
short() { jq -r "$1" | sed 's/null/-/g; s/5\.14\.0-427\.\([0-9]*\)\.1\.el9_4\.x86_64/\1/g'; }
for driver in plain user; do
    equal "chains by headers" "$(short ".chains[] | select(.image == \"$driver-headers\").kernels[] | \"\(.kernel) \(.tried_on)\"" <"$CASE_DIR/lock.json")" \
        "$(rows | awk '{print $1, $3}')"
    equal "chains by abi" "$(short ".chains[] | select(.image == \"$driver-abi\").kernels[] | \"\(.kernel) \(.tried_on)\"" <"$CASE_DIR/lock.json")" \
        "$(rows | awk '{print $1, $5}')"
done
# Why a chain ends, and in what a kernel differs from the one before it.
differs() { short ".chains[] | select(.image == \"user-$1\").kernels[] | select(.kernel == \"$(kernel "$2")\") | \"\(.reason): \(.differs)\"" <"$CASE_DIR/lock.json"; }
equal "the comment" "$(differs headers 33)" 'its headers differ from those of 32: header include/vendor.h'
equal "the option" "$(differs abi 40)" 'its options differ from those of 39: option CONFIG_ZRAM'
equal "the layout" "$(differs abi 41)" 'its symbols differ from those of 40: symbol module_layout'
equal "the namespace" "$(differs abi 38)" '-: symbol unregister_reboot_notifier'

# --- builds

compile "$dir"
# comes_to IMAGE FIELD Z...: builds these and compares what became of each with the table.
comes_to() {
    local image=$1 field=$2 z wanted targets=()
    for z in "${@:3}"; do targets+=(--target "image=$image kernel=$(kernel "$z")"); done
    built_ok podman "$dir" --offline "${targets[@]}"
    for z in "${@:3}"; do
        wanted=$(rows | awk -v z="$z" -v field="$field" '$1 == z {print $field == "built" ? "tried and built" : $field == "-" ? "built" : $field}')
        says "$wanted $image/rhel-9.4-x86_64/$(kernel "$z")"
    done
}
comes_to user-headers 4 31 32 36 37
comes_to user-abi 6 31 33

# shellcheck shell=bash
# Makes an image for the cases about toolkits and subscriptions: the RHEL 9.4 stand-in with what Red Hat has beside it.
# Sourced after case.sh.
#
# There is a repository more: with stubs of the tools that toolkits have, and two versions of gcc, of which the newer one
# is not the kernel's. And there is a stand-in of subscription-manager, which records its calls, knows one organisation
# with one activation key, and offers the kernel's repositories for as long as the system is registered.

SUBSCRIBED=localhost/e2e/ubi:9.4

# stub NAME VERSION REQUIRES: a package without files.
stub() {
    printf '%%package -n %s\nVersion: %s\nRelease: 1\nSummary: stub\nAutoReqProv: no\n' "$1" "$2"
    # shellcheck disable=SC2086
    [ -z "$3" ] || printf 'Requires: %s\n' $3
    printf '%%description -n %s\nStub.\n%%files -n %s\n' "$1" "$1"
}

subscribed_image() {
    local work=$CASE_DIR/subscribed root needs name
    mkdir -p "$work/rpms"
    root=$(root_of buildah registry.access.redhat.com/ubi9/ubi:9.4)
    needs=$(rpm -qpR "$root/usr/share/standin/ubi/gcc-1-1.x86_64.rpm" 2>/dev/null | grep '^debian-' | xargs)
    {
        printf 'Name: stubs\nVersion: 1\nRelease: 1\nSummary: stub\nLicense: GPL\n%%description\nStub.\n'
        for name in kabi-dw git openssl rpm-build autoconf automake libtool gcc-c++ keyutils mokutil kernel-rpm-macros \
            kernel-abi-stablelists; do stub $name 1 ''; done
        stub gcc 12.2.0 "$needs"
    } >"$work/one.spec"
    printf 'Name: gcc\nVersion: 13.1.0\nRelease: 1\nSummary: stub\nLicense: GPL\nAutoReqProv: no\n' >"$work/two.spec"
    # shellcheck disable=SC2086
    printf 'Requires: %s\n' $needs >>"$work/two.spec"
    printf '%%description\nNewer than the compiler of the kernel.\n%%files\n' >>"$work/two.spec"
    for name in one two; do
        rpmbuild --quiet -bb --define "_topdir $work/rpmbuild" --define "_rpmdir $work/rpms" --target x86_64 \
            "$work/$name.spec" >"$work/$name.log" 2>&1 || { cat "$work/$name.log" >&2; die "rpmbuild"; }
    done
    createrepo_c -q "$work/rpms"
    cat >"$work/extra.repo" <<'REPO'
[extra]
name=stubs
baseurl=file:///usr/share/standin/extra
gpgcheck=0
REPO
    # Without a subscription the kernel's repositories are not known at all.
    cat >"$work/subscription-manager" <<'SH'
#!/bin/sh
# Stands in for Red Hat's: records its calls without their secrets.
log=/usr/share/standin/calls repo=/etc/yum.repos.d/redhat.repo
case $1 in
register)
    echo register >>$log
    [ ! -L /etc/rhsm-host ] || { echo 'subscription-manager is disabled when running inside a container' >&2; exit 1; }
    [ "$2" = --org=ORG-canary-4711 ] && [ "$3" = --activationkey=KEY-canary-4712 ] || { echo 'Invalid credentials' >&2; exit 70; }
    mkdir -p /etc/pki/consumer; echo certificate >/etc/pki/consumer/cert.pem; cp /usr/share/standin/redhat.repo $repo ;;
repos)
    echo "$*" >>$log
    shift
    for o do
        case $o in
        --enable=*-unknown-*) echo "Error: '${o#*=}' does not match a valid repository ID." >&2; exit 1 ;;
        --enable=*) sed -i "/^\[${o#*=}\]/,/^enabled/s/^enabled=.*/enabled=1/" $repo ;;
        esac
    done ;;
unregister)
    echo unregister >>$log
    [ -e /etc/pki/consumer/cert.pem ] || { echo 'This system is currently not registered.' >&2; exit 1; }
    rm -rf /etc/pki/consumer ;;
esac
SH
    # As the plugin of the real dnf does: entitlement certificates become repositories.
    cat >"$work/dnf" <<'SH'
#!/bin/sh
if [ -s /etc/pki/entitlement/drvc.pem ] && [ -s /etc/pki/entitlement/drvc-key.pem ]; then
    echo "certificates" >>/usr/share/standin/calls
    cp /usr/share/standin/redhat.repo /etc/yum.repos.d/redhat.repo
fi
exec /usr/bin/dnf.real "$@"
SH
    for name in appstream baseos appstream-eus baseos-eus; do
        printf '[rhel-9-for-x86_64-%s-rpms]\nname=stand-in\nbaseurl=file:///usr/share/standin/9.4/%s\ngpgcheck=0\nenabled=0\n\n' \
            $name ${name%-eus}
    done >"$work/redhat.repo"
    base_image $SUBSCRIBED "$work" <<'DOCKERFILE'
FROM registry.access.redhat.com/ubi9/ubi:9.4
COPY rpms /usr/share/standin/extra
COPY redhat.repo /usr/share/standin/redhat.repo
COPY extra.repo /etc/yum.repos.d/extra.repo
COPY subscription-manager /usr/sbin/subscription-manager
COPY dnf /usr/share/standin/dnf
RUN chmod 755 /usr/sbin/subscription-manager /usr/share/standin/dnf; ln -s /run/secrets/rhsm /etc/rhsm-host; \
    sed -i '/^\[rhel-9/,$d' /etc/yum.repos.d/standin.repo; mv /usr/bin/dnf /usr/bin/dnf.real; cp /usr/share/standin/dnf /usr/bin/dnf
DOCKERFILE
}

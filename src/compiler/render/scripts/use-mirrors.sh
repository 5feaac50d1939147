# Lets programs use what a site has in place of the internet: mirrors of package repositories, and
# its own certificate authorities.
#
# use-mirrors [FROM TO]...   what begins with FROM in the files of repositories begins with TO
# use-mirrors again [ROOT]   the same in another image, or in the tree ROOT, until it is taken back
# use-mirrors undo [ROOT]
#
# Is given the authorities in /drvc/mirrors/ca.pem, where there are any, and keeps the pairs beside
# them for `again`. Promises that each repository of apt, dnf, microdnf, tdnf, yum and zypper that
# begins so is asked there alone, that the authorities are trusted beside those of the image, and
# that `undo` leaves nothing of either.
# shellcheck shell=sh
set -eu

here=/drvc/mirrors
kept=/var/tmp/drvc-mirrors
begin='# drvc: begin'
end='# drvc: end'

# lead FILE FROM TO: whole parts of addresses only. An address that was commented out, as it is
# beside a list of mirrors, counts again.
lead() {
    from=$(printf %s "$2" | sed 's/[][\.*^$;]/\\&/g')
    to=$(printf %s "$3" | sed 's/[\&;]/\\&/g')
    sed -e "s;\\(^\\|[[:space:]=,]\\)$from\\([/[:space:],]\\);\\1$to\\2;g" \
        -e "s;\\(^\\|[[:space:]=,]\\)$from\$;\\1$to;g" \
        -e "s;^#[[:space:]]*\\(baseurl[[:space:]]*=[[:space:]]*$to\\);\\1;" "$1" >"$kept/led"
    [ "$(cat "$kept/led")" != "$(cat "$1")" ] || return 0
    without_lists "$3" <"$kept/led" >"$kept/alone" && cat "$kept/alone" >"$1"
}

# Leaves out a section's list of mirrors, where the section has an address in ours.
without_lists() {
    section='' lists='' ours=''
    while IFS= read -r line || [ -n "$line" ]; do
        case $line in
        '['*)
            flush
            section=$line lists='' ours=''
            continue
            ;;
        mirrorlist*=* | metalink*=*)
            lists="$lists
$line"
            continue
            ;;
        baseurl*"$1"*) ours=yes ;;
        esac
        section="$section
$line"
    done
    flush
}

flush() {
    [ -n "$ours" ] || section=$section$lists
    section=${section#"
"}
    [ -z "$section" ] || printf '%s\n' "$section"
}

# Each file that names repositories, to a command.
repositories() {
    for file in "$root"/etc/apt/sources.list "$root"/etc/apt/sources.list.d/*.list \
        "$root"/etc/apt/sources.list.d/*.sources "$root"/etc/yum.repos.d/*.repo \
        "$root"/etc/zypp/repos.d/*.repo; do
        [ ! -f "$file" ] || "$1" "$file"
    done
}

lead_all() {
    while read -r from to; do
        lead "$1" "$from" "$to"
    done <"$here/list"
}

keep() { mkdir -p "$kept${1%/*}" && cp -p "$1" "$kept$1"; }
restore() { [ ! -f "$kept$1" ] || cp -p "$kept$1" "$1"; }

# What package managers have written down of where they asked.
forget() {
    while read -r _ to; do
        grep -rlF "$to" "$root"/var/log 2>/dev/null | while read -r log; do
            grep -vF "$to" "$log" >"$kept/log" || :
            cat "$kept/log" >"$log"
        done
    done <"$here/list"
}

# The files of certificates that programs read.
bundles() {
    for file in /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt \
        /etc/pki/tls/cert.pem /etc/ssl/cert.pem /etc/ssl/ca-bundle.pem \
        /etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem /var/lib/ca-certificates/ca-bundle.pem; do
        [ ! -f "$file" ] || "$1" "$file"
    done
}

trust_in() {
    grep -qF "$begin" "$1" || { echo "$begin" && cat "$here/ca.pem" && echo "$end"; } >>"$1"
}

distrust_in() {
    grep -qF "$begin" "$1" || return 0
    sed "/^$begin\$/,/^$end\$/d" "$1" >"$kept/without" && cat "$kept/without" >"$1"
    [ -s "$1" ] || rm -f "$1"
}

trust() {
    [ -s "$here/ca.pem" ] || return 0
    suse=/etc/pki/trust/anchors
    if [ -d "$suse" ] && command -v update-ca-certificates >/dev/null; then
        cp "$here/ca.pem" "$suse/drvc.pem" && update-ca-certificates
        return
    fi
    none=$(bundles echo)
    # An image without any certificates, as Debian's are.
    [ -n "$none" ] || { mkdir -p /etc/ssl/certs && : >/etc/ssl/certs/ca-certificates.crt; }
    bundles trust_in
}

# What the tools of distributions make their bundles of, should one of them run later.
anchor() {
    [ -s "$here/ca.pem" ] || return 0
    [ ! -e /etc/debian_version ] || mkdir -p /usr/local/share/ca-certificates
    for place in /usr/local/share/ca-certificates/drvc.crt \
        /etc/pki/ca-trust/source/anchors/drvc.pem; do
        [ ! -d "${place%/*}" ] || cp "$here/ca.pem" "$place"
    done
}

distrust() {
    if [ -e /etc/pki/trust/anchors/drvc.pem ]; then
        rm /etc/pki/trust/anchors/drvc.pem && update-ca-certificates
        return
    fi
    bundles distrust_in
    [ ! -e "$kept/made" ] || rmdir /etc/ssl/certs /etc/ssl 2>/dev/null || true
}

root=''
mkdir -p "$kept"
case ${1:-} in
again)
    root=${2:-}
    [ ! -e "$here/list" ] || { repositories keep && repositories lead_all; }
    [ -n "$root" ] || { [ -d /etc/ssl/certs ] || : >"$kept/made"; trust; }
    ;;
undo)
    root=${2:-}
    repositories restore
    [ ! -e "$here/list" ] || forget
    [ -n "$root" ] || distrust
    rm -rf "$kept"
    ;;
*)
    while [ $# -gt 1 ]; do
        printf '%s %s\n' "$1" "$2" >>"$here/list"
        shift 2
    done
    [ ! -e "$here/list" ] || repositories lead_all
    trust
    anchor
    rm -rf "$kept"
    ;;
esac

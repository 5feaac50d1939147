#!/usr/bin/env bash
# needs: images root buildah podman dockerd mmdebstrap rpmbuild createrepo_c git zstd jq modinfo gpgv python3
# Kernels from package repositories. Of the tests' mirror of Debian, and of Debian itself at this moment: what drvc finds is what
# apt-cache says; a manifest with `latest=2` in three flavours locks, compiles and builds. A dnf repository with RT
# and 64k kernels of several releases, in gzip, xz and zstd; and repositories that are broken.
. "$(dirname "$0")/../case.sh"
export XDG_CACHE_HOME=$CASE_DIR/cache XDG_CONFIG_HOME=$CASE_DIR/config
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null || true' EXIT

# drvc_ok LOG ARG...: drvc, which has to succeed; its standard error goes to that log, its product to standard output.
drvc_ok() {
    "$DRVC" "${@:2}" 2>"$CASE_DIR/logs/$1" || { cat "$CASE_DIR/logs/$1" >&2; die "drvc ${*:2}"; }
}

# --- Debian: what the tests' mirror has is locked and built, what the real repositories have now is listed

dir=$CASE_DIR/debian
image=$(podman image inspect docker.io/library/debian:12 --format '{{.Digest}}')
debian_profile "$CASE_DIR/debian.kdl" "$ARCHIVE bookworm main"

# apt_reads NAME LINE...: package lists of these sources, and of nothing else; APT_CONFIG=$CASE_DIR/apt.NAME/conf asks them.
apt_reads() {
    local at=$CASE_DIR/apt.$1
    mkdir -p "$at/lists/partial" "$at/cache/archives/partial"
    touch "$at/status"
    printf '%s\n' "${@:2}" >"$at/sources.list"
    cat >"$at/conf" <<CONF
Dir::Etc::sourcelist "$at/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::State::lists "$at/lists";
Dir::State::status "$at/status";
Dir::Cache "$at/cache";
APT::Sandbox::User "root";
CONF
    APT_CONFIG=$at/conf apt-get -qq update >"$CASE_DIR/logs/apt.$1" 2>&1 ||
        { cat "$CASE_DIR/logs/apt.$1" >&2; die "apt-get update of $1"; }
}

c_module "$dir/hello" hello
cp "$CASE_DIR/debian.kdl" "$dir"
# debian_manifest LATEST
debian_manifest() {
    manifest "$dir" <<KDL
profile "debian" "debian.kdl"
source "hello" {
    path "hello"
}
module "hello" {
    source "hello"
}
image "hello" {
    repository "localhost/lock-kernels"
    module "hello"
    load "hello"
}
matrix {
    os "debian" "12" {
        flavor "default" "cloud" "rt"
        kernel match="6.1.0-*" latest=$1
    }
}
KDL
}

# by_apt SUFFIX: the kernels whose headers and image apt offers, newest first.
by_apt() {
    comm -12 <(in_repositories headers "$1") <(in_repositories image "$1") | sort -rV
}
# in_repositories KIND FLAVOUR: kernels of which apt offers that package.
in_repositories() { apt-cache search "^linux-$1-6\.1\.0-[0-9]+-$2\$" | sed "s/^linux-$1-//; s/ .*//" | sort -u; }

# all_of FLAVOR:SUFFIX: what `drvc kernels` found is what apt offers: MINE is jq's filter of its entries, OFFERED apt's answer.
all_of() {
    offered=$(by_apt "${1#*:}")
    mine=".kernels[] | select(.flavor == \"${1%:*}\" and (.kernel | startswith(\"6.1.0-\")))"
    equal "kernels of $1" "$(jq -r "$mine | select(.missing == []).kernel" "$CASE_DIR/kernels.json")" "$offered"
    [ -n "$offered" ] || die "apt offers no kernel of $1"
}

apt_reads mirror "deb [trusted=yes] $ARCHIVE bookworm main"
export APT_CONFIG=$CASE_DIR/apt.mirror/conf
debian_manifest 1
drvc_ok lock lock -C "$dir" "${allow[@]}"
drvc_ok compile compile -C "$dir" --locked
before=$(cd "$dir/drivers.out" && find hello -name Dockerfile | sort)
debian_manifest 2
rm -rf "$dir/drivers.lock" "$XDG_CACHE_HOME"
drvc_ok lock lock -C "$dir" "${allow[@]}"
say "    cold: $(tail -1 "$CASE_DIR/logs/lock")"
drvc_ok again lock -C "$dir" "${allow[@]}"
say "    second: $(tail -1 "$CASE_DIR/logs/again")"
contains "a second lock" "$(cat "$CASE_DIR/logs/again")" "nothing moved"
drvc_ok update lock --update -C "$dir" "${allow[@]}"
say "    --update: $(tail -1 "$CASE_DIR/logs/update")"
contains "lock --update" "$(cat "$CASE_DIR/logs/update")" "nothing moved"
for package in gcc make; do
    contains "other packages in the lock" "$(cat "$dir/drivers.lock")" \
        "\"$package=$(apt-cache policy $package | awk '/Candidate:/{print $2}')\""
done
drvc_ok compile compile -C "$dir" --locked
equal "targets that stayed" "$(cd "$dir/drivers.out" && find hello -name Dockerfile | sort | comm -12 - <(printf '%s\n' "$before"))" "$before"
drvc_ok kernels kernels debian 12 -C "$dir" "${allow[@]}" --format json >"$CASE_DIR/kernels.json"
for flavor in default:amd64 cloud:cloud-amd64 rt:rt-amd64; do
    all_of "$flavor"
    newest=$(head -1 <<<"$offered")
    equal "covered of $flavor" "$(jq -r "$mine | select(.manifest == \"covered\").kernel" "$CASE_DIR/kernels.json")" \
        "$(head -2 <<<"$offered")"
    contains "packages in the lock" "$(cat "$dir/drivers.lock")" "linux-headers-$newest=$(apt-cache policy "linux-headers-$newest" | awk '/Candidate:/{print $2}')"
    builds_ok buildah "$dir" "$newest"
    root=$(root_of buildah "$(image_of "$dir" "$newest")")
    contains "vermagic" "$(modinfo -F vermagic "$root/opt/lib/modules/$newest/updates/hello.ko") " "$newest SMP "
done

unset APT_CONFIG
# shellcheck disable=SC2016
mapfile -t sources < <(apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' \
    'Created-By: Packages' 'Origin: Debian' | sort -u)
mapfile -t lines < <(apt_sources)
contains "the machine's apt sources" "${sources[*]}" bookworm
apt_reads debian "${lines[@]}"
export APT_CONFIG=$CASE_DIR/apt.debian/conf
debian_profile "$CASE_DIR/debian.kdl" "${sources[@]}"
cp "$CASE_DIR/debian.kdl" "$dir"
drvc_ok kernels kernels debian 12 -C "$dir" "${allow[@]}" --format json >"$CASE_DIR/kernels.json"
drvc_ok profile profile check debian 12 -C "$dir" "${allow[@]}" >"$CASE_DIR/profile"
contains "the profile beside the repositories" "$(cat "$CASE_DIR/profile")" "1 release compared: no difference"
for flavor in default:amd64 cloud:cloud-amd64 rt:rt-amd64; do all_of "$flavor"; done

# --- signatures: one of the keys that Debian signs with, and keys that it signs with no longer

# shellcheck disable=SC2016
read -r url suite component < <(apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' \
    'Created-By: Packages' 'Origin: Debian' 'Codename: bookworm' | sort -u)
# signed_by KEYRING: lists the kernels of a repository that has to be signed by one of its keys.
signed_by() {
    mkdir -p "$CASE_DIR/signed/keys"
    cp "/usr/share/keyrings/$1" "$CASE_DIR/signed/keys/key.gpg"
    cp "$CASE_DIR/debian.kdl" "$CASE_DIR/signed"
    c_module "$CASE_DIR/signed/hello" hello
    sed "s|kernel match.*|repository \"${url%/}\" suite=\"$suite\" component=\"$component\" key=\"keys/key.gpg\"\n        kernel latest=1|" \
        "$dir/drivers.kdl" >"$CASE_DIR/signed/drivers.kdl"
    "$DRVC" kernels debian 12 -C "$CASE_DIR/signed" "${allow[@]}" --flavor cloud >"$CASE_DIR/logs/signed" 2>&1
}
signed_by debian-archive-bookworm-stable.gpg || { cat "$CASE_DIR/logs/signed" >&2; die "Debian's signature is not believed"; }
contains "kernels of a signed repository" "$(cat "$CASE_DIR/logs/signed")" "$(by_apt cloud-amd64 | head -1)"
! signed_by debian-archive-removed-keys.gpg || die "a repository that no key has signed is believed"
contains "the error" "$(cat "$CASE_DIR/logs/signed")" 'is signed by no key in `keys/key.gpg`'

# --- a dnf repository

# rpms DIR RELEASE ARCH KIND...: the empty packages of one kernel, for each kind (`` or `rt-`).
rpms() {
    local kind part spec=$CASE_DIR/kernel.spec
    for kind in "${@:4}"; do
        {
            printf 'Name: kernel-set\nVersion: 5.14.0\nRelease: %s\nSummary: x\nLicense: GPL\nAutoReqProv: no\n%%description\nx\n' "$2"
            for part in devel core modules modules-extra; do
                printf '%%package -n kernel-%s%s\nSummary: x\n%%description -n kernel-%s%s\nx\n%%files -n kernel-%s%s\n' \
                    "$kind" "$part" "$kind" "$part" "$kind" "$part"
            done
        } >"$spec"
        rpmbuild -bb --quiet --target "$3" --define "_rpmdir $1" --define "_topdir $CASE_DIR/rpm" \
            --define '_build_id_links none' --define 'debug_package %{nil}' "$spec" >"$CASE_DIR/logs/rpmbuild" 2>&1 ||
            { tail -5 "$CASE_DIR/logs/rpmbuild" >&2; die "rpmbuild"; }
    done
}

web=$CASE_DIR/web
mkdir -p "$web/all" "$CASE_DIR/rpm"
rpms "$web/all" 427.13.1.el9_4 x86_64 "" rt-
rpms "$web/all" 427.9.1.el9_4 x86_64 ""
rpms "$web/all" 503.11.1.el9_5 x86_64 ""
rpms "$web/all" 427.13.1.el9_4 aarch64 "" 64k-
rpms "$web/all" 427.20.1.el9_4 x86_64 ""
rm "$web"/all/x86_64/kernel-devel-5.14.0-427.20.1.*
for packing in gz xz; do
    mkdir "$CASE_DIR/md.$packing" "$web/$packing"
    createrepo_c -q --no-database --general-compress-type "$packing" -o "$CASE_DIR/md.$packing" "$web/all"
    mv "$CASE_DIR/md.$packing/repodata" "$web/$packing/"
done
# The createrepo_c of Debian 12 does not know zstd: its list is packed anew.
mkdir -p "$web/zstd/repodata"
gunzip -c "$web"/gz/repodata/*-primary.xml.gz | zstd -q -o "$web/zstd/repodata/primary.xml.zst"
cat >"$web/zstd/repodata/repomd.xml" <<XML
<?xml version="1.0" encoding="UTF-8"?>
<repomd xmlns="http://linux.duke.edu/metadata/repo">
  <data type="primary">
    <checksum type="sha256">$(sha256sum "$web/zstd/repodata/primary.xml.zst" | cut -d' ' -f1)</checksum>
    <location href="repodata/primary.xml.zst"/>
  </data>
</repomd>
XML
python3 "$E2E_DIR/git-server.py" "$web" - - "$CASE_DIR/port" >"$CASE_DIR/logs/server" 2>&1 &
server=$!
for _ in $(seq 50); do [ -s "$CASE_DIR/port" ] || sleep 0.1; done
port=$(cat "$CASE_DIR/port") || die "the web server does not start"

# rhel_project PATH: a project whose RHEL 9.4 and 9.5 come from that path of the server.
rhel_project() {
    rm -rf "$CASE_DIR/rhel"
    c_module "$CASE_DIR/rhel/hello" hello
    {
        printf 'profile edition=1 extends="rhel"\nbase "localhost/rhel@%s"\nminimal "localhost/rhel@%s"\n' "$image" "$image"
        printf 'mirror "http://localhost:%s/%s"\n' "$port" "$1"
        printf 'line "9" {\n    base "localhost/rhel@%s"\n    minimal "localhost/rhel@%s"\n    release "9.4" {\n' "$image" "$image"
        printf '        mirror "http://localhost:%s/%s"\n    }\n}\n' "$port" "$1"
    } >"$CASE_DIR/rhel/rhel.kdl"
    manifest "$CASE_DIR/rhel" <<'KDL'
profile "rhel" "rhel.kdl"
source "hello" {
    path "hello"
}
module "hello" {
    source "hello"
}
image "hello" {
    repository "localhost/lock-kernels-rhel"
    module "hello"
    load "hello"
}
matrix {
    os "rhel" "9.4" {
        flavor "default" "rt"
        kernel latest=2
    }
    os "rhel" "9.4" {
        arch "aarch64"
        flavor "64k"
        kernel latest=1
    }
    os "rhel" "9.5" {
        kernel latest=2
    }
}
KDL
}

# locked: the kernels in the lock, as words.
locked() { sed -n 's/^    "\(5\.14[^"]*\)",$/\1/p' "$CASE_DIR/rhel/drivers.lock" | sort -V | tr '\n' ' '; }

rhel_project gz
! "$DRVC" profile check rhel 9.4 -C "$CASE_DIR/rhel" --allow-http localhost >"$CASE_DIR/profile" 2>&1 ||
    die "a profile is said to be right that is not"
for finding in 'the newest kernel, 5.14.0-427.20.1.el9_4.x86_64, lacks `kernel-devel-5.14.0-427.20.1.el9_4.x86_64`' \
    '`tools`: no package `elfutils-libelf-devel` is offered' '`debug`: no kernel of this flavour is offered'; do
    contains "what differs from the profile" "$(cat "$CASE_DIR/profile")" "$finding"
done
for packing in gz xz zstd; do
    rhel_project "$packing"
    drvc_ok lock lock -C "$CASE_DIR/rhel" --allow-http localhost
    contains "what is passed over ($packing)" "$(cat "$CASE_DIR/logs/lock")" \
        'passed over 5.14.0-427.20.1.el9_4.x86_64 of rhel 9.4: `kernel-devel-5.14.0-427.20.1.el9_4.x86_64` is not offered'
    equal "kernels in the lock ($packing)" "$(locked)" \
        "5.14.0-427.9.1.el9_4.x86_64 5.14.0-427.13.1.el9_4.aarch64+64k 5.14.0-427.13.1.el9_4.x86_64 5.14.0-427.13.1.el9_4.x86_64+rt 5.14.0-503.11.1.el9_5.x86_64 "
done

# --- repositories that are broken: exit code 4, the address, and the lock as it was

# fails PATH MESSAGE: with the repository at that path, `lock --update` fails so.
fails() {
    local code=0 lock=$CASE_DIR/rhel/drivers.lock
    sed -i "s|localhost:$port/[a-z-]*|localhost:$port/$1|" "$CASE_DIR/rhel/rhel.kdl"
    cp "$lock" "$CASE_DIR/lock.before"
    "$DRVC" lock --update -C "$CASE_DIR/rhel" --allow-http localhost >"$CASE_DIR/logs/fails" 2>&1 || code=$?
    equal "exit code for $1" "$code" 4
    contains "the error for $1" "$(cat "$CASE_DIR/logs/fails")" "http://localhost:$port/$1/"
    contains "the error for $1" "$(cat "$CASE_DIR/logs/fails")" "$2"
    cmp -s "$lock" "$CASE_DIR/lock.before" || die "drivers.lock was changed"
    say "    fails: $(head -1 "$CASE_DIR/logs/fails")"
}

cp -a "$web/gz" "$web/truncated"
cp -a "$web/gz" "$web/forged"
cp -a "$web/gz" "$web/gone"
truncate -s -100 "$web"/truncated/repodata/*-primary.xml.gz
printf 'x' | dd of="$(echo "$web"/forged/repodata/*-primary.xml.gz)" bs=1 seek=100 conv=notrunc status=none
rm "$web"/gone/repodata/*-primary.xml.gz
mkdir -p "$web/elsewhere/repodata"
echo https://other.example/repomd.xml >"$web/elsewhere/repodata/repomd.xml.location"
fails absent "no such file"
fails elsewhere 'it redirects to another server, `https://other.example/repomd.xml`'
fails truncated "its checksum is"
fails forged "its checksum is"
fails gone "the server has no such file"

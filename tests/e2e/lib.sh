# shellcheck shell=bash disable=SC2016,SC2034
# Shared by the container tests: scratch directory, private image stores, messages, engines.

E2E_WORK=${E2E_WORK:-/var/tmp/drvc-e2e}
# Another such directory, whose tools and base images are taken instead of making them again.
E2E_FROM=${E2E_FROM:-$E2E_WORK}
E2E_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ROOT=$(cd "$E2E_DIR/../.." && pwd)
DRVC=${DRVC:-${CARGO_TARGET_DIR:-$ROOT/target}/release/drvc}
export CONTAINERS_STORAGE_CONF=$E2E_WORK/storage.conf
export DOCKER_HOST=unix://$E2E_WORK/docker.sock
export PATH=$E2E_FROM/venv/bin:/usr/sbin:/sbin:$PATH
mkdir -p "$E2E_WORK"

# The images of the tests bear the names of real ones, so they live in stores of their own and never in the user's.
cat >"$CONTAINERS_STORAGE_CONF" <<CONF
[storage]
driver = "overlay"
graphroot = "$E2E_WORK/storage"
runroot = "$E2E_WORK/run"
CONF

say() { printf '%s\n' "$*" >&2; }
die() { say "error: $*"; exit 1; }

# Prints the tools that are missing on this machine, one a line.
missing_tools() {
    local tool
    for tool in buildah podman dockerd mmdebstrap shellcheck rpmbuild createrepo_c docker-registry skopeo git jq depmod openssl sshd python3 strace readelf hadolint zstd gpgv qemu-system-x86_64 nvim emacs chromium softhsm2-util; do
        command -v "$tool" >/dev/null || printf '%s\n' "$tool"
    done
}

# Debian's docker: other programs of that name may stand earlier in PATH.
docker() { /usr/bin/docker "$@"; }

# Starts a Docker daemon of our own when it does not answer yet; stop_docker ends it.
start_docker() {
    docker info >/dev/null 2>&1 && return
    # Left by one that was killed, it may name a process that lives: no daemon would start.
    rm -f "$E2E_WORK/docker.pid"
    dockerd --iptables=false --bridge=none --data-root "$E2E_WORK/docker" --exec-root "$E2E_WORK/docker-run" \
        --pidfile "$E2E_WORK/docker.pid" --host "$DOCKER_HOST" >"$E2E_WORK/dockerd.log" 2>&1 &
    local try
    for try in $(seq 60); do
        docker info >/dev/null 2>&1 && return
        sleep 0.5
    done
    die "dockerd does not answer, see $E2E_WORK/dockerd.log"
}

stop_docker() {
    [ -s "$E2E_WORK/docker.pid" ] || return 0
    kill "$(cat "$E2E_WORK/docker.pid")" 2>/dev/null || true
}

# The mirror of Debian's archive that the images of the tests take their packages from (see archive.py).
# Its index stays as it is while the cases run, whatever Debian publishes meanwhile.
ARCHIVE=http://127.0.0.1:8412
PACKAGES=$E2E_FROM/archive/dists/bookworm/main/binary-amd64/Packages
archive_answers() { python3 -c "import urllib.request; urllib.request.urlopen('$ARCHIVE/archives')" 2>/dev/null; }

# Starts it when it does not answer yet; stop_archive ends it.
start_archive() {
    archive_answers && return
    python3 "$E2E_DIR/archive.py" "$E2E_FROM/archive" serve >"$E2E_FROM/archive.log" 2>&1 &
    echo $! >"$E2E_FROM/archive.pid"
    local try
    for try in $(seq 60); do
        archive_answers && return
        sleep 0.5
    done
    die "$ARCHIVE does not answer, see $E2E_FROM/archive.log"
}

stop_archive() { kill "$(cat "$E2E_FROM/archive.pid")" 2>/dev/null || true; }

# archive_index: makes its index, out of those of the machine's own Debian sources.
archive_index() {
    local scratch file url
    scratch=$(mktemp -d)
    mkdir -p "$E2E_WORK/archive"
    apt-get indextargets --format '$(FILENAME) $(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' | sort -u |
        while read -r file url; do
            [ "$(basename "$file")" != . ] && [ -e "$file" ] || continue
            /usr/lib/apt/apt-helper cat-file "$file" >"$scratch/$(basename "$file")"
            printf '%s %s\n' "$scratch/$(basename "$file")" "$url"
        done | python3 "$E2E_DIR/archive.py" "$E2E_WORK/archive" index
    rm -rf "$scratch"
}

# apt_sources: the machine's own Debian sources, in one-line format, for the roots that the tests make.
apt_sources() {
    apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' 'Origin: Debian' |
        sort -u | sed 's|^|deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] |'
}

# offered SUFFIX [VERSION]: the Debian 12 kernels (amd64, cloud-amd64, rt-amd64) that the tests' mirror offers, as `uname -r`
# has them, the newest last. VERSION is what stands before the suffix, 6.1 unless given. Debian publishes the headers of a
# kernel some hours before its signed image.
offered() {
    local pattern=${2:-6\\.1\\.0-[0-9]+}-$1
    comm -12 <(packages_of headers "$pattern") <(packages_of image "$pattern") | sort -V | grep . ||
        die "the mirror offers no Debian 12 kernel for $1"
}
# packages_of KIND PATTERN: the kernels of which the mirror has that package.
packages_of() { sed -nE "s/^Package: linux-$1-($2)\$/\1/p" "$PACKAGES" | sort -u; }

# newest SUFFIX: the newest of them; others SUFFIX: all but that.
newest() { offered "$1" | tail -1; }
others() { offered "$1" | head -n -1; }

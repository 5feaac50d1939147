# shellcheck shell=bash
# What the cases share: projects, compilation, builds, images, assertions. Each case sources this first.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

CASE=$(basename "$0" .sh)
CASE_DIR=$E2E_WORK/cases/$CASE
rm -rf "$CASE_DIR"
mkdir -p "$CASE_DIR/logs"
builds=0

# --- assertions: each names what it looks at, and prints what was seen when it fails

equal() { [ "$2" = "$3" ] || die "$(printf '%s\n  is:        %s\n  should be: %s' "$1" "$2" "$3")"; }
contains() { [[ $2 == *"$3"* ]] || die "$(printf '%s\n  lacks: %s\n  it is: %s' "$1" "$3" "$2")"; }
lacks() { [[ $2 != *"$3"* ]] || die "$(printf '%s\n  has: %s\n  it is: %s' "$1" "$3" "$2")"; }

# --- projects

# debian_profile FILE SOURCE...: a profile with the base images by their digest, no registry is asked, and with these
# package sources as Debian 12's mirrors, each "URL SUITE COMPONENT". `allow` are the options that let drvc ask their hosts.
debian_profile() {
    local url suite component host digest
    digest=$(podman image inspect docker.io/library/debian:12 --format '{{.Digest}}')
    {
        printf 'profile edition=1 extends="debian"\n'
        printf 'base "docker.io/library/debian:12@%s"\nminimal "docker.io/library/debian:12-slim@%s"\n' "$digest" "$digest"
        printf 'line "12" {\n    release "12" {\n'
        printf '%s\n' "${@:2}" | while read -r url suite component; do
            printf '        mirror "%s" suite="%s" component="%s"\n' "${url%/}" "$suite" "$component"
        done
        printf '    }\n}\n'
    } >"$1"
    allow=()
    for host in $(grep -o 'mirror "[a-z]*://[^/:"]*' "$1" | sed 's|.*//||' | sort -u); do
        allow+=(--allow-host "$host" --allow-http "$host")
    done
}

# manifest DIR: writes the manifest on standard input to DIR/drivers.kdl, with the two nodes that all have.
manifest() {
    mkdir -p "$1"
    { printf 'drvc edition=1\nproject "e2e"\n'; cat; } >"$1/drivers.kdl"
}

# c_module DIR NAME [STATEMENTS [DECLARATIONS]]: NAME.c and a Kbuild file for it.
c_module() {
    mkdir -p "$1"
    printf 'obj-m := %s.o\n' "$2" >"$1/Kbuild"
    cat >"$1/$2.c" <<C
#include <linux/module.h>
${4:-}
static int __init $2_init(void)
{
	${3:-}
	return 0;
}
static void __exit $2_exit(void) {}
module_init($2_init);
module_exit($2_exit);
MODULE_LICENSE("GPL");
C
}

# compile DIR: what a user does. Warnings are kept in a log.
compile() {
    "$DRVC" compile -C "$1" >"$CASE_DIR/logs/compile" 2>&1 || { cat "$CASE_DIR/logs/compile" >&2; die "drvc compile -C $1"; }
}

# A WHICH is the image or the kernel of a target, whichever tells it from the others.

# target DIR WHICH FIELD: of that target, one field of plan.json. A toolkit is called by its id.
target() {
    jq -er --arg w "$2" "((.targets[] | select(.image == \$w or .kernel == \$w)), (.toolkits[] | select(.id == \$w))) | .$3" \
        "$1/drivers.out/plan.json"
}

# --- builds

# command_line ENGINE DIR WHICH: the command of the Dockerfile's header, for ENGINE instead of podman.
# These machines may be containers, without network or namespaces of their own: hence host network and chroot.
command_line() {
    local words file
    file=$(target "$2" "$3" dockerfile)
    words="cd drivers.out/$(dirname "$file")
$(sed -n '3,/^$/s/^# //p' "$2/drivers.out/$file")"
    case $1 in
    buildah | podman) words=${words/podman build/$1 build --layers --isolation chroot --network host} ;;
    docker)
        words=${words/podman build/docker build --progress plain --network host}
        words=${words/--ignorefile Dockerfile.dockerignore/}
        ;;
    *) die "no engine $1" ;;
    esac
    printf '%s\n' "$words"
}

# try_build ENGINE DIR WHICH [ARG...]: builds that target; LOG is the file that says how it went.
try_build() {
    local command
    builds=$((builds + 1))
    LOG=$CASE_DIR/logs/$builds.$1
    command=$(command_line "$1" "$2" "$3")
    command=${command/build /build ${*:4} }
    patiently "$2" "$command"
}

# patiently DIR COMMAND: runs a build. Where an engine could not start a process at all (a race in the engines of
# Debian 12 on a busy machine), it tries again, and says so.
patiently() {
    local try
    for try in 1 2 3; do
        printf '+ %s\n' "$2" >"$LOG"
        (cd "$1" && export DOCKER_BUILDKIT=1 && eval "$2") >>"$LOG" 2>&1 </dev/null && return
        grep -aq 'sealing memfd copy' "$LOG" || return 1
        say "    the engine could not start a process, again ($try)"
    done
    return 1
}

# base_image NAME DIR: makes an image of the Dockerfile on standard input, with the files of DIR to copy from.
base_image() {
    LOG=$CASE_DIR/logs/base
    cat >"$CASE_DIR/Dockerfile.base"
    patiently "$2" "buildah build --layers --isolation chroot --network host -t $1 -f $CASE_DIR/Dockerfile.base ." ||
        { cat "$LOG" >&2; die "the image $1 cannot be made"; }
}

# builds_ok and builds_not: the same, and it has to succeed; or to fail with MESSAGE.
builds_ok() {
    try_build "$@" || { cat "$LOG" >&2; die "$1 cannot build $2 for $3"; }
}
builds_not() {
    local message=$1
    shift
    ! try_build "$@" || die "$1 builds $2 for $3, which should fail with: $message"
    grep -aqF -- "$message" "$LOG" || { tail -30 "$LOG" >&2; die "$1 does not say: $message"; }
    say "    fails: $message"
}

# spoilt WHICH SED MESSAGE: in the project $dir, the target's Dockerfile with a part of it replaced fails with the message.
spoilt() {
    local file
    file=$dir/drivers.out/$(target "$dir" "$1" dockerfile)
    cp "$file" "$CASE_DIR/Dockerfile"
    sed -i "$2" "$file"
    ! cmp -s "$file" "$CASE_DIR/Dockerfile" || die "nothing to replace: $2"
    builds_not "$3" buildah "$dir" "$1"
    cp "$CASE_DIR/Dockerfile" "$file"
}

# --- images

# image_of DIR WHICH: the first tag of the target, as engines keep it.
image_of() { target "$1" "$2" 'tags[0]'; }

# root_of ENGINE IMAGE: a directory that shows the image's files.
root_of() {
    local dir=$CASE_DIR/root.$RANDOM container
    if [ "$1" = docker ]; then
        mkdir "$dir"
        container=$(docker create "$2" true)
        docker export "$container" | tar -x -C "$dir"
        docker rm "$container" >/dev/null
        printf '%s\n' "$dir"
    else
        podman image mount "$2"
    fi
}

# config_of ENGINE IMAGE: labels and command, as JSON.
config_of() {
    case $1 in
    docker) docker image inspect "$2" | jq -c '.[0].Config' ;;
    *) podman image inspect "$2" | jq -c '.[0].Config' ;;
    esac
}

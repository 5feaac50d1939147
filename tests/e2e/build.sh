# shellcheck shell=bash
# How the cases run `drvc build`: with what these machines need, and every start of an engine counted.

mkdir -p "$CASE_DIR/bin"
COUNT=$CASE_DIR/engines
# Stand before the engines in PATH and write down each command, then do it.
for engine in podman buildah docker; do
    printf '#!/bin/sh\necho "%s $*" >>"%s"\nexec /usr/bin/%s "$@"\n' $engine "$COUNT" $engine >"$CASE_DIR/bin/$engine"
    chmod +x "$CASE_DIR/bin/$engine"
done

# Debian 12's docker takes buildx as a plug-in of the newer Debian (see install.sh).
export DOCKER_CONFIG=$CASE_DIR/docker
mkdir -p "$DOCKER_CONFIG/cli-plugins"
ln -s "$E2E_FROM/venv/bin/docker-buildx" "$DOCKER_CONFIG/cli-plugins/"
echo '{}' >"$DOCKER_CONFIG/config.json"

# drvc_build ENGINE DIR [ARG...]: OUT is the file with what it says, and the result its exit code.
drvc_build() {
    local engine=$1 dir=$2 arguments=
    shift 2
    case $engine in
    podman | buildah) arguments='--engine-arg=--isolation=chroot --engine-arg=--network=host' ;;
    docker | buildx) arguments='--engine-arg=--network=host' ;;
    esac
    : >"$COUNT"
    OUT=$CASE_DIR/logs/drvc
    # shellcheck disable=SC2086
    PATH=$CASE_DIR/bin:$PATH "$DRVC" build -C "$dir" --engine "$engine" $arguments "$@" >"$OUT" 2>&1 </dev/null
}

# started WORD: how many engines were started for WORD (build, push, ...) by the last drvc_build.
started() { grep -cE "^[a-z]+ (buildx )?$1" "$COUNT" || true; }

# built_ok ENGINE DIR [ARG...]: the same, and it has to succeed.
built_ok() { drvc_build "$@" || { cat "$OUT" >&2; die "drvc build fails: $*"; }; }
# built_not CODE MESSAGE ENGINE DIR [ARG...]: it has to end with this exit code, and say MESSAGE.
built_not() {
    local code=0 wanted=$1 message=$2
    shift 2
    drvc_build "$@" || code=$?
    [ "$code" = "$wanted" ] || { cat "$OUT" >&2; die "drvc build ends with $code instead of $wanted: $*"; }
    grep -aqF -- "$message" "$OUT" || { cat "$OUT" >&2; die "drvc build does not say: $message"; }
    say "    says: $message"
}
says() { grep -aqF -- "$1" "$OUT" || { cat "$OUT" >&2; die "drvc build does not say: $1"; }; }

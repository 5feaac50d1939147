# shellcheck shell=bash disable=SC2034
# A server of git and of files on this machine for the cases, over https as drvc wants it, and a base image that trusts its certificate.
# A real project needs neither: its server's certificate is known to every image.

GIT_BASE=localhost/drvc-e2e-git:12

# git_repository DIR: the files of DIR as a repository of one commit, which is printed.
git_repository() {
    git -C "$1" init -q -b main
    git -C "$1" config uploadpack.allowAnySHA1InWant true
    git -C "$1" add -A
    git -C "$1" -c user.name=e2e -c user.email=e2e@localhost commit -q -m one
    git -C "$1" rev-parse HEAD
}

# git_server DIR: serves the repositories below DIR at $GIT_URL until the case ends.
git_server() {
    local keys=$E2E_WORK/git try
    mkdir -p "$keys"
    if [ ! -s "$keys/server.pem" ]; then
        openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -subj /CN=e2e -keyout "$keys/ca.key" -out "$keys/ca.pem" 2>/dev/null
        openssl req -newkey rsa:2048 -nodes -subj /CN=127.0.0.1 -keyout "$keys/key.pem" -out "$keys/server.csr" 2>/dev/null
        printf 'subjectAltName=IP:127.0.0.1\nbasicConstraints=CA:FALSE\n' >"$keys/extensions"
        openssl x509 -req -in "$keys/server.csr" -CA "$keys/ca.pem" -CAkey "$keys/ca.key" -CAcreateserial -days 3650 \
            -extfile "$keys/extensions" -out "$keys/server.pem" 2>/dev/null
    fi
    base_image "$GIT_BASE" "$keys" <<'DOCKERFILE'
FROM docker.io/library/debian:12
COPY ca.pem /ca.pem
ENV GIT_SSL_CAINFO=/ca.pem CURL_CA_BUNDLE=/ca.pem
DOCKERFILE
    python3 "$E2E_DIR/git-server.py" "$1" "$keys/server.pem" "$keys/key.pem" "$CASE_DIR/port" >"$CASE_DIR/logs/git" 2>&1 &
    # shellcheck disable=SC2064
    trap "kill $!" EXIT
    for try in $(seq 50); do
        [ ! -s "$CASE_DIR/port" ] || break
        [ "$try" != 50 ] || die "the git server does not start"
        sleep 0.1
    done
    GIT_URL=https://127.0.0.1:$(cat "$CASE_DIR/port")
}

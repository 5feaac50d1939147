# shellcheck shell=bash
# A registry of the case's own on loopback: docker-registry, without authentication, deleting allowed.

# start_registry PORT: REGISTRY is its host and port. It ends with the case.
start_registry() {
    REGISTRY=127.0.0.1:$1
    cat >"$CASE_DIR/registry.yml" <<YML
version: 0.1
log: { level: warn }
storage:
  filesystem: { rootdirectory: $CASE_DIR/registry }
  delete: { enabled: true }
http: { addr: "$REGISTRY" }
YML
    docker-registry serve "$CASE_DIR/registry.yml" >>"$CASE_DIR/logs/registry" 2>&1 &
    REGISTRY_PID=$!
    trap 'stop_registry' EXIT
    local try
    for try in $(seq 50); do
        python3 -c "import socket; socket.create_connection(('127.0.0.1', $1))" 2>/dev/null && return
        sleep 0.1
    done
    die "docker-registry does not answer, see $CASE_DIR/logs/registry"
}

stop_registry() {
    kill "$REGISTRY_PID" 2>/dev/null || true
    wait "$REGISTRY_PID" 2>/dev/null || true
}

# Sourced by the scripts beside it: messages, and the container engine.
build=.build/image
mkdir -p "$build"

say() { printf 'image: %3d s  %s\n' "$SECONDS" "$1" >&2; }
fail() { # MESSAGE HINT
  printf 'image: error: %s\nhint: %s\n' "$1" "$2" >&2
  exit 1
}

# quietly COMMAND...: what it says is only shown if it fails.
quietly() {
  "$@" > "$build/last.log" 2>&1 && return
  tail -n 20 "$build/last.log" >&2
  fail "this failed: $*" "what it said is above, and whole in $build/last.log"
}

# answers ENGINE: a client without an engine is of no use.
answers() { command -v "$1" >/dev/null && timeout 20 "$1" info >/dev/null 2>&1; }

# find_engine sets ENGINE to the first engine that answers.
find_engine() {
  configure_podman
  local candidate
  for candidate in ${ENGINE:-docker podman nerdctl}; do
    if answers "$candidate"; then
      export ENGINE=$candidate
      return
    fi
  done
  return 1
}

need_engine() { find_engine || fail "no container engine answers: tried ${ENGINE:-docker, podman, nerdctl}" "start one, or on Debian: make image-deps"; }

# configure_podman has podman use what a machine without systemd allows: there the cgroups are the old ones, which crun refuses, and
# limits cannot be raised.
configure_podman() {
  [[ ! -e /sys/fs/cgroup/cgroup.controllers && -z ${CONTAINERS_CONF:-} ]] || return 0
  cat > "$build/containers.conf" <<'CONF'
[containers]
default_ulimits = ["nofile=4096:4096", "nproc=4096:4096"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
CONF
  export CONTAINERS_CONF=$PWD/$build/containers.conf
}

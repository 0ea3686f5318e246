# Shared by tests/run.sh and examples/run.sh, which read it with `.`: installs what is missing,
# and prints what is going on. POSIX sh.

started=$(date +%s)

# A heading with the time since the start.
heading() {
  elapsed=$(($(date +%s) - started))
  printf '\n== [%02d:%02d] %s\n' $((elapsed / 60)) $((elapsed % 60)) "$*"
}

fail() {
  printf '\n%s: %s\n' "$0" "$*" >&2
  exit 1
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

# Installs those of the named Debian packages that are not there. Asking takes milliseconds, so a
# second run starts at once.
need_packages() {
  if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    if [ -n "${HAWSER_PACKAGES_READY:-}" ]; then return; fi
    fail "this system has no apt-get. Install what these Debian packages are here:
  $*
  and then run: HAWSER_PACKAGES_READY=1 sh $0"
  fi
  missing=
  for package in "$@"; do
    case $(dpkg-query -W -f '${Status}' "$package" 2>/dev/null) in
      *" installed") ;;
      *) missing="$missing $package" ;;
    esac
  done
  if [ -z "$missing" ]; then return; fi
  if [ "$(id -u)" -ne 0 ] && ! command -v sudo >/dev/null; then
    fail "not root, and no sudo. As root: apt-get install$missing"
  fi
  heading "Installing$missing"
  as_root apt-get update -q
  # shellcheck disable=SC2086  # a list of words
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing ||
    fail "apt-get could not install:$missing"
}

# Node comes with its own npm, and Debian's npm conflicts with it: both from Debian or none.
need_node() {
  if ! command -v node >/dev/null; then need_packages nodejs npm; fi
  command -v npm >/dev/null || fail "node is here and npm is not: install the npm that belongs to it"
}

# What every build needs, and the packages named besides. Sets `jobs`: how many at a time.
need_build() {
  need_packages g++ cmake ninja-build libasio-dev libssl-dev zlib1g-dev libsimdjson-dev "$@"
  if command -v ninja >/dev/null; then export CMAKE_GENERATOR=Ninja; fi
  jobs=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)
  export jobs
}

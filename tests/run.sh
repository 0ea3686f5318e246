#!/bin/sh
# Builds and runs all tests. On a bare Debian 12 it first installs what is missing.
#
#   sh tests/run.sh           g++ with everything, clang with sanitizers, fuzzers
#   sh tests/run.sh --quick   g++ only
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
. "$root/cmake/setup.sh"

presets="dev asan tsan"
compilers="clang-19 libclang-rt-19-dev"
case ${1:-} in
  "") ;;
  --quick) presets=dev compilers= ;;
  *) fail "unknown option $1; the only one is --quick" ;;
esac

# shellcheck disable=SC2086  # a list of words, perhaps empty
need_build catch2 ccache valgrind python3-websockets python3-socketio \
  python3-aiohttp chromium openssl $compilers
need_node

cd "$root/tests/interop"
if ! cmp -s package-lock.json node_modules/.installed-lock; then
  heading "Installing the Node packages of the interop tests"
  npm ci --no-audit --no-fund
  mkdir -p node_modules
  cp package-lock.json node_modules/.installed-lock
fi
cd "$root"

# One ctest over all builds, so that one summary tells everything.
mkdir -p build/all
: >build/all/CTestTestfile.cmake
for preset in $presets; do
  heading "Building: $preset"
  prefix=$preset.
  if [ "$preset" = dev ]; then prefix=; fi
  cmake --preset "$preset" -DHAWSER_TEST_INTEROP=ON "-DHAWSER_TEST_PREFIX=$prefix"
  cmake --build --preset "$preset" --parallel "$jobs"
  echo "subdirs(\"$root/build/$preset\")" >>build/all/CTestTestfile.cmake
done

heading "Testing"
exec ctest --test-dir build/all --output-on-failure --parallel "$jobs"

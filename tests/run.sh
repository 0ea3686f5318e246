#!/bin/sh
# Builds and runs all tests. On a bare Debian 12 it first installs what is missing.
#
#   sh tests/run.sh           g++ with everything, clang with sanitizers, fuzzers
#   sh tests/run.sh --quick   g++ only
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
. "$root/cmake/setup.sh"

presets="dev asan tsan"
case ${1:-} in
  "") ;;
  --quick) presets="dev" ;;
  *) fail "unknown option $1; the only one is --quick" ;;
esac

need_build catch2 ccache valgrind python3-websockets chromium openssl git
if [ "$presets" != dev ]; then need_packages clang-19 libclang-rt-19-dev; fi
need_node

# npm writes this file last: newer than the lock means that all of it is installed.
cd "$root/tests/interop"
if [ ! node_modules/.package-lock.json -nt package-lock.json ]; then
  heading "Installing the Node packages of the interop tests"
  npm ci --no-audit --no-fund
  touch node_modules/.package-lock.json
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

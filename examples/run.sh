#!/bin/sh
# Builds the chat and starts it at http://localhost:3000. On a bare Debian 12 it first installs what
# is missing. Arguments go to the chat, for example: sh examples/run.sh --port 4000
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
. "$root/cmake/setup.sh"

need_build
heading "Building the chat"
cmake -S "$root" -B "$root/build/examples" -DCMAKE_BUILD_TYPE=Release \
  -DHAWSER_BUILD_TESTS=OFF -DHAWSER_BUILD_BENCHMARKS=OFF
cmake --build "$root/build/examples" --target chat --parallel "$jobs"

if [ $# -eq 0 ]; then set -- --port 3000; fi
port=3000
previous=
for argument in "$@"; do
  if [ "$previous" = --port ]; then port=$argument; fi
  previous=$argument
done
heading "The chat is at http://localhost:$port (Ctrl-C stops it)"
exec "$root/build/examples/examples/chat" "$@"

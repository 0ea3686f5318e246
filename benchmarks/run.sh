#!/bin/sh
# Builds and measures: every row of the table, or those that are named.
#
#   sh benchmarks/run.sh                     everything, about half an hour
#   sh benchmarks/run.sh echo memory         two groups
#   sh benchmarks/run.sh --list              what there is
#   sh benchmarks/run.sh --peer 'uws=./uws_server {port}' echo
#
# On a bare Debian 12 it first installs what is missing. It wants two cores to itself.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
. "$root/cmake/setup.sh"

need_build python3 python3-matplotlib valgrind openssl libboost1.81-dev libwebsocketpp-dev
need_node

cd "$root"
heading "Building: release"
cmake --preset release -DHAWSER_BUILD_EXAMPLES=OFF -DHAWSER_BUILD_TESTS=ON
cmake --build --preset release --parallel "$jobs" --target benchmarks hawser_counts

heading "Measuring"
PYTHONPATH=benchmarks exec /usr/bin/python3 -m measure "$@"

#!/usr/bin/env python3
"""Measures hawser's Socket.IO client beside Node's socket.io-client.

Both talk to the same server, hawser's socketio_echo, on one core, from another one, in turn, round
after round: the ratio within a round stays true when absolute figures do not. A message is an event
there and back. Then so many idle clients in one process, and what one of them takes of memory.
"""
import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PEERS = ROOT / "benchmarks/peers"


def pinned(core, command):
    return ["taskset", "-c", str(core)] + command if shutil.which("taskset") else command


class Server:
    def __init__(self, build):
        command = pinned(0, [str(build / "benchmarks/socketio_echo"), "--port", "0"])
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.url = "http://127.0.0.1:" + self.process.stdout.readline().strip().rsplit(":", 1)[1]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()


def run(command, url, options, timeout=300):
    done = subprocess.run(pinned(os.cpu_count() - 1, command + ["--url", url] + options),
                          stdout=subprocess.PIPE, text=True, timeout=timeout, check=True)
    return json.loads(done.stdout.strip().splitlines()[-1])


def spread(figures):
    quarters = statistics.quantiles(figures, n=4) if len(figures) > 1 else figures * 3
    return f"{statistics.median(figures):.2f} [{quarters[0]:.2f}-{quarters[2]:.2f}]"


def main():
    arguments = argparse.ArgumentParser(description=__doc__,
                                        formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--build", type=Path, default=ROOT / "build/release")
    arguments.add_argument("--rounds", type=int, default=7)
    arguments.add_argument("--seconds", type=int, default=2)
    arguments.add_argument("--idle", type=int, default=10_000)
    given = arguments.parse_args()

    if not (PEERS / "node_modules/socket.io-client").exists():
        print("clients.py: npm ci in benchmarks/peers", flush=True)
        subprocess.run(["npm", "ci", "--no-audit", "--no-fund"], cwd=PEERS, check=True)
    clients = {"hawser": [str(given.build / "benchmarks/socketio_client")],
               "node": ["node", "--expose-gc", str(PEERS / "socketio_client_node.mjs")]}

    for connections, depth in [(1, 1), (100, 1), (1, 16), (100, 16)]:
        figures = {name: [] for name in clients}
        for _ in range(given.rounds):
            with Server(given.build) as server:
                for name, command in clients.items():
                    said = run(command, server.url, ["--connections", str(connections),
                                                     "--in-flight", str(depth),
                                                     "--seconds", str(given.seconds)])
                    figures[name].append(said["messages"] / said["cpu_seconds"])
        ratios = [h / n for h, n in zip(figures["hawser"], figures["node"])]
        each = ", ".join(f"{name} {statistics.median(all):,.0f}" for name, all in figures.items())
        print(f"{connections} clients, {depth} in flight: messages per CPU second: {each}; "
              f"ratio {spread(ratios)}", flush=True)

    for name, command in clients.items():
        with Server(given.build) as server:
            said = run(command, server.url, ["--idle", "--connections", str(given.idle)])
        print(f"{given.idle} idle clients: {name} {said['bytes_per_client'] / 1024:.1f} KiB each",
              flush=True)


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Measures hawser's echo servers beside others, all against a bare epoll echo.

All servers run at the same time on one core, the load on another. Each gets a short window of
traffic, then the next one, round after round: a disturbance hits all of them alike, and the ratio
to the bare echo within the same round stays true when absolute figures do not.
"""
import argparse
import json
import os
import shlex
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PEERS = ROOT / "benchmarks/peers"
BASELINE = "epoll"
NODE = "socket.io"     # Node's server, against which hawser's Socket.IO is measured
MAX_WAIT_SHARE = 0.08  # of a window, spent runnable without a core: beyond it, it is noisy
FEW_ROUNDS = 5         # with fewer quiet rounds, the noisy ones count too
MOST_IDLE_EVENTS = 5000  # idle Socket.IO connections

# What a server is asked to do, with the load generator's options for it.
MESSAGES, EVENTS, BROADCAST = "messages", "events", "broadcast"
OPTIONS = {MESSAGES: [], EVENTS: ["--socketio"], BROADCAST: ["--socketio", "--broadcast"]}


@dataclass
class Cell:
    connections: int
    size: int  # of messages; an event has its own
    in_flight: int
    work: str = MESSAGES

    def name(self):
        if self.work == BROADCAST:
            together = f", {self.in_flight} together" if self.in_flight > 1 else ""
            return f"Socket.IO: broadcast to {self.connections}{together}"
        size = f"{self.size // 1024} KiB" if self.size >= 1024 else f"{self.size} B"
        depth = f" depth {self.in_flight}" if self.in_flight > 1 else ""
        if self.work == EVENTS:
            return f"Socket.IO: {self.connections} x event{depth}"
        return f"{self.connections} x {size}{depth}"

    def options(self):
        size = ["--size", str(self.size)] if self.work == MESSAGES else []
        return OPTIONS[self.work] + size + ["--connections", str(self.connections),
                                            "--in-flight", str(self.in_flight)]


CELLS = [Cell(100, 20, 1), Cell(100, 1024, 1), Cell(100, 16384, 1), Cell(1000, 20, 1),
         Cell(100, 20, 16), Cell(10, 20, 512),
         Cell(100, 0, 1, EVENTS), Cell(100, 0, 16, EVENTS),
         Cell(1000, 0, 1, BROADCAST), Cell(1000, 0, 8, BROADCAST)]


class Failed(Exception):
    """The comparison can't go on; the text says why."""


@dataclass
class Server:
    """How to start one server; its address is in its first line, or it is told its port."""
    name: str
    command: list
    scheme: str = "ws"
    work: tuple = (MESSAGES,)
    process: subprocess.Popen = field(default=None, repr=False)
    url: str = ""

    def start(self, core):
        port = free_port() if any("{port}" in part for part in self.command) else None
        command = [part.replace("{port}", str(port)) for part in self.command]
        output = subprocess.DEVNULL if port else subprocess.PIPE
        try:
            self.process = subprocess.Popen(command, stdout=output, text=True,
                                            preexec_fn=lambda: os.sched_setaffinity(0, {core}))
        except OSError as error:
            raise Failed(f"{self.name}: {error}") from error
        address = wait_for_port(self, port) if port else self.announced_address()
        self.url = f"{self.scheme}://{address}"

    def announced_address(self):
        line = self.process.stdout.readline()
        if "listening on " not in line:
            raise Failed(f"{self.name}: its first line is not its address: {line!r}")
        return line.split("listening on ")[1].split()[0].split("://")[-1]

    def stop(self):
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for_port(server, port):
    for _ in range(200):
        if server.process.poll() is not None:
            raise Failed(f"{server.name} ended with status {server.process.returncode}")
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return f"127.0.0.1:{port}"
        except OSError:
            time.sleep(0.05)
    raise Failed(f"{server.name} does not listen on port {port}")


class Load:
    """A load generator that stays connected and runs windows on command."""

    def __init__(self, program, server, cell, core):
        self.server = server
        command = [program, server.url, "--controlled", "--pid", str(server.process.pid),
                   *cell.options()]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True,
                                        preexec_fn=lambda: os.sched_setaffinity(0, {core}))
        self.answer()

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            raise Failed(f"{self.server.name}: the load generator ended "
                         f"with status {self.process.wait()}")
        return json.loads(line)

    def run(self, milliseconds):
        self.process.stdin.write(f"run {milliseconds}\n")
        self.process.stdin.flush()
        window = self.answer()
        if window["errors"] or not window["messages"]:
            raise Failed(f"{self.server.name}: {window['errors']} errors, "
                         f"{window['messages']} messages in a window")
        return window

    def stop(self):
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass
        self.process.wait()


def progress(text):
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


def is_quiet(window):
    limit = MAX_WAIT_SHARE * window["seconds"] * 1e9
    return window["server_wait_ns"] < limit and window["client_wait_ns"] < limit


def measure_cell(args, cell, servers):
    """Windows by server name, one per round, all rounds complete."""
    windows = {server.name: [] for server in servers}
    loads = []
    try:
        for server in servers:
            loads.append(Load(args.load, server, cell, args.load_core))
        for load in loads:
            load.run(args.window)  # warms up
        for round_number in range(args.rounds):
            progress(f"{cell.name()}: round {round_number + 1} of {args.rounds}")
            turn = round_number % len(loads)
            for load in loads[turn:] + loads[:turn]:
                windows[load.server.name].append(load.run(args.window))
    finally:
        for load in loads:
            load.stop()
        progress("")
    return windows


def quartiles(values):
    if len(values) == 1:
        return values * 3
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return [low, middle, high]


def summarise(windows, baseline):
    """One row of a cell's table."""
    pairs = list(zip(windows, baseline))
    quiet = [pair for pair in pairs if is_quiet(pair[0]) and is_quiet(pair[1])]
    noisy = len(quiet) < FEW_ROUNDS
    used = pairs if noisy else quiet
    cost = "server_cpu_ns_per_message"
    low, middle, high = quartiles([one[cost] / base[cost] for one, base in used])
    own = [pair[0] for pair in used]
    return {"ratio": middle, "ratio_q1": low, "ratio_q3": high, "noisy": noisy,
            "rounds": len(pairs), "rounds_left_out": len(pairs) - len(used),
            "cpu_ns_per_message": statistics.median(w[cost] for w in own),
            "messages_per_second": statistics.median(w["messages_per_second"] for w in own),
            "client_cpu_share": statistics.median(
                w["client_cpu_ns"] / w["seconds"] / 1e9 for w in own)}


def print_cell(cell, rows):
    print(f"\n{cell.name()}")
    print(f"  {'server':<14}{'ratio to epoll':>24}{'CPU ns/msg':>12}{'msg/s':>12}"
          f"{'load busy':>11}{'left out':>10}")
    for name, row in rows.items():
        ratio = f"{row['ratio']:.2f} [{row['ratio_q1']:.2f}-{row['ratio_q3']:.2f}]"
        left_out = f"{row['rounds_left_out']}/{row['rounds']}" + (" noisy" if row["noisy"] else "")
        print(f"  {name:<14}{ratio:>24}{row['cpu_ns_per_message']:>12.0f}"
              f"{row['messages_per_second']:>12.0f}{row['client_cpu_share']:>10.0%} "
              f"{left_out:>9}")
    sys.stdout.flush()


def print_against_node(windows, rows):
    """The line for which Socket.IO is measured: the two servers against each other."""
    if not {"hawser", NODE} <= windows.keys():
        return
    row = summarise(windows[NODE], windows["hawser"])
    for name in ("ratio", "ratio_q1", "ratio_q3"):
        rows[NODE][f"{name}_to_hawser"] = row[name]
    print(f"  {NODE} takes {row['ratio']:.1f} [{row['ratio_q1']:.1f}-{row['ratio_q3']:.1f}] times "
          "the CPU time of hawser", flush=True)


def chosen_cells(args):
    return [cell for cell in CELLS
            if not args.cells or any(wanted in cell.name() for wanted in args.cells)]


def compare_cells(args, servers):
    results = {}
    for cell in chosen_cells(args):
        able = [server for server in servers if cell.work in server.work]
        if cell.work != MESSAGES and len(able) == 1:
            continue  # nobody to compare with the bare echo
        windows = measure_cell(args, cell, able)
        rows = {name: summarise(own, windows[BASELINE]) for name, own in windows.items()}
        print_cell(cell, rows)
        print_against_node(windows, rows)
        results[cell.name()] = rows
    return results


def compare_idle(args, servers, count, options, what):
    """Each server is started anew: memory that earlier traffic left behind would hide growth."""
    print(f"  {'server':<14}{'B/connection':>14}{'after ' + what:>18}{'CPU us to open':>16}")
    results = {}
    for server in servers:
        progress(f"{server.name}: {count} idle connections")
        server.stop()
        server.start(args.server_core)
        done = subprocess.run([args.load, server.url, "--idle", "--json", *options,
                               "--connections", str(count), "--pid", str(server.process.pid)],
                              stdout=subprocess.PIPE, text=True, check=False,
                              preexec_fn=lambda: os.sched_setaffinity(0, {args.load_core}))
        progress("")
        if done.returncode != 0:
            raise Failed(f"{server.name}: the load generator failed on idle connections")
        row = results[server.name] = json.loads(done.stdout)
        print(f"  {server.name:<14}{row['bytes_per_connection']:>14.0f}"
              f"{row['bytes_after_echo']:>18.0f}{row['open_cpu_ns'] / 1000:>16.1f}", flush=True)
    return results


def compare_all_idle(args, servers):
    results = {}
    print(f"\nidle memory, {args.idle} connections")
    able = [server for server in servers if MESSAGES in server.work]
    results[MESSAGES] = compare_idle(args, able, args.idle, ["--size", "1024"], "1 KiB echo")
    able = [server for server in servers if EVENTS in server.work and server.scheme != "tcp"]
    if able:
        count = min(args.idle, MOST_IDLE_EVENTS)
        print(f"\nSocket.IO: idle memory, {count} connections")
        rows = results[EVENTS] = compare_idle(args, able, count, OPTIONS[EVENTS], "one event")
        if {"hawser", NODE} <= rows.keys():
            ratio = rows[NODE]["bytes_per_connection"] / rows["hawser"]["bytes_per_connection"]
            print(f"  {NODE} holds {ratio:.1f} times the memory of hawser", flush=True)
    return results


def compile_once(args, source, extra):
    """Compiles one file to an object, as a user would; time, memory and size."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "out.o"
        command = [args.compiler, "-std=c++20", "-O2", "-DASIO_STANDALONE", f"-I{ROOT}/include",
                   *extra, "-c", str(source), "-o", str(target)]
        begin = time.monotonic()
        process = subprocess.Popen(command)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            raise Failed(f"{source} does not compile")
        return {"seconds": time.monotonic() - begin, "cpu_seconds": usage.ru_utime + usage.ru_stime,
                "peak_mib": usage.ru_maxrss / 1024, "object_kib": target.stat().st_size / 1024}


def compare_compile_time(args):
    sources = {"hawser": ROOT / "examples/echo.cpp", "beast": ROOT / "benchmarks/peers/beast_echo.cpp"}
    extra = {"hawser": [f'-DEXAMPLES_DIR="{ROOT}/examples"'], "beast": []}
    print(f"\ncompile time of an echo server, {args.compiler} -O2")
    results = {}
    for name, source in sources.items():
        if not source.exists():
            print(f"  {name}: no {source}")
            continue
        progress(f"compiling {source.name}")
        row = results[name] = compile_once(args, source, extra[name])
        progress("")
        print(f"  {name:<14}{row['seconds']:>7.1f} s{row['cpu_seconds']:>8.1f} s CPU"
              f"{row['peak_mib']:>7.0f} MiB{row['object_kib']:>7.0f} KiB object", flush=True)
    if len(results) == 2:
        ratio = results["hawser"]["cpu_seconds"] / results["beast"]["cpu_seconds"]
        print(f"  hawser takes {ratio:.2f} of the CPU time of beast")
    return results


def find_build():
    """The build folder whose load generator is the newest."""
    found = sorted(ROOT.glob("build*/**/benchmarks/load"), key=lambda path: path.stat().st_mtime)
    return found[-1].parent.parent if found else ROOT / "build"


def install_node_peer():
    """Brings what its lock file says, once; why that is impossible, or nothing."""
    if not shutil.which("node") or not shutil.which("npm"):
        return "node or npm is missing"
    lock, installed = PEERS / "package-lock.json", PEERS / "node_modules/.installed-lock"
    if installed.exists() and installed.read_bytes() == lock.read_bytes():
        return None
    done = subprocess.run(["npm", "ci", "--no-audit", "--no-fund"], cwd=PEERS, check=False,
                          stdout=subprocess.DEVNULL)
    if done.returncode != 0:
        return "npm ci failed"
    shutil.copyfile(lock, installed)
    return None


def why_left_out(args, server):
    if server.name != NODE:
        return None if Path(server.command[0]).exists() else f"not built: {server.command[0]}"
    if args.idle or any(cell.work != MESSAGES for cell in chosen_cells(args)):
        return install_node_peer()
    return "no Socket.IO is asked for"


def choose_servers(args):
    build = Path(args.build)
    bare = [str(build / "benchmarks/epoll_echo"), "--port", "0"]
    known = [Server(BASELINE, bare, "tcp", (MESSAGES, EVENTS)),
             Server(BASELINE, bare + ["--broadcast"], "tcp", (BROADCAST,)),
             Server("hawser", [str(build / "examples/echo"), "--port", "0", "--host", "127.0.0.1"]),
             Server("beast", [str(build / "benchmarks/beast_echo"), "--port", "0"]),
             Server("websocketpp", [str(build / "benchmarks/websocketpp_echo"), "--port", "0"]),
             Server("hawser", [str(build / "benchmarks/socketio_echo"), "--port", "0"],
                    work=(EVENTS, BROADCAST)),
             # Collector threads would only take the one core from each other.
             Server(NODE, ["env", "NODE_ENV=production", "node", "--single-threaded-gc",
                           str(PEERS / "socketio_node.mjs"), "--port", "0"],
                    work=(EVENTS, BROADCAST))]
    servers = []
    for server in known:
        if args.only and server.name not in args.only + [BASELINE]:
            continue
        reason = why_left_out(args, server)
        if reason is None:
            servers.append(server)
        elif server.name == BASELINE:
            raise Failed(f"there is no {server.command[0]}: build the benchmarks first")
        else:
            print(f"left out: {server.name}, {reason}")
    for peer in args.peer:
        name, equals, command = peer.partition("=")
        if not equals:
            raise Failed(f"--peer needs NAME=COMMAND, not {peer}")
        servers.append(Server(name, shlex.split(command)))
    return servers


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default=find_build(), help="build folder (the newest)")
    parser.add_argument("--rounds", type=int, default=21, help="windows per server and cell (21)")
    parser.add_argument("--window", type=int, default=100, help="milliseconds of a window (100)")
    parser.add_argument("--cells", nargs="+", metavar="TEXT",
                        help="only cells whose name contains one of these")
    parser.add_argument("--only", nargs="+", metavar="NAME",
                        help="only these of hawser, beast, websocketpp, socket.io")
    parser.add_argument("--peer", action="append", default=[], metavar="NAME=COMMAND",
                        help="one more server; {port} in its command is replaced")
    parser.add_argument("--idle", type=int, default=9000,
                        help="idle connections (9000, of Socket.IO at most 5000; 0: none)")
    parser.add_argument("--no-compile", action="store_true", help="no compile times")
    parser.add_argument("--compiler", default="g++")
    parser.add_argument("--server-core", type=int, default=0)
    parser.add_argument("--load-core", type=int, default=1)
    parser.add_argument("--json", metavar="FILE", help="write all figures there")
    args = parser.parse_args()
    args.load = str(Path(args.build) / "benchmarks/load")
    return args


def compare(args):
    if not Path(args.load).exists():
        raise Failed(f"there is no {args.load}: build the benchmarks first")
    servers = choose_servers(args)
    results = {"window_ms": args.window, "load_average": os.getloadavg()}
    print(f"load average {os.getloadavg()[0]:.1f}, windows of {args.window} ms, "
          f"{args.rounds} rounds", flush=True)
    try:
        for server in servers:
            server.start(args.server_core)
        results["cells"] = compare_cells(args, servers)
        if args.idle:
            results["idle"] = compare_all_idle(args, servers)
    finally:
        for server in servers:
            server.stop()
    if not args.no_compile:
        results["compile"] = compare_compile_time(args)
    if args.json:
        Path(args.json).write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")


def main():
    args = parse_arguments()
    try:
        compare(args)
    except Failed as error:
        print(f"compare: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())

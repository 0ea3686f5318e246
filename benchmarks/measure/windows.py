"""CPU time per message, in short windows of traffic that go round all servers.

All servers of a row run at the same time on one core, the load on another. Each gets a window, then
the next one, round after round: a disturbance hits all of them alike, and the ratio within a round
stays true when absolute figures do not.
"""
import json
import os
import statistics
import subprocess

from .progress import show
from .rows import EPOLL, PORTABLE
from .servers import Failed

MAX_WAIT_SHARE = 0.08  # of a window, spent runnable without a core: beyond it, it is noisy
FEW_ROUNDS = 5         # with fewer quiet rounds, the noisy ones count too
COST = "server_cpu_ns_per_message"
WARM_UP = 1500         # milliseconds: Node compiles what it runs often


class Load:
    """A load generator that stays connected and runs windows on command."""

    def __init__(self, program, server, options, core):
        self.server = server
        command = [program, server.url, "--controlled", "--pid", str(server.process.pid),
                   *options, *server.load]
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


def is_quiet(window):
    limit = MAX_WAIT_SHARE * window["seconds"] * 1e9
    return window["server_wait_ns"] < limit and window["client_wait_ns"] < limit


def measure(args, programs, row):
    """Figures by server: hawser's by the keys of `targets`, peers' by their names."""
    names = [row.against, *(server_name(row, key) for key in row.targets)]
    servers = [programs.server(name) for name in names]
    servers += peers_of(programs, row)
    loads = []
    try:
        for server in servers:
            server.start(args.server_core)
            # A bare echo knows nothing of events: it gets their bytes.
            loads.append(Load(programs.program("load"), server, row.load, args.load_core))
        windows = rounds(args, row, loads)
    finally:
        for load in loads:
            load.stop()
        for server in servers:
            server.stop()
    base = windows[row.against]
    figures = {}
    for key in row.targets:
        figures[key] = summarise(windows[server_name(row, key)], base)
    for server in servers:
        if server.name not in names:
            figures[server.name] = summarise(windows[server.name], base)
    figures[row.against] = summarise(base, base)
    return figures


def server_name(row, key):
    kind = {"broadcast": "broadcast ", "socket.io": "socketio "}.get(row.group, "")
    return kind + key if key in (EPOLL, PORTABLE) else key


def peers_of(programs, row):
    found = []
    for name in row.peers:
        try:
            found.append(programs.server(name))
        except Failed as why:
            show(f"left out: {why}", lasting=True)
    return found + programs.extra_for(row)


def rounds(args, row, loads):
    windows = {load.server.name: [] for load in loads}
    for load in loads:
        load.run(WARM_UP)
    for number in range(args.rounds):
        show(f"{row.name}: round {number + 1} of {args.rounds}")
        turn = number % len(loads)
        for load in loads[turn:] + loads[:turn]:
            windows[load.server.name].append(load.run(args.window))
    show("")
    return windows


def quartiles(values):
    if len(values) == 1:
        return values * 3
    return statistics.quantiles(values, n=4, method="inclusive")


def summarise(windows, base):
    """The cost of one server, as a ratio of another's in the same rounds."""
    pairs = list(zip(windows, base))
    quiet = [pair for pair in pairs if is_quiet(pair[0]) and is_quiet(pair[1])]
    used = quiet if len(quiet) >= FEW_ROUNDS else pairs
    low, middle, high = quartiles([one[COST] / other[COST] for one, other in used])
    return {"value": middle, "low": low, "high": high, "noisy": len(quiet) < FEW_ROUNDS,
            "rounds": len(pairs), "left_out": len(pairs) - len(used),
            "cpu_ns": statistics.median(one[COST] for one, _ in used),
            "messages_per_second": statistics.median(
                one["messages_per_second"] for one, _ in used)}

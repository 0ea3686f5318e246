"""What is not timed in windows: counts, memory, compile time, clients, the arena."""
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from functools import lru_cache
from pathlib import Path

from .progress import show
from .rows import EPOLL
from .servers import PEERS, ROOT, Failed, install_node_peer


def figure(value, low=None, high=None):
    return {"value": value, "low": value if low is None else low,
            "high": value if high is None else high}


# -- counts ----------------------------------------------------------------------------------------

@lru_cache(maxsize=None)
def all_counts(program):
    if not Path(program).exists():
        raise Failed(f"there is no {program}: configure with HAWSER_BUILD_TESTS=ON and build "
                     "hawser_counts")
    show("counting instructions")
    done = subprocess.run([sys.executable, ROOT / "tests/counts/counts.py", program, "--json"],
                          capture_output=True, text=True, check=False)
    show("")
    if done.returncode != 0:
        raise Failed(done.stderr.strip())
    return json.loads(done.stdout)


def counts(_args, programs, row):
    found = all_counts(str(programs.build / "tests/counts/hawser_counts"))
    cases = {key: f"epoll-{row.case}" if key == EPOLL else row.case for key in row.targets}
    return {key: figure(found[case][row.figure]) for key, case in cases.items()}


# -- memory ----------------------------------------------------------------------------------------

@lru_cache(maxsize=None)
def idle(programs, name, load, cores):
    """Each server is started anew: memory that earlier traffic left behind would hide growth."""
    show(f"{name}: idle connections")
    server = programs.server(name)
    server.start(cores[0])
    try:
        done = subprocess.run([programs.program("load"), server.url, "--idle", "--json", *load,
                               "--pid", str(server.process.pid)],
                              stdout=subprocess.PIPE, text=True, check=False,
                              preexec_fn=lambda: os.sched_setaffinity(0, {cores[1]}))
    finally:
        server.stop()
        show("")
    if done.returncode != 0:
        raise Failed(f"{name}: the load generator failed on idle connections")
    return json.loads(done.stdout)


def memory(args, programs, row):
    part = {"": lambda one: one["bytes_per_connection"],
            "used": lambda one: one["bytes_after_echo"],
            "open": lambda one: one["open_cpu_ns"] / 1000}[row.figure]
    figures = {}
    others = [*row.peers, *(peer.name for peer in programs.extra_for(row))]
    for name in [*row.targets, *others]:
        try:
            found = idle(programs, name, tuple(row.load), (args.server_core, args.load_core))
            figures[name] = figure(part(found))
        except Failed as why:
            if name in row.targets:
                raise
            show(f"left out: {why}", lasting=True)
    return figures


# -- compile time ----------------------------------------------------------------------------------

CHAT = ROOT / "benchmarks/compile/chat_server.cpp"
COMPILED = {"header-only": (CHAT, []), "hawser::compiled": (CHAT, ["-DHAWSER_COMPILED=1"]),
            "beast": (PEERS / "beast_echo.cpp", [])}


def compile_once(compiler, name):
    source, flags = COMPILED.get(name, (ROOT / f"benchmarks/compile/{name}.cpp", []))
    with tempfile.TemporaryDirectory() as folder:
        command = [compiler, "-std=c++20", "-O2", "-DASIO_STANDALONE", f"-I{ROOT}/include",
                   *flags, "-c", str(source), "-o", f"{folder}/out.o"]
        begin = time.monotonic()
        process = subprocess.Popen(command)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            raise Failed(f"{source} does not compile")
        # CPU time, since whatever else the machine does would be in the other; one thread compiles.
        return {"cpu": usage.ru_utime + usage.ru_stime, "wall": time.monotonic() - begin,
                "MiB": usage.ru_maxrss / 1024}


@lru_cache(maxsize=None)
def compiled(compiler, times, names):
    """In turn, several times; the median of each."""
    runs = {name: [] for name in names}
    for number in range(times):
        for name in names:
            show(f"compiling {name}, {number + 1} of {times}")
            runs[name].append(compile_once(compiler, name))
    show("")
    return {name: {key: statistics.median(run[key] for run in all_runs) for key in all_runs[0]}
            for name, all_runs in runs.items()}


def compile_time(args, _programs, row):
    own = tuple(row.targets)
    found = compiled(args.compiler, args.compilations, own + ((row.against,) if row.against else ()))
    other = found.get(row.against)
    value = {"seconds": lambda cost: cost["cpu"] / other["cpu"],
             "MiB": lambda cost: cost["MiB"],
             "more": lambda cost: cost["cpu"] - other["cpu"],
             "alone": lambda cost: cost["cpu"]}[row.figure]
    return {name: figure(value(cost)) | {"cpu_seconds": cost["cpu"], "wall_seconds": cost["wall"]}
            for name, cost in found.items() if name in own or row.figure != "more"}


# -- clients ---------------------------------------------------------------------------------------

def run_client(args, command, url, options):
    done = subprocess.run([*command, "--url", url, *options], stdout=subprocess.PIPE, text=True,
                          timeout=300, check=True,
                          preexec_fn=lambda: os.sched_setaffinity(0, {args.load_core}))
    said = json.loads(done.stdout.strip().splitlines()[-1])
    return said["cpu_seconds"] / said["messages"]


def clients(args, programs, row):
    """CPU time per event of hawser's client, divided by that of Node's, of the same server."""
    install_node_peer()
    own = [programs.program("socketio_client")]
    node = ["node", "--expose-gc", str(PEERS / "socketio_client_node.mjs")]
    ratios = []
    for number in range(max(3, args.rounds // 8)):
        show(f"{row.name}: round {number + 1}")
        server = programs.server("socketio portable")
        server.start(args.server_core)
        try:
            url = server.url.replace("ws://", "http://")
            options = [*row.load, "--seconds", "1"]
            ratios.append(run_client(args, own, url, options) /
                          run_client(args, node, url, options))
        finally:
            server.stop()
    show("")
    low, middle, high = statistics.quantiles(ratios, n=4, method="inclusive")
    return {"client": figure(middle, low, high)}


# -- the arena -------------------------------------------------------------------------------------

@lru_cache(maxsize=None)
def game(programs, seconds):
    show(f"arena: {seconds} s of a game")
    command = [programs.program("arena_load"), "--players", "1000", "--hz", "60", "--seconds",
               str(seconds), "--server", programs.program("arena_server")]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False,
                          timeout=seconds + 120)
    show("")
    if done.returncode != 0:
        raise Failed(f"arena_load ended with status {done.returncode}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def arena(args, programs, row):
    found = game(programs, args.arena_seconds)[row.figure]
    if isinstance(found, dict):
        return {"arena": figure(found["median"], *found["quartiles"])}
    return {"arena": figure(found)}

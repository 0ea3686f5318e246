"""What is measured: every row of the table, with what it is held against.

A ratio is hawser's cost divided by that of what stands in `against`, of the same round. All targets
are the most that hawser may have. A row passes within 0.03 of it.
"""
from dataclasses import dataclass, field

SLACK = 0.03  # of a ratio
PORTABLE, EPOLL = "portable", "epoll"


@dataclass
class Row:
    name: str
    group: str
    title: str
    unit: str
    targets: dict  # what of hawser's is measured -> the most it may be
    how: str       # which part of the program measures it
    load: list = field(default_factory=list)  # options of the load generator
    against: str = ""
    peers: tuple = ()  # measured in the same rounds, for comparison
    case: str = ""     # of the counts
    figure: str = ""   # which of several figures


ECHO_PEERS = ("beast", "websocketpp")


def echo(name, title, best, portable, *load, peers=ECHO_PEERS):
    return Row(name, "echo", title, "x bare epoll", {EPOLL: best, PORTABLE: portable}, "windows",
               list(load), "bare epoll", peers)


def fan_out(name, title, most, together):
    return Row(name, "broadcast", title, "x bare epoll", {EPOLL: most, PORTABLE: most}, "windows",
               ["--broadcast", "--connections", "1000", "--size", "100", "--in-flight", together],
               "bare epoll broadcast")


def event(name, title, most, *load):
    return Row(name, "socket.io", title, "x Node", {EPOLL: most, PORTABLE: most}, "windows",
               ["--socketio", *load], "Node socket.io")


def counted(name, title, case, figure, targets):
    return Row(name, "counts", title, figure, targets, "counts", case=case, figure=figure)


ROWS = [
    echo("echo-20", "20 B, 100 connections", 1.10, 1.15, "--size", "20"),
    echo("echo-1k", "1 KiB, 100 connections", 1.10, 1.18, "--size", "1024"),
    echo("echo-16k", "16 KiB, 100 connections", 1.12, 1.15, "--size", "16384"),
    echo("echo-1000", "20 B, 1,000 connections", 1.15, 1.15, "--connections", "1000"),
    echo("echo-depth-16", "20 B, 100 connections x 16 in flight", 1.15, 1.30, "--in-flight", "16"),
    echo("echo-depth-512", "20 B, 10 connections x 512 in flight", 2.5, 2.5, "--connections", "10",
         "--in-flight", "512"),

    fan_out("broadcast-1", "100 B to 1,000, one at a time", 1.10, "1"),
    fan_out("broadcast-8", "100 B to 1,000, eight together", 1.05, "8"),
    Row("broadcast-deflate", "broadcast", "1 KiB JSON to 1,000, compressed", "x uncompressed",
        {"deflate": 1.2}, "windows", ["--broadcast", "--connections", "1000", "--size", "1024"],
        "hawser uncompressed"),

    event("event-1", "event of two numbers, 100 connections", 1 / 4),
    event("event-16", "event of two numbers, 100 x 16 in flight", 1 / 20, "--in-flight", "16"),
    event("event-broadcast-1", "event to 1,000, one at a time", 1 / 1.8, "--broadcast",
          "--connections", "1000"),
    event("event-broadcast-8", "event to 1,000, eight together", 1 / 7, "--broadcast",
          "--connections", "1000", "--in-flight", "8"),

    Row("tls-1k", "tls", "1 KiB over TLS, 100 connections", "x bare OpenSSL", {"tls": 1.15},
        "windows", ["--size", "1024"], "bare OpenSSL", ("beast tls",)),

    counted("instructions-1", "echo of 20 B, one in flight", "echo", "instructions",
            {EPOLL: 1050, PORTABLE: 1050}),
    counted("instructions-16", "echo of 20 B, 16 in flight", "echo-16", "instructions",
            {EPOLL: 300, PORTABLE: 300}),
    counted("instructions-broadcast-1", "delivery to one of 200, one at a time", "broadcast",
            "instructions", {EPOLL: 500, PORTABLE: 500}),
    counted("instructions-broadcast-8", "delivery to one of 200, eight together", "broadcast-8",
            "instructions", {EPOLL: 120, PORTABLE: 120}),
    counted("calls-16", "system calls, echo with 16 in flight", "echo-16", "system calls",
            {PORTABLE: 0.25}),

    Row("memory", "memory", "idle connection of 10,000", "B", {EPOLL: 640, PORTABLE: 640}, "memory",
        ["--connections", "10000"], peers=("beast", "websocketpp")),
    Row("memory-deflate", "memory", "with deflate agreed and used once", "B", {"deflate echo": 1024},
        "memory", ["--connections", "10000", "--size", "1024", "--deflate"], figure="used"),
    Row("memory-tls", "memory", "idle TLS connection of 5,000", "B", {"tls": 16384}, "memory",
        ["--connections", "5000", "--size", "1024"], peers=("beast tls",)),
    Row("memory-event", "memory", "idle Socket.IO connection of 5,000", "B",
        {"socketio epoll": 1536, "socketio portable": 1536}, "memory",
        ["--connections", "5000", "--socketio"], peers=("Node socket.io",)),
    Row("accept", "memory", "CPU of an accept and handshake", "us", {EPOLL: 24, PORTABLE: 24},
        "memory", ["--connections", "10000"], figure="open"),

    Row("compile-server", "compile", "20-line chat server, -O2", "x Beast's echo",
        {"hawser::compiled": 0.35, "header-only": 0.35}, "compile", against="beast",
        figure="seconds"),
    Row("compile-memory", "compile", "peak memory of the same", "MiB",
        {"hawser::compiled": 700, "header-only": 700}, "compile", against="beast", figure="MiB"),
    Row("compile-handlers", "compile", "20 typed handlers, over none", "s more",
        {"game_with_handlers": 1.5}, "compile", against="game_without_handlers", figure="more"),
    Row("compile-forward", "compile", "a file that names hawser::socket", "s",
        {"second_file": 1.0}, "compile", figure="alone"),

    Row("client-1", "client", "events of one client, one in flight", "x Node", {"client": 1.0},
        "clients", ["--connections", "1", "--in-flight", "1"]),
    Row("client-16", "client", "events of 100 clients x 16 in flight", "x Node", {"client": 1.0},
        "clients", ["--connections", "100", "--in-flight", "16"]),

    Row("arena-cpu", "arena", "user CPU of a tick", "ms", {"arena": 1.0}, "arena",
        figure="user_cpu_ms_per_tick"),
    Row("arena-allocations", "arena", "allocations of a tick", "", {"arena": 0}, "arena",
        figure="allocations_per_tick"),
    Row("arena-writes", "arena", "writes to a player in a tick", "", {"arena": 1.0}, "arena",
        figure="writes_per_player_tick"),
    Row("arena-p99.9", "arena", "p99.9 of positions while 1 MiB messages flow", "x without them",
        {"arena": 1.0}, "arena", figure="p99_9_ratio"),
]


def chosen(patterns):
    """Rows or groups of these names, or whose names begin so; all without any."""
    exact = {row.name for row in ROWS} | {row.group for row in ROWS}

    def fits(row, wanted):
        return wanted in (row.name, row.group) or (wanted not in exact
                                                   and row.name.startswith(wanted))
    return [row for row in ROWS if not patterns or any(fits(row, one) for one in patterns)]

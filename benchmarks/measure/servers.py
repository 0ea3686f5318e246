"""Servers that are measured: how each is started, and its end."""
import os
import shlex
import shutil
import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PEERS = ROOT / "benchmarks/peers"
LISTENING = "listening on "


class Failed(Exception):
    """A row can't be measured; the text says why."""


@dataclass
class Server:
    """Its address is in its first line of output, or it is told its port: {port}."""
    name: str
    command: list
    scheme: str = "ws"
    load: tuple = ()  # further options of the load generator, for this server alone
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
        address = self.wait_for(port) if port else self.announced()
        self.url = f"{self.scheme}://{address}"

    def announced(self):
        line = self.process.stdout.readline()
        if LISTENING not in line:
            raise Failed(f"{self.name}: its first line is not its address: {line!r}")
        return line.split(LISTENING)[1].split()[0].split("://")[-1]

    def wait_for(self, port):
        for _ in range(200):
            if self.process.poll() is not None:
                raise Failed(f"{self.name} ended with status {self.process.returncode}")
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                return f"127.0.0.1:{port}"
            except OSError:
                time.sleep(0.05)
        raise Failed(f"{self.name} does not listen on port {port}")

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


class Programs:
    """Everything that can be started, out of one build."""

    def __init__(self, build, folder, extra_peers):
        self.build, self.folder = Path(build), Path(folder)
        self.extra = {peer.name: peer for peer in map(parse_peer, extra_peers)}

    def extra_for(self, row):
        """Those named on the command line: for echoes, plain broadcasts and idle connections."""
        if row.group == "echo" or row.name in ("memory", "accept"):
            return list(self.extra.values())
        if row.group == "broadcast" and row.name != "broadcast-deflate":
            return [Server(peer.name, [*peer.command, "--broadcast"])
                    for peer in self.extra.values()]
        return []

    def program(self, name):
        path = self.build / "benchmarks" / name
        if not path.exists():
            raise Failed(f"there is no {path}: build the benchmarks first")
        return str(path)

    def certificate(self):
        """A throw-away certificate and its key, made once."""
        files = [str(self.folder / name) for name in ("certificate.pem", "key.pem")]
        if not Path(files[0]).exists():
            subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                            "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
                            "/CN=localhost", "-out", files[0], "-keyout", files[1]],
                           check=True, stderr=subprocess.DEVNULL)
        return files

    def server(self, name):
        if name in self.extra:
            return self.extra[name]
        make = {
            "portable": lambda: self.raw(name),
            "epoll": lambda: self.raw(name, "--backend", "epoll"),
            "tls": lambda: self.raw(name, "--tls", *self.certificate(), scheme="wss"),
            "deflate": lambda: self.raw(name, "--deflate", "--broadcast", load=("--deflate",)),
            "deflate echo": lambda: self.raw(name, "--deflate"),
            "hawser uncompressed": lambda: self.raw(name, "--broadcast", load=("--text",)),
            "broadcast portable": lambda: self.raw(name, "--broadcast"),
            "broadcast epoll": lambda: self.raw(name, "--broadcast", "--backend", "epoll"),
            "socketio portable": lambda: self.bare(name, "socketio_echo", "ws"),
            "socketio epoll": lambda: self.bare(name, "socketio_echo", "ws", "--backend",
                                                "epoll"),
            "bare epoll": lambda: self.bare(name, "epoll_echo", "tcp"),
            "bare epoll broadcast": lambda: self.bare(name, "epoll_echo", "tcp", "--broadcast"),
            "bare OpenSSL": lambda: self.bare(name, "openssl_echo", "tls", "--tls",
                                              *self.certificate()),
            "beast": lambda: self.bare(name, "beast_echo", "ws"),
            "beast tls": lambda: self.bare(name, "beast_echo", "wss", "--tls",
                                           *self.certificate()),
            "websocketpp": lambda: self.bare(name, "websocketpp_echo", "ws"),
            "Node socket.io": lambda: node(name),
        }
        return make[name]()

    def raw(self, name, *options, scheme="ws", load=()):
        command = [self.program("websocket_server"), "--port", "0", *options]
        return Server(name, command, scheme, load)

    def bare(self, name, program, scheme, *options):
        return Server(name, [self.program(program), "--port", "0", *options], scheme)


def node(name):
    """Node's server, set up for speed: with more collector threads it would wait for the core."""
    install_node_peer()
    return Server(name, ["env", "NODE_ENV=production", "node", "--single-threaded-gc",
                         str(PEERS / "socketio_node.mjs"), "--port", "0"])


def install_node_peer():
    """Brings what the lock file says, once."""
    if not shutil.which("node") or not shutil.which("npm"):
        raise Failed("node or npm is missing")
    lock, installed = PEERS / "package-lock.json", PEERS / "node_modules/.installed-lock"
    if installed.exists() and installed.read_bytes() == lock.read_bytes():
        return
    done = subprocess.run(["npm", "ci", "--no-audit", "--no-fund"], cwd=PEERS, check=False,
                          stdout=subprocess.DEVNULL)
    if done.returncode != 0:
        raise Failed("npm ci failed")
    shutil.copyfile(lock, installed)


def parse_peer(text):
    name, equals, command = text.partition("=")
    if not equals:
        raise SystemExit(f"--peer needs NAME=COMMAND, not {text}")
    return Server(name, shlex.split(command))

"""Debian's python3-socketio as a client of our Socket.IO server."""
import asyncio
import contextlib
import json
import logging
import os
import pathlib
import signal
import unittest
import urllib.request

import engineio.payload
import socketio

engineio.payload.Payload.max_decode_packets = 5000  # of 16
logging.getLogger("asyncio").setLevel(logging.CRITICAL)  # the client leaves things unclosed
REFERENCE = ["node", str(pathlib.Path(__file__).with_name("socketio_reference.mjs"))]
OURS = os.environ.get("HAWSER_SOCKETIO_SERVER")
SERVER = [OURS] if OURS else REFERENCE
KINDS = {"polling": ["polling"], "websocket": ["websocket"], "upgrade": ["polling", "websocket"]}
VALUES = [
    None, True, 0, -1, 2**53, 1.5, "", "ä😀\0\x1e\"\\\n",
    [], {}, [1, [2, [3]]], {"a": {"b": [1, {"c": None}]}},
]
BINARIES = [
    b"\1\2\3", b"", os.urandom(100_000),
    {"deep": [{"down": b"\0\xff"}, "text", [b"\x1e"]]},
]


@contextlib.asynccontextmanager
async def serving(*args):
    """A server on a port of the system's choice; it has to end properly."""
    process = await asyncio.create_subprocess_exec(
        *SERVER, "--port", "0", *args,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE)
    try:
        line = (await asyncio.wait_for(process.stdout.readline(), 20)).decode()
        assert line.startswith("listening on "), line
        yield line.split()[-1]
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), 15) == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


class Inbox:
    """What a client hears, by event and in order."""

    def __init__(self, client, *events, namespace="/"):
        self.queues = {event: asyncio.Queue() for event in events}
        for event, queue in self.queues.items():
            client.on(event, self.handler(queue), namespace=namespace)

    @staticmethod
    def handler(queue):
        async def put(*args):
            await queue.put(list(args))
        return put

    async def next(self, event):
        return await asyncio.wait_for(self.queues[event].get(), 20)


@contextlib.asynccontextmanager
async def connected(url, transports, *events, namespaces=("/",), **options):
    """A client in these namespaces, with an inbox for each."""
    client = socketio.AsyncClient(reconnection=False)
    inboxes = [Inbox(client, "auth", *events, namespace=one) for one in namespaces]
    await client.connect(url, transports=transports, namespaces=list(namespaces),
                         wait_timeout=20, **options)
    try:
        yield (client, *inboxes)
    finally:
        await client.disconnect()


def reasons(url):
    with urllib.request.urlopen(f"{url}/reasons", timeout=20) as answer:
        return json.load(answer)


async def left(url, count):
    """Waits for this many sockets to have left; gives the reasons."""
    for _ in range(2000):
        found = await asyncio.get_running_loop().run_in_executor(None, reasons, url)
        if sum(found.values()) >= count:
            return found
        await asyncio.sleep(0.01)
    raise AssertionError(f"{count} should have left: {found}")


class SocketioClient(unittest.IsolatedAsyncioTestCase):
    async def echoed(self, client, value, namespace="/"):
        back = await client.call("message-with-ack", value, namespace=namespace, timeout=20)
        self.assertEqual(back, value)

    async def test_values_and_binary(self):
        for kind, transports in KINDS.items():
            with self.subTest(kind=kind):
                async with serving() as url, \
                        connected(url, transports, "message-back") as (client, inbox):
                    self.assertEqual(await inbox.next("auth"), [{}])
                    for value in [*VALUES, *BINARIES]:
                        await client.emit("message", (value, "and", 7))
                        self.assertEqual(await inbox.next("message-back"), [value, "and", 7])
                        if value is not None:  # as an argument it is none
                            await self.echoed(client, value)
                    several = ("text", b"one", {"two": b"2", "three": [b"", b"4"]})
                    back = await client.call("message-with-ack", several, timeout=20)
                    self.assertEqual(tuple(back), several)
                    me = await client.call("who-am-i", timeout=20)
                    self.assertEqual(me["id"], client.get_sid())
                    self.assertEqual(me["transport"], transports[-1])
                    await client.disconnect()
                    await left(url, 1)

    async def test_order_and_rooms(self):
        for kind, transports in KINDS.items():
            with self.subTest(kind=kind):
                async with serving() as url, \
                        connected(url, transports, "item", "from-room") as (ada, at_ada), \
                        connected(url, transports, "from-room") as (grace, at_grace):
                    await ada.emit("burst", 1000)
                    for i in range(1000):
                        self.assertEqual(await at_ada.next("item"), [i])
                    for one in (ada, grace):
                        self.assertIs(await one.call("join", "deck", timeout=20), True)
                    await ada.emit("to-room", ("deck", "all but Ada"))
                    await ada.emit("to-all", ("deck", "all"))
                    self.assertEqual(await at_grace.next("from-room"), ["all but Ada"])
                    self.assertEqual(await at_grace.next("from-room"), ["all"])
                    self.assertEqual(await at_ada.next("from-room"), ["all"])

    async def test_the_server_asks(self):
        for kind, transports in KINDS.items():
            with self.subTest(kind=kind):
                answers = ("answered", "unanswered", "room-answers")
                async with serving() as url, \
                        connected(url, transports, *answers) as (client, inbox):
                    late = asyncio.Event()

                    async def hesitate(question):
                        await late.wait()

                    client.on("question", hesitate)
                    await client.emit("ask-me", "anybody?")
                    self.assertEqual(await inbox.next("unanswered"), [False])
                    late.set()
                    client.on("question", lambda what: {"asked": what, "bytes": b"\1"})
                    await client.emit("ask-me", "how?")
                    self.assertEqual(await inbox.next("answered"),
                                     [True, {"asked": "how?", "bytes": b"\1"}])
                    await client.call("join", "all", timeout=20)
                    await client.emit("ask-room", "all")
                    self.assertEqual(await inbox.next("room-answers"),
                                     [[{"asked": "?", "bytes": b"\1"}], True])
                    typed = (1.5, "text", True, [1, 2, 3], {"x": 10, "y": 20})
                    self.assertEqual(await client.call("typed", typed, timeout=20), 37.5)

    async def test_namespaces(self):
        for kind, transports in KINDS.items():
            with self.subTest(kind=kind):
                names = ("/", "/custom", "/dynamic-5")
                options = {"namespaces": names, "auth": {"token": "123"}}
                async with serving() as url, \
                        connected(url, transports, **options) as (client, *inboxes):
                    for name, inbox in zip(names, inboxes):
                        self.assertEqual(await inbox.next("auth"), [{"token": "123"}])
                        await self.echoed(client, name, namespace=name)
                    self.assertEqual(len({client.get_sid(name) for name in names}), 3)
                    gone = asyncio.Event()
                    client.on("disconnect", gone.set, namespace="/custom")
                    await client.emit("kick-me", namespace="/custom")
                    await asyncio.wait_for(gone.wait(), 20)
                    self.assertEqual(await left(url, 1), {"server namespace disconnect": 1})
                    await self.echoed(client, "still in /")

    async def test_refusals(self):
        async with serving() as url:
            for name, message in (("/unknown", "Invalid namespace"), ("/denied", "not authorized")):
                for kind, transports in KINDS.items():
                    with self.subTest(name=name, kind=kind):
                        client = socketio.AsyncClient(reconnection=False)
                        refused = asyncio.Queue()
                        client.on("connect_error", refused.put, namespace=name)
                        await client.connect(url, transports=transports, namespaces=[name],
                                             wait=False)
                        error = await asyncio.wait_for(refused.get(), 20)
                        self.assertEqual(error["message"], message)
                        await client.disconnect()

    async def test_heartbeat(self):
        async with serving("--ping-interval", "150", "--ping-timeout", "1500") as url:
            for kind, transports in KINDS.items():
                with self.subTest(kind=kind):
                    async with connected(url, transports) as (client, _):
                        pongs = asyncio.Queue()
                        send = client.eio._send_packet

                        async def watched(packet):
                            if packet.packet_type == 3:
                                await pongs.put(packet)
                            await send(packet)

                        client.eio._send_packet = watched
                        for _ in range(5):
                            await asyncio.wait_for(pongs.get(), 20)
                        await self.echoed(client, "still here")

    async def test_many_at_once(self):
        async def one(url, number):
            async with connected(url, list(KINDS.values())[number % 3]) as (client, _):
                for i in range(20):
                    await self.echoed(client, f"{number}: {i}")

        async with serving() as url:
            await asyncio.gather(*(one(url, number) for number in range(45)))
            await left(url, 45)


if __name__ == "__main__":
    unittest.main(verbosity=2, warnings="ignore")

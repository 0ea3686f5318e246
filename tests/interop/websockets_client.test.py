"""Python's `websockets` as a client of the echo example, in the clear and over TLS."""
import asyncio
import contextlib
import os
import pathlib
import signal
import ssl
import subprocess
import tempfile
import unittest

import websockets
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory

BULKY = "the quick brown fox jumps over the lazy dog. " * 2000


@contextlib.asynccontextmanager
async def echo(*args):
    """The echo example on a port of the system's choice; it has to end properly."""
    process = await asyncio.create_subprocess_exec(
        os.environ["HAWSER_ECHO"], "--port", "0", "--host", "127.0.0.1", *args,
        stdout=asyncio.subprocess.PIPE)
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


def openssl(*args):
    subprocess.run(["openssl", *args], check=True, capture_output=True, timeout=30)


def certificate(folder):
    """A certificate for localhost that is its own authority."""
    cert, key = str(folder / "cert.pem"), str(folder / "key.pem")
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc",
            "-keyout", key, "-out", cert, "-days", "2", "-subj", "/CN=localhost",
            "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1")
    return cert, key


class WebsocketsClient(unittest.IsolatedAsyncioTestCase):
    async def exchange(self, socket, *messages):
        for message in messages:
            await socket.send(message)
            self.assertEqual(await asyncio.wait_for(socket.recv(), 20), message)

    async def test_text_and_binary_of_every_size(self):
        async with echo() as url, websockets.connect(url, max_size=1 << 26) as socket:
            for size in (0, 1, 125, 126, 65535, 65536, 1 << 20, 8 << 20):
                await self.exchange(socket, "x" * size, os.urandom(size))
            await self.exchange(socket, "ä😀\0")

    async def test_fragments_and_pings(self):
        async with echo() as url, websockets.connect(url) as socket:
            await socket.send(["Grü", "ß", "e"])
            self.assertEqual(await asyncio.wait_for(socket.recv(), 20), "Grüße")
            await asyncio.wait_for(await socket.ping(b"here?"), 20)

    async def test_close_codes(self):
        async with echo() as url:
            for code, reason in ((1000, ""), (1001, "away"), (3000, "r" * 123), (4999, "ü")):
                socket = await websockets.connect(url)
                await asyncio.wait_for(socket.close(code, reason), 20)
                self.assertEqual(socket.close_code, code)

    async def test_deflate(self):
        offers = [
            {},
            {"server_no_context_takeover": True},
            {"client_no_context_takeover": True},
            {"server_max_window_bits": 9},
            {"client_max_window_bits": 9},
            {"server_max_window_bits": 12, "client_max_window_bits": 12},
        ]
        for kind in ("shared", "dedicated"):
            async with echo("--deflate", kind) as url:
                for offer in offers:
                    with self.subTest(kind=kind, offer=offer):
                        factory = ClientPerMessageDeflateFactory(**offer)
                        async with websockets.connect(url, compression=None,
                                                      extensions=[factory]) as socket:
                            self.assertEqual(len(socket.extensions), 1)
                            await self.exchange(socket, BULKY, "", "short", BULKY,
                                                os.urandom(50000), BULKY[5:])

    async def test_many_at_once(self):
        async def one(url, number):
            async with websockets.connect(url) as socket:
                await self.exchange(socket, *(f"{number}: {i}" for i in range(20)))

        async with echo("--deflate", "shared") as url:
            await asyncio.gather(*(one(url, number) for number in range(100)))

    async def test_tls(self):
        with tempfile.TemporaryDirectory() as name:
            cert, key = certificate(pathlib.Path(name))
            trusting = ssl.create_default_context(cafile=cert)
            async with echo("--cert", cert, "--key", key, "--deflate", "shared") as url:
                self.assertTrue(url.startswith("wss://"))
                async with websockets.connect(url, ssl=trusting) as socket:
                    await self.exchange(socket, "hello", BULKY, os.urandom(1 << 19))
                with self.assertRaises(ssl.SSLCertVerificationError):
                    await websockets.connect(url, ssl=ssl.create_default_context())


if __name__ == "__main__":
    unittest.main(verbosity=2)

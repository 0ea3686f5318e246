"""An echo server on Python's `websockets`; ends on SIGTERM."""
import asyncio
import signal

import websockets


async def echo(socket):
    async for message in socket:
        await socket.send(message)


async def main():
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    async with websockets.serve(echo, "127.0.0.1", 0, max_size=1 << 26) as server:
        print(f"listening on ws://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
        await ended.wait()


asyncio.run(main())

"""Takes part in a chat by Python's `websockets`: sends its input's lines, prints what arrives."""
import asyncio
import sys

import websockets


async def main(url):
    async with websockets.connect(url) as socket:
        print("listening on", url, flush=True)

        async def listen():
            async for message in socket:
                print(message, flush=True)

        listening = asyncio.create_task(listen())
        while line := await asyncio.to_thread(sys.stdin.readline):
            await socket.send(line.rstrip("\n"))
        await socket.close()
        await listening


asyncio.run(main(sys.argv[1]))

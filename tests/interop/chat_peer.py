"""Takes part in a chat by python3-socketio: emits its input's lines, each a JSON array of an event and
its arguments, and prints what it hears likewise."""
import asyncio
import json
import sys

import socketio


async def main(url):
    client = socketio.AsyncClient(reconnection=False)

    def hear(event):
        async def print_it(*args):
            print(json.dumps([event, *args], ensure_ascii=False), flush=True)
        client.on(event, print_it)

    for event in ("joined", "left", "said", "typing"):
        hear(event)
    await client.connect(url)
    print("listening on", url, flush=True)
    while line := await asyncio.to_thread(sys.stdin.readline):
        event, *args = json.loads(line)
        if event == "enter":
            answer = await client.call(event, tuple(args))
            print(json.dumps([event, answer], ensure_ascii=False), flush=True)
        else:
            await client.emit(event, tuple(args))
    await client.disconnect()


asyncio.run(main(sys.argv[1]))

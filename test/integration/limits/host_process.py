"""A process of a host: calls within the limit, one after the other, until its standard input ends."""

from __future__ import annotations

import asyncio
import os
import sys
import threading

from ganglion import AsyncClient, Client, Retry

USD = float(os.environ["CALL_USD"])
RETRY = Retry(retries=2)
ending = threading.Event()
calls = 0


def wait_for_the_end() -> None:
    sys.stdin.read()
    ending.set()


def work() -> None:
    global calls
    with Client(retry=RETRY) as client:
        while not ending.wait(0.02):
            # What one call uses is half of what it reserves.
            with client.limit("provider", usd=2 * USD) as held:
                held.used(usd=USD)
                calls += 1


async def work_by_asyncio() -> None:
    global calls
    async with AsyncClient(retry=RETRY) as client:
        while not ending.is_set():
            async with client.limit("provider", usd=2 * USD) as held:
                held.used(usd=USD)
                calls += 1
            await asyncio.sleep(0.02)


threading.Thread(target=wait_for_the_end, daemon=True).start()
if sys.argv[1] == "asyncio":
    asyncio.run(work_by_asyncio())
else:
    work()
print(f"calls {calls}", flush=True)

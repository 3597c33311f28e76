"""Programs that leave something open, each for a process of its own: ``python -m tests.calls.leaving NAME``.

Whatever they leave, nothing may be said about it on stderr, with every warning an error and asyncio in debug mode.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import pickle
import sys
import tempfile
import threading
from collections.abc import Callable
from typing import Any

from deepseek_async import AsyncClient, StreamInterruptedError, UserMessage

from ..byte_server import (
    DONE,
    LAST_CHUNK,
    STREAM_HEAD,
    ByteServer,
    Connection,
    answer,
    chunked,
    completion,
    event,
)

KEY = "sk-leaving-0123456789"


def asked(text: str = "who") -> dict[str, Any]:
    return {"model": "m", "messages": [UserMessage(text)]}


async def who(client: AsyncClient, text: str = "who") -> str:
    """The number of the connection that the server was asked over."""
    return (await client.chat.completions.create(**asked(text))).text


class Server:
    """Answers with its connection's number; ``hold`` streams a half, and the other half once ``release`` was asked;
    ``break`` breaks off."""

    def __init__(self) -> None:
        self._released = asyncio.Event()
        self.bytes = ByteServer(self._play)

    async def _play(self, connection: Connection) -> None:
        while request := await connection.request():
            if b'"hold"' in request:
                connection.send(STREAM_HEAD + chunked(event("a")))
                released, gone = asyncio.ensure_future(self._released.wait()), asyncio.ensure_future(connection.gone())
                await asyncio.wait((released, gone), return_when=asyncio.FIRST_COMPLETED)
                if gone.done():
                    released.cancel()
                    return
                gone.cancel()
                await asyncio.gather(gone, return_exceptions=True)
                connection.send(chunked(event("b", "stop"), DONE) + LAST_CHUNK)
                continue
            if b'"break"' in request:
                connection.send(STREAM_HEAD + chunked(event("a"), event("b")))
                return
            if b'"release"' in request:
                self._released.set()
            connection.send(answer(completion(str(connection.number))))


def in_loop(program: Callable[[ByteServer], Any]) -> Callable[[], None]:
    """A program that runs in one loop with its server."""

    async def main() -> None:
        asyncio.get_running_loop().slow_callback_duration = 60.0
        async with Server().bytes as server, asyncio.timeout(10):  # far less than a pooled connection is kept
            await program(server)

    return lambda: asyncio.run(main())


# -- in one loop -------------------------------------------------------------------------------------------------------


@in_loop
async def broken_loops(server: ByteServer) -> None:
    """`break` out of a stream, five times, inside its block: each socket is closed at once."""
    async with AsyncClient(base_url=server.base_url) as client:
        for number in range(5):
            async with client.chat.completions.stream(**asked("hold")) as stream:
                async for _ in stream:
                    break
            await server.all_closed()
            assert len(server.connections) == number + 1
        assert client.statistics().in_flight == 0


@in_loop
async def collected_streams(server: ByteServer) -> None:
    """Streams that nobody closes and nobody holds: garbage collection frees their sockets."""
    async with AsyncClient(base_url=server.base_url) as client:
        for _ in range(5):
            stream = client.chat.completions.stream(**asked("hold"))
            await anext(stream)
        del stream
        gc.collect()
        await server.all_closed()
        assert client.statistics().in_flight == 0


@in_loop
async def circles(server: ByteServer) -> None:
    """Streams in circles of the program's own, one broken by the server: the collector meets them all at once."""
    async with AsyncClient(base_url=server.base_url) as client:
        for text in ("hold", "break", "hold"):
            stream = client.chat.completions.stream(**asked(text))
            await anext(stream)
            circle: list[Any] = [stream]
            circle.append(circle)
            await asyncio.sleep(0.01)
        del stream, circle
        gc.collect()
        await server.all_closed()
        assert client.statistics().in_flight == 0


@in_loop
async def a_collected_client(server: ByteServer) -> None:
    """A client that nobody closes: its pooled and its busy connections go with it."""
    client = AsyncClient(base_url=server.base_url)
    stream = client.chat.completions.stream(**asked("hold"))
    await anext(stream)
    assert await who(client) == "1"
    del stream, client
    gc.collect()
    await server.all_closed()


@in_loop
async def a_stream_that_outlives_its_client(server: ByteServer) -> None:
    """The stream holds on to nothing that the client has closed."""
    async with AsyncClient(base_url=server.base_url) as client:
        stream = client.chat.completions.stream(**asked("hold"))
        await anext(stream)
    await server.all_closed()
    try:
        await anext(stream)
        raise AssertionError("a closed client's stream went on")
    except StreamInterruptedError:
        pass


@in_loop
async def a_cancelled_crowd(server: ByteServer) -> None:
    """Twenty tasks cancelled wherever they are."""
    async with AsyncClient(base_url=server.base_url, max_connections=5) as client:
        tasks = [asyncio.ensure_future(who(client, "hold" if n % 2 else "who")) for n in range(20)]
        tasks += [asyncio.ensure_future(anext(client.chat.completions.stream(**asked("hold")))) for _ in range(20)]
        await asyncio.sleep(0.02)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert (client.statistics().in_flight, client.statistics().waiting_for_connection) == (0, 0)
    await server.all_closed()


# -- over several loops ------------------------------------------------------------------------------------------------


def two_runs() -> None:
    """One client over two `asyncio.run`, never closed; a stream left open in the first is closed in the second."""
    client = AsyncClient(base_url="http://127.0.0.1:1")
    left: list[Any] = []

    async def run(client: AsyncClient, server: ByteServer) -> None:
        asyncio.get_running_loop().slow_callback_duration = 60.0
        async with server:
            if not left:
                client.__init__(base_url=server.base_url)  # type: ignore[misc] - the port is known only now
            stream = client.chat.completions.stream(**asked("hold"))
            await anext(stream)
            left.append(stream)
            assert await who(client) == "1"
            if len(left) == 2:
                await left[0].aclose()
                assert left[0].snapshot().text == "a"

    server = Server().bytes
    asyncio.run(run(client, server))
    again = Server().bytes
    again.port = server.port
    asyncio.run(run(client, again))


def a_closed_loop() -> None:
    """A stream that is collected when its loop is long gone."""

    async def run() -> Any:
        asyncio.get_running_loop().slow_callback_duration = 60.0
        async with Server().bytes as server:
            client = AsyncClient(base_url=server.base_url)
            stream = client.chat.completions.stream(**asked("hold"))
            await anext(stream)
            return client, stream

    client, stream = asyncio.run(run())
    assert "streaming" in repr(stream)
    del stream
    gc.collect()
    assert client.statistics().in_flight == 0
    del client
    gc.collect()


def two_threads() -> None:
    """One client in the loops of two threads at once."""
    client: list[AsyncClient] = []
    ready, failures = threading.Barrier(2, timeout=20), []

    async def run(number: int) -> None:
        asyncio.get_running_loop().slow_callback_duration = 60.0
        if number == 0:
            async with Server().bytes as server:
                client.append(AsyncClient(base_url=server.base_url))
                await asyncio.to_thread(ready.wait)
                assert len({await who(client[0]) for _ in range(20)}) == 1
                await asyncio.to_thread(ready.wait)
        else:
            await asyncio.to_thread(ready.wait)
            assert len({await who(client[0]) for _ in range(20)}) == 1
            await client[0].aclose()
            await asyncio.to_thread(ready.wait)

    def main(number: int) -> None:
        try:
            asyncio.run(run(number))
        except BaseException as error:
            failures.append(error)
            raise

    threads = [threading.Thread(target=main, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


# -- over several processes --------------------------------------------------------------------------------------------


async def forked_while_running(base_url: str) -> None:
    """A fork in the middle of a stream: the child has connections of its own, the parent keeps its."""
    client = AsyncClient(base_url=base_url)
    stream = client.chat.completions.stream(**asked("hold"))
    assert (await anext(stream)).choices[0].delta.content == "a"
    assert await who(client) == "1"
    child = os.fork()
    if child == 0:
        try:
            asyncio.run(in_child(client))
            del stream, client
            gc.collect()
            os._exit(0)
        except BaseException as error:
            print("child:", repr(error), file=sys.stderr, flush=True)
            os._exit(1)
    assert (await asyncio.to_thread(os.waitpid, child, 0))[1] == 0
    assert await who(client, "release") == "1"
    assert (await stream.completion()).text == "ab"
    assert await who(client) in ("0", "1")
    await client.aclose()


async def in_child(client: AsyncClient) -> None:
    assert await who(client) == "2"
    assert await who(client) == "2"
    await client.aclose()


def forked_between_runs(base_url: str) -> None:
    """A fork while the loop stands still; the child collects all it has inherited, and may use the loop's client."""
    loop = asyncio.new_event_loop()
    client = AsyncClient(base_url=base_url)
    stream = client.chat.completions.stream(**asked("hold"))
    loop.run_until_complete(anext(stream))  # type: ignore[arg-type]
    assert loop.run_until_complete(who(client)) == "1"
    child = os.fork()
    if child == 0:
        try:
            asyncio.run(in_child(client))
            del stream, client
            gc.collect()
            os._exit(0)
        except BaseException as error:
            print("child:", repr(error), file=sys.stderr, flush=True)
            os._exit(1)
    assert os.waitpid(child, 0)[1] == 0
    assert loop.run_until_complete(who(client, "release")) == "1"
    assert loop.run_until_complete(stream.completion()).text == "ab"
    loop.run_until_complete(client.aclose())
    loop.close()


def pickled(base_url: str) -> None:
    """A client that went through a pickle asks the same server, with connections and a loop of its own."""
    client = pickle.loads(pickle.dumps(AsyncClient(base_url=base_url)))  # noqa: S301 - our own

    async def run() -> None:
        async with client:
            assert await who(client) == "0"

    asyncio.run(run())


def serve() -> None:
    """A server for programs that fork: prints its port, and goes when its stdin is closed."""

    async def main() -> None:
        async with Server().bytes as server:
            print(server.port, flush=True)
            await asyncio.to_thread(sys.stdin.read)

    asyncio.run(main())


ALONE: dict[str, Callable[[], None]] = {
    "broken loops": broken_loops,
    "collected streams": collected_streams,
    "circles": circles,
    "a collected client": a_collected_client,
    "a stream that outlives its client": a_stream_that_outlives_its_client,
    "a cancelled crowd": a_cancelled_crowd,
    "two runs": two_runs,
    "a closed loop": a_closed_loop,
    "two threads": two_threads,
}
BESIDE_A_SERVER: dict[str, Callable[[str], None]] = {
    "forked while running": lambda base_url: asyncio.run(forked_while_running(base_url)),
    "forked between runs": forked_between_runs,
    "pickled": pickled,
}


def each() -> None:
    """Run every program of `ALONE`, each in a child of its own that ends as an interpreter does: a start costs most.

    Prints, as JSON, the programs' names with their exit codes and what they said.
    """
    said = {}
    for name, program in ALONE.items():
        with tempfile.TemporaryFile() as errors:
            if not (child := os.fork()):
                os.dup2(errors.fileno(), sys.stderr.fileno())
                program()
                return
            _, status = os.waitpid(child, 0)
            errors.seek(0)
            said[name] = (os.waitstatus_to_exitcode(status), errors.read().decode())
    print(json.dumps(said))


def main(name: str, *arguments: str) -> None:
    if name == "serve":
        serve()
    elif name == "each":
        each()
    elif name in ALONE:
        ALONE[name]()
    else:
        BESIDE_A_SERVER[name](*arguments)
    gc.collect()


if __name__ == "__main__":
    main(*sys.argv[1:])

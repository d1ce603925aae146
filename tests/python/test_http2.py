"""httpx and httpx2 over HTTP/2, with a server made of h2."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Iterator
from socket import create_server
from types import ModuleType
from typing import NamedTuple

import httpx
import httpx2
import pytest
import trustme
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, RequestReceived, StreamEnded

from clazar_auth import TokenProvider
from clazar_auth.integrations.httpx import Auth
from clazar_auth.testing import Sandbox

both = pytest.mark.parametrize("library", [httpx, httpx2], ids=["httpx", "httpx2"])


class Seen(NamedTuple):
    connection: int
    authorization: str
    body: bytes


class Http2Server:
    """Answers 401 to the first token that it sees, and 200 to the others."""

    def __init__(self) -> None:
        authority = trustme.CA()
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.set_alpn_protocols(["h2"])
        authority.issue_cert("127.0.0.1").configure_cert(self._context)
        self.client_context = ssl.create_default_context()
        authority.configure_trust(self.client_context)
        self._listener = create_server(("127.0.0.1", 0))
        self.host = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self.url = f"https://{self.host}/metering/"
        self.seen: list[Seen] = []
        self.is_whole = True
        """Whether a 401 has its body."""
        self._threads = [threading.Thread(target=self._accept)]

    def __enter__(self) -> Http2Server:
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        # Wakes accept().
        self._listener.shutdown(2)
        for thread in self._threads:
            thread.join()
        self._listener.close()

    def connections(self) -> int:
        return len({seen.connection for seen in self.seen})

    def _accept(self) -> None:
        number = 0
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            number += 1
            secure = self._context.wrap_socket(connection, server_side=True)
            thread = threading.Thread(target=self._serve, args=(secure, number))
            self._threads.append(thread)
            thread.start()

    def _serve(self, socket: ssl.SSLSocket, number: int) -> None:
        protocol = H2Connection(H2Configuration(client_side=False, header_encoding="utf-8"))
        protocol.initiate_connection()
        tokens: dict[int, str] = {}
        bodies: dict[int, bytes] = {}
        with socket:
            socket.sendall(protocol.data_to_send())
            while data := socket.recv(65_536):
                for event in protocol.receive_data(data):
                    if isinstance(event, RequestReceived):
                        headers = {str(name): str(value) for name, value in event.headers}
                        tokens[event.stream_id] = headers["authorization"]
                    elif isinstance(event, DataReceived):
                        id = event.stream_id
                        bodies[id] = bodies.get(id, b"") + event.data
                        protocol.acknowledge_received_data(event.flow_controlled_length, id)
                    elif isinstance(event, StreamEnded):
                        id = event.stream_id
                        self.seen.append(Seen(number, tokens[id], bodies.get(id, b"")))
                        is_refused = tokens[id] == self.seen[0].authorization
                        status = "401" if is_refused else "200"
                        headers = {":status": status, "content-length": str(len(status))}
                        protocol.send_headers(id, headers.items())
                        if self.is_whole or not is_refused:
                            protocol.send_data(id, status.encode(), end_stream=True)
                socket.sendall(protocol.data_to_send())


@pytest.fixture
def server() -> Iterator[Http2Server]:
    with Http2Server() as server:
        yield server


@pytest.fixture
def provider(sandbox: Sandbox, server: Http2Server) -> TokenProvider:
    return sandbox.provider(allowed_hosts=[server.host])


@both
def test_a_401_is_followed_by_another_stream_of_the_same_connection(
    library: ModuleType, sandbox: Sandbox, server: Http2Server, provider: TokenProvider
) -> None:
    options = {"http2": True, "verify": server.client_context, "auth": Auth(provider)}
    with library.Client(**options) as client:
        response = client.post(server.url, json={"quantity": 1})
        again = client.post(server.url, json={"quantity": 2})
    assert (response.http_version, response.status_code, response.text) == ("HTTP/2", 200, "200")
    assert again.status_code == 200
    first, second, third = server.seen
    assert first.body == second.body != third.body
    assert first.authorization != second.authorization == third.authorization
    assert server.connections() == 1
    assert sandbox.requests() == 2


@both
def test_a_401_without_its_body_holds_no_connection(
    library: ModuleType, server: Http2Server, provider: TokenProvider
) -> None:
    """A wait for its body that takes too long would end all streams of the connection."""
    server.is_whole = False
    options = {"http2": True, "verify": server.client_context, "auth": Auth(provider)}
    with library.Client(**options) as client:
        assert client.get(server.url).status_code == 200
    assert server.connections() == 1


@both
def test_many_streams_share_one_renewal(
    library: ModuleType, sandbox: Sandbox, server: Http2Server, provider: TokenProvider
) -> None:
    async def main() -> list[int]:
        options = {"http2": True, "verify": server.client_context, "auth": Auth(provider)}
        async with library.AsyncClient(**options) as client:
            answers = await asyncio.gather(
                *(client.post(server.url, content=bytes(10_000)) for _ in range(50))
            )
        return [answer.status_code for answer in answers]

    assert asyncio.run(main()) == [200] * 50
    assert server.connections() == 1
    assert sandbox.requests() == 2


@both
def test_a_hook_that_raises_keeps_no_401_from_the_provider(
    library: ModuleType, server: Http2Server, provider: TokenProvider
) -> None:
    def check(response: httpx.Response) -> None:
        response.raise_for_status()

    hooks = {"response": [check]}
    options = {"http2": True, "verify": server.client_context, "auth": Auth(provider)}
    with library.Client(event_hooks=hooks, **options) as client:
        with pytest.raises(library.HTTPStatusError):
            client.get(server.url)
        assert provider.peek() is None
        assert client.get(server.url).status_code == 200

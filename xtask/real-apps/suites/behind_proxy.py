"""A plugin of pytest: one test server of aiohttp at a time stands at `UPSTREAM`, and is asked at `ADDRESS`."""

import os
import socket

from aiohttp.test_utils import BaseTestServer
from yarl import URL

UPSTREAM, ADDRESS = int(os.environ["UPSTREAM"]), os.environ["ADDRESS"]
original = BaseTestServer.start_server


def at_upstream(host, _port, family):
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, UPSTREAM))
    except OSError:
        # A second server of the same test.
        listener.bind((host, 0))
    return listener


async def start_server(self, loop=None, **options):
    if self.runner or options.get("ssl") or self.port or self.host != "127.0.0.1":
        return await original(self, loop, **options)
    self.socket_factory = at_upstream
    await original(self, loop, **options)
    if self.port == UPSTREAM:
        self._root = URL(f"http://{ADDRESS}")
        self.port = self._root.port


BaseTestServer.start_server = start_server

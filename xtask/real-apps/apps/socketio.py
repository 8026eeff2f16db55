# /// script
# dependencies = ["python-socketio==5.18.1", "aiohttp==3.14.5", "requests==2.34.2", "websocket-client==1.9.2"]
# [tool.npm]
# dependencies = { "socket.io" = "4.8.4" }
# ///
"""Socket.IO on Node: rooms, acknowledgements and long messages, by long polls, by WebSocket, and by the upgrade from one to the other."""

import os
import threading
from pathlib import Path

import requests
import socketio
from harness import run

TOKEN = "otter-4f9a2c7e"


def start(app):
    app.start(["node", Path(__file__).parent / "socketio/server.js", app.port], NODE_PATH=f"{os.environ['NODE']}/node_modules")


def chat(app, transports):
    """What two clients hear in a room."""
    clients, heard, done = [], [], threading.Event()

    def hear(kind):
        def add(value):
            heard.append([kind, value])
            if kind == "shouted":
                done.set()
        return add

    for name in ("jane", "ruth"):
        client = socketio.Client(reconnection=False)
        client.connect(app.url, transports=transports, auth={"token": TOKEN}, namespaces=["/", "/admin"])
        client.call("join", {"room": "kitchen", "name": name}, timeout=10)
        clients.append(client)
    for kind in ("said", "shouted"):
        clients[0].on(kind, hear(kind))
    answer = clients[1].call("say", "tea? " * 500, timeout=10)
    # Text: this client handles a message and its bytes in two threads, now and then in the wrong order.
    clients[1].emit("shout", "tea! " * 20_000)
    assert done.wait(10), "it heard nothing"
    transport = [client.transport() for client in clients]
    refused = None
    try:
        socketio.Client(reconnection=False).connect(app.url, transports=transports, auth={"token": "wrong"}, wait_timeout=5)
    except socketio.exceptions.ConnectionError as error:
        refused = str(error)
    for client in clients:
        client.disconnect()
    return {"heard": sorted(heard), "answer": answer, "transport": transport, "refused": refused}


def drive(app):
    yield "client script", requests.get(f"{app.url}/socket.io/socket.io.min.js").status_code
    yield "long polls", chat(app, ["polling"])
    yield "WebSocket", chat(app, ["websocket"])
    yield "upgrade", chat(app, ["polling", "websocket"])
    bad = requests.get(f"{app.url}/socket.io/?EIO=4&transport=polling&sid=jane-abc")
    yield "unknown session", [bad.status_code, bad.text]


if __name__ == "__main__":
    run(start, drive, hidden=["jane", "ruth", "kitchen", TOKEN])

# /// script
# dependencies = ["fastapi==0.165.0", "uvicorn==0.54.0", "httpx==0.28.1", "websockets==17.4", "python-multipart==0.0.34"]
# ///
"""FastAPI under uvicorn, whose OpenAPI document names the rows; by `ROOT_PATH` below a path of its own."""

import os
import sys
from pathlib import Path

import httpx
from harness import run
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

ROOT = os.environ.get("ROOT_PATH", "")


def start(app):
    shop = Path(__file__).parent / "fastapi"
    app.start([sys.executable, "-m", "uvicorn", "--app-dir", shop, "--port", app.port, "shop:app"])


def talk(app):
    heard = []
    with connect(f"ws://{app.address}{ROOT}/ws/kitchen") as socket:
        for word in ("tea", "x" * 70_000, "milk"):
            socket.send(word)
            heard.append(socket.recv())
        try:
            socket.recv()
        except ConnectionClosed as end:
            heard.append([end.rcvd.code, end.rcvd.reason])
    return heard


def drive(app):
    def answer(response):
        kept = ("content-type", "content-length", "transfer-encoding", "location", "allow", "server")
        return [response.status_code, {name: response.headers.get(name) for name in kept}, response.text]

    with httpx.Client(base_url=app.url + ROOT) as client:
        yield "create", [answer(client.post("/users/", json={"name": name, "age": 3})) for name in ("otter", "jane")]
        yield "read", [answer(client.get(f"/users/{number}")) for number in (1, 2, 3)]
        yield "invalid", answer(client.post("/users/", json={"name": "ruth", "age": "old"}))
        yield "no number", answer(client.get("/users/jane"))
        yield "by name", [answer(client.get(f"/users/by-name/{name}")) for name in ("otter", "jane", "zo%C3%AB")]
        yield "slash", answer(client.get("/users"))
        yield "redirect", answer(client.get("/old"))
        yield "file", answer(client.get("/files/home/jane/report.txt"))
        yield "upload", answer(client.post("/uploads", files={"file": ("jane.bin", b"x" * 3_000_000)}))
        yield "events", answer(client.get("/events"))
        yield "method", answer(client.delete("/events"))
        yield "absent", answer(client.get("/nothing"))
        yield "head", answer(client.head("/users/1"))
        yield "prefix left out", answer(httpx.get(f"{app.url}/users/1"))
        yield "options", answer(client.options("/users/1"))
        yield "documents", [answer(client.get(path)) for path in ("/docs", "/redoc", "/openapi.json")]
    yield "WebSocket", talk(app)


if __name__ == "__main__":
    arguments = ["--openapi", f"{ROOT}/openapi.json", "--route", f"{ROOT}/ws/{{room}}", "--route", f"{ROOT}/files/{{*path}}"]
    run(start, drive, arguments=arguments, hidden=["jane", "otter", "kitchen"])

# /// script
# dependencies = ["jupyterlab==4.6.6", "requests==2.34.2", "websocket-client==1.9.2"]
# ///
"""The server of Jupyter: its REST API, a kernel by its WebSocket, a terminal, and an upload."""

import base64
import json
import sys
import uuid

import requests
import websocket
from harness import run

TOKEN = "otter4f9a2c7e81b3d5f6"


def start(app):
    notes = {"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    (app.folder / "work/jane").mkdir(parents=True)
    (app.folder / "work/jane/diary.ipynb").write_text(json.dumps(notes))
    home = {name: str(app.folder / name) for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "HOME")}
    settings = [f"--ServerApp.port={app.port}", "--ServerApp.root_dir=work", f"--IdentityProvider.token={TOKEN}"]
    settings += ["--ServerApp.ip=127.0.0.1", "--no-browser", "--allow-root", "--LabApp.news_url=", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]
    app.start([sys.executable, "-m", "jupyterlab", *settings], **home)


def execute(app, kernel, code):
    """What the kernel publishes for a cell."""
    session = uuid.uuid4().hex
    socket = websocket.create_connection(
        f"ws://{app.address}/api/kernels/{kernel}/channels?session_id={session}", header={"Authorization": f"token {TOKEN}"}, timeout=60
    )
    header = {"msg_id": uuid.uuid4().hex, "msg_type": "execute_request", "username": "", "session": session, "version": "5.3", "date": ""}
    content = {"code": code, "silent": False, "store_history": True, "user_expressions": {}, "allow_stdin": False}
    socket.send(json.dumps({"header": header, "parent_header": {}, "metadata": {}, "content": content, "channel": "shell", "buffers": []}))
    published = []
    while True:
        message = json.loads(socket.recv())
        if message["parent_header"].get("msg_id") != header["msg_id"]:
            continue
        kind, content = message["msg_type"], message["content"]
        if kind == "stream":
            published.append(content["text"])
        elif kind in ("execute_result", "error"):
            published.append(content.get("data") or content["ename"])
        elif kind == "status" and content["execution_state"] == "idle":
            socket.close()
            return "".join(one for one in published if isinstance(one, str)), [one for one in published if not isinstance(one, str)]


def drive(app):
    headers = {"Authorization": f"token {TOKEN}"}
    session = requests.Session()
    session.headers.update(headers)

    def ask(method, path, **options):
        answer = session.request(method, app.url + path, timeout=60, **options)
        return answer.status_code, (answer.json() if answer.ok and answer.content else None)

    yield "refused", requests.get(f"{app.url}/api/contents").status_code
    yield "status", ask("GET", "/api/status")[0]
    yield "folder", sorted(one["name"] for one in ask("GET", "/api/contents/jane")[1]["content"])
    for number in range(4):
        text = {"type": "file", "format": "text", "content": f"note {number}\n"}
        yield f"write {number}", ask("PUT", f"/api/contents/jane/note%20{number}.txt", json=text)[0]
    large = {"type": "file", "format": "base64", "content": base64.b64encode(bytes(range(256)) * 20_000).decode()}
    yield "upload", ask("PUT", "/api/contents/jane/Stra%C3%9Fe.bin", json=large)[0]
    yield "raw", len(session.get(f"{app.url}/files/jane/Stra%C3%9Fe.bin").content)
    yield "rename", ask("PATCH", "/api/contents/jane/note%200.txt", json={"path": "jane/otter.txt"})[0]
    yield "checkpoint", ask("POST", "/api/contents/jane/otter.txt/checkpoints")[0]
    yield "checkpoints", len(ask("GET", "/api/contents/jane/otter.txt/checkpoints")[1])
    yield "delete", ask("DELETE", "/api/contents/jane/note%201.txt")[0]
    yield "absent", ask("GET", "/api/contents/jane/none.txt")[0]
    yield "kernels", sorted(ask("GET", "/api/kernelspecs")[1]["kernelspecs"])
    status, kernel = ask("POST", "/api/kernels", json={"name": "python3"})
    yield "kernel", status
    number = kernel["id"]
    yield "cell", execute(app, number, "print('tea'); 6 * 7")
    yield "much text", execute(app, number, "print('x' * 900_000)")
    yield "error", execute(app, number, "1 / 0")
    yield "progress", execute(app, number, "import time\nfor n in range(20): print(n, flush=True); time.sleep(0.05)")
    yield "interrupt", ask("POST", f"/api/kernels/{number}/interrupt")[0]
    yield "restart", ask("POST", f"/api/kernels/{number}/restart")[0]
    yield "delete kernel", ask("DELETE", f"/api/kernels/{number}")[0]
    notebook = {"path": "jane/diary.ipynb", "type": "notebook", "name": "", "kernel": {"name": "python3"}}
    status, opened = ask("POST", "/api/sessions", json=notebook)
    yield "session", status
    yield "delete session", ask("DELETE", f"/api/sessions/{opened['id']}")[0]
    yield "export", session.get(f"{app.url}/nbconvert/html/jane/diary.ipynb").status_code
    status, terminal = ask("POST", "/api/terminals", json={})
    yield "terminal", status
    socket = websocket.create_connection(f"ws://{app.address}/terminals/websocket/{terminal['name']}", header=headers, timeout=30)
    socket.send(json.dumps(["stdin", "echo $((6 * 7))otters\r"]))
    heard = ""
    while "42otters" not in heard:
        heard += "".join(str(part) for part in json.loads(socket.recv())[1:])
    socket.close()
    yield "close the terminal", ask("DELETE", f"/api/terminals/{terminal['name']}")[0]


if __name__ == "__main__":
    run(start, drive, hidden=["jane", "otter", "diary", "note%", TOKEN])

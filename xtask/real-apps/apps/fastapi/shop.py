"""A shop by FastAPI: parameters, a file's path, an upload, a stream, a WebSocket, background tasks and errors."""

import asyncio
import os

from fastapi import BackgroundTasks, FastAPI, HTTPException, UploadFile, WebSocket
from fastapi.responses import RedirectResponse, StreamingResponse
from pydantic import BaseModel

app = FastAPI(root_path=os.environ.get("ROOT_PATH", ""))
users = {}


class User(BaseModel):
    name: str
    age: int


@app.post("/users/", status_code=201)
def create_user(user: User, tasks: BackgroundTasks):
    users[len(users) + 1] = user
    tasks.add_task(print, "welcome")
    return {"id": len(users)}


@app.get("/users/{user_id}")
def read_user(user_id: int) -> User:
    if user_id not in users:
        raise HTTPException(404, f"no user {user_id}")
    return users[user_id]


@app.get("/users/by-name/{name}")
def find_user(name: str):
    return [number for number, user in users.items() if user.name == name]


@app.get("/files/{path:path}")
def read_file(path: str):
    return {"path": path}


@app.post("/uploads")
async def upload(file: UploadFile):
    return {"name": file.filename, "bytes": len(await file.read())}


@app.get("/old")
def old():
    return RedirectResponse("/users/by-name/otter", 307)


@app.get("/events")
async def events():
    async def lines():
        for number in range(5):
            yield f"data: {number}\n\n"
            await asyncio.sleep(0.05)

    return StreamingResponse(lines(), media_type="text/event-stream")


@app.websocket("/ws/{room}")
async def room(socket: WebSocket, room: str):
    await socket.accept()
    for _ in range(3):
        await socket.send_text(f"{room}: {await socket.receive_text()}")
    await socket.close(4001, "enough")

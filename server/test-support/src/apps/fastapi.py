# What a backend in FastAPI has: templates, validation, streams, cookies, a failure, and a WebSocket.
import hashlib

from fastapi import FastAPI, Request, Response, WebSocket
from fastapi.responses import RedirectResponse, StreamingResponse
from pydantic import BaseModel

app = FastAPI()


class Order(BaseModel):
    number: int
    name: str


@app.get("/products/{number}")
def product(number: int, q: str | None = None):
    return {"number": number, "q": q}


@app.post("/orders", status_code=201)
def order(order: Order):
    return order


@app.put("/digest")
async def digest(request: Request):
    digest, size = hashlib.sha256(), 0
    async for part in request.stream():
        digest.update(part)
        size += len(part)
    return {"size": size, "sha256": digest.hexdigest()}


@app.get("/stream")
def stream():
    return StreamingResponse((f"{number}\n" * 1000 for number in range(100)), media_type="text/plain")


@app.get("/moved")
def moved():
    return RedirectResponse("/products/1")


@app.get("/cookies")
def cookies(response: Response):
    response.set_cookie("a", "1", httponly=True)
    response.set_cookie("b", "ü", samesite="strict")
    return None


@app.get("/fails")
def fails():
    raise RuntimeError("as asked")


@app.websocket("/echo")
async def echo(socket: WebSocket):
    spoken = socket.scope["subprotocols"]
    await socket.accept(subprotocol="shop.v1" if "shop.v1" in spoken else None)
    while True:
        message = await socket.receive()
        if message["type"] == "websocket.disconnect":
            return
        if message.get("text") == "leave":
            return await socket.close(4001, "as asked")
        if message.get("text") is not None:
            await socket.send_text(message["text"])
        else:
            await socket.send_bytes(message["bytes"])


@app.websocket("/closed")
async def closed(socket: WebSocket):
    await socket.close()

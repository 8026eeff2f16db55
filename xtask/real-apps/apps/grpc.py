# /// script
# dependencies = ["grpcio==1.83.2", "grpcio-tools==1.83.2"]
# ///
"""gRPC: calls of all four kinds, metadata, compression, deadlines, cancellation and errors."""

import hashlib
import sys
from pathlib import Path

import grpc
from harness import run

HERE = Path(__file__).parent / "grpc"


def start(app):
    made = [f"--proto_path={HERE}", f"--python_out={app.folder}", f"--grpc_python_out={app.folder}", HERE / "shop.proto"]
    app.run([sys.executable, "-m", "grpc_tools.protoc", *made])
    app.start([sys.executable, HERE / "server.py", app.port], PYTHONPATH=str(app.folder))


def drive(app):
    sys.path.insert(0, str(app.folder))
    import shop_pb2 as shop
    import shop_pb2_grpc

    def failure(call):
        try:
            return call()
        except grpc.RpcError as error:
            return [error.code().name, error.details()]

    with grpc.insecure_channel(app.address, options=[("grpc.max_receive_message_length", -1)]) as channel:
        orders = shop_pb2_grpc.OrdersStub(channel)
        sent = [("tenant", "jane"), ("trace-bin", b"\xff\x00")]
        receipt, call = orders.Place.with_call(shop.Order(customer="jane", amount=3), metadata=sent)
        yield "place", [receipt.text, receipt.total, sorted(map(repr, call.trailing_metadata()))]
        yield "hundred", sum(orders.Place(shop.Order(amount=1)).total for _ in range(100))
        many = [orders.Place.future(shop.Order(amount=1)) for _ in range(100)]
        yield "hundred at once", sum(one.result().total for one in many)
        picture = bytes(range(256)) * 20_000
        for compression in (grpc.Compression.NoCompression, grpc.Compression.Gzip):
            receipt = orders.Place(shop.Order(amount=1, picture=picture), compression=compression)
            yield f"picture, {compression.name}", hashlib.sha256(receipt.picture).hexdigest()
        yield "watch", [receipt.total for receipt in orders.Watch(shop.Order(amount=50))]
        yield "import", orders.Import(shop.Order(amount=number) for number in range(500)).total
        talk = (shop.Order(amount=number) for number in range(20))
        yield "haggle", [receipt.text for receipt in orders.Haggle(talk)]
        yield "nothing ordered", failure(lambda: orders.Place(shop.Order()))
        yield "deadline", failure(lambda: orders.Place(shop.Order(amount=-1), timeout=0.3))[0]
        watch = orders.Watch(shop.Order(amount=10_000))
        next(watch)
        watch.cancel()
        yield "cancelled", failure(lambda: list(watch))
        unknown = channel.unary_unary("/shop.v1.Orders/Steal")
        yield "unknown method", failure(lambda: unknown(b""))


if __name__ == "__main__":
    run(start, drive, upstream="h2c://127.0.0.1:{port}", hidden=["jane"])

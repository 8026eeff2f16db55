"""The orders of a shop by gRPC: all four kinds of calls, errors, and answers that take their time."""

import sys
import time
from concurrent import futures

import grpc
import shop_pb2 as shop
import shop_pb2_grpc


class Orders(shop_pb2_grpc.OrdersServicer):
    def Place(self, request, context):
        if request.amount == 0:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, "nothing ordered: 0 ≠ 1")
        if request.amount < 0:
            time.sleep(5)
        context.set_trailing_metadata((("cost-bin", b"\x00\xff"), ("cost", "7")))
        return shop.Receipt(text=f"for {request.customer}", total=request.amount, picture=request.picture)

    def Watch(self, request, context):
        for number in range(request.amount):
            yield shop.Receipt(total=number)
            time.sleep(0.01)

    def Import(self, requests, context):
        return shop.Receipt(total=sum(request.amount for request in requests))

    def Haggle(self, requests, context):
        for request in requests:
            yield shop.Receipt(text=f"less than {request.amount}", total=request.amount - 1)


server = grpc.server(futures.ThreadPoolExecutor(8), options=[("grpc.max_receive_message_length", -1)])
shop_pb2_grpc.add_OrdersServicer_to_server(Orders(), server)
server.add_insecure_port(f"127.0.0.1:{sys.argv[1]}")
server.start()
server.wait_for_termination()

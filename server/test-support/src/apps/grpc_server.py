# A shop that speaks gRPC, at the given port.
import sys, time
from concurrent import futures
import grpc

METADATA = (("x-first", "1"),)
TRAILERS = (("x-last", "2"),)

def get(request, context):
    context.send_initial_metadata(METADATA)
    context.set_trailing_metadata(TRAILERS)
    if request.startswith(b"slow"):
        time.sleep(5)
    if request.startswith(b"abort "):
        _, code, text = request.decode().split(" ", 2)
        context.abort(grpc.StatusCode[code], text)
    if request.startswith(b"raise"):
        raise RuntimeError("of the handler")
    return b"got " + request

def list_all(request, context):
    for number in range(int(request)):
        yield b"item %d" % number
    if int(request) == 3:
        context.abort(grpc.StatusCode.DATA_LOSS, "in the middle")

def add(requests, context):
    return b"%d bytes" % sum(len(request) for request in requests)

def chat(requests, context):
    for request in requests:
        yield b"echo " + request

handlers = {
    "Get": grpc.unary_unary_rpc_method_handler(get),
    "List": grpc.unary_stream_rpc_method_handler(list_all),
    "Add": grpc.stream_unary_rpc_method_handler(add),
    "Chat": grpc.stream_stream_rpc_method_handler(chat),
}
server = grpc.server(futures.ThreadPoolExecutor(max_workers=20))
server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("shop.Shop", handlers),))
# Its names are no words of any list.
keys = {"Haggle": grpc.unary_unary_rpc_method_handler(get)}
server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("etcdserverpb.KV", keys),))
server.add_insecure_port(f"127.0.0.1:{sys.argv[1]}" if sys.argv[1].isdigit() else sys.argv[1])
server.start()
server.wait_for_termination()

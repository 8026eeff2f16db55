# A client of the shop at the given address. It fails where the shop does not behave as it does directly.
import queue, sys
import grpc

channel = grpc.insecure_channel(sys.argv[1])
get = channel.unary_unary("/shop.Shop/Get")

def failure(call):
    try:
        call()
    except grpc.RpcError as error:
        return error.code().name, error.details()
    raise AssertionError("it succeeded")

response, call = get.with_call(b"a", timeout=10, metadata=(("x-mine", "7"), ("x-mine-bin", b"\xff\x00")))
assert response == b"got a", response
assert ("x-first", "1") in [tuple(pair) for pair in call.initial_metadata()]
assert ("x-last", "2") in [tuple(pair) for pair in call.trailing_metadata()]
assert get(b"b" * 1_000_000, timeout=10) == b"got " + b"b" * 1_000_000
for code in ["NOT_FOUND", "INVALID_ARGUMENT", "UNAVAILABLE", "INTERNAL"]:
    assert failure(lambda: get(f"abort {code} h\u00e9 100 %".encode(), timeout=10)) == (code, "h\u00e9 100 %")
haggle = channel.unary_unary("/etcdserverpb.KV/Haggle")
assert [haggle(b"c", timeout=10) for _ in range(3)] == [b"got c"] * 3
assert failure(lambda: channel.unary_unary("/etcdserverpb.KV/Steal")(b"", timeout=10))[0] == "UNIMPLEMENTED"
assert failure(lambda: get(b"raise", timeout=10))[0] == "UNKNOWN"
assert failure(lambda: get(b"slow", timeout=0.3))[0] == "DEADLINE_EXCEEDED"
assert failure(lambda: channel.unary_unary("/shop.Shop/Nothing")(b"", timeout=10))[0] == "UNIMPLEMENTED"

list_all = channel.unary_stream("/shop.Shop/List")
assert list(list_all(b"500", timeout=10)) == [b"item %d" % number for number in range(500)]
assert list(list_all(b"0", timeout=10)) == []
assert failure(lambda: list(list_all(b"3", timeout=10))) == ("DATA_LOSS", "in the middle")
add = channel.stream_unary("/shop.Shop/Add")
assert add((b"x" * 10_000 for _ in range(100)), timeout=10) == b"1000000 bytes"
assert add(iter(()), timeout=10) == b"0 bytes"

waiting = queue.Queue()
chat = channel.stream_stream("/shop.Shop/Chat")(iter(waiting.get, None), timeout=10)
for number in range(20):
    waiting.put(b"%d" % number)
    assert next(chat) == b"echo %d" % number
waiting.put(None)
assert list(chat) == [] and chat.code() == grpc.StatusCode.OK
many = [get.future(b"%d" % number, timeout=10) for number in range(200)]
assert [one.result() for one in many] == [b"got %d" % number for number in range(200)]
print("all is as it should be")

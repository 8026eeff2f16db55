"""A FUSE mount in the mount namespace of this process: mount.py FOLDER PID-FILE COMMAND...

Its file `file` is a copy of /proc/meminfo. Others can be made, and are in memory.

The file system answers as long as its process runs. Its id is in PID-FILE: SIGSTOP makes the mount hang. COMMAND takes the place of
this process, and sees the mount."""

import ctypes
import os
import signal
import struct
import sys

FOLDER, PID_FILE, COMMAND = sys.argv[1], sys.argv[2], sys.argv[3:]
ROOT, FILE = 1, 2
NO_SUCH_FILE, NOT_IMPLEMENTED = 2, 38
SIZE_IS_SET = 1 << 3
with open("/proc/meminfo", "rb") as meminfo:
    CONTENTS = {FILE: bytearray(meminfo.read())}
NODES = {b"file": FILE}
LIBC = ctypes.CDLL(None, use_errno=True)


def attributes(node):
    mode, size = (0o40755, 4096) if node == ROOT else (0o100644, len(CONTENTS[node]))
    # To the kernel the file is longer than it is, as those of /proc are: what is read tells where it ends.
    size = 4096 if node == FILE else size
    return struct.pack("<6Q3I7I", node, size, 8, 0, 0, 0, 0, 0, 0, mode, 1, 0, 0, 0, 4096, 0)


def entry(node):
    return struct.pack("<4Q2I", node, 0, 0, 0, 0, 0) + attributes(node)


def answer(opcode, node, body):
    """The body of the answer, an error, or None for no answer. No attributes are cached: each look asks."""
    if opcode == 26:  # INIT
        return struct.pack("<4I2H2I2H2I", 7, 31, 65536, 0, 12, 10, 65536, 1, 0, 0, 0, 0).ljust(64, b"\0")
    if opcode == 1:  # LOOKUP
        found = NODES.get(body.rstrip(b"\0"))
        return entry(found) if found else NO_SUCH_FILE
    if opcode == 3:  # GETATTR
        return struct.pack("<Q2I", 0, 0, 0) + attributes(node)
    if opcode == 4:  # SETATTR
        is_set, _, _, size = struct.unpack_from("<2I2Q", body)
        if is_set & SIZE_IS_SET:
            CONTENTS[node] = CONTENTS[node][:size].ljust(size, b"\0")
        return struct.pack("<Q2I", 0, 0, 0) + attributes(node)
    if opcode == 14:  # OPEN
        is_written = struct.unpack_from("<I", body)[0] & os.O_ACCMODE != os.O_RDONLY
        return struct.pack("<Q2I", 1, 0 if is_written else 1, 0)  # FOPEN_DIRECT_IO: each reading asks.
    if opcode == 35:  # CREATE
        made = NODES.setdefault(body[16:].rstrip(b"\0"), FILE + len(NODES))
        CONTENTS[made] = bytearray()
        return entry(made) + struct.pack("<Q2I", 1, 0, 0)
    if opcode == 16:  # WRITE
        _, offset, size = struct.unpack_from("<2QI", body)
        content = CONTENTS[node]
        content.extend(bytes(max(0, offset + size - len(content))))
        content[offset : offset + size] = body[40 : 40 + size]
        return struct.pack("<2I", size, 0)
    if opcode == 15:  # READ
        _, offset, size = struct.unpack_from("<2QI", body)
        return bytes(CONTENTS[node][offset : offset + size])
    if opcode == 17:  # STATFS
        return struct.pack("<5Q4I", 1000, 500, 500, 10, 5, 4096, 255, 4096, 0).ljust(80, b"\0")
    if opcode in (18, 20, 25):  # RELEASE, FSYNC, FLUSH
        return b""
    if opcode in (2, 36, 42):  # FORGET, INTERRUPT, BATCH_FORGET
        return None
    return NOT_IMPLEMENTED


def serve(device):
    while True:
        request = os.read(device, 1 << 17)
        _, opcode, unique, node = struct.unpack_from("<2I2Q", request)
        body = answer(opcode, node, request[40:])
        if body is not None:
            error = body if isinstance(body, int) else 0
            body = b"" if error else body
            os.write(device, struct.pack("<IiQ", 16 + len(body), -error, unique) + body)


device = os.open("/dev/fuse", os.O_RDWR)
options = f"fd={device},rootmode=40000,user_id=0,group_id=0".encode()
if LIBC.mount(b"mount.py", FOLDER.encode(), b"fuse.mount", 0, options) != 0:
    sys.exit(f"mount: {os.strerror(ctypes.get_errno())}")
if os.fork() == 0:
    LIBC.prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG: it ends with the command.
    with open(PID_FILE + ".new", "w") as file:
        file.write(str(os.getpid()))
    os.rename(PID_FILE + ".new", PID_FILE)
    serve(device)
os.close(device)
while not os.path.exists(PID_FILE):
    pass
os.execvp(COMMAND[0], COMMAND)

"""Listens, and locks its own memory for as long as a file system hangs: stuck.py PORT FILE MARKER. From the time at which MARKER is there,
readers of its command line and of its maps wait."""

import ctypes
import os
import socket
import sys
import time

listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
READ_WRITE, SHARED, PRIVATE_FIXED_ANONYMOUS = 3, 1, 0x32
at = libc.mmap(None, 4096, READ_WRITE, SHARED, os.open(sys.argv[2], os.O_RDWR), 0)
ctypes.memset(at, 7, 4096)
while not os.path.exists(sys.argv[3]):
    time.sleep(0.05)
# The page is written back while the kernel holds the lock of this process's memory.
libc.mmap(at, 4096, READ_WRITE, PRIVATE_FIXED_ANONYMOUS, -1, 0)
time.sleep(1000)

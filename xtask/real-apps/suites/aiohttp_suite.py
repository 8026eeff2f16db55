# /// script
# dependencies = ["aiohttp==3.14.5", "pytest==9.2.0", "pytest-mock==3.17.0", "trustme==1.2.1", "re-assert", "python-on-whales", "blockbuster", "isal", "zlib-ng", "brotli", "freezegun", "pytest-xdist", "proxy.py", "setuptools-git", "backports.zstd", "cryptography"]
# ///
"""The functional tests of aiohttp: its server behind the proxy, its client before it."""

import sys
from pathlib import Path

from harness import run

sys.path.append(str(Path(__file__).parent))
from suite import outcomes, source

TESTS = ["client_functional", "client_ws_functional", "web_functional", "web_sendfile_functional", "web_websocket_functional", "web_urldispatcher"]


def drive(app):
    folder = source(app, "aiohttp==3.14.5")
    files = [file for file in (folder / "tests" / f"test_{name}.py" for name in TESTS) if file.exists()]
    yield from outcomes(app, folder, "behind_proxy", files, {"UPSTREAM": str(app.port), "ADDRESS": app.address})


if __name__ == "__main__":
    # The tests start and end the servers, and have them fail.
    run(lambda app: None, drive, findings=[""], most_rows=1000)

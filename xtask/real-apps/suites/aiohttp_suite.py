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

CONNECTION = "the client's connection is not the one that the server closes"
UPGRADE = "a 101 for a request without an upgrade is a 502"
CLIENT = {
    "empty_header_values": "fields of different names change their order",
    "raw_headers": "fields of different names change their order",
    "session_headers": "X-Real-IP of a client that is no trusted proxy is removed",
    "session_headers_merge": "X-Real-IP of a client that is no trusted proxy is removed",
    "keepalive_closed_by_server": CONNECTION,
    "keepalive_server_force_close_connection": CONNECTION,
    "request_conn_closed": "a connection that is closed without an answer is a 502",
    "file_upload_retry_persistent_connection": "a 502, since the proxy does not send a body twice",
    "upload_retry_persistent_connection_unseekable_body": "a 502, since the proxy does not send a body twice",
    "redirect_cookie_storage_is_bounded": "a head of 148 KB is above the limit for answers",
    "upgrade_connection_not_released_after_read": UPGRADE,
}
SERVER = {
    "http1_pipelined_queue_resumes_after_drain[pyloop]": "pipelined requests pass one after another",
    "http1_pipelined_requests_are_count_limited[pyloop]": "pipelined requests pass one after another",
    "no_body_for_1xx_204_304_responses[pyloop-version0-101]": UPGRADE,
    "no_body_for_1xx_204_304_responses[pyloop-version1-101]": UPGRADE,
    "response_101_204_no_content_length_http11[pyloop-101]": UPGRADE,
    "upgrade_tail_is_byte_limited[pyloop]": "what follows a request for an upgrade passes after its answer",
    "upgrade_tail_resumes_reading_after_websocket_prepare[pyloop]": "what follows a request for an upgrade passes after its answer",
}
KNOWN = {f"tests.test_client_functional::test_{name}[pyloop]": reason for name, reason in CLIENT.items()}
KNOWN |= {f"tests.test_web_functional::test_{name}": reason for name, reason in SERVER.items()}


def drive(app):
    folder = source(app, "aiohttp==3.14.5")
    files = [file for file in (folder / "tests" / f"test_{name}.py" for name in TESTS) if file.exists()]
    yield from outcomes(app, folder, "behind_proxy", files, {"UPSTREAM": str(app.port), "ADDRESS": app.address})


if __name__ == "__main__":
    # The tests start and end the servers, and have them fail.
    run(lambda app: None, drive, findings=[""], most_rows=1000, known=KNOWN)

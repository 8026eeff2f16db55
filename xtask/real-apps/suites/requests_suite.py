# /// script
# dependencies = ["requests==2.34.2", "httpbin==0.10.4", "gunicorn==27.0.1", "pytest==9.2.0", "pytest-mock==3.17.0", "PySocks==1.7.1", "trustme==1.2.1"]
# ///
"""httpbin on gunicorn, used by the test suite of requests."""

import sys
from pathlib import Path

from harness import run

sys.path.append(str(Path(__file__).parent))
from suite import outcomes, source


def start(app):
    app.start([sys.executable, "-m", "gunicorn", "-k", "gthread", "--threads", "16", "--bind", f"127.0.0.1:{app.port}", "httpbin:app"])


def drive(app):
    folder = source(app, "requests==2.34.2")
    yield from outcomes(app, folder, "at_httpbin", ["tests/test_requests.py"], {"HTTPBIN": app.url})


if __name__ == "__main__":
    # It asks for answers of all statuses.
    run(start, drive, findings=["5\\d\\d|server error|objective"], most_rows=100)

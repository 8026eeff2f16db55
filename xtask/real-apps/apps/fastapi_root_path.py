# /// script
# dependencies = ["fastapi==0.165.0", "uvicorn==0.54.0", "httpx==0.28.1", "websockets==17.4", "python-multipart==0.0.34"]
# ///
"""The same application by FastAPI, which knows that it stands below `/shop`."""

import os
import runpy
from pathlib import Path

os.environ["ROOT_PATH"] = "/shop"
runpy.run_path(str(Path(__file__).with_name("fastapi.py")), run_name="__main__")

# /// script
# dependencies = ["jupyterlab==4.6.6", "selenium==4.51.0"]
# ///
"""JupyterLab in a browser: a login by its token, a notebook that is opened, run and saved."""

import json
import sys

from browser import Browser
from harness import run

TOKEN = "otter4f9a2c7e81b3d5f6"
CELL = {"id": "first", "cell_type": "code", "execution_count": None, "metadata": {}, "outputs": [], "source": "6 * 7000 + 123"}
KERNEL = {"kernelspec": {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}}


def start(app):
    (app.folder / "work/jane").mkdir(parents=True)
    notebook = {"cells": [CELL], "metadata": KERNEL, "nbformat": 4, "nbformat_minor": 5}
    (app.folder / "work/jane/diary.ipynb").write_text(json.dumps(notebook))
    home = {name: str(app.folder / name) for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "HOME")}
    settings = [f"--ServerApp.port={app.port}", "--ServerApp.root_dir=work", f"--IdentityProvider.token={TOKEN}"]
    settings += ["--ServerApp.ip=127.0.0.1", "--no-browser", "--allow-root", "--LabApp.news_url="]
    settings += ["--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]
    app.start([sys.executable, "-m", "jupyterlab", *settings], **home)


def drive(app):
    with Browser() as browser:
        browser.open(f"{app.url}/lab/tree/jane/diary.ipynb")
        yield "asks for its token", browser.find("[name=password]").get_attribute("type")
        browser.fill(password=TOKEN)
        browser.press("[type=submit]")
        browser.until(lambda: "| Idle" in browser.text("#jp-main-statusbar"), "a kernel")
        browser.click(".jp-NotebookPanel-toolbar [data-command^='notebook:run-cell']")
        yield "result", browser.text(".jp-OutputArea-executeResult .jp-OutputArea-output")
        browser.click(".jp-NotebookPanel-toolbar [data-command='docmanager:save']")
        # The file may be looked at while it is written.
        saved = lambda: json.loads((app.folder / "work/jane/diary.ipynb").read_text() or '{"cells": [{"outputs": []}]}')["cells"][0]["outputs"]
        yield "saved", browser.until(saved)
        yield "its files", browser.text(".jp-DirListing-content .jp-DirListing-itemText")
        browser.open("about:blank")


if __name__ == "__main__":
    # The page itself asks for 31 routes.
    run(start, drive, hidden=["jane", "diary", TOKEN], most_rows=32)

# /// script
# dependencies = ["gradio==6.31.0", "gradio_client==2.7.2", "selenium==4.51.0"]
# ///
"""Gradio, used by its own client and in a browser: calls, a stream of results, a file, an error."""

import sys
from pathlib import Path

from browser import Browser
from gradio_client import Client, handle_file
from harness import run


def start(app):
    page = Path(__file__).parent / "gradio/page.py"
    app.start([sys.executable, page, app.port], GRADIO_ANALYTICS_ENABLED="False", HF_HUB_OFFLINE="1", GRADIO_TEMP_DIR=str(app.folder / "files"))


def drive(app):
    client = Client(app.url, verbose=False)
    yield "functions", sorted(client.view_api(print_info=False, return_format="dict")["named_endpoints"])
    for name in ("jane", "ruth", "zoë"):
        yield f"greet {name}", client.predict(name, 3, api_name="/greet")
    counting = client.submit(10, api_name="/count")
    yield "count", list(counting)
    film = app.folder / "jane-film.bin"
    film.write_bytes(b"x" * 2_000_000)
    yield "file", client.predict(handle_file(str(film)), api_name="/measure")
    try:
        client.predict("tea", api_name="/fail")
    except Exception as error:
        yield "error", str(error)
    client.close()
    with Browser() as browser:
        browser.open(app.url)
        browser.find("textarea").send_keys("otter")
        next(one for one in browser.driver.find_elements("css selector", "button") if one.text == "Greet").click()
        second = lambda: browser.driver.find_elements("css selector", "textarea")[1].get_property("value")
        browser.until(second)
        yield "greeted", second()
        yield "errors", [error for error in browser.errors() if app.address in error]


if __name__ == "__main__":
    run(start, drive, hidden=["jane", "ruth", "otter"])

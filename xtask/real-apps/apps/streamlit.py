# /// script
# dependencies = ["streamlit==1.67.0", "selenium==4.51.0", "requests==2.34.2"]
# ///
"""Streamlit in a browser: each change of a field goes over its WebSocket; a file is uploaded, another loaded."""

import sys
from pathlib import Path

import requests
from browser import Browser
from harness import run
from selenium.webdriver.common.keys import Keys

PAGE = Path(__file__).parent / "streamlit/page.py"


def start(app):
    settings = ["--server.port", app.port, "--server.address", "127.0.0.1", "--server.headless", "true", "--browser.gatherUsageStats", "false"]
    app.start([sys.executable, "-m", "streamlit", "run", PAGE, *settings])


def drive(app):
    yield "health", requests.get(f"{app.url}/_stcore/health").text
    with Browser() as browser:
        browser.open(app.url)
        yield "title", browser.text("h1")

        def shows(text):
            browser.until(lambda: text in browser.driver.find_element("css selector", "body").text, text)
            return text

        yield "first", shows("There are 3 otters")
        field = browser.find("[data-testid=stTextInput] input")
        field.send_keys(Keys.CONTROL, "a")
        field.send_keys("17", Keys.ENTER)
        yield "changed", shows("There are 17 otters")
        film = app.folder / "jane.bin"
        film.write_bytes(b"x" * 3_000_000)
        browser.find("input[type=file]").send_keys(str(film))
        yield "uploaded", shows("It has 3000000 bytes")
        browser.find("[data-testid=stBaseButton-secondary]")
        next(one for one in browser.driver.find_elements("css selector", "button") if one.text == "More").click()
        yield "pressed", shows("Forty-two more")
        browser.find("[data-testid=stDataFrame]")
        next(one for one in browser.driver.find_elements("css selector", "button") if one.text == "Load").click()
        yield "chart", browser.find("[data-testid=stVegaLiteChart] canvas, [data-testid=stVegaLiteChart] svg").tag_name
        yield "errors", browser.errors()


if __name__ == "__main__":
    run(start, drive, hidden=["jane", "otters"])

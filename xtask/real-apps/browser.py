"""A headless Chromium, by Selenium."""

import tempfile

from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

PATIENCE = 60
FLAGS = """--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking
--disable-component-update --disable-sync --window-size=1400,1000 --disable-dev-shm-usage""".split()


class Browser:
    """Elements are named by CSS selectors; each step waits until its element is there."""

    def __enter__(self):
        options = webdriver.ChromeOptions()
        self.profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        for flag in [*FLAGS, f"--user-data-dir={self.profile.name}"]:
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.driver = webdriver.Chrome(options, Service("/usr/bin/chromedriver"))
        return self

    def __exit__(self, *_):
        self.driver.quit()
        self.profile.cleanup()

    def open(self, url):
        self.driver.get(url)

    def until(self, condition, what=""):
        return WebDriverWait(self.driver, PATIENCE, 0.1).until(lambda _: condition(), what)

    def find(self, selector):
        return self.until(lambda: next(iter(self.driver.find_elements(By.CSS_SELECTOR, selector)), None), selector)

    def text(self, selector):
        return self.find(selector).text

    def fill(self, **fields):
        for name, value in fields.items():
            field = self.find(f"[name={name}]")
            field.clear()
            field.send_keys(value)

    def click(self, selector):
        """Clicks an element, once nothing covers it and the page does not draw it anew."""
        def clicked():
            try:
                self.find(selector).click()
                return True
            except WebDriverException:
                return False
        self.until(clicked, selector)

    def press(self, selector):
        """Presses what leads to another page, and waits for it."""
        element = self.find(selector)
        page = self.find("html")
        element.click()
        self.until(lambda: self.find("html") != page, f"a page after {selector}")

    def errors(self):
        """What the page wrote to the console as an error."""
        return [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] == "SEVERE"]

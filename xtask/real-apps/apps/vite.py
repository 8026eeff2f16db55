# /// script
# dependencies = ["requests==2.34.2", "selenium==4.51.0"]
# [tool.npm]
# dependencies = { vite = "8.3.8", vue = "3.5.45", "@vitejs/plugin-vue" = "6.0.11", lodash-es = "4.18.1" }
# ///
"""Vite's server of development with Vue, in a browser: modules, a changed file by its WebSocket, and a built page's preview."""

import os
from pathlib import Path

import requests
from browser import Browser
from harness import run

PAGE = '<!doctype html><div id="app"></div><script type="module" src="/src/main.js"></script>'
MAIN = 'import { createApp } from "vue";\nimport App from "./App.vue";\ncreateApp(App).mount("#app");\n'
APP = """<script setup>
import { capitalize } from "lodash-es";
import Otter from "./parts/OtterLamp.vue";
import logo from "./assets/logo.svg";
</script>
<template><h1>{{ capitalize("WORD") }}</h1><img :src="logo"><Otter /></template>
<style>h1 { color: teal }</style>
"""


def start(app):
    node = Path(os.environ["NODE"])
    (app.folder / "node_modules").mkdir()
    for package in (node / "node_modules").iterdir():
        if not package.name.startswith((".vite", ".package")):
            (app.folder / "node_modules" / package.name).symlink_to(package)
    for folder in ("src/parts", "src/assets"):
        (app.folder / folder).mkdir(parents=True)
    (app.folder / "package.json").write_text('{"type": "module"}')
    (app.folder / "vite.config.js").write_text('import vue from "@vitejs/plugin-vue";\nexport default { plugins: [vue()] };\n')
    (app.folder / "index.html").write_text(PAGE)
    (app.folder / "src/main.js").write_text(MAIN)
    (app.folder / "src/App.vue").write_text(APP.replace("WORD", "first"))
    (app.folder / "src/parts/OtterLamp.vue").write_text("<template><p>lamp</p></template>")
    (app.folder / "src/assets/logo.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>' + " " * 5000)
    app.start(["vite", "--host", "127.0.0.1", "--port", app.port, "--strictPort"])


def drive(app):
    with Browser() as browser:
        browser.open(app.url)
        yield "page", browser.text("h1")
        yield "part", browser.text("p")
        browser.driver.execute_script("window.stays = 1")
        (app.folder / "src/App.vue").write_text(APP.replace("WORD", "second"))
        browser.until(lambda: browser.text("h1") == "Second", "the changed page")
        yield "without a reload", browser.driver.execute_script("return window.stays")
        yield "errors", browser.errors()
    kept = ("content-type", "cache-control", "access-control-allow-origin")
    for path in ("/src/main.js", "/src/App.vue", "/src/assets/logo.svg?import", "/none.js", "/some/view", "/@vite/client"):
        answer = requests.get(app.url + path, headers={"Accept": "*/*"})
        yield path, [answer.status_code, {name: answer.headers.get(name) for name in kept}]


if __name__ == "__main__":
    run(start, drive, hidden=["Otter"])

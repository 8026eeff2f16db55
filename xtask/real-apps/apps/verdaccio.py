# /// script
# dependencies = ["requests==2.34.2"]
# [tool.npm]
# dependencies = { verdaccio = "6.1.6" }
# overrides = { node-fetch = "2.7.0" }
# ///
"""Verdaccio, used by npm: a user, publishing with and without a scope, installing, tags, deprecation, its page."""

import base64
import gzip
import hashlib
import io
import json
import os
import subprocess
import tarfile

import requests
from harness import run

CONFIG = """
storage: ./storage
web: {{ title: Registry }}
auth: {{ htpasswd: {{ file: ./htpasswd }} }}
uplinks: {{}}
packages:
  "@*/*": {{ access: $all, publish: $authenticated, unpublish: $authenticated }}
  "**": {{ access: $all, publish: $authenticated, unpublish: $authenticated }}
log: {{ type: stdout, format: json, level: http }}
"""
PACKAGES = ["otterlib", "left-lamp", "lodash", "@acme/billing", "@acme/client", "zod4tea"]
# npm asks for all packages at once, and the registry is one thread: on a small machine they wait for each other.
SLOW = r"^GET /\{name\}(/-/\{file\}\.tgz)? p99"
DEPENDENCIES = """accepts anymatch array-flatten balanced-match body-parser brace-expansion bytes chalk color-convert commander
cookie-signature debug depd destroy ee-first encodeurl escape-html etag finalhandler forwarded fresh glob-parent has-flag
iconv-lite inherits ipaddr.js jsonwebtoken media-typer merge-descriptors mime-db ms negotiator on-finished parseurl
path-to-regexp proxy-addr qs range-parser raw-body safe-buffer semver send setprototypeof side-channel statuses toidentifier
type-is unpipe utils-merge vary yallist @acme/tables @types/node @babel/core""".split()


def start(app):
    (app.folder / "config.yaml").write_text(CONFIG.format())
    app.start(["verdaccio", "--config", "config.yaml", "--listen", f"127.0.0.1:{app.port}"])


def publish(app, token, name):
    """What `npm publish` sends, without the second that npm needs to start."""
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w") as archive:
        manifest = json.dumps({"name": name, "version": "1.0.0"}).encode()
        entry = tarfile.TarInfo("package/package.json")
        entry.size = len(manifest)
        archive.addfile(entry, io.BytesIO(manifest))
    data, file = gzip.compress(tar.getvalue(), mtime=0), f"{name}-1.0.0.tgz"
    sums = {"shasum": hashlib.sha1(data).hexdigest(), "tarball": f"{app.url}/{name}/-/{file}"}
    version = {"name": name, "version": "1.0.0", "dist": sums}
    attachment = {"content_type": "application/octet-stream", "data": base64.b64encode(data).decode(), "length": len(data)}
    document = {"_id": name, "name": name, "dist-tags": {"latest": "1.0.0"}, "versions": {"1.0.0": version}}
    document |= {"_attachments": {file: attachment}}
    headers = {"Authorization": f"Bearer {token}"}
    requests.put(f"{app.url}/{name.replace('/', '%2f')}", json=document, headers=headers).raise_for_status()


def drive(app):
    home = app.folder / "home"
    home.mkdir()
    user = {"name": "jane", "password": "otter-lamp-42", "email": "jane@example.org"}
    made = requests.put(f"{app.url}/-/user/org.couchdb.user:jane", json=user)
    yield "user", made.status_code
    (home / ".npmrc").write_text(f"registry={app.url}/\n//{app.address}/:_authToken={made.json()['token']}\n")
    environment = {**os.environ, "HOME": str(home), "npm_config_cache": str(home / "cache"), "NO_UPDATE_NOTIFIER": "1"}
    environment |= {"npm_config_userconfig": str(home / ".npmrc"), "npm_config_fund": "false"}

    def npm(*arguments, folder=home):
        done = subprocess.run(["npm", *arguments], cwd=folder, env=environment, capture_output=True, text=True, timeout=120)
        return [done.returncode, done.stdout, [line for line in done.stderr.splitlines() if "_logs" not in line and "debug" not in line][:3] if done.returncode else ""]

    yield "who", npm("whoami")
    for number, name in enumerate(PACKAGES):
        package = home / f"package-{number}"
        package.mkdir()
        needs = {PACKAGES[number - 1]: "^1.0.0"} if number else {}
        for version in ("1.0.0", "1.1.0"):
            (package / "package.json").write_text(json.dumps({"name": name, "version": version, "dependencies": needs}))
            (package / "index.js").write_text(f"module.exports = '{name}';\n" * 2000)
            yield f"publish {name} {version}", npm("publish", "--json=false", folder=package)[0]
    for name in DEPENDENCIES:
        publish(app, made.json()["token"], name)
    yield "publish again", npm("publish", folder=home / "package-0")[0]
    shop = home / "shop"
    shop.mkdir()
    (shop / "package.json").write_text('{"name": "shop", "version": "1.0.0"}')
    yield "install", npm("install", "--no-audit", *PACKAGES, *DEPENDENCIES, folder=shop)[0]
    yield "installed", npm("ls", "--all", folder=shop)[1]
    yield "clean install", npm("ci", "--no-audit", folder=shop)[0]
    yield "lock", [entry.get("integrity") for entry in json.loads((shop / "package-lock.json").read_text())["packages"].values()]
    yield "tag", [npm("dist-tag", "add", "otterlib@1.0.0", "stable")[0], npm("dist-tag", "ls", "otterlib")]
    yield "deprecate", npm("deprecate", "left-lamp@1.0.0", "use 1.1")[0]
    yield "view", [npm("view", name, "versions", "dependencies") for name in PACKAGES]
    yield "search", npm("search", "--parseable", "lamp")[0]
    yield "ping", npm("ping")[0]
    yield "outdated", npm("outdated", folder=shop)[0]
    yield "audit", npm("audit", folder=shop)[0]
    yield "absent", npm("view", "no-such-package")[0]
    yield "unpublish", npm("unpublish", "--force", "left-lamp@1.0.0")[0]
    yield "token", npm("token", "list")[0]
    yield "log out", npm("logout")[0]
    page = requests.get(app.url)
    yield "page", page.status_code
    yield "its packages", sorted(one["name"] for one in requests.get(f"{app.url}/-/verdaccio/data/packages").json())
    sidebar = [requests.get(f"{app.url}/-/verdaccio/data/sidebar/{name}").status_code for name in PACKAGES]
    yield "its sidebars", sidebar


def logged(app):
    return app.log().count('"status"')


if __name__ == "__main__":
    run(start, drive, hidden=["jane", "otterlib", "acme", "zod4tea", "billing", "semver", "negotiator"], findings=[SLOW])

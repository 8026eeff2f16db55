# /// script
# dependencies = ["wsgidav==4.3.5", "cheroot==11.1.2", "requests==2.34.2"]
# ///
"""WsgiDAV: cadaver and rclone keep files there, with a login; then requests of all methods of WebDAV."""

import json
import subprocess
import sys

import requests
from harness import run

USER, PASSWORD = "jane", "otter-lamp-42"
CONFIG = {
    "host": "127.0.0.1",
    "provider_mapping": {"/": {"root": "./shared"}},
    "simple_dc": {"user_mapping": {"*": {USER: {"password": PASSWORD}}}},
    "http_authenticator": {"accept_basic": True, "accept_digest": True, "default_to_digest": True},
    "logging": {"enable": True},
    "verbose": 3,
}


def start(app):
    (app.folder / "shared").mkdir()
    (app.folder / "wsgidav.json").write_text(json.dumps(CONFIG | {"port": app.port}))
    app.start([sys.executable, "-m", "wsgidav.server.server_cli", "--config", "wsgidav.json"])


def shell(app, command, words=""):
    done = subprocess.run(command, cwd=app.folder, input=words, capture_output=True, text=True, timeout=120)
    return [done.returncode, done.stdout[-3000:]]


def drive(app):
    here = app.folder / "here"
    here.mkdir()
    for number in range(12):
        (here / f"invoice jane {number}.txt").write_text(f"invoice {number}\n" * 1000)
    (here / "Straße.bin").write_bytes(bytes(range(256)) * 20_000)
    (app.folder / ".netrc").write_text(f"machine 127.0.0.1 login {USER} password {PASSWORD}\n")
    (app.folder / ".netrc").chmod(0o600)
    words = "mkcol letters\nput here/Straße.bin\nls\nmove Straße.bin letters/\ncd letters\nls\nlock Straße.bin\ndiscover Straße.bin\nunlock Straße.bin\n"
    environment = ["env", f"HOME={app.folder}"]
    code, text = shell(app, [*environment, "cadaver", app.url], words)
    yield "cadaver", [code, [line for line in text.splitlines() if line.endswith(("succeeded.", "failed."))]]
    obscured = subprocess.run(["rclone", "obscure", PASSWORD], capture_output=True, text=True, check=True).stdout.strip()
    remote = f":webdav,url='{app.url}',user={USER},pass='{obscured}'"
    rclone = [*environment, "rclone", "--retries", "1", "--config", "/dev/null"]
    yield "copy there", shell(app, [*rclone, "copy", "here", f"{remote}:backup"])
    yield "check", shell(app, [*rclone, "check", "--download", "here", f"{remote}:backup"])
    yield "list", sorted(shell(app, [*rclone, "lsf", "-R", "--format", "sp", f"{remote}:"])[1].splitlines())
    yield "copy back", shell(app, [*rclone, "copy", f"{remote}:backup", "back"])
    yield "same files", shell(app, ["diff", "-r", "here", "back"])
    yield "delete", shell(app, [*rclone, "delete", f"{remote}:backup", "--include", "*7*"])

    session = requests.Session()
    session.auth = (USER, PASSWORD)

    def send(method, path, **options):
        answer = session.request(method, app.url + path, timeout=30, **options)
        kept = ("dav", "allow", "ms-author-via", "content-range", "accept-ranges", "location", "www-authenticate")
        return [answer.status_code, {name: answer.headers.get(name) for name in kept}, len(answer.content) // 8]

    yield "refused", requests.get(app.url).status_code
    yield "options", send("OPTIONS", "/")
    yield "propfind", send("PROPFIND", "/letters/", headers={"Depth": "1"})
    yield "put", send("PUT", "/notes.txt", data=b"tea\n")
    yield "put in chunks", send("PUT", "/chunks.txt", data=iter([b"tea", b"milk"]))
    yield "get a part", send("GET", "/notes.txt", headers={"Range": "bytes=1-2"})
    yield "copy", send("COPY", "/notes.txt", headers={"Destination": f"{app.url}/notes-of-jane.txt"})
    yield "move", send("MOVE", "/notes-of-jane.txt", headers={"Destination": f"{app.url}/letters/ruth.txt", "Overwrite": "T"})
    yield "move elsewhere", send("MOVE", "/notes.txt", headers={"Destination": "http://example.org/notes.txt"})
    yield "conflict", send("MKCOL", "/none/below")
    yield "exists", send("MKCOL", "/letters")
    yield "head", send("HEAD", "/letters/ruth.txt")
    yield "delete a folder", send("DELETE", "/letters/")
    yield "gone", send("GET", "/letters/ruth.txt")


def logged(app):
    return app.log().count('"elap')


if __name__ == "__main__":
    run(start, drive, hidden=["jane", "ruth", "invoice", "Stra"])

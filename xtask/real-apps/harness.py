"""Runs one application twice, directly and behind the proxy, and compares what its client sees.

A script calls `run(start, drive, …)`. Each run gets a fresh application, so both begin in the same state.
"""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

MOST_ROWS = 30
LONGEST_START = 120
LONGEST_SETTLING = 10


def free_port():
    """A port that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_for(condition, seconds, what):
    """Asks every 50 ms until the condition holds; raises after `seconds`."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"{what}: not within {seconds} s")
        time.sleep(0.05)


def accepts(port):
    with socket.socket() as client:
        client.settimeout(1)
        return client.connect_ex(("127.0.0.1", port)) == 0


class Application:
    """An application in a folder of its own, that listens on `port`. `address` is where its client finds it."""

    def __init__(self, folder, proxied):
        self.folder = folder
        self.proxied = proxied
        self.port = free_port()
        self.address = f"127.0.0.1:{free_port() if proxied else self.port}"
        self.url = f"http://{self.address}"
        self.processes = []
        folder.mkdir(parents=True)

    def run(self, command, **options):
        """Runs a command in the folder to its end."""
        subprocess.run(command, cwd=self.folder, check=True, stdout=subprocess.DEVNULL, **options)

    def start(self, command, name="application", **environment):
        """Starts a program whose output goes to `NAME.log`."""
        log = (self.folder / f"{name}.log").open("wb")
        process = subprocess.Popen(
            [str(word) for word in command],
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **environment},
        )
        self.processes.append(process)
        return process

    def wait(self, port=None):
        """Waits until it accepts connections."""
        port = port or self.port

        def listening():
            if self.processes[-1].poll() is not None:
                raise RuntimeError(f"it has ended:\n{self.log()[-2000:]}")
            return accepts(port)

        wait_for(listening, LONGEST_START, "its port")

    def log(self, name="application"):
        return (self.folder / f"{name}.log").read_text(errors="replace")

    def stop(self):
        """Ends what was started, the last first; each is the leader of a group of processes."""
        for process in reversed(self.processes):
            for end in (signal.SIGTERM, signal.SIGKILL):
                try:
                    os.killpg(process.pid, end)
                    process.wait(timeout=5)
                    break
                except ProcessLookupError:
                    break
                except subprocess.TimeoutExpired:
                    continue


class Board:
    """The program before an application. It collects all states that the board has while the application runs."""

    def __init__(self, application, upstream, arguments):
        self.port = free_port()
        upstream = upstream.format(port=application.port)
        command = [os.environ["WATCHBOARD"], "--upstream", upstream, "--proxy-listen", application.address]
        command += ["--listen", f"127.0.0.1:{self.port}", "--open", *arguments]
        application.start(command, "watchboard")
        application.wait(int(application.address.split(":")[1]))
        application.wait(self.port)
        self.findings = {}
        self.ended = threading.Event()
        self.watcher = threading.Thread(target=self.watch)
        self.watcher.start()

    def health(self):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health", timeout=10) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as refusal:
            return json.load(refusal)

    def watch(self):
        while not self.ended.wait(0.5):
            health = self.health()
            for reason in health["reasons"]:
                self.findings.setdefault(reason, None)
            if health["status"] != "healthy" and not health["reasons"]:
                self.findings.setdefault(health["status"], None)

    def settle(self, requests):
        """The last health: once it has as many requests as the application logged, or no more come."""
        last, since = None, time.monotonic()
        while time.monotonic() < since + LONGEST_SETTLING:
            health = self.health()
            total = health["application"]["total_requests"]
            if requests is not None and total == requests():
                break
            if total != last:
                last, since = total, time.monotonic()
            elif requests is None and time.monotonic() > since + 2.5:
                break
            time.sleep(0.2)
        self.ended.set()
        self.watcher.join()
        return health


def plain(value, application):
    """A value as text, without the addresses in which the two runs differ."""
    text = json.dumps(value, indent=1, sort_keys=True, default=repr)
    ports = {application.address.split(":")[1]: "PORT", str(application.port): "PORT"}
    for port, word in ports.items():
        text = re.sub(rf"(?<!\d){port}(?!\d)", word, text)
    return text.replace(str(application.folder), "FOLDER")


def observe(application, drive):
    """What the client sees, by the name of the step."""
    steps = {}
    for name, value in drive(application):
        # A suite may have two tests of the same name.
        while name in steps:
            name += "'"
        steps[name] = plain(value, application)
    return steps


def first_difference(direct, proxied):
    """The first line in which two texts differ."""
    for left, right in zip(direct.splitlines(), proxied.splitlines()):
        if left != right:
            return f"directly {left.strip()[:300]}; through the proxy {right.strip()[:300]}"
    return f"{len(direct)} characters directly, {len(proxied)} through the proxy"


def run(start, drive, *, upstream="http://127.0.0.1:{port}", arguments=(), logged=None, hidden=(), findings=(), most_rows=MOST_ROWS, known=()):
    """Compares both runs, and exits with 1 if anything is wrong.

    `start(application)` starts it. `drive(application)` yields a name and a value for each step of its client.
    `logged(application)` is the number of requests in its own log. `hidden` are names and secrets that no row shows.
    `findings` are patterns of those that are right, since the client provokes them. `most_rows` is what an
    application needs that has more routes. `known` are the steps that differ, with the reasons.
    """
    home = Path(os.environ["RUN"])
    seen = {}
    for way in ("directly", "proxied"):
        application = Application(home / way, way == "proxied")
        try:
            start(application)
            if application.processes:
                application.wait()
            board = Board(application, upstream, list(arguments)) if application.proxied else None
            try:
                seen[way] = observe(application, drive)
            finally:
                health = board and board.settle(logged and (lambda: logged(application)))
        finally:
            application.stop()
    known = dict(known)
    different = compare(seen["directly"], seen["proxied"])
    faults = [f"{step}: {difference}" for step, difference in sorted(different.items()) if step not in known]
    figures = health["application"]
    rows = sorted(figures["endpoints"].items())
    if len(rows) > most_rows:
        faults.append(f"{len(rows)} rows")
    faults += [f"shown in a row: {word} in {row}" for word in hidden for row, _ in rows if word in row]
    if logged and logged(application) != figures["total_requests"]:
        faults.append(f"it logged {logged(application)} requests, the board counted {figures['total_requests']}")
    reported = [one for one in board.findings if not any(re.search(pattern, one) for pattern in findings)]
    faults += [f"finding: {one}" for one in reported]
    report(home, {
        "requests": figures["total_requests"],
        "statuses": figures["status_codes"],
        "steps": len(seen["directly"]),
        "rows": rows,
        "findings": list(board.findings),
        "known": {step: known[step] for step in sorted(different.keys() & known.keys())},
        "faults": faults,
    })


def compare(direct, proxied):
    """What differs, by step."""
    different = dict.fromkeys(direct.keys() ^ proxied.keys(), "only one way has this step")
    for step in direct.keys() & proxied.keys():
        if direct[step] != proxied[step]:
            different[step] = first_difference(direct[step], proxied[step])
    return different


def report(home, result):
    (home / "result.json").write_text(json.dumps(result, indent=1))
    for row, requests in result["rows"]:
        print(f"    {requests:6} {row}")
    for step, reason in result["known"].items():
        print(f"    differs: {step}: {reason}")
    for fault in result["faults"]:
        print(f"    FAULT {fault}")
    sys.exit(1 if result["faults"] else 0)

"""Runs the test suite of a client's own project against an address; the outcome of each test is a step."""

import os
import subprocess
import sys
import tarfile
from pathlib import Path
from xml.etree import ElementTree

HERE = Path(__file__).parent


def source(app, package):
    """The unpacked source of a package of PyPI, in which its tests are."""
    name, version = package.split("==")
    folder = Path(os.environ["REAL_APPS"]) / "sources"
    if not (folder / f"{name}-{version}").exists():
        download = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:", "--dest", folder]
        subprocess.run([*download, package], check=True)
        with tarfile.open(folder / f"{name}-{version}.tar.gz") as archive:
            archive.extractall(folder, filter="data")
    return folder / f"{name}-{version}"


def outcomes(app, folder, plugin, tests, environment):
    """Each test with its outcome."""
    command = [sys.executable, "-m", "pytest", "-p", plugin, "-p", "no:cacheprovider", "-q", "--tb=short"]
    command += ["--override-ini=addopts=", "--override-ini=filterwarnings="]
    environment = {**os.environ, **environment, "PYTHONPATH": str(HERE)}
    log, results = app.folder / "pytest.log", app.folder / "results.xml"
    with log.open("wb") as output:
        command += [f"--junitxml={results}", *tests]
        subprocess.run(command, cwd=folder, env=environment, stdout=output, stderr=output, timeout=900)
    for test in ElementTree.parse(results).iter("testcase"):
        outcome = [child.tag for child in test if child.tag in ("failure", "error", "skipped")]
        yield f"{test.get('classname')}::{test.get('name')}", outcome or ["passed"]

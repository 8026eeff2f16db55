"""Installs and runs the applications in `apps/`, each in its own folder below `target/real-apps`.

Usage: run.py [NAME …], or `run.py suites` for the test suites of clients in `suites/`. Each script says what it needs in its first lines, as PEP 723 has it; `[tool.npm]` is a `package.json`.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

HERE = Path(__file__).parent
HOME = Path(os.environ["REAL_APPS"])


def needs(script):
    """What the script's first lines ask for."""
    block = re.search(r"(?m)^# /// script\n((?:#.*\n)+?)# ///$", script.read_text())
    return tomllib.loads(re.sub(r"(?m)^# ?", "", block[1]))


def install(folder, wanted, prepare):
    """Prepares the folder unless it has what is wanted."""
    marker, wanted = folder / "installed.json", json.dumps(wanted)
    if marker.exists() and marker.read_text() == wanted:
        return
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    prepare()
    # Last: it marks the folder as complete.
    marker.write_text(wanted)


def prepare(script):
    """The Python that has what the script needs, and the folder of its packages of npm."""
    wanted = needs(script)
    venv, node = HOME / "venvs" / script.stem, HOME / "node" / script.stem
    packages, npm = wanted["dependencies"], wanted.get("tool", {}).get("npm")

    def make_venv():
        subprocess.run([sys.executable, "-m", "venv", venv], check=True)
        if packages:
            pip = [venv / "bin/python", "-m", "pip", "install", "--quiet", "--prefer-binary"]
            subprocess.run([*pip, *packages], check=True)

    def make_node():
        (node / "package.json").write_text(json.dumps(npm))
        subprocess.run(["npm", "install", "--silent", "--no-audit", "--no-fund"], cwd=node, check=True)

    install(venv, packages, make_venv)
    if npm:
        install(node, npm, make_node)
    return venv / "bin/python", node


def run(script):
    """What the script reports; a script that fails before it reports has one fault."""
    print(f"==> {script.stem}", flush=True)
    runs = HOME / "runs" / script.stem
    shutil.rmtree(runs, ignore_errors=True)
    python, node = prepare(script)
    environment = {**os.environ, "PYTHONPATH": str(HERE), "NODE": str(node), "RUN": str(runs)}
    environment["PATH"] = f"{python.parent}:{node}/node_modules/.bin:{environment['PATH']}"
    subprocess.run([python, "-P", script], env=environment)
    try:
        return json.loads((runs / "result.json").read_text())
    except FileNotFoundError:
        return {"requests": 0, "steps": 0, "rows": [], "findings": [], "faults": ["it did not run to its end"]}


def main(names):
    if names == ["suites"]:
        scripts, names = {script.stem: script for script in sorted((HERE / "suites").glob("*_suite.py"))}, []
    else:
        scripts = {script.stem: script for script in sorted((HERE / "apps").glob("*.py"))}
    unknown = [name for name in names if name not in scripts]
    if unknown:
        sys.exit(f"no such application: {', '.join(unknown)}; there are {', '.join(scripts)}")
    results = {name: run(scripts[name]) for name in names or scripts}
    print(f"\n{'application':<14}{'steps':>6}{'requests':>10}{'rows':>6}{'findings':>10}{'faults':>8}")
    for name, result in results.items():
        figures = [len(result[key]) for key in ("rows", "findings", "faults")]
        print(f"{name:<14}{result['steps']:>6}{result['requests']:>10}{figures[0]:>6}{figures[1]:>10}{figures[2]:>8}")
    sys.exit(any(result["faults"] for result in results.values()))


if __name__ == "__main__":
    main(sys.argv[1:])

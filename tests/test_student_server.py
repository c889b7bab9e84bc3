"""`paperlib student` for real: whatever is saved in JupyterLab, no tracked file changes."""

import ast
import json
import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from jupyter_client import BlockingKernelClient
from own_copy import changed_files, copy_project

PATIENCE_S = 300  # the machine may be busy
NAME = "01_data"
HOSTILE = 'formats = "ipynb,py:percent"\n'  # a reader's own configuration pairs everything

pytestmark = pytest.mark.long


def _answers(info):
    try:
        urllib.request.urlopen(f"{info['url']}api", timeout=5).close()
    except OSError:
        return False
    return True


class Server:
    """A running JupyterLab of a copy of the project."""

    def __init__(self, project, runtime, process):
        self.project, self._runtime, self._process = project, runtime, process
        info = self._wait()
        self.address, self._token = info["url"], info["token"]

    def _wait(self):
        limit = time.monotonic() + PATIENCE_S
        while time.monotonic() < limit:
            assert self._process.poll() is None, "JupyterLab ended at once"
            for file in self._runtime.glob("jpserver-*.json"):
                info = json.loads(file.read_text())
                if _answers(info):
                    return info
            time.sleep(0.2)
        raise AssertionError("JupyterLab never started")

    def ask(self, path, method="GET", body=None, token=True):
        headers = {"Content-Type": "application/json"}
        headers |= {"Authorization": f"token {self._token}"} if token else {}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            f"{self.address}api/{path}", data=data, method=method, headers=headers
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read())

    def evaluate(self, expression):
        """Return the repr of an expression in the kernel of a notebook."""
        notebook = {"path": f"{NAME}.ipynb", "name": NAME, "type": "notebook"}
        session = self.ask("sessions", "POST", notebook | {"kernel": {"name": "python3"}})
        kernel = session["kernel"]["id"]
        client = BlockingKernelClient(connection_file=str(self._runtime / f"kernel-{kernel}.json"))
        client.load_connection_file()
        client.start_channels()
        try:
            asked = client.execute("", user_expressions={"found": expression})
            reply = client.get_shell_msg(timeout=PATIENCE_S)
            assert reply["parent_header"]["msg_id"] == asked
        finally:
            client.stop_channels()
            self.remove(f"sessions/{session['id']}")
        return reply["content"]["user_expressions"]["found"]["data"]["text/plain"]

    def remove(self, path):
        request = urllib.request.Request(
            f"{self.address}api/{path}",
            method="DELETE",
            headers={"Authorization": f"token {self._token}"},
        )
        urllib.request.urlopen(request, timeout=60).close()


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    return copy_project(tmp_path_factory.mktemp("a student's") / "copy")


@pytest.fixture(scope="module", params=["with jupytext", "without jupytext"])
def server(request, project, tmp_path_factory):
    """Start `paperlib student` in the copy, with a home of its own that pairs every notebook."""
    tmp_path = tmp_path_factory.mktemp("home")
    (tmp_path / "jupytext.toml").write_text(HOSTILE)
    enabled = request.param == "with jupytext"
    options = ["--no-browser", f"--ServerApp.jpserver_extensions=jupyterlab_jupytext={enabled}"]
    options += ["--allow-root"] if os.geteuid() == 0 else []
    folders = {"HOME": tmp_path, "JUPYTER_RUNTIME_DIR": tmp_path / "runtime",
               "JUPYTER_CONFIG_DIR": tmp_path / "config", "JUPYTER_DATA_DIR": tmp_path / "data",
               "XDG_CONFIG_HOME": tmp_path}  # fmt: skip
    log = (tmp_path / "log.txt").open("w+")
    process = subprocess.Popen(
        [sys.executable, "-m", "paperlib", "student", "--", *options],
        cwd=project,
        env=os.environ | {k: str(v) for k, v in folders.items()} | {"PYTHONPATH": str(project)},
        stdout=log,
        stderr=subprocess.STDOUT,
    )
    try:
        found = Server(project, tmp_path / "runtime", process)
        found.jupytext, found.log = enabled, tmp_path / "log.txt"
        yield found
    finally:
        process.terminate()
        process.wait(30)
        log.close()


def save(server, path, content, kind="notebook", **more):
    body = {"type": kind, "content": content, **more}
    return server.ask(f"contents/{path}", "PUT", body)


def test_saving_in_the_server_changes_no_tracked_file(server):
    work = server.project / "work"
    notebook = server.ask(f"contents/{NAME}.ipynb?content=1")["content"]
    notebook["cells"].append(
        {"cell_type": "code", "id": "mine", "metadata": {}, "source": "mine = 1",
         "outputs": [], "execution_count": None}
    )  # fmt: skip
    save(server, f"{NAME}.ipynb", notebook)
    assert "mine = 1" in (work / f"{NAME}.ipynb").read_text()
    assert not (work / f"{NAME}.py").exists()  # paired with nothing

    # "Pair notebook with percent script", chosen in the menu, stays in work/.
    paired = notebook | {"metadata": notebook["metadata"] | {"jupytext": {"formats": "ipynb,py"}}}
    save(server, f"{NAME}.ipynb", paired)
    assert (work / f"{NAME}.py").exists() == server.jupytext
    save(server, "mine.py", "x = 1\n", kind="file", format="text")
    assert (work / "mine.py").read_text() == "x = 1\n"
    if server.jupytext:
        save(server, "02_architectures.py", notebook)  # a notebook as text
        assert "mine = 1" in (work / "02_architectures.py").read_text()
    server.ask(f"contents/{NAME}.ipynb/checkpoints", "POST")
    assert changed_files(server.project) == ""
    for file in ("mine.py", f"{NAME}.py", "02_architectures.py"):
        (work / file).unlink(missing_ok=True)


def test_the_server_is_of_this_machine_only_and_asks_nothing_of_others(server):
    assert server.address.startswith("http://127.0.0.1:")
    with pytest.raises(urllib.error.HTTPError, match="403"):
        server.ask("contents", token=False)
    listed = {entry["name"] for entry in server.ask("contents")["content"]}
    assert f"{NAME}.ipynb" in listed
    assert "paperlib" not in listed
    log = server.log.read_text()
    assert "lab?token=" in log
    assert "`make book PROFILE=smoke` makes it" in log  # this copy has no run
    page = urllib.request.Request(f"{server.address}lab", headers={})
    page.add_header("Authorization", f"token {server._token}")
    with urllib.request.urlopen(page, timeout=60) as answer:
        text = answer.read().decode()
    assert '"news": {"disabled": true}' in text
    assert re.search(r'"disabledExtensions": \[[^]]*apputils-extension:announcements"', text)


def test_a_kernel_in_work_finds_the_runs_of_its_own_copy(server):
    place = "str(__import__('paperlib.artifacts').artifacts.ROOT), __import__('os').getcwd()"
    expected = (str(server.project), str(Path(server.project) / "work"))
    assert ast.literal_eval(server.evaluate(place)) == expected

"""The binary under test, and ways to run it. LEAT names the binary; ctest sets it."""
import os
import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]


def pytest_configure(config):
    config.addinivalue_line("markers", "threads: runs under the sanitizers too; keep it small")


class Leat:
    def __init__(self, home):
        self.binary = os.environ.get("LEAT", str(ROOT / "build/release/leat"))
        self.home = home
        self.environment = {}

    def start(self, *words):
        """The process, its state in the test's own folder."""
        return subprocess.Popen([self.binary, *map(str, words)], cwd=self.home, text=True,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, env={**os.environ, **self.environment})

    def finish(self, words, code, given=None):
        """Runs to the end; (what it printed, what it complained of). Any `code` where that is None."""
        process = self.start(*words) if given is None else subprocess.Popen(
            [self.binary, *map(str, words)], cwd=self.home, text=True, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, **self.environment})
        out, err = process.communicate(given, timeout=300)
        assert code in (None, process.returncode), f"exit {process.returncode}\n{out}\n{err}"
        return out, err

    def __call__(self, *words, code=0, given=None):
        """Runs to the end and returns what it printed."""
        return self.finish(words, code, given)[0]

    def fails(self, *words, code):
        """Runs to an end with this code and returns what it complained of."""
        return self.finish(words, code)[1]

    def run(self, pipeline):
        return self("run", pipeline, "--state", self.home / "state")

    def write(self, name, text):
        path = self.home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    def rows(self, pipeline, query):
        """A query's rows as lists of texts."""
        out = self("sql", pipeline, "--state", self.home / "state", "-A", "-t", "-F", "\t", "-q",
                   "-c", query)
        return [line.split("\t") for line in out.splitlines()]


@pytest.fixture
def leat(tmp_path):
    return Leat(tmp_path)


@pytest.fixture
def root():
    return ROOT

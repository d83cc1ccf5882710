"""How the benchmarks take time and memory of a whole process, and name machine and commit."""
import os
import pathlib
import platform
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
TOOLS = pathlib.Path(os.environ.get("LEAT_TOOLS") or pathlib.Path.home() / ".cache/leat-tools")
PYTHON = TOOLS / "bench-venv/bin/python"
MIB = 1 << 20


class Run:
    """What one process took."""

    def __init__(self, wall, usage, exit_code=0):
        self.exit_code = exit_code
        self.wall, self.user, self.system = wall, usage.ru_utime, usage.ru_stime
        self.rss_mib = usage.ru_maxrss / 1024


def measure(command, environment=None, log=None, may_fail=False):
    with open(log or os.devnull, "wb") as out:
        start = time.monotonic()
        child = subprocess.Popen([str(part) for part in command], stdin=subprocess.DEVNULL,
                                 stdout=out, stderr=out, env={**os.environ, **(environment or {})})
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.monotonic() - start
        child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0 and not may_fail:
        tail = pathlib.Path(log).read_text(errors="replace")[-2000:] if log else ""
        sys.exit(f"{' '.join(map(str, command))}: exit {child.returncode}\n{tail}")
    return Run(wall, usage, child.returncode)


def machine():
    with open("/proc/cpuinfo", encoding="utf-8") as info:
        model = next((line.split(":")[1].strip() for line in info if line.startswith("model name")),
                     platform.machine())
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / (1 << 30)
    return f"{os.cpu_count()} × {model}, {memory:.0f} GiB, Linux {platform.release()}"


def commit():
    run = subprocess.run(["git", "-C", ROOT, "describe", "--always", "--dirty"], text=True,
                         capture_output=True)
    return run.stdout.strip() or "unknown"

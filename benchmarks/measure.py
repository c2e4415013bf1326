"""What a command costs: CPU seconds and peak memory of its process and everything under it."""

import os
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.settings import ROOT, BenchmarkError

_SAMPLE_EVERY_S: Final = 0.02
_KIB_PER_MB: Final = 1_024


@dataclass(frozen=True)
class Usage:
    """What one run cost.

    Attributes:
        cpu_s: user + system seconds of the process and of the children that it waited for.
        wall_s: seconds from start to end; on a shared machine only an indication.
        peak_mb: peak resident memory in MiB. `ru_maxrss` of the process, or, where it had
            children, the largest sum over the process tree, sampled (pages shared by forks
            count once for each of them).
        anonymous_mb: the part of it that is not a mapped file, sampled: mapped files (the
            input, Arrow caches) are resident only while nobody else needs the memory.
        load: how many processes the machine ran or wanted to run, over the minute before.
    """

    cpu_s: float
    wall_s: float
    peak_mb: float
    anonymous_mb: float
    load: float


@dataclass
class _Peak:
    """The largest memory seen so far, in KiB, and the most processes at once."""

    resident: int = 0
    anonymous: int = 0
    processes: int = 0

    def note(self, root: int) -> None:
        sizes = [_memory(pid) for pid in _tree(root)]
        self.processes = max(self.processes, len(sizes))
        self.resident = max(self.resident, sum(size[0] for size in sizes))
        self.anonymous = max(self.anonymous, sum(size[1] for size in sizes))


def measure(command: Sequence[str], environment: Mapping[str, str], log: Path) -> Usage:
    """Run `command` in the checkout and return what it cost; its output goes to the file `log`.

    Bytecode is kept beside the log, for everything that is imported and whatever the caller's
    environment says: otherwise libraries are found compiled and the checkout is not.

    Raises:
        BenchmarkError: The command did not exit 0; the message ends with the log's last lines.
    """
    # What an earlier run left to be written would be this one's wait.
    os.sync()
    load = os.getloadavg()[0]
    bytecode = {
        "PYTHONPYCACHEPREFIX": str(log.parent / "bytecode"),
        "PYTHONDONTWRITEBYTECODE": "",
    }
    peak, done = _Peak(), threading.Event()
    with log.open("wb") as sink:
        began = time.perf_counter()
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, **bytecode, **environment},
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
        )
        sampler = threading.Thread(target=_sample, args=(process.pid, peak, done), daemon=True)
        sampler.start()
        _, status, spent = os.wait4(process.pid, 0)
        wall_s = time.perf_counter() - began
    done.set()
    sampler.join()
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
        raise BenchmarkError(f"{' '.join(command)}: exit {process.returncode}\n{tail}")
    resident = max(spent.ru_maxrss, peak.resident if peak.processes > 1 else 0)
    return Usage(
        cpu_s=spent.ru_utime + spent.ru_stime,
        wall_s=wall_s,
        peak_mb=resident / _KIB_PER_MB,
        anonymous_mb=peak.anonymous / _KIB_PER_MB,
        load=load,
    )


def _sample(root: int, peak: _Peak, done: threading.Event) -> None:
    while not done.wait(_SAMPLE_EVERY_S):
        peak.note(root)


def _tree(root: int) -> Iterator[int]:
    yield root
    for children in Path(f"/proc/{root}/task").glob("*/children"):
        for child in _read(children).split():
            yield from _tree(int(child))


def _memory(pid: int) -> tuple[int, int]:
    """Return resident and anonymous memory in KiB; nothing for a process that is gone."""
    sizes = {"VmRSS": 0, "RssAnon": 0, "RssShmem": 0}
    for line in _read(Path(f"/proc/{pid}/status")).splitlines():
        name, _, value = line.partition(":")
        if name in sizes:
            sizes[name] = int(value.split()[0])
    return sizes["VmRSS"], sizes["RssAnon"] + sizes["RssShmem"]


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:  # the process ended between two looks
        return ""

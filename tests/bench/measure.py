"""Running programs: how long they took and how much memory they needed."""

import contextlib
import os
import pathlib
import statistics
import subprocess
import threading
import time


def peak_rss_kib(pid):
    """The most memory that a process has had so far; 0 when it is gone."""
    with contextlib.suppress(OSError):
        for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM"):
                return int(line.split()[1])
    return 0


class Watch(threading.Thread):
    """Looks at a process's VmHWM until it ends. What wait4 reports is of no use: it counts the
    memory that the process had while it still was a fork of this one."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.pid, self.peak = pid, 0
        self.start()

    def run(self):
        while rss := peak_rss_kib(self.pid):
            self.peak = max(self.peak, rss)
            time.sleep(0.005)


def timed(command, stdin=None, **kwargs):
    """Runs a command to its good end; returns seconds, peak RSS in KiB, its output."""
    os.sync()  # so that nobody pays for what another one left behind
    start = time.monotonic()
    process = subprocess.Popen([str(part) for part in command], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **kwargs)
    watch = Watch(process.pid)
    out, err = process.communicate(stdin)
    seconds = time.monotonic() - start
    watch.join()
    if process.returncode:
        raise RuntimeError(f"{command[0]} ended with {process.returncode}: {err or out}")
    return seconds, watch.peak, out


def median(values):
    return statistics.median(values) if values else None

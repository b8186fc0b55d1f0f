"""A worker process that stands still within a transaction on SQLite has the write lock, as any program
would: who would write is told so, who reads is not disturbed, and all goes on when it does, or dies."""

import concurrent.futures
import os
import pathlib
import re
import signal
import uuid

import pytest

import harness
import ledger
import meterfiles as mf
import worker_helpers as wh

pytestmark = pytest.mark.sqlite3

WRITE_LOCK = "120 120"  # the byte of SQLite's -shm file (walIndexLock in its wal.c)
SMALL = mf.daily(1, count=2)


def writer_of(database):
    """The pid of the process that has the write lock, from /proc/locks; None: nobody."""
    inode = os.stat(f"{database}-shm").st_ino
    found = re.search(rf"POSIX +ADVISORY +WRITE (\d+) \S+:{inode} {WRITE_LOCK}$",
                      pathlib.Path("/proc/locks").read_text(), re.M)
    return int(found[1]) if found else None


def is_stopped(pid):
    return all(stat.read_text().rsplit(")", 1)[1].split()[0] == "T"
               for stat in pathlib.Path(f"/proc/{pid}/task").glob("*/stat"))


def freeze_within_a_transaction(target):
    """Stops the one worker process where it has the lock, in an import that is made for that, or in
    the next; returns its pid and the job."""
    server = target.server
    batch = None

    def is_frozen():
        nonlocal batch
        if batch is None or wh.job(server, batch)["completed_at"]:
            batch = target.upload("big.csv", wh.big_file().encode(), str(uuid.uuid4()))
        [pid] = target.slots()
        os.kill(pid, signal.SIGSTOP)
        harness.wait_for(lambda: is_stopped(pid), "it to stand still")
        if writer_of(server.database) == pid:
            return pid
        os.kill(pid, signal.SIGCONT)
        return None

    return harness.wait_for(is_frozen, "the worker to be within a transaction"), batch


@pytest.mark.parametrize("fate", [signal.SIGCONT, signal.SIGKILL], ids=["thawed", "killed"])
def test_a_worker_is_frozen_within_its_transaction(make_installation, fate):
    target = make_installation(processes=1)
    server = target.server
    server.expected.append("ECL2022: .*is locked by somebody else")
    pid, big = freeze_within_a_transaction(target)
    try:
        with concurrent.futures.ThreadPoolExecutor() as clients:
            refused = [clients.submit(server.post, f"{server.api}/jobs?filename=a.csv", data=SMALL),
                       clients.submit(server.post, f"{server.api}/jobs/{big}/cancel")]
            for address in (server.admin, f"{server.admin}/jobs", f"{server.admin}/status/{big}",
                            f"{server.api}/jobs/{big}", f"{server.api}/status"):
                assert server.get(address).status_code == 200
        for answer in (r.result() for r in refused):
            assert answer.status_code == 503 and int(answer.headers["Retry-After"]) > 0
            assert "database" in answer.json()["detail"]
        assert len(re.findall("ECL2022.*locked by somebody else", server.log())) >= 2
    finally:
        os.kill(pid, fate)
    small = target.upload("again.csv", SMALL, "again")
    for batch in (big, small):
        row = wh.wait_for_status(server, batch, "completed", "failed")
        assert row["status"] == "completed", row["error_message"]
    assert server.sql("SELECT count(*) FROM meter_readings") == [(wh.BIG_READINGS + 2,)]
    ledger.assert_settled(server)

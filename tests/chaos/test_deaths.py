"""How soon the job of a worker that died runs again, and where."""

import os
import signal
import time

import pytest

import chaos_files
import harness
import ledger
import worker_helpers as wh
from chaos_options import LONG


@pytest.fixture
def content():
    return chaos_files.wide(0, 150, 180)


def test_the_job_of_a_dead_process_runs_again_at_once(make_installation, make_run, content):
    _, wanted = ledger.undisturbed(make_run, {}, {"f.csv": content})
    target = make_installation()
    server = target.server
    batch = target.upload("f.csv", content, "k")
    with wh.held_in_the_middle(server, batch):
        os.kill(int(wh.job(server, batch)["worker"].rsplit(":", 1)[1]), signal.SIGKILL)
    begin = time.monotonic()
    harness.wait_for(lambda: wh.job(server, batch)["claims"] == 2, "a second claim")
    seconds = time.monotonic() - begin
    wh.wait_for_status(server, batch, "completed")
    ledger.assert_equal(ledger.read(server), wanted)
    print(f"claimed again after {seconds * 1000:.0f} ms")


def all_die_at_once(target):
    """The processes of a worker, so that nobody is left to tell of it: the master, and those of the
    daemon that is returned, once it is closed."""
    batch = target.upload("f.csv", target.content, "k")
    with wh.held_in_the_middle(target.server, batch):
        dead = target.daemons.pop()
        for pid in harness.process_group_members(dead.pid):
            os.kill(pid, signal.SIGSTOP)  # nobody learns of another's death
        os.kill(dead.pid, signal.SIGKILL)
    return batch, dead


@pytest.fixture
def target(make_installation, content):
    installation = make_installation(processes=1)
    installation.content = content
    return installation


@pytest.mark.parametrize("how", ["at once", "while its successor looks for it"])
def test_the_next_master_of_the_host_gives_it_back_at_once(target, make_run, content, how):
    _, wanted = ledger.undisturbed(make_run, {}, {"f.csv": content})
    server = target.server
    batch, dead = all_die_at_once(target)
    if how == "at once":
        dead.close()
    with server.change() as db:  # whatever happens now, it is not the lease
        db.execute("UPDATE import_jobs SET lease_until = ?", (int((time.time() + 80) * 1e6),))
    begin = time.monotonic()
    status = server.storage / "status.json"
    before = status.stat().st_ino
    target.start_daemon()
    harness.wait_for(lambda: status.stat().st_ino != before, "the keeper's first round")
    dead.close()
    row = wh.wait_for_status(server, batch, "completed", deadline=75)
    print(f"completed {time.monotonic() - begin:.1f} s after")
    assert row["claims"] == 2
    assert server.sql("SELECT detail FROM import_job_events WHERE event = 'put-back'") == [
        ("the worker died together with its master",)]
    ledger.assert_equal(ledger.read(server), wanted)
    ledger.assert_settled(server)


def test_the_job_of_a_dead_host_runs_on_another(target, make_run, content):
    """There nobody can know that the processes are gone: the lease must run out. `make chaos` waits
    for that; the short form tells the database that it has."""
    _, wanted = ledger.undisturbed(make_run, {}, {"f.csv": content})
    server = target.server
    begin = time.monotonic()
    batch, dead = all_die_at_once(target)
    dead.close()
    server.settings["HostName"] = "another"
    target.start_daemon()
    if not LONG:
        with server.change() as db:
            db.execute("UPDATE import_jobs SET lease_until = 1")
    row = wh.wait_for_status(server, batch, "completed", deadline=90)
    assert row["claims"] == 2
    seconds = (row["attempt_started_at"] - row["started_at"]) / 1e6
    print(f"claimed again after {seconds:.1f} s; completed {time.monotonic() - begin:.1f} s after")
    assert seconds < 60
    ledger.assert_equal(ledger.read(server), wanted)
    ledger.assert_settled(server)

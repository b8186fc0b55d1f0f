"""Taking readings out (undo, cancel), retry and delete, struck down half-way: they go on where they
were, and in the end it is as if nothing had happened."""

import contextlib
import os
import signal

import pytest

import harness
import meterfiles as mf
import worker_helpers as wh

BEFORE = mf.wide(meters=2, count=5)  # of other days, which must stay as they are


@pytest.fixture
def daemon(run):
    daemons = []

    def start(*args):
        daemons.append(wh.Daemon(run, *args))
        return daemons[-1]

    yield start
    for one in daemons:
        one.close()


def days(run):
    return run.sql("SELECT count(*) FROM meter_days")[0][0]


def tables(run):
    """All that an undone import must leave as it was."""
    return [run.sql(f"SELECT * FROM {table} ORDER BY 1, 2")
            for table in ("meters", "meter_days", "meter_day_history")]


@contextlib.contextmanager
def held_in_the_undo(run, batch_id, total):
    """Some of the job's days are out and some are not, and no more go before the block's end."""
    def is_in_the_middle(db):
        [(undone_at,)] = db.execute("SELECT undone_at FROM import_jobs WHERE batch_id = ?",
                                    (batch_id,)).fetchall()
        assert undone_at is None, "the file is too small for this test"
        return True

    harness.wait_for(lambda: days(run) < total, "the first days to be taken out")
    with run.database.held(is_in_the_middle):
        yield


def prepare(run):
    assert run.worker("import", "-", input=BEFORE).returncode == 0
    return days(run), tables(run)


def ask(run, batch_id, **columns):
    """As lib/jobs does; there is no command for it."""
    with run.change() as db:
        db.execute(f"UPDATE import_jobs SET {', '.join(f'{c} = ?' for c in columns)}, attempts = 0, "
                   "run_after = queued_at WHERE batch_id = ?", (*columns.values(), batch_id))
    (run.storage / "wake").touch()


def test_an_undo_whose_worker_is_killed_goes_on(run, daemon):
    few, before = prepare(run)
    batch_id = wh.queue(run, wh.big_file())
    worker = daemon()
    wh.wait_for_status(run, batch_id, "completed")
    total = days(run)
    ask(run, batch_id, undo_requested=1, undone_by="bob")
    with held_in_the_undo(run, batch_id, total):
        os.kill(wh.slots(worker.pid)[0], signal.SIGKILL)
    row = harness.wait_for(lambda: (lambda j: j if j["undone_at"] else None)(wh.job(run, batch_id)),
                           "the undo", harness.DEADLINE * 4)
    assert (row["undo_requested"], row["lease_until"], days(run)) == (0, None, few)
    assert tables(run) == before
    events = [e for (e,) in run.sql("SELECT event FROM import_job_events WHERE batch_id = ? "
                                    "ORDER BY id", batch_id)]
    assert events == ["claimed", "completed", "claimed", "put-back", "claimed", "undone"]


def test_an_undo_goes_on_after_everything_was_killed(run, daemon):
    few, before = prepare(run)
    batch_id = wh.queue(run, wh.big_file())
    worker = daemon()
    wh.wait_for_status(run, batch_id, "completed")
    ask(run, batch_id, undo_requested=1, undone_by="bob")
    total = days(run)
    with held_in_the_undo(run, batch_id, total):
        # all of its processes, and none hears of another's death
        os.kill(worker.pid, signal.SIGSTOP)
        for child in wh.children(worker.pid):
            os.kill(child, signal.SIGKILL)
        worker.close()
    assert wh.job(run, batch_id)["lease_until"], "nobody could give it back"
    with run.change() as db:  # as if 30 s had passed
        db.execute("UPDATE import_jobs SET lease_until = 1 WHERE lease_until IS NOT NULL")
    daemon()
    harness.wait_for(lambda: wh.job(run, batch_id)["undone_at"], "the undo", harness.DEADLINE * 4)
    assert days(run) == few and tables(run) == before


def test_a_cancel_whose_worker_is_killed_goes_on(run, daemon):
    few, before = prepare(run)
    batch_id = wh.queue(run, wh.big_file())
    worker = daemon()
    with wh.held_in_the_middle(run, batch_id) as db:
        db.execute("UPDATE import_jobs SET cancel_requested = 1 WHERE batch_id = ?", (batch_id,))
        os.kill(wh.slots(worker.pid)[0], signal.SIGKILL)
    row = wh.wait_for_status(run, batch_id, "cancelled")
    assert (row["cancel_requested"], days(run)) == (0, few)
    assert tables(run) == before


def test_a_stored_file_that_was_altered_or_lost_fails_with_the_reason(make_httpd):
    server = make_httpd(Workers="0")
    found = {}
    for name in ("cut.csv", "altered.csv", "lost.csv"):
        found[name] = server.upload(BEFORE, name)
        [path] = [p for p in (server.storage / "files").iterdir() if p.name == found[name]]
        data = path.read_bytes()
        if name == "lost.csv":
            path.unlink()
        else:
            path.write_bytes(data[:-7] if name == "cut.csv" else data.replace(b".1", b".2", 1))
    result = server.worker("run", "--once")
    assert result.returncode == 0, result.stderr
    for name, words in (("cut.csv", f"bytes instead of {len(BEFORE)}"),
                        ("altered.csv", "its content has changed (SHA-256 "),
                        ("lost.csv", "the stored file is gone; upload it again")):
        job = server.job(found[name])
        assert job["status"] == "failed" and words in job["error_message"]
        page = server.get(f"{server.admin}/status/{found[name]}").text
        assert words[1:] in page and "The import failed." in page
    assert server.sql("SELECT count(*) FROM meter_days") == [(0,)]

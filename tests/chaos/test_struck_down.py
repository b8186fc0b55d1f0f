"""Processes are killed, frozen, stopped and replaced at random moments while files of all layouts
are uploaded, imported, cancelled, retried and undone. What is in the tables then must equal, byte
for byte, what an undisturbed import leaves."""

import contextlib
import os
import signal
import subprocess
import time

import pytest

import chaos_files
import databases
import harness
import installation as inst
import ledger
import worker_helpers as wh
from chaos_options import LONG, MOMENTS

SCALE = 2.0 if LONG else 1.0 if databases.DRIVER == "sqlite3" else 0.5
DRY_RUN = ["preview.csv"]
ENDS = ("completed", "failed", "cancelled")


class Blows:
    """Strikes at an installation at moments of chance, and puts it up again."""

    def __init__(self, target, rng, weapons, moments):
        self.target, self.rng, self.weapons, self.left = target, rng, weapons, moments
        self.count = dict.fromkeys(weapons, 0)
        self.is_uploading = False

    def strike(self):
        """Returns False when there have been enough."""
        if self.left <= 0:
            return False
        self.wait_for_work()
        time.sleep(self.rng.uniform(0, 0.2))
        # to kill httpd is of most interest while it receives
        ready = [w for w in self.weapons if self.is_uploading
                 and w in ("httpd_child", "httpd_parent")] or self.weapons
        # of those that have hit the least: a few moments are to see all of them
        fewest = min(self.count[w] for w in ready)
        weapon = self.rng.choice([w for w in ready if self.count[w] == fewest])
        if getattr(self, weapon)():
            self.count[weapon] += 1
            self.left -= 1
        self.target.revive()
        return True

    def wait_for_work(self):
        """Mostly: blows at those who wait prove little. But some are to fall there, too."""
        end = time.monotonic() + self.rng.choice([0, 1, 2])
        while time.monotonic() < end and not self.target.server.sql(
                "SELECT 1 FROM import_jobs WHERE lease_until IS NOT NULL LIMIT 1"):
            time.sleep(0.01)

    def kill_one(self, pids):
        if pids:
            inst.signal_quietly(self.rng.choice(pids), signal.SIGKILL)
        return bool(pids)

    # ---- weapons; each returns whether it hit ---------------------------------------------------

    def worker_process(self):
        """kill -9. When all wait to be started again, their master goes instead."""
        return self.kill_one(self.target.slots()) or self.worker_master()

    def worker_master(self):
        masters = self.target.masters()
        if masters and self.kill_one(masters) and self.target.daemons:
            for daemon in self.target.daemons:
                with contextlib.suppress(Exception):
                    daemon.process.wait(0.2)
        return bool(masters)

    def worker_keeper(self):
        return self.kill_one([p for m in self.target.masters() for p in wh.children(m)
                              if wh.name_of(p) == "eclectyc-keeper"])

    def httpd_child(self):
        return self.kill_one(self.target.httpd_children())

    def httpd_parent(self):
        os.kill(self.target.server.process.pid, signal.SIGKILL)
        self.target.server.process.wait(10)
        return True

    def worker_sigterm(self):
        """A stop in order, of one worker process or of all."""
        pids = self.rng.choice([self.target.slots(), self.target.masters()])
        if pids:
            inst.signal_quietly(self.rng.choice(pids), signal.SIGTERM)
        return bool(pids)

    def httpd_graceful(self):
        inst.apachectl(self.target.server, "graceful")
        return True

    def httpd_restart(self):
        inst.apachectl(self.target.server, "restart")
        return True

    def httpd_stop(self):
        server = self.target.server
        pid = server.process.pid

        def is_stopped():  # httpd forgets a SIGTERM that comes while it reloads: say it again
            inst.apachectl(server, "stop")
            with contextlib.suppress(subprocess.TimeoutExpired):
                return server.process.wait(5) is not None

        harness.wait_for(is_stopped, "httpd to stop")
        harness.wait_for(lambda: not harness.process_group_members(pid), "httpd's processes to end")
        server.start()
        return True

    def worker_frozen(self):
        """SIGSTOP until the lease has run out and another worker has taken the job, then SIGCONT.
        The passing of 30 seconds is told to the database rather than waited for."""
        server = self.target.server
        if len(self.target.slots()) < 2:  # nobody to take over: they wait to be started again
            return self.worker_master()
        held = server.sql("SELECT batch_id, worker, claims FROM import_jobs WHERE lease_until IS "
                          "NOT NULL")
        if not held:
            return False
        batch_id, worker, claims = self.rng.choice(held)
        pid = int(worker.rsplit(":", 1)[1])
        inst.signal_quietly(pid, signal.SIGSTOP)
        try:
            # one that was frozen inside its transaction holds its lock: nothing can be taken over
            if not expire(server, batch_id, claims):
                return False
            harness.wait_for(lambda: (lambda j: j["claims"] > claims or j["status"] in ENDS)(
                wh.job(server, batch_id)), "another worker to take over a frozen one's job", 90)
            time.sleep(self.rng.uniform(0, 0.2))
        finally:
            inst.signal_quietly(pid, signal.SIGCONT)
        return True


def expire(server, batch_id, claims):
    """Whether the lease of this claim could be made to have run out, within a moment."""
    is_sqlite = server.database.driver == "sqlite3"
    try:
        with server.change() as db:
            db.execute("PRAGMA busy_timeout = 300" if is_sqlite else "SET lock_timeout = 300")
            return db.execute(
                "UPDATE import_jobs SET lease_until = 1 WHERE batch_id = ? AND claims = ? AND "
                "lease_until IS NOT NULL RETURNING 1", (batch_id, claims)).fetchone() is not None
    except Exception as error:
        if server.database.is_lost(error):
            return False
        raise


def jobs(server, names):
    return {name: (batch, status, message or "") for name, batch, status, message in server.sql(
        "SELECT filename, batch_id, status, error_message FROM import_jobs") if name in names}


def settle(target, blows, condition, what):
    """Strikes until the condition holds; then, or when there were enough, waits for it."""
    end = time.monotonic() + 240
    while not condition():
        if not blows.strike():
            target.revive()
            time.sleep(0.05)
        assert time.monotonic() < end, f"waited in vain for {what}: " + str(
            target.server.sql("SELECT filename, status, attempts, claims, worker, error_message "
                              "FROM import_jobs"))


def retry_given_up(target, found):
    """A job that was killed three times at one place has failed, and says so: it is retried, as a
    user would. Returns whether there was one."""
    again = [(name, batch, message) for name, (batch, status, message) in found.items()
             if status == "failed"]
    for name, batch, message in again:
        assert "gave up after 3 attempts" in message, (name, message)
        target.call("POST", f"/jobs/{batch}/retry", accept=(200, 202, 409))
    return bool(again)


def import_all(target, blows, files, turn, cancel, dry_run):
    """Uploads all files at once; cancels some on their way, and retries those."""
    uploads = inst.Uploads(target, files, f"{time.time()} {turn}", dry_run)
    server = target.server
    to_cancel = set(cancel)

    def done():
        found = jobs(server, files)
        blows.is_uploading = not uploads.done()
        for name in list(to_cancel):
            if name in found and found[name][1] == "processing":
                target.call("POST", f"/jobs/{found[name][0]}/cancel", accept=(200, 202, 409))
                to_cancel.discard(name)
        return not retry_given_up(target, found) and uploads.done() and len(found) == len(files) \
            and all(status in ENDS for _, status, _ in found.values())

    settle(target, blows, done, "all jobs to end")
    assert len(server.sql("SELECT 1 FROM import_jobs")) == len(files) + 1, "a job was made twice"
    for name, (batch, status, _) in jobs(server, files).items():
        if status == "cancelled":
            left = server.sql("SELECT count(*) FROM meter_days WHERE import_job_id = "
                              "(SELECT id FROM import_jobs WHERE filename = ?)", name)
            assert left == [(0,)], f"{name} was cancelled and has left days"
            target.call("POST", f"/jobs/{batch}/retry", accept=(200, 202, 409))

    def completed():
        found = jobs(server, files)
        return not retry_given_up(target, found) and all(
            status == "completed" for _, status, _ in found.values())

    settle(target, blows, completed, "the cancelled jobs, retried, to complete")


def undo_all(target, blows, files, dry_run, rng):
    """Undoes all imports, strikes included, and removes the jobs' records."""
    server = target.server
    found = jobs(server, files)
    names = [name for name in files if name not in dry_run]
    rng.shuffle(names)
    for name in names:
        target.call("POST", f"/jobs/{found[name][0]}/undo")
    settle(target, blows, lambda: server.sql(
        "SELECT count(*) FROM import_jobs WHERE undone_at IS NOT NULL") == [(len(names),)],
        "all imports to be undone")
    kept = server.sql("SELECT filename, summary FROM import_jobs WHERE undone_at IS NOT NULL "
                      "AND summary LIKE '%\"days_kept\"%'")
    for name, (batch, *_) in found.items():
        target.call("DELETE", f"/jobs/{batch}", accept=(200, 202, 204, 404))
    return kept


KILLS = ["worker_process", "worker_process", "worker_process", "worker_master", "worker_keeper",
         "httpd_child", "httpd_child", "httpd_parent"]
RELOADS = ["httpd_graceful", "httpd_restart", "httpd_stop", "worker_sigterm"]
# one that stands still in a transaction keeps others waiting until PostgreSQL ends it
FREEZE_SHARE = 0.5 if LONG or databases.DRIVER == "sqlite3" else 0.2
FREEZES = ["worker_frozen", "worker_frozen", "worker_frozen", "worker_process"]


@pytest.fixture(scope="module")
def files():
    return chaos_files.all_layouts(SCALE)


def strike_through(target, blows, before, wanted, files, rng):
    """Imports and undoes all files, under blows, until there were enough."""
    server = target.server
    for name, content in chaos_files.base().items():
        assert server.import_file(content, name)["status"] == "completed"
    turns = claims = 0
    while blows.left > 0 or not turns:
        cancel = rng.sample([n for n in files if n not in DRY_RUN], 2)
        import_all(target, blows, files, turns, cancel, DRY_RUN)
        ledger.assert_equal(ledger.read(server), wanted)
        ledger.assert_told_once(server, files, ["queued", "completed"])
        claims += server.sql("SELECT sum(claims) FROM import_jobs")[0][0]
        undo_all(target, blows, files, DRY_RUN, rng)
        ledger.assert_equal(ledger.read(server), before)
        ledger.assert_told_once(server, [n for n in files if n not in DRY_RUN],
                                ["queued", "completed", "undone", "delete"])
        ledger.assert_settled(server)
        with server.change() as db:
            db.execute("DELETE FROM import_job_events")
        turns += 1
    print(f"{turns} turns of {len(files)} files, {claims} claims; blows: {blows.count}")


@pytest.mark.parametrize("weapons, share, workers", [
    (KILLS, 1, "daemon"), (RELOADS, 0.5, "httpd"), (FREEZES, FREEZE_SHARE, "daemon")],
    ids=["killed", "reloaded", "frozen"])
def test_the_tables_are_those_of_an_undisturbed_import(
        make_installation, make_run, files, rng, weapons, share, workers):
    before, wanted = ledger.undisturbed(make_run, chaos_files.base(), files, DRY_RUN)
    target = make_installation(workers=workers)
    blows = Blows(target, rng, weapons, int(MOMENTS * share))
    strike_through(target, blows, before, wanted, files, rng)

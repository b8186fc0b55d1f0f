"""What others may do to an SQLite database while the server serves and imports."""

import contextlib
import os
import sqlite3
import threading
import time

import pytest

import chaos_files
import databases
import harness
import installation as inst
import ledger
import worker_helpers as wh
from chaos_options import LONG

pytestmark = pytest.mark.sqlite3
MIB = 1 << 20
only_root = pytest.mark.skipif(
    os.getuid() != 0, reason="only root can take a directory away from the server's user")


class Meddler:
    """Does something again and again in a thread until it is left."""

    def __init__(self, *acts):
        self.acts, self.over, self.failure, self.count = acts, threading.Event(), None, 0

    def __enter__(self):
        def go_on(act):
            try:
                while not self.over.is_set():
                    act()
                    self.count += 1
            except BaseException as error:  # pylint: disable=broad-except
                self.failure = error
        self.threads = [threading.Thread(target=go_on, args=(act,)) for act in self.acts]
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        for thread in self.threads:
            thread.join()
        if self.failure:
            raise self.failure


def import_all(target, files, key):
    batches = inst.Uploads(target, files, key).join()
    for batch in batches.values():
        row = wh.wait_for_status(target.server, batch, "completed", "failed")
        assert row["status"] == "completed", row["error_message"]


@pytest.fixture(scope="module")
def files():
    return chaos_files.all_layouts(2.0 if LONG else 0.6)


@pytest.fixture(scope="module")
def wanted(files):
    runs = []

    def make_run():
        runs.append(harness.Run())
        return runs[-1]

    yield ledger.undisturbed(make_run, chaos_files.base(), files)[1]
    runs[0].remove()


def started(make_installation):
    target = make_installation()
    import_all(target, chaos_files.base(), "base")
    return target


def test_vacuum_and_migrate_while_it_works(make_installation, files, wanted):
    target = started(make_installation)
    server = target.server

    def vacuum():
        with contextlib.closing(sqlite3.connect(server.database, timeout=1)) as db:
            with contextlib.suppress(sqlite3.OperationalError):  # busy
                db.execute("VACUUM")
                db.execute("ANALYZE")
        time.sleep(0.05)

    def migrate():
        done = server.worker("migrate")
        assert done.returncode == 0, done.stderr
        time.sleep(0.2)

    def look():
        for path in (server.admin, f"{server.admin}/jobs", f"{server.api}/jobs"):
            assert server.get(path).status_code == 200
        time.sleep(0.02)

    with Meddler(vacuum, migrate, look):
        import_all(target, files, "k")
    ledger.assert_equal(ledger.read(server), wanted)
    ledger.assert_settled(server)


def test_another_program_holds_the_lock(make_installation, files, wanted):
    """Again and again, and each time pages are read meanwhile: what waits goes on."""
    target = started(make_installation)
    server = target.server
    held = 5 if LONG else 1.5
    looked = 0
    # of many that wait, some may not come to their turn in time: 503, and sent again
    server.expected += ["ECL2022: .*(is locked by somebody else|connections are in use)", "ECL2041"]

    def jobs():
        return server.sql("SELECT count(*), sum(claims), sum(processed_rows), sum(attempts),"
                          " count(completed_at) FROM import_jobs")

    def hold():
        with server.database.held():
            before, seen = jobs(), looked
            time.sleep(held)
            harness.wait_for(lambda: looked > seen + 1 or meddler.over.is_set(),
                             "pages while the lock is held")
        harness.wait_for(lambda: jobs() != before or meddler.over.is_set(),
                         "somebody to go on when it is free")
        time.sleep(0.5)

    def look():
        nonlocal looked
        for address in (f"{server.admin}/jobs", f"{server.api}/jobs", f"{server.api}/status"):
            assert server.get(address).status_code == 200, "readers need no lock"
        looked += 1
        time.sleep(0.05)

    with Meddler(hold, look) as meddler:
        import_all(target, files, "k")
    ledger.assert_equal(ledger.read(server), wanted)
    ledger.assert_settled(server)


def test_the_wal_stays_bounded_while_there_are_readers(make_installation):
    """Reports that overlap, so that there is always one with an open transaction: without help
    SQLite would not start its WAL anew before the import has ended."""
    target = started(make_installation)
    server = target.server
    sizes = []

    def report():
        with contextlib.closing(sqlite3.connect(server.database, timeout=30)) as db:
            db.isolation_level = None
            db.execute("BEGIN")
            db.execute("SELECT count(*) FROM meter_days").fetchall()
            time.sleep(0.3)
            db.execute("COMMIT")

    def measure():
        with contextlib.suppress(FileNotFoundError):
            sizes.append(os.stat(f"{server.database}-wal").st_size)
        time.sleep(0.01)

    with Meddler(report, report, report, measure):
        for turn in range(2):
            import_all(target, {f"{turn}.csv": chaos_files.wide(0, 250, 250, turn).encode()},
                       f"k{turn}")
    print(f"largest WAL: {max(sizes) / MIB:.1f} MiB of {sum_of_growth(sizes) / MIB:.1f} written")
    assert sum_of_growth(sizes) > 90 * MIB, "too little was written for this test"
    assert max(sizes) < 84 * MIB


def sum_of_growth(sizes):
    return sum(max(0, later - before) for before, later in zip([0] + sizes, sizes))


@pytest.fixture
def elsewhere(make_installation):
    """An installation without workers whose database has a directory of its own, and that."""
    directory = harness.pathlib.Path(harness.tempfile.mkdtemp(prefix="eclectyc-db-", dir="/tmp"))
    harness.shutil.chown(directory, "www-data", "www-data")
    target = make_installation(daemons=0, Database=f'sqlite3 "{directory}/eclectyc.db"')
    target.server.database = databases.Sqlite3(directory)
    yield target, directory
    try:
        target.close()
        target.server.stop()
    finally:
        target.server.kill()
        for path in (directory, away_from(directory)):
            harness.shutil.rmtree(path, ignore_errors=True)


def away_from(directory):
    return directory.with_name(directory.name + "-away")


@only_root
@pytest.mark.parametrize("how", ["unreadable", "moved away"])
def test_the_database_is_out_of_reach(elsewhere, files, wanted, how):
    """While it starts, serves and reloads: 503 in words, and all goes on when it is back."""
    target, directory = elsewhere
    server = target.server
    server.expected += ["ECL2022", "ECL3010"]
    daemon = target.start_daemon()
    import_all(target, chaos_files.base(), "base")
    daemon.stop()
    target.daemons.remove(daemon)
    server.stop()
    if how == "unreadable":
        directory.chmod(0)
    else:
        directory.rename(away_from(directory))
    server.start()
    daemon = target.start_daemon()
    harness.wait_for(lambda: "ECL3010" in daemon.log(), "the worker to say so")
    for _ in range(2):
        inst.expect_503(server)
        inst.apachectl(server, "graceful")
    assert not list((server.storage / "incoming").glob("*"))
    if how == "unreadable":
        directory.chmod(0o755)
    else:
        away_from(directory).rename(directory)
    import_all(target, files, "k")
    ledger.assert_equal(ledger.read(server), wanted)
    ledger.assert_settled(server)


@only_root
def test_the_database_comes_and_goes_while_it_works(elsewhere, files, wanted):
    """Its directory is moved away for moments, as when a file system is not mounted."""
    target, directory = elsewhere
    server = target.server
    server.expected += ["ECL2022", "ECL3010", "ECL3012"]
    target.start_daemon()
    import_all(target, chaos_files.base(), "base")

    def come_and_go():
        directory.rename(away_from(directory))
        time.sleep(0.2)
        away_from(directory).rename(directory)
        time.sleep(0.3)

    with Meddler(come_and_go):
        batches = inst.Uploads(target, files, "k").join()
        time.sleep(1 if LONG else 0.5)
    for batch in batches.values():
        row = wh.wait_for_status(server, batch, "completed", "failed")
        assert row["status"] == "completed", row["error_message"]
    ledger.assert_equal(ledger.read(server), wanted)
    ledger.assert_settled(server)

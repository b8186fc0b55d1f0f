"""From SQLite to PostgreSQL (`copy`): everything is there and goes on where it was, or nothing is."""

import contextlib
import datetime
import os
import pty
import resource
import signal
import subprocess
import time

import pytest

import databases
import harness
import meterfiles as mf
import worker_helpers as wh

pytestmark = pytest.mark.pgsql

WEEK = mf.wide(meters=2, count=7)
READINGS = 2 * 7 * 48
TABLES = {"import_jobs": "id", "import_errors": "id", "import_job_events": "id",
          "import_templates": "id", "meters": "id", "meter_days": "id",
          "meter_day_history": "import_job_id, meter_day_id"}


def start_small(run):
    """Gives the directory an SQLite database; returns the PostgreSQL one that it is to move to."""
    target = run.database
    use(run, databases.Sqlite3(run.data))
    return target


def use(run, database):
    run.database = database
    run.settings["Database"] = database.setting


@pytest.fixture
def growing(run):
    """A directory with settings, on SQLite, and the database to move to, migrated."""
    target = start_small(run)
    migrate(run, target)
    yield run, target
    target.remove()


def to_config(run, database, **settings):
    path = run.dir / "target.conf"
    path.write_text("".join(f"EclectycImport{k} {v}\n" for k, v in
                            {**run.settings, "Database": database.setting, **settings}.items()))
    path.chmod(0o600)  # it may hold a password; the worker reads it before it becomes another user
    return path


def migrate(run, database):
    result = subprocess.run([harness.WORKER, "--config", to_config(run, database), "migrate"],
                            capture_output=True, text=True)
    assert result.returncode == 0, result.stderr


def copy(run, target, **settings):
    return run.worker("copy", "--to-config", to_config(run, target, **settings))


def copied(run, target):
    result = copy(run, target)
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    counts = [line.split() for line in result.stdout.splitlines() if line.startswith(("i", "m"))]
    with contextlib.closing(target.connect()) as db:
        assert counts == [[t, f"{n:,}", f"{n:,}"] for t in TABLES for [n] in
                          db.execute(f"SELECT count(*) FROM {t}").fetchall()]


def content(database):
    """All that is kept: both databases give the same Python values."""
    with contextlib.closing(database.connect()) as db:
        return {t: [tuple(map(plain, row)) for row in
                    db.execute(f"SELECT * FROM {t} ORDER BY {order}").fetchall()]
                for t, order in TABLES.items()}


def plain(value):
    return value if value is None or isinstance(value, int) else str(value)


def is_empty(database):
    return not any(content(database).values())


def days(run):
    return run.sql("SELECT meter_id, reading_date, period_values, period_flags, import_job_id,"
                   " import_line, updated_at FROM meter_days ORDER BY meter_id, reading_date")


def nobody_is_alive(run):
    """A worker that was too slow to stop was killed, and counts as alive for a while."""
    harness.wait_for(lambda: not run.sql("SELECT 1 FROM import_workers WHERE heartbeat_at > ?",
                                         int((time.time() - 30) * 1e6)),
                     "the workers' last signs of life to be old", 90)


# ---- everything goes on where it was ---------------------------------------------------------

def answers(server, jobs):
    """What the server tells of the jobs."""
    told = []
    for batch in jobs:
        told.append(server.job(batch))
        told += [server.get(f"{server.api}/jobs/{batch}/{part}").json()
                 for part in ("errors", "events")]
        told.append(server.get(f"{server.admin}/status/{batch}/failed-rows.csv").text)
        assert server.get(f"{server.admin}/status/{batch}").status_code == 200
    return told


def test_everything_goes_on_where_it_was(make_httpd):
    server = make_httpd(start=False, Workers="1")
    target = start_small(server)
    server.start()
    bad = server.import_file(mf.wide(meters=2, first="2026-03-01", count=7)
                             .replace("2026-03-05", "2026-03-99"), "bad \\N ☂.csv",
                             notes="a\tb\n\\N\nc", tags="x")
    assert bad["failed_rows"] == 2
    first = server.import_file(WEEK)
    found = days(server)
    second = server.import_file(mf.one_row(["98.765"] * 48, "2026-02-03"), "correction.csv")
    assert (first["readings_new"], second["readings_changed"]) == (READINGS, 48)
    tomorrow = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(1)
    waiting = server.upload(mf.wide(meters=3, count=7), "later.csv",
                            run_after=tomorrow.isoformat(timespec="seconds"))
    with server.change() as db:
        db.execute("INSERT INTO import_templates (name, fingerprint, options, created_by,"
                   " created_at) VALUES ('monthly', 'none', '{}', 'alice', 1)")
    jobs = [j["batch_id"] for j in (first, second, bad)] + [waiting]
    before = answers(server, jobs)
    assert_refused(copy(server, target), "httpd or a worker uses the storage directory",
                   "stop httpd")
    server.stop()
    assert_refused(copy(server, target), "has schema 0, this program needs")
    migrate(server, target)
    nobody_is_alive(server)
    old = server.database
    kept = content(old)
    copied(server, target)
    assert content(target) == kept == content(old)

    use(server, target)
    server.start()
    assert answers(server, jobs) == before
    # undo of an import made before
    assert server.post(f"{server.admin}/status/{second['batch_id']}/undo").status_code == 303
    harness.wait_for(lambda: server.job(second["batch_id"])["undone_at"], "the undo")
    assert days(server) == found
    # the same file again
    again = server.import_file(WEEK)
    assert (again["readings_new"], again["readings_changed"], again["readings_unchanged"]) == (
        0, 0, READINGS)
    # the job that waited, from the file that was stored before
    assert server.post(f"{server.api}/jobs/{waiting}/run-now").status_code in (200, 202)
    later = server.finished(waiting)
    assert (later["status"], later["readings_new"], later["readings_unchanged"]) == (
        "completed", 7 * 48, READINGS)
    ids = [i for (i,) in server.sql("SELECT id FROM import_jobs ORDER BY id")]
    assert ids == [1, 2, 3, 4, 5]
    assert content(old) == kept


def test_an_interrupted_import_goes_on(growing):
    run, target = growing
    path = run.dir / "big.csv"
    path.write_text(wh.big_file())
    run.worker("migrate")
    importing = subprocess.Popen([harness.WORKER, "--config", run.settings_file(), "import", path],
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    batch_id = harness.wait_for(lambda: run.sql("SELECT batch_id FROM import_jobs"),
                                "the job")[0][0]
    with wh.held_in_the_middle(run, batch_id):
        importing.send_signal(signal.SIGTERM)
    assert importing.wait(harness.DEADLINE) == 1
    row = wh.job(run, batch_id)
    assert row["status"] == "queued" and row["checkpoint"] > 0
    copied(run, target)
    use(run, target)
    assert wh.job(run, batch_id) == row
    assert run.worker("run", "--once").returncode == 0
    row = wh.job(run, batch_id)
    assert (row["status"], row["readings_new"]) == ("completed", wh.BIG_READINGS)
    assert run.sql("SELECT count(*) FROM meter_readings") == [(wh.BIG_READINGS,)]


@pytest.mark.skipif(harness.SANITIZED, reason="the sanitizers' own memory would be limited")
def test_memory_does_not_grow_with_the_database(growing):
    run, target = growing
    import_week(run)
    with run.change() as db:
        db.execute("INSERT INTO meter_days (meter_id, channel, interval_minutes, reading_date,"
                   " day_start, period_values, period_flags, unit, import_job_id, import_line,"
                   " updated_at) WITH RECURSIVE n (number) AS (SELECT 1 UNION ALL SELECT number + 1"
                   " FROM n WHERE number < 10000) SELECT meter_id, 'X' || number, interval_minutes,"
                   " reading_date, day_start, period_values, period_flags, unit, import_job_id,"
                   " import_line, updated_at FROM meter_days, n")
    size = os.stat(run.database).st_size
    limit = 16 << 20
    assert size > 3 * limit
    result = subprocess.run(
        [harness.WORKER, "--config", run.settings_file(), "copy", "--to-config",
         to_config(run, target)], capture_output=True, text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_DATA, (limit, limit)))
    assert result.returncode == 0, result.stderr
    assert "140,014" in result.stdout


# ---- or nothing is done ----------------------------------------------------------------------

def import_week(run):
    path = run.dir / "week.csv"
    path.write_text(WEEK)
    result = run.worker("import", path)
    assert result.returncode == 0, result.stderr


def assert_refused(result, *words):
    assert result.returncode == 1, result.stdout
    assert "ECL3036" in result.stderr and result.stdout == ""
    for word in words:
        assert word in result.stderr


def test_a_wrong_target_is_refused_in_words(growing):
    run, target = growing
    assert_refused(copy(run, target), f"database '{run.database}' does not exist yet",
                   "migrate makes it")
    assert not run.database.exists()
    import_week(run)
    kept = content(run.database)
    assert_refused(copy(run, run.database), "both configurations name the same database")
    with contextlib.closing(target.connect()) as db, db:
        db.execute("DELETE FROM schema_migrations WHERE version = (SELECT max(version)"
                   " FROM schema_migrations)")
    assert_refused(copy(run, target), "the target has schema ", "run eclectyc-import-worker")
    migrated = databases.Pgsql()
    try:
        migrate(run, migrated)
        with contextlib.closing(migrated.connect()) as db, db:
            db.execute("INSERT INTO meters (identifier, kind, import_job_id)"
                       " VALUES ('2000000000000', 'mpan', 1)")
        assert_refused(copy(run, migrated), "the target is not empty: there are rows in meters")
    finally:
        migrated.remove()
    nowhere = f'pgsql "host={run.dir} dbname=x password=open-sesame-4711"'
    result = copy(run, target, Database=nowhere)
    assert_refused(result, "cannot open the PostgreSQL database", "target.conf")
    assert "4711" not in result.stderr
    assert content(run.database) == kept


def test_wrong_usage_and_wrong_settings(growing):
    run, target = growing
    result = run.worker("copy")
    assert result.returncode == 2 and "no --to-config" in result.stderr
    result = run.worker("copy", "--to-config", to_config(run, target), "more")
    assert result.returncode == 2 and "'more' is too much" in result.stderr
    result = subprocess.run([harness.WORKER, "--config", "-", "copy", "--to-config", "-"],
                            capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert result.returncode == 2 and "standard input" in result.stderr
    result = run.worker("copy", "--to-config", run.dir / "missing.conf")
    assert result.returncode == 78 and "missing.conf" in result.stderr
    result = copy(run, target, Workers="many")
    assert result.returncode == 78
    assert "ECL3035" in result.stderr and "EclectycImportWorkers" in result.stderr
    assert "copy --to-config FILE" in run.worker("--help").stdout


def test_stored_files_must_be_where_the_target_looks_for_them(growing):
    run, target = growing
    batch_id = wh.queue(run, WEEK)
    other = run.data / "other"
    (other / "files").mkdir(parents=True)
    for path in (other, other / "files"):
        path.chmod(0o755)
    assert_refused(copy(run, target, Storage=f'"{other}"'), batch_id, f"'{other}/files' first")
    stored = other / "files" / batch_id
    stored.write_text("cut")
    assert_refused(copy(run, target, Storage=f'"{other}"'), batch_id)
    assert is_empty(target)
    stored.write_bytes((run.storage / "files" / batch_id).read_bytes())
    result = copy(run, target, Storage=f'"{other}"')
    assert result.returncode == 0, result.stderr


def start_and_stall(run, target):
    """A copy that has written all but the days, and is at the first of them."""
    target.stall_storing()
    copying = subprocess.Popen([harness.WORKER, "--config", run.settings_file(), "copy",
                                "--to-config", to_config(run, target)],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    harness.wait_for(lambda: is_storing(target), "the first day to be written")
    return copying


def end_connection(target):
    with contextlib.closing(target.connect()) as db, db:
        db.execute("SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
                   " WHERE wait_event = 'PgSleep' AND datname = current_database()")
        db.execute("DROP TRIGGER stall ON meter_days")


def is_storing(database):
    with contextlib.closing(database.connect()) as db:
        return db.execute("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
                          " AND datname = current_database()").fetchone()[0]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_struck_down_in_the_middle_it_has_done_nothing(growing, number):
    run, target = growing
    import_week(run)
    kept = content(run.database)
    copying = start_and_stall(run, target)
    copying.send_signal(number)
    out, _ = copying.communicate(timeout=harness.DEADLINE)
    assert copying.returncode == -number and not out
    end_connection(target)  # the server would find out when it next speaks to the one that is gone
    assert is_empty(target)
    assert content(run.database) == kept
    copied(run, target)
    assert content(target) == kept


def test_a_connection_that_is_lost_in_the_middle(growing):
    run, target = growing
    import_week(run)
    copying = start_and_stall(run, target)
    end_connection(target)
    out, err = copying.communicate(timeout=harness.DEADLINE)
    assert copying.returncode == 1 and not out
    assert "ECL3036" in err and "meter_days" in err
    assert is_empty(target)
    copied(run, target)


# ---- nobody else ------------------------------------------------------------------------------

def wait_for_start(server, count):
    harness.wait_for(lambda: server.log().count("resuming normal operations") == count,
                     "httpd's start or reload")


def test_it_does_not_begin_while_httpd_may_take_uploads(make_httpd):
    """Even one that starts no workers and has taken none yet."""
    server = make_httpd(start=False, Workers="0")
    target = start_small(server)
    server.worker("migrate")
    migrate(server, target)
    server.start()
    wait_for_start(server, 1)
    assert_refused(copy(server, target), f"uses the storage directory '{server.storage}'",
                   "stop httpd")
    server.graceful()
    wait_for_start(server, 2)
    assert_refused(copy(server, target), "stop httpd")
    # one that serves the new database already, with the same directory or another
    other = server.data / "other"
    other.mkdir()
    other.chmod(0o755)
    refused = subprocess.run(
        [harness.WORKER, "--config", to_config(server, server.database, Storage=f'"{other}"'),
         "copy", "--to-config", to_config(server, target)], capture_output=True, text=True)
    assert_refused(refused, f"uses the storage directory '{server.storage}'")
    batch = server.upload(WEEK)
    server.stop()
    copied(server, target)
    use(server, target)
    server.start()
    assert server.job(batch)["status"] == "queued"


def test_nothing_is_taken_in_meanwhile(make_httpd):
    server = make_httpd(start=False, Workers="0")
    target = start_small(server)
    old = server.database
    import_week(server)
    migrate(server, target)
    copying = start_and_stall(server, target)
    server.expected.append("ECL2022: .*is being copied")
    server.start()
    answer = server.post(f"{server.api}/jobs?filename=f.csv", data=WEEK)
    assert answer.status_code == 503 and "Retry-After" in answer.headers
    assert server.get(f"{server.admin}/jobs").status_code == 200
    result = server.worker("run", "--once")
    assert result.returncode == 1 and "ECL3010" in result.stderr
    assert "is being copied" in result.stderr
    result = server.worker("cleanup")
    assert result.returncode == 1 and "is being copied" in result.stderr
    end_connection(target)
    copying.communicate(timeout=harness.DEADLINE)
    assert copying.returncode == 1
    assert server.post(f"{server.api}/jobs?filename=f.csv", data=WEEK).status_code == 202
    assert len(content(old)["import_jobs"]) == 2


# ---- what it shows ---------------------------------------------------------------------------

def test_progress_is_for_terminals(growing):
    run, target = growing
    import_week(run)
    ours, theirs = pty.openpty()
    result = subprocess.run([harness.WORKER, "--config", run.settings_file(), "copy",
                             "--to-config", to_config(run, target)], stdout=subprocess.PIPE,
                            stderr=theirs, text=True)
    os.close(theirs)
    shown = b""
    with contextlib.suppress(OSError):  # EIO is a terminal's end
        while piece := os.read(ours, 65536):
            shown += piece
    os.close(ours)
    shown = shown.decode()
    assert result.returncode == 0
    assert "meter_days: 0 of 14 rows" in shown and shown.endswith("\r\x1b[K")
    assert "\x1b" not in result.stdout and "14 of" not in result.stdout

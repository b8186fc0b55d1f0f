"""What an installation holds, in a form in which two can be compared.

Everything that an import leaves is in it: meters, days with values, flags, unit, job and line, undo
records, row errors, counts, checkpoints and summaries. Left out is what differs from one run to the
next by right: ids, batch ids, times, and how many attempts it took. Jobs go by their file names.
"""

import json

import harness
import later

METERS = """SELECT m.identifier, m.kind, coalesce(j.filename, '-')
    FROM meters m LEFT JOIN import_jobs j ON j.id = m.import_job_id"""
DAYS = """SELECT m.identifier, d.channel, d.interval_minutes, CAST(d.reading_date AS TEXT),
        CAST(d.period_values AS TEXT), CAST(d.period_flags AS TEXT), d.unit,
        coalesce(j.filename, '-'), d.import_line
    FROM meter_days d JOIN meters m ON m.id = d.meter_id
    LEFT JOIN import_jobs j ON j.id = d.import_job_id"""
HISTORY = """SELECT j.filename, m.identifier, d.channel, d.interval_minutes,
        CAST(d.reading_date AS TEXT), CAST(h.period_values AS TEXT),
        CAST(h.period_flags AS TEXT), h.unit, coalesce(p.filename, '-'), h.previous_line
    FROM meter_day_history h JOIN import_jobs j ON j.id = h.import_job_id
    JOIN meter_days d ON d.id = h.meter_day_id JOIN meters m ON m.id = d.meter_id
    LEFT JOIN import_jobs p ON p.id = h.previous_job_id"""
ERRORS = """SELECT j.filename, e.line, coalesce(e.column_name, '-'), e.code, e.message, e.raw
    FROM import_errors e JOIN import_jobs j ON j.id = e.import_job_id"""
JOBS = """SELECT filename, status, dry_run, total_rows, processed_rows, imported_rows, failed_rows,
        skipped_rows, readings_new, readings_changed, readings_unchanged, bytes_done, checkpoint,
        coalesce(error_message, '-'), coalesce(preview, '-'), summary FROM import_jobs"""
EVENTS = """SELECT filename, event, count(*) FROM import_job_events WHERE event IN ('queued',
        'completed', 'undone', 'delete') GROUP BY filename, event"""


def read(run):
    jobs = []
    for *columns, summary in run.sql(JOBS):
        summary = json.loads(summary) if isinstance(summary, str) else summary
        jobs.append((*map(str, columns), json.dumps(summary, sort_keys=True)))
    tables = {name: sorted(tuple(map(str, row)) for row in run.sql(query))
              for name, query in (("meters", METERS), ("days", DAYS), ("history", HISTORY),
                                  ("errors", ERRORS))}
    return {"jobs": sorted(jobs), **tables}


def assert_equal(found, wanted, tables=("jobs", "meters", "days", "history", "errors")):
    """Says where two ledgers differ first, rather than printing both."""
    for table in tables:
        a, b = found[table], wanted[table]
        if a == b:
            continue
        extra, lacking = sorted(set(a) - set(b)), sorted(set(b) - set(a))
        doubled = len(a) - len(set(a))
        raise AssertionError(
            f"{table} differ from those of an undisturbed import: {len(a)} rows for {len(b)}, "
            f"{doubled} doubled;\n  too much: {extra[:3]}\n  missing:  {lacking[:3]}")


def assert_told_once(run, names, events):
    """Each of these events of each file's job is in the history, and once."""
    found = {(name, event): count for name, event, count in run.sql(EVENTS) if name in names}
    assert found == {(name, event): 1 for name in names for event in events}


def assert_settled(run):
    """No job is stuck, and nothing lies about in the storage directory once housekeeping has run,
    which removes files of nobody when they are an hour old."""
    stuck = run.sql("SELECT filename, status FROM import_jobs WHERE status IN ('queued', "
                    "'processing') OR lease_until IS NOT NULL OR cancel_requested = 1 "
                    "OR undo_requested = 1")
    assert not stuck, f"jobs are stuck: {stuck}"
    done = run.worker("cleanup", "--days", 99, env=later.Clock(2 * 3600).environment())
    assert done.returncode == 0, done.stderr
    named = {name for (name,) in run.sql("SELECT stored_name FROM import_jobs "
                                         "WHERE stored_name IS NOT NULL")}
    kept = {path.name for path in (run.storage / "files").iterdir()}
    assert kept == named, f"files without a job: {kept - named}, jobs without a file: {named - kept}"
    assert list((run.storage / "incoming").iterdir()) == []
    integrity(run)


def integrity(run):
    """What must hold of the tables whatever was imported."""
    for what, query in (
            ("days without a meter", "SELECT d.id FROM meter_days d LEFT JOIN meters m "
             "ON m.id = d.meter_id WHERE m.id IS NULL"),
            ("undo records of no day", "SELECT h.meter_day_id FROM meter_day_history h LEFT JOIN "
             "meter_days d ON d.id = h.meter_day_id WHERE d.id IS NULL"),
            ("meters without days", "SELECT m.identifier FROM meters m LEFT JOIN meter_days d "
             "ON d.meter_id = m.id WHERE d.id IS NULL"),
            ("days twice", "SELECT meter_id, reading_date, channel, interval_minutes FROM "
             "meter_days GROUP BY 1, 2, 3, 4 HAVING count(*) > 1")):
        rows = run.sql(query)
        assert not rows, f"{what}: {rows[:3]}"
    if str(run.settings["Database"]).startswith("sqlite3"):
        assert run.sql("PRAGMA integrity_check") == [("ok",)]


def undisturbed(make_run, before, files, dry_run=()):
    """The ledger of a directory of its own in which the same files were imported one after the
    other with nothing happening to them, and the ledger before `files`."""
    run = make_run()
    source = run.dir / "source"
    source.mkdir()
    assert run.worker("migrate").returncode == 0
    for group in (before, files):
        base = read(run) if group is files else None
        for name, content in group.items():
            path = source / name
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
            done = run.worker("import", path, *(["--dry-run"] if name in dry_run else []))
            assert done.returncode == 0, (name, done.stdout, done.stderr)
    ledger = read(run)
    assert_settled(run)
    harness.shutil.rmtree(source)
    return base, ledger

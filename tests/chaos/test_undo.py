"""Undo, asked for as users do, against a simple model; and clean-up that is killed half-way."""

import os
import signal
import time

import harness
import installation as inst
import later
import ledger
import meterfiles as mf
from chaos_options import LONG

METERS, DAYS, PERIODS = 2, 3, 48
MISSING = "null"


class Model:
    """Each day is a stack of what its writers left; the last is on top. A missing value never
    overwrites; whoever is undone leaves the stack."""

    def __init__(self):
        self.days = {}

    def put(self, job, day, values):
        stack = self.days.setdefault(day, [])
        top = stack[-1][1] if stack else [MISSING] * PERIODS
        merged = [new if new != MISSING else old for old, new in zip(top, values)]
        if merged != top:
            stack.append((job, merged))

    def undo(self, job):
        for stack in self.days.values():
            stack[:] = [entry for entry in stack if entry[0] != job]

    def rows(self):
        return sorted((*day, job, values) for day, stack in self.days.items() if stack
                      for job, values in stack[-1:])


def a_file(rng):
    """A file of some of the days, each with some of its values; and what it says."""
    lines = ["MPAN,Date," + ",".join(f"HH{p + 1:02d}" for p in range(PERIODS))]
    said = {}
    for m in range(METERS):
        for day in mf.days("2025-06-01", DAYS):
            if rng.random() < 0.3:
                continue
            values = [MISSING if rng.random() < 0.4 else f"{rng.randrange(1, 4)}.5"
                      for _ in range(PERIODS)]
            values[0] = values[0] if values[0] != MISSING else "1.5"
            said[(mf.mpan(m), day.isoformat())] = values
            lines.append(f"{mf.mpan(m)},{day},"
                         + ",".join("" if v == MISSING else v for v in values))
    return "\n".join(lines) + "\n", said


def rows(server):
    found = []
    for meter, date, job, values in server.sql(
            "SELECT m.identifier, CAST(d.reading_date AS TEXT), j.filename, "
            "CAST(d.period_values AS TEXT) FROM meter_days d JOIN meters m ON m.id = d.meter_id "
            "JOIN import_jobs j ON j.id = d.import_job_id"):
        values = values.strip("[]{}").lower().split(",")
        found.append((meter, date, job, values))
    return sorted(found)


def test_undo_in_any_order_agrees_with_a_model(make_httpd, rng):
    server = make_httpd()
    imports = 0
    for _ in range(30 if LONG else 3):
        model, batches = Model(), {}
        for _ in range(8):
            if not batches or (rng.random() < 0.6 and len(batches) < 4):
                imports += 1
                name = f"{imports}.csv"
                content, said = a_file(rng)
                if not said:
                    continue
                job = server.import_file(content, name)
                assert job["status"] == "completed", job["error_message"]
                for day, values in said.items():
                    model.put(name, day, values)
                batches[name] = job["batch_id"]
            else:
                undo(server, model, batches, rng)
            assert rows(server) == model.rows()
        while batches:
            undo(server, model, batches, rng)
            assert rows(server) == model.rows()
        assert server.sql("SELECT count(*) FROM meter_days") == [(0,)]
        assert server.sql("SELECT count(*) FROM meters") == [(0,)]


def undo(server, model, batches, rng):
    name = rng.choice(sorted(batches))
    batch = batches.pop(name)
    assert server.post(f"{server.api}/jobs/{batch}/undo").status_code in (200, 202)
    harness.wait_for(lambda: server.job(batch)["undone_at"], f"{name} to be undone")
    model.undo(name)


def test_a_clean_up_that_is_killed_is_completed_by_the_next(make_run, rng):
    """Records, row errors, undo records and files go; readings stay."""
    run = make_run()
    source = run.dir / "some.csv"
    for i in range(40 if LONG else 12):
        content = mf.wide(meters=3, count=30).replace("HH48", "HH48", 1)
        source.write_text(content + f"{mf.mpan(1)},2026-02-30,{i}\n")
        assert run.worker("import", source).returncode == 0
        source.write_text("nothing,to,read\n" * (i + 1))
        run.worker("import", source)  # fails, and keeps its file
    readings = ledger.read(run)["days"]
    days = run.sql("SELECT id, period_values, updated_at FROM meter_days ORDER BY id")
    clock = later.Clock(3 * 86400)
    for _ in range(60 if LONG else 10):
        worker = inst.subprocess.Popen(
            [harness.WORKER, "--config", run.settings_file(), "cleanup", "--days", "1"],
            env=clock.environment(), stdout=inst.subprocess.DEVNULL,
            stderr=inst.subprocess.DEVNULL)
        time.sleep(rng.uniform(0, 0.05))
        os.kill(worker.pid, signal.SIGKILL)
        worker.wait()
        named = {name for (name,) in run.sql(
            "SELECT stored_name FROM import_jobs WHERE stored_name IS NOT NULL")}
        kept = {path.name for path in (run.storage / "files").iterdir()}
        assert named <= kept, "a record outlives its file"
    done = run.worker("cleanup", "--days", "1", env=clock.environment())
    assert done.returncode == 0, done.stderr
    assert run.sql("SELECT count(*) FROM import_jobs") == [(0,)]
    assert run.sql("SELECT count(*) FROM import_errors") == [(0,)]
    assert run.sql("SELECT count(*) FROM meter_day_history") == [(0,)]
    assert list((run.storage / "files").iterdir()) == []
    assert readings and days == run.sql(
        "SELECT id, period_values, updated_at FROM meter_days ORDER BY id")

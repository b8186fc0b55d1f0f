"""A server's content with a job in every state, as a bureau would see it."""

import time

import meterfiles as mf

SECOND = 1000000


def with_errors(meters=40):
    """September again: some days are new, a few values corrected, and rows that cannot be read."""
    lines = mf.wide(meters, first="2026-09-24", count=14).splitlines()
    header, rows = lines[0], [line.split(",") for line in lines[1:]]
    for n in range(0, 60, 9):
        rows[n][20] = "1.25"
    for n, (column, value) in enumerate([(14, "n/k"), (1, "2026-09-31"), (7, "12.3.4"),
                                         (0, "2.0099E+12"), (30, "-4.2"), (14, "fault"),
                                         (14, "-")]):
        rows[100 + 17 * n][column] = value
    wrong_digit = mf.mpan(meters - 1)[:-1] + str((int(mf.mpan(meters - 1)[-1]) + 1) % 10)
    for row in rows[-14:]:
        row[0] = wrong_digit
    return "\r\n".join([header] + [",".join(row) for row in rows]) + "\r\n"


# as a smart-meter app exports it: the meter is whose account it is
WITHOUT_METER = ("Consumption (kWh), Start, End\n"
                 "0.25, 2026-09-05T00:00:00+01:00, 2026-09-05T00:30:00+01:00\n"
                 "0.5, 2026-09-05T00:30:00+01:00, 2026-09-05T01:00:00+01:00\n")


def drain(server):
    answer = server.worker("run", "--once")
    assert answer.returncode == 0, answer.stderr


def action(server, batch, name):
    answer = server.post(f"{server.admin}/status/{batch}/{name}")
    assert answer.status_code == 303, answer.text
    return answer.headers["Location"].rsplit("/", 1)[1]


def set_worker(server):
    """As if that worker were alive for the next ten minutes."""
    now = time.time_ns() // 1000
    with server.change() as db:
        db.execute("INSERT INTO import_workers (name, host, pid, started_at, heartbeat_at) "
                   "VALUES ('elsewhere:4711', 'elsewhere', 4711, ?, ?)", (now, now + 600 * SECOND))


def set_processing(server, batch, total=62000, done=26350):
    """As if a worker of another host were in the middle of it."""
    now = time.time_ns() // 1000
    with server.change() as db:
        db.execute(
            "UPDATE import_jobs SET status = 'processing', attempts = 1, claims = 1, "
            "worker = 'elsewhere:4711', lease_until = ?, started_at = ?, attempt_started_at = ?, "
            "total_rows = ?, processed_rows = ?, imported_rows = ?, readings_new = ? "
            "WHERE batch_id = ?",
            (now + 30 * SECOND, now - 12 * SECOND, now - 12 * SECOND, total, done, done,
             done * 48, batch))


def set_waiting(server, batch):
    """As if no worker had ever taken it."""
    with server.change() as db:
        db.execute(
            "UPDATE import_jobs SET status = 'queued', attempts = 0, claims = 0, worker = NULL, "
            "lease_until = NULL, started_at = NULL, attempt_started_at = NULL, total_rows = NULL, "
            "processed_rows = 0, imported_rows = 0, readings_new = 0 WHERE batch_id = ?", (batch,))


def set_times(server):
    """Spreads what is done over two days and two people; what is going on stays as it is."""
    with server.change() as db:
        ids = [row[0] for row in db.execute(
            "SELECT id FROM import_jobs WHERE completed_at IS NOT NULL ORDER BY id DESC")]
        for n, job in enumerate(ids, 1):
            earlier = (n * 47 + n * n * 19) * 60 * SECOND
            db.execute(
                "UPDATE import_jobs SET queued_at = queued_at - ?1, started_at = started_at - ?1, "
                "completed_at = completed_at - ?1, undone_at = undone_at - ?1, "
                "user_name = CASE WHEN ?2 THEN 'bob' ELSE user_name END WHERE id = ?3",
                (earlier, n in (2, 5, 6), job))


def fill(server):
    """Makes jobs in every state on a server without a worker; returns their batch ids."""
    jobs = {}
    jobs["completed"] = server.upload(mf.wide(40, first="2026-09-01", count=30),
                                      "HH_consumption_2026-09.csv",
                                      notes="September, all sites, from the supplier's portal")
    drain(server)
    jobs["errors"] = server.upload(with_errors(), "HH_consumption_2026-09_rerun.csv",
                                   notes="Rerun after the meter exchange in Hull")
    jobs["failed"] = server.upload("<!doctype html><html><body>Please log in</body></html>",
                                   "export(3).csv")
    jobs["dry_run"] = server.upload(mf.daily(12, first="2026-10-01", count=20),
                                    "gas_daily_oct_part.csv", dry_run="1")
    jobs["question"] = server.upload(WITHOUT_METER, "consumption_export.csv")
    jobs["undone"] = server.upload(mf.long(3, first="2026-08-01", count=14),
                                   "interval_data_august.csv")
    jobs["repeated"] = server.upload(mf.wide(40, first="2026-09-01", count=30),
                                     "HH_consumption_2026-09 (1).csv")
    drain(server)
    action(server, jobs["undone"], "undo")
    drain(server)
    jobs["undoing"] = server.upload(mf.daily(5, first="2026-07-01"), "daily_july.csv")
    drain(server)
    action(server, jobs["undoing"], "undo")
    jobs["cancelled"] = server.upload(mf.wide(2, count=3), "wrong_month.csv", priority="low")
    action(server, jobs["cancelled"], "cancel")
    jobs["processing"] = server.upload(mf.wide(20, first="2026-10-01", count=20),
                                       "HH_consumption_2026-10.csv", notes="October, all sites")
    set_processing(server, jobs["processing"])
    jobs["queued"] = server.upload(mf.daily(30, first="2026-10-01", count=25),
                                   "gas_daily_2026-10.csv", priority="high")
    jobs["scheduled"] = server.upload(mf.daily(8, first="2026-10-01", count=25), "tonight.csv",
                                      run_after=mf.tomorrow() + "T02:00")
    set_times(server)
    return jobs

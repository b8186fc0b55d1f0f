"""What the system that this one replaces gets wrong: one test for each of its failures.

Speed is measured by `make bench`, not here.
"""

import os
import signal
from decimal import Decimal

import pytest

import harness
import meterfiles as mf
import worker_helpers as wh
from harness import wait_for


@pytest.fixture(scope="module")
def server():
    with harness.serving(Workers="2") as server:
        yield server


def readings(server, where="1=1", *args):
    return server.sql("SELECT reading_date, reading_time, period_number, reading_value, "
                      f"reading_type, reading_at FROM meter_readings WHERE {where} "
                      "ORDER BY mpan, reading_at", *args)


def errors(server, job):
    return server.get(f"{server.api}/jobs/{job['batch_id']}/errors").json()["errors"]


# ---- clock change -------------------------------------------------------------------------------

def test_all_50_half_hours_of_the_long_day_are_kept(clean):
    cells = [f"{i}.5" for i in range(1, 51)]
    job = clean.import_file(mf.one_row(cells, "2025-10-26", columns=50))
    assert job["status"] == "completed"
    assert job["readings_new"] == 50
    stored = readings(clean)
    assert [r[2] for r in stored] == list(range(1, 51))
    assert [r[3] for r in stored] == [i + 0.5 for i in range(1, 51)]
    assert [r[1] for r in stored][2:6] == ["01:00", "01:30", "01:00", "01:30"]


def test_second_one_o_clock_does_not_overwrite_the_first(clean):
    lines = ["MPAN,ReadDateTime,ReadValue,Unit"]
    labels = ["00:00", "00:30", "01:00", "01:30", "01:00", "01:30"] + [
        f"{h:02d}:{m:02d}" for h in range(2, 24) for m in (0, 30)]
    lines += [f"{mf.mpan(0)},2025-10-26 {t},{i},kWh" for i, t in enumerate(labels, 1)]
    job = clean.import_file("\n".join(lines))
    assert job["status"] == "completed"
    assert [r[3] for r in readings(clean)] == list(range(1, 51))


def test_explicit_offsets_are_respected(clean):
    lines = ["MPAN,ReadDateTime,ReadValue,Unit",
             f"{mf.mpan(0)},2025-10-26T01:00:00+01:00,1,kWh",
             f"{mf.mpan(0)},2025-10-26T01:30:00+01:00,2,kWh",
             f"{mf.mpan(0)},2025-10-26T01:00:00+00:00,3,kWh",
             f"{mf.mpan(0)},2025-10-26T01:30:00+00:00,4,kWh"]
    assert clean.import_file("\n".join(lines))["status"] == "completed"
    assert [(r[2], r[3], r[5]) for r in readings(clean)] == [
        (3, 1, "2025-10-26T00:00:00Z"), (4, 2, "2025-10-26T00:30:00Z"),
        (5, 3, "2025-10-26T01:00:00Z"), (6, 4, "2025-10-26T01:30:00Z")]


def test_z_times_are_utc_not_local(clean):
    job = clean.import_file("MPAN,ReadDateTime,ReadValue,Unit\n"
                            f"{mf.mpan(0)},2026-07-01T00:00:00Z,7,kWh\n")
    assert job["status"] == "completed"
    assert readings(clean)[0][:3] == ("2026-07-01", "01:00", 3)


def test_48_values_on_the_short_day_are_refused(clean):
    job = clean.import_file(mf.one_row(["1.5"] * 48, "2026-03-29"))
    assert job["status"] == "failed"
    error = errors(clean, job)[0]
    assert "2026-03-29" in error["message"] and "46" in error["message"]
    assert readings(clean) == []


# ---- jobs ---------------------------------------------------------------------------------------

def test_total_rows_and_percent_are_set(clean):
    job = clean.import_file(mf.wide())
    assert (job["total_rows"], job["processed_rows"], job["progress_percent"]) == (14, 14, 100)


def test_two_uploads_of_one_name_at_once_stay_apart(clean):
    first = clean.upload(mf.wide(1, "2026-02-01", 1), "same.csv")
    second = clean.upload(mf.wide(1, "2026-03-01", 1), "same.csv")
    assert clean.finished(first)["readings_new"] == 48
    assert clean.finished(second)["readings_new"] == 48
    dates = {r[0] for r in readings(clean)}
    assert dates == {"2026-02-01", "2026-03-01"}


def test_a_missing_file_fails_once_and_starves_nobody(make_httpd):
    server = make_httpd(Workers="0")
    server.get(server.admin)  # makes the database
    lost = server.upload(mf.wide(), "lost.csv")
    kept = server.upload(mf.wide(), "kept.csv")
    for path in server.storage.glob("files/*"):
        if path.name == server.sql("SELECT stored_name FROM import_jobs WHERE batch_id = ?", lost)[0][0]:
            path.unlink()
    server.worker("run", "--once")
    assert server.job(lost)["status"] == "failed"
    assert "file" in server.job(lost)["error_message"]
    assert server.job(kept)["status"] == "completed"


def test_parse_errors_are_not_tried_again(clean):
    job = clean.import_file("this is\nno meter data\n")
    assert job["status"] == "failed"
    assert job["claims"] == 1


def test_sigterm_in_an_import_is_obeyed_and_the_job_goes_on_later(make_httpd):
    server = make_httpd(Workers="0")
    server.get(server.admin)
    batch = server.upload(mf.wide(200, "2024-01-01", 365), "long.csv")
    import subprocess
    worker = subprocess.Popen([harness.WORKER, "--config", server.settings_file(), "run", "--once"],
                              stderr=subprocess.DEVNULL)
    with wh.held_in_the_middle(server, batch):
        worker.send_signal(signal.SIGTERM)
    assert worker.wait(20) == 0
    job = server.job(batch)
    assert job["status"] == "queued" and job["checkpoint"] > 0
    server.worker("run", "--once")
    job = server.job(batch)
    assert job["status"] == "completed"
    assert job["readings_new"] == 200 * 365 * 48 - job["failed_rows"] * 48
    assert server.sql("SELECT count(*) FROM meter_readings")[0][0] == job["readings_new"]


def test_a_killed_worker_leaves_no_job_stuck_and_nothing_doubled(make_httpd):
    server = make_httpd(Workers="1")
    server.expected.append(r"ECL3\d+: .*(died|signal 9)")
    content = mf.daily(200, "2024-01-01", 700)
    batch = server.upload(content, "daily.csv")
    with wh.held_in_the_middle(server, batch):
        os.kill(int(server.job(batch)["worker"].rsplit(":", 1)[1]), signal.SIGKILL)
    job = server.finished(batch)
    assert job["claims"] == 2
    assert job["status"] == "completed"
    assert job["readings_new"] == 140000
    assert server.sql("SELECT count(*) FROM meter_readings")[0][0] == 140000


def test_cancel_stops_the_worker_and_takes_the_readings_out(make_httpd):
    server = make_httpd(Workers="1")
    batch = server.upload(mf.wide(300, "2024-01-01", 365), "long.csv")
    with wh.held_in_the_middle(server, batch) as db:
        # as the request below does it, which would have to wait, and might come too late
        db.execute("UPDATE import_jobs SET cancel_requested = 1 WHERE batch_id = ?", (batch,))
    assert server.finished(batch)["status"] == "cancelled"
    assert server.sql("SELECT count(*) FROM meter_days")[0][0] == 0
    assert server.sql("SELECT count(*) FROM meters")[0][0] == 0


def test_cancel_tells_the_worker_of_a_running_import(make_httpd):
    server = make_httpd(Workers="0")
    batch = server.upload(mf.wide(), "running.csv")
    with server.change() as db:
        db.execute("UPDATE import_jobs SET status = 'processing', claims = 1, worker = 'host:1'"
                   " WHERE batch_id = ?", (batch,))
    answer = server.post(f"{server.api}/jobs/{batch}/cancel")
    assert answer.status_code == 202 and answer.json()["cancel_requested"] is True
    job = server.job(batch)
    assert job["status"] == "processing" and job["cancel_requested"] is True
    assert "Stopping" in server.get(f"{server.admin}/status/{batch}").text


# ---- undo, re-import, dry run ---------------------------------------------------------------------

def undo(server, batch):
    answer = server.post(f"{server.api}/jobs/{batch}/undo")
    assert answer.status_code in (200, 202), answer.text
    return wait_for(lambda: (lambda j: j if j["undone_at"] else None)(server.job(batch)), "the undo")


def test_undo_takes_the_readings_out(clean):
    job = clean.import_file(mf.wide())
    assert len(readings(clean)) == 672
    undone = undo(clean, job["batch_id"])
    assert undone["undone_by"] == harness.USER
    assert readings(clean) == []


def test_undo_restores_what_was_overwritten(clean):
    clean.import_file(mf.one_row(["1.125"] * 48))
    before = readings(clean)
    second = clean.import_file(mf.one_row(["2.5"] * 48))
    assert second["readings_changed"] == 48
    undo(clean, second["batch_id"])
    assert readings(clean) == before


def test_daily_files_do_not_double(clean):
    clean.import_file(mf.daily(), import_type="daily")
    again = clean.import_file(mf.daily(), import_type="daily")
    assert again["readings_new"] == 0 and again["readings_unchanged"] == 20
    assert len(readings(clean)) == 20


def test_a_second_import_says_that_nothing_changed(clean):
    clean.import_file(mf.wide())
    again = clean.import_file(mf.wide())
    assert (again["readings_new"], again["readings_changed"], again["readings_unchanged"]) == (0, 0, 672)


def test_the_list_says_what_each_import_did(clean):
    for values, words in ([["1.5"] + [""] * 47, "1 reading new"],
                          [["2.5"] + [""] * 47, "1 reading changed"],
                          [["2.5"] + [""] * 47, "nothing new or changed"],
                          [["1.5"] * 48, "47 readings new, 1 changed"]):
        job = clean.import_file(mf.one_row(values))
        row = clean.get(f"{clean.admin}/jobs?q={job['batch_id']}").text
        assert "1 row imported" in row and f"<span>{words}</span>" in row


def test_estimated_then_actual_changes_value_flag_and_batch(clean):
    clean.import_file(mf.long(flag="E"))
    second = clean.import_file(mf.long(flag="A"))
    assert second["readings_changed"] == 96
    assert {r[4] for r in readings(clean)} == {"actual"}
    assert clean.sql("SELECT DISTINCT import_batch_id FROM meter_readings") == [(second["batch_id"],)]


def test_an_estimate_does_not_silently_replace_an_actual(clean):
    clean.import_file(mf.long(flag="A"))
    before = readings(clean)
    job = clean.import_file(mf.long(flag="E").replace(",kWh,", "1,kWh,"))
    assert readings(clean) == before
    assert job["readings_changed"] == 0
    assert job["summary"]["readings_kept_estimated"] == 96


def test_a_dry_run_keeps_nothing_and_is_exact(clean):
    clean.import_file(mf.wide(1, count=2))
    before = (readings(clean), clean.sql("SELECT * FROM meters"))
    job = clean.import_file(mf.wide(2, count=3), dry_run="1")
    assert job["status"] == "completed" and job["dry_run"] is True
    assert (job["readings_new"], job["readings_unchanged"]) == (4 * 48, 2 * 48)
    assert (readings(clean), clean.sql("SELECT * FROM meters")) == before
    real = clean.post(f"{clean.admin}/status/{job['batch_id']}/import")
    assert real.status_code == 303
    done = clean.finished(real.headers["Location"].rsplit("/", 1)[1])
    assert (done["readings_new"], done["readings_unchanged"]) == (4 * 48, 2 * 48)
    assert done["parent_batch_id"] == job["batch_id"]
    for batch in (job["batch_id"], done["batch_id"]):
        assert not (clean.storage / "files" / batch).exists()


# ---- uploads ------------------------------------------------------------------------------------

def test_a_large_file_is_accepted(clean):
    content = mf.wide(40, "2024-01-01", 366)  # over 4 MB
    assert len(content) > 3_000_000
    job = clean.import_file(content)
    assert job["status"] == "completed"


def test_the_limit_is_named(make_httpd):
    server = make_httpd(MaxUpload="2K")
    answer = server.post(server.admin, files={"csv_file": ("big.csv", mf.wide())}, data={"async": "1"})
    assert answer.status_code == 422
    assert "2 KB" in answer.text
    assert not list(server.storage.glob("*/*"))


# ---- identifiers ----------------------------------------------------------------------------------

@pytest.mark.parametrize("damaged", ["1.01E+12", "2.20001E+12", "8.01100101303261E+18"])
def test_damaged_identifiers_are_refused(clean, damaged):
    job = clean.import_file(mf.one_row(["1"] * 48, meter=damaged))
    assert job["status"] == "failed"
    assert damaged in errors(clean, job)[0]["message"]
    assert clean.sql("SELECT count(*) FROM meters")[0][0] == 0


def test_spellings_of_one_identifier_are_one_meter(clean):
    m = mf.mpan(0)
    forms = [m, f'"{m}"', f"{m[:2]} {m[2:6]} {m[6:10]} {m[10:]}", f"{m}.0", f"'{m}", f"{m} "]
    head = mf.one_row(["1"] * 48).splitlines()[0]
    rows = [f"{form},2026-02-{i:02d}," + ",".join(["1.5"] * 48) for i, form in enumerate(forms, 1)]
    job = clean.import_file("\n".join([head, *rows]))
    assert job["imported_rows"] == len(forms), errors(clean, job)
    assert clean.sql("SELECT identifier FROM meters") == [(m,)]


# ---- values and dates -----------------------------------------------------------------------------

def test_a_row_is_applied_whole_or_not_at_all(clean):
    cells = ["1"] * 48
    cells[9] = "abc"
    job = clean.import_file(mf.one_row(cells))
    assert readings(clean) == []
    error = errors(clean, job)[0]
    assert error["line"] == 2 and error["column"] == "HH10" and "abc" in error["message"]


@pytest.mark.parametrize("date", ["2024-02-30", "31/02/2025", "10/27/2024x", "tomorrow", "1850-01-01",
                                  "2099-01-01", "30/08"])
def test_impossible_dates_are_refused(clean, date):
    job = clean.import_file(mf.one_row(["1"] * 48, date=date))
    assert job["status"] == "failed"
    assert readings(clean) == []


@pytest.mark.parametrize("stamp", ["2026-02-01 25:00", "2026-02-01 10:07"])
def test_impossible_and_off_grid_times_are_refused(clean, stamp):
    good = f"{mf.mpan(0)},2026-02-01 10:00,1,kWh\n{mf.mpan(0)},2026-02-01 10:30,1,kWh\n"
    job = clean.import_file("MPAN,ReadDateTime,ReadValue,Unit\n" + good +
                            f"{mf.mpan(0)},{stamp},9,kWh\n")
    assert job["failed_rows"] == 1 and job["imported_rows"] == 2
    assert len(readings(clean)) == 2
    assert errors(clean, job)[0]["line"] == 4


def test_negative_values_are_refused(clean):
    job = clean.import_file(mf.one_row(["-1.5"] + ["1"] * 47))
    assert job["status"] == "failed"


def test_an_unknown_unit_is_refused(clean):
    job = clean.import_file(f"MPAN,ReadDateTime,ReadValue,Unit\n{mf.mpan(0)},2026-02-01 10:00,5,BTU\n")
    assert job["imported_rows"] == 0 and "BTU" in errors(clean, job)[0]["message"]
    assert readings(clean) == []


def test_reactive_energy_is_not_stored_as_kwh(clean):
    clean.import_file(f"MPAN,ReadDateTime,ReadValue,Unit\n{mf.mpan(0)},2026-02-01 10:00,5,kVArh\n")
    assert clean.sql("SELECT channel, unit FROM meter_readings") == [("RI", "kVArh")]


@pytest.mark.parametrize("unit, factor", [("Wh", "0.001"), ("kWh", "1"), ("MWh", "1000")])
def test_units_are_converted_exactly(clean, unit, factor):
    clean.import_file(f"MPAN,ReadDateTime,ReadValue,Unit\n{mf.mpan(0)},2026-02-01 10:00,0.12345,{unit}\n")
    stored = clean.sql("SELECT period_values FROM meter_days")[0][0]
    import json
    kept = [v for v in json.loads(stored, parse_float=Decimal) if v is not None]
    assert kept == [Decimal("0.12345") * Decimal(factor)]


def test_digits_are_kept(clean):
    clean.import_file(mf.one_row(["0.123456789"] + ["1"] * 47))
    assert clean.sql("SELECT period_values FROM meter_days")[0][0].startswith("[0.123456789,1,")


def test_all_rows_bad_is_a_failure(clean):
    lines = mf.wide(20, count=10).splitlines()
    bad = [lines[0]] + [line.replace("2026-", "20x6-", 1) for line in lines[1:]]
    job = clean.import_file("\n".join(bad))
    assert job["status"] == "failed"
    assert job["failed_rows"] == 200
    assert "200" in job["error_message"]


def test_all_errors_are_kept_with_their_lines(clean):
    lines = mf.wide(20, count=10).splitlines()
    bad = lines[:2] + [line.replace("2026-", "20x6-", 1) for line in lines[2:]]
    job = clean.import_file("\n".join(bad))
    assert job["status"] == "completed" and job["failed_rows"] == 199
    stored = clean.sql("SELECT line FROM import_errors ORDER BY id")
    assert stored == [(n,) for n in range(3, 202)]
    table = clean.get(f"{clean.admin}/status/{job['batch_id']}/failed-rows.csv")
    assert table.status_code == 200 and len(table.text.splitlines()) == 200


# ---- files ----------------------------------------------------------------------------------------

@pytest.mark.parametrize("name, change", [
    ("CRLF", lambda t: t.replace("\n", "\r\n")),
    ("CR", lambda t: t.replace("\n", "\r")),
    ("BOM", lambda t: "\ufeff" + t),
    ("no line end at the end", lambda t: t.rstrip("\n")),
    ("preamble", lambda t: "Report Date,12/02/26\nRun by,J Smith\n\n" + t),
    ("tab", lambda t: t.replace(",", "\t")),
    ("semicolon and decimal comma", lambda t: t.replace(",", ";").replace(".", ",")),
    ("pipe", lambda t: t.replace(",", "|")),
    ("repeated header", lambda t: t + t.splitlines()[0] + "\n"),
    ("two empty columns", lambda t: "".join(line + ",,\n" for line in t.splitlines())),
    ("sep line", lambda t: "sep=,\n" + t),
    ("start labels", lambda t: t.replace(t.splitlines()[0], "MPAN,Date," + ",".join(
        f"{h:02d}:{m:02d}" for h in range(24) for m in (0, 30)))),
    ("end labels", lambda t: t.replace(t.splitlines()[0], "MPAN,Date," + ",".join(
        f"{(i // 2) % 24:02d}:{i % 2 * 30:02d}" for i in range(1, 49)))),
])
def test_shapes_that_were_refused(clean, name, change):
    text = mf.wide(1, count=2).replace("\r\n", "\n")
    job = clean.import_file(change(text).encode())
    assert job["status"] == "completed", job["error_message"]
    assert job["failed_rows"] == 0
    assert job["readings_new"] == 96
    total = sum(Decimal(str(r[3])) for r in readings(clean))
    assert total == mf.wide_sum(1, count=2)


# ---- access ---------------------------------------------------------------------------------------

def test_the_api_asks_for_a_login_and_hides_paths(clean):
    import requests
    assert requests.get(f"{clean.api}/jobs").status_code == 401
    batch = clean.import_file(mf.wide())["batch_id"]
    text = clean.get(f"{clean.api}/jobs/{batch}").text
    assert "stored_name" not in text and str(clean.dir) not in text


def test_cross_site_requests_are_refused(clean):
    for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        answer = clean.post(clean.admin, headers=headers, files={"csv_file": ("a.csv", mf.wide())})
        assert answer.status_code == 403
    assert clean.sql("SELECT count(*) FROM import_jobs")[0][0] == 0

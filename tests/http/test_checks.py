"""What a job's page tells of the data: findings, a picture of the first days, and refusals."""

import time

import pytest

import harness
import meterfiles as mf


@pytest.fixture(scope="module")
def server():
    with harness.serving(Workers="0") as server:
        yield server


def run(server, text, **fields):
    """Uploads and imports a file; returns its batch id."""
    batch = server.upload(text, **fields)
    answer = server.worker("run", "--once")
    assert answer.returncode == 0, answer.stderr
    return batch


def view(server, batch):
    return server.get(f"{server.admin}/status/{batch}", headers={"Accept": "application/json"}).json()


def page(server, batch):
    return server.get(f"{server.admin}/status/{batch}").text


def gappy():
    """Nine days of two meters, without the first one's fourth, and with half of its sixth."""
    lines = mf.wide(2, first="2026-02-01", count=9).splitlines()
    lines[6] = ",".join(lines[6].split(",")[:26] + [""] * 24)
    del lines[4]
    return "\n".join(lines) + "\n"


def test_a_dry_run_tells_what_it_found_and_shows_the_first_days(server):
    batch = run(server, gappy(), dry_run="1")
    text = page(server, batch)
    assert f"meter {mf.mpan(0)}, AI: 2026-02-04<" in text
    assert f"meter {mf.mpan(0)}, AI, 2026-02-06: 24 of 48 readings<" in text
    assert text.count("<svg ") == 2 and text.count('<path class="line" d="M0.00 ') == 2
    assert "kWh each half-hour" in text and "1 Feb 2026 to 8 Feb 2026: the highest value is" in text
    for period in (0, 47):
        assert f'<td role="cell" class="number">{mf.value(0, mf.days("2026-02-01", 1)[0], period)}</td>' in text
    # before the rest of the page goes into detail, and only once
    assert text.count('id="preview-head"') == 1

    preview = server.get(f"{server.api}/jobs/{batch}").json()["summary"]["preview"]
    assert [item["meter"] for item in preview] == [mf.mpan(0), mf.mpan(1)]
    assert [day["date"] for day in preview[0]["days"]] == [
        f"2026-02-0{d}" for d in (1, 2, 3, 5, 6, 7, 8)]
    assert preview[0]["days"][4]["values"][23:26] == [
        str(mf.value(0, mf.days("2026-02-06", 1)[0], 23)), None, None]
    # too much for a list
    listed = [j for j in server.get(f"{server.api}/jobs").json()["jobs"] if j["batch_id"] == batch]
    assert listed[0]["summary"]["warnings"] and "preview" not in listed[0]["summary"]


def test_changes_are_shown_old_and_new(server):
    run(server, mf.wide(1, first="2026-03-01", count=3))
    lines = mf.wide(1, first="2026-03-01", count=3).splitlines()
    old = lines[2].split(",")[8]
    lines[2] = ",".join(lines[2].split(",")[:8] + ["77.125"] + lines[2].split(",")[9:])
    text = page(server, run(server, "\n".join(lines) + "\n", dry_run="1"))
    assert '<td role="cell" data-label="Date">2 Mar 2026</td>' in text
    assert f">{old}<small>actual</small>" in text and ">77.125<small>actual</small>" in text
    # what changes comes before the picture
    assert text.index('id="examples-head"') < text.index('id="preview-head"')


def test_daily_totals_are_a_row_each(server):
    text = page(server, run(server, mf.daily(1, first="2026-02-01", count=10)))
    assert "kWh each day" in text and '<th role="rowheader" scope="row">1 Feb 2026</th>' in text
    assert '<ol class="days ends"' in text


def test_while_it_runs_there_is_no_picture(server):
    batch = run(server, mf.wide(1, count=2))
    shown = view(server, batch)
    assert "chart" in shown["summary"]["preview"][0] and "preview" not in shown["job"]["summary"]
    now = time.time_ns() // 1000
    with server.change() as db:
        db.execute("UPDATE import_jobs SET status = 'processing', completed_at = NULL, "
                   "lease_until = ? WHERE batch_id = ?", (now + 60000000, batch))
    assert "preview" not in view(server, batch)["summary"]
    with server.change() as db:
        db.execute("UPDATE import_jobs SET status = 'completed', completed_at = ?, "
                   "lease_until = NULL WHERE batch_id = ?", (now, batch))


def test_rows_that_are_no_readings_are_refused(server):
    lines = mf.wide(1, first="2026-04-01", count=3).splitlines()
    lines[1] = ",".join(lines[1].split(",")[:2] + ["4294967.295"] + lines[1].split(",")[3:])
    lines[2] = ",".join(lines[2].split(",")[:2] + [f"{41000 + n / 4}" for n in range(48)])
    batch = run(server, "\n".join(lines) + "\n")
    groups = {g["code"]: g for g in view(server, batch)["groups"]}
    assert groups["sentinel-value"]["label"] == "Stands for a missing reading"
    assert groups["cumulative-reads"]["label"] == "Reads of a register, not consumption"
    assert server.get(f"{server.api}/jobs/{batch}").json()["imported_rows"] == 1


def test_a_register_is_refused_before_anything_is_stored(server):
    text = "MPAN,ReadDateTime,ReadValue,Unit\n" + "".join(
        f"{mf.mpan(9)},2026-05-01 {p // 2:02d}:{p % 2 * 30:02d},{52000 + p / 8},kWh\n" for p in range(48))
    job = view(server, run(server, text))["job"]
    assert job["status"] == "failed" and job["readings_new"] == 0
    assert "rise from 52000 to 52005.875 and never fall" in job["show"]["error"]


def test_what_an_import_that_stopped_early_leaves():
    """More rows were rejected than the settings allow: what stays and what is missing is said."""
    header, *rows = mf.wide(1, count=28).splitlines()
    bad = [row.rsplit(",", 1)[0] + ",n/k" for row in rows]
    server = harness.Httpd(Workers="1", MaxErrors="3").start()
    try:
        job = server.import_file("\n".join([header, *rows[:2], *bad[2:5], *rows[5:7]]))
        assert (job["status"], job["imported_rows"], job["failed_rows"]) == ("completed", 4, 3)
        job = server.import_file("\n".join([header, *rows[:2], *bad[2:]]))
        assert job["status"] == "failed" and job["summary"]["code"] == "too-many-errors"
        assert (job["imported_rows"], job["failed_rows"]) == (2, 4)
        page = server.get(f"{server.admin}/status/{job['batch_id']}").text
        assert "Rows imported before that: 2. They stay until this import is undone." in page
        assert "The import stopped before the end of the file" in page
        job = server.import_file("\n".join([header, *bad[:3]]), "bad.csv")
        assert job["summary"]["code"] == "no-good-row"
        page = server.get(f"{server.admin}/status/{job['batch_id']}").text
        assert "They stay" not in page and "stopped before the end" not in page
        server.stop()
    finally:
        server.kill()
        server.remove()


def test_the_picture_has_all_channels_of_a_meter(server):
    header, *rows = mf.wide(1, count=2).splitlines()
    lines = ["Channel," + header] + [f"{channel},{row}" for channel in ("AI", "AE", "RI", "RE")
                                     for row in rows]
    batch = run(server, "\n".join(lines), dry_run="1")
    page = server.get(f"{server.admin}/status/{batch}").text
    assert page.count("<svg ") == 4
    for words in ("Active import (AI)", "Active export (AE)", "Reactive import (RI)",
                  "Reactive export (RE)"):
        assert words in page

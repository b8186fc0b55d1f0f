"""What a job's page and its API say of the jobs that came after it: corrected rows, the real import
of a dry run, and imports that rely on what it stored."""

import re

import pytest

import harness
import meterfiles as mf

FILE = mf.wide(meters=1, count=21)


@pytest.fixture(scope="module")
def web():
    with harness.serving(Workers="1") as server:
        yield server


def page_of(server, batch_id):
    answer = server.get(f"{server.admin}/status/{batch_id}")
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", "", answer.text)), answer.text


def test_corrected_rows_are_linked_from_their_parent(web):
    parent = web.import_file(FILE.replace("2026-02-03", "2026-02-99"), "march.csv")
    assert (parent["failed_rows"], parent["followed_by"]) == (1, [])
    assert "sent again" not in page_of(web, parent["batch_id"])[0]
    rows = web.get(f"{web.admin}/status/{parent['batch_id']}/failed-rows.csv").text
    again = web.import_file(rows, "still <wrong>.csv", parent_batch_id=parent["batch_id"])
    assert again["failed_rows"] == 1
    right = web.import_file(rows.replace("2026-02-99", "2026-02-03"), "right.csv",
                            parent_batch_id=parent["batch_id"])
    assert right["imported_rows"] == 1, right
    found = web.job(parent["batch_id"])["followed_by"]
    assert [(f["batch_id"], f["filename"], f["status"], f["imported_rows"], f["failed_rows"])
            for f in found] == [
        (again["batch_id"], "still <wrong>.csv", again["status"], 0, 1),
        (right["batch_id"], "right.csv", "completed", 1, 0)]
    assert all(f["dry_run"] is False and f["undone_at"] is None for f in found)
    assert "followed_by" not in web.get(f"{web.api}/jobs").json()["jobs"][0]
    words, html = page_of(web, parent["batch_id"])
    assert "Corrected rows of this import were sent again:" in words
    assert f'href="{web.admin_path}/status/{again["batch_id"]}">still &lt;wrong&gt;.csv</a>' in html
    assert re.search(r"right\.csv, [^:]*:\d\d UTC: Completed, 1 row imported, 0 failed", words)

    assert web.post(f"{web.admin}/status/{right['batch_id']}/undo").status_code == 303
    harness.wait_for(lambda: web.job(right["batch_id"])["undone_at"], "the undo")
    assert web.job(parent["batch_id"])["followed_by"][1]["undone_at"]
    assert re.search(r"right\.csv, [^:]*:\d\d UTC: Undone ", page_of(web, parent["batch_id"])[0])


def test_a_dry_run_is_linked_to_its_import(web):
    dry = web.import_file(mf.daily(1, count=3), "dry.csv", dry_run="1")
    real = web.post(f"{web.api}/jobs/{dry['batch_id']}/import").json()
    web.finished(real["batch_id"])
    assert [f["batch_id"] for f in web.job(dry["batch_id"])["followed_by"]] == [real["batch_id"]]
    words = page_of(web, dry["batch_id"])[0]
    assert "This dry run was followed by:" in words and "Completed, 3 rows imported" in words


def test_before_an_undo_the_page_says_what_goes_with_it(web):
    content = mf.wide(meters=1, first="2026-06-01", count=21)
    first = web.import_file(content)
    general = "What a later import found unchanged is stored by this one only, and goes with it."
    words = page_of(web, first["batch_id"])[0]
    assert general in words and "they go, too" not in words
    second = web.import_file(content)
    assert second["readings_unchanged"] == 21 * 48
    words = page_of(web, first["batch_id"])[0]
    assert ("1 later import of this same file found up to 1,008 readings unchanged: they go, too."
            in words)
    assert "they go, too" not in page_of(web, second["batch_id"])[0]
    assert web.post(f"{web.admin}/status/{first['batch_id']}/undo").status_code == 303
    harness.wait_for(lambda: web.job(first["batch_id"])["undone_at"], "the undo")
    assert web.sql("SELECT count(*) FROM meter_days WHERE reading_date >= '2026-06-01'") == [(0,)]

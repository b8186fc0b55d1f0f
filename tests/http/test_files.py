"""Files as they come: whatever they are packed in and however they are encoded, from the upload to
the readings and to what the job says of them."""

import contextlib
import gzip
import io
import sqlite3
import zipfile

import pytest

import harness
import meterfiles as mf


@pytest.fixture(scope="module")
def server():
    server = harness.Httpd(Workers="1").start()
    assert server.get(server.admin).status_code == 200  # the database is there from now on
    yield server
    try:
        server.stop()
    finally:
        server.kill()
        server.remove()


@pytest.fixture
def clean(server):
    """The module's server without any reading, job or meter in its database."""
    with contextlib.closing(sqlite3.connect(server.database, timeout=30)) as db, db:
        for table in ("meter_day_history", "meter_days", "meters", "import_errors", "import_jobs"):
            db.execute(f"DELETE FROM {table}")
    return server


def zipped(*files):
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as z:
        for name, content in files:
            z.writestr(name, content)
    return archive.getvalue()


def damaged(text):
    """UTF-16 that went through something that takes it for UTF-8."""
    return ("\ufeff" + text).encode("utf-16-le").replace(b"\xff\xfe", b"\xef\xbf\xbd" * 2)


TABLE = "Report in £ and m³\r\n\r\n" + mf.wide(2, count=7)
PLAIN = mf.wide(2, count=7)


# ---- encodings and containers ---------------------------------------------------------------------

@pytest.mark.parametrize("content, words, warnings", [
    (TABLE.encode(), None, []),
    (b"\xef\xbb\xbf" + TABLE.encode(), None, []),
    (TABLE.encode("cp1252"), "Windows-1252", []),
    (TABLE.encode("utf-16"), "UTF-16 (little-endian)", []),
    (("\ufeff" + TABLE).encode("utf-16-be"), "UTF-16 (big-endian)", []),
    (PLAIN.encode("utf-16-le"), "UTF-16 (little-endian)", []),
    (damaged(PLAIN), "UTF-16 that was damaged in transit", ["damaged-encoding"]),
    (gzip.compress(TABLE.encode()), "packed with gzip", []),
    (gzip.compress(TABLE.encode("utf-16")), "packed with gzip, UTF-16 (little-endian)", []),
    (zipped(("out/", b""), ("out/feb.csv", TABLE.encode("cp1252")),
            ("__MACOSX/out/._feb.csv", b"\0\5\x16\7")), "zip holding 'feb.csv', Windows-1252", []),
], ids=["utf-8", "utf-8 with a mark", "windows-1252", "utf-16", "utf-16 big", "utf-16 without a mark",
        "damaged utf-16", "gzip", "gzip of utf-16", "zip"])
def test_one_table_in_every_form(clean, content, words, warnings):
    job = clean.import_file(content, "readings.csv")
    assert job["status"] == "completed", job["error_message"]
    assert (job["total_rows"], job["imported_rows"], job["failed_rows"]) == (14, 14, 0)
    assert job["readings_new"] == 2 * 7 * 48
    assert job["file_size"] == len(content) and job["bytes_done"] <= len(content)
    total = clean.sql("SELECT SUM(CAST(ROUND(reading_value * 1000) AS INTEGER)) FROM meter_readings")[0][0]
    assert total == mf.wide_sum(2, count=7) * 1000
    evidence = job["summary"]["evidence"]
    assert evidence.startswith(words + "; a row per") if words else evidence.startswith("a row per")
    found = [w["code"] for w in job["summary"].get("warnings", [])]
    assert [c for c in found if c in ("damaged-encoding", "windows-1252")] == warnings


def test_windows_1252_late_in_a_file_is_told(clean):
    text = mf.wide(10, count=30)
    assert len(text) > 70000
    content = text.encode() + b"Total in \xa3,\r\n"
    job = clean.import_file(content)
    assert job["status"] == "completed", job["error_message"]
    warning = [w for w in job["summary"]["warnings"] if w["code"] == "windows-1252"]
    assert len(warning) == 1 and str(len(content) - 4) in warning[0]["message"]


@pytest.mark.parametrize("content, code, part", [
    (zipped(("a.csv", PLAIN), ("b.csv", PLAIN)), "archive-several-files", "'a.csv', 'b.csv'"),
    (zipped(("a.csv.gz", gzip.compress(PLAIN.encode()))), "archive-nested", "'a.csv.gz'"),
    (gzip.compress(b"0" * (100 << 20), 9), "archive-too-large", "200 times"),
    (gzip.compress(b"%PDF-1.7"), "not-text", "PDF"),
    (zipped(("a.csv", PLAIN))[:-30], "archive-damaged", "cut off"),
], ids=["several files", "nested", "bomb", "PDF", "cut zip"])
def test_archives_that_are_refused(clean, content, code, part):
    job = clean.import_file(content, "readings.zip")
    assert job["status"] == "failed"
    assert job["summary"]["code"] == code
    assert part in job["error_message"]
    assert clean.sql("SELECT COUNT(*) FROM meter_days")[0][0] == 0


def test_of_a_damaged_archive_nothing_is_imported(clean):
    """The damage is far behind what the first batches would hold."""
    whole = gzip.compress(mf.wide(60, count=365, first="2024-04-01").encode(), 1)
    job = clean.import_file(whole[:-20000], "readings.csv.gz")
    assert job["status"] == "failed"
    assert f"ends at byte {len(whole) - 20000}," in job["error_message"]
    assert clean.sql("SELECT COUNT(*) FROM meter_days")[0][0] == 0
    # the page says so too
    page = clean.get(f"{clean.admin}/status/{job['batch_id']}").text
    assert "gzip file is cut off" in page

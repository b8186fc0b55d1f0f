"""Files as they come: whatever they are packed in and however they are encoded, from the upload to
the readings and to what the job says of them."""

import datetime
import gzip
import io
import json
import re
import zipfile

import openpyxl
import pytest

import harness
import meterfiles as mf


@pytest.fixture(scope="module")
def server():
    with harness.serving(Workers="1") as server:
        yield server


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
    (zipped(("README.txt", "Your readings of 1 February 2026, 00:00.\r\nCall us: 0800, 1234.\r\n"),
            ("feb.csv.gz", gzip.compress(TABLE.encode())), ("terms.pdf", "%PDF-1.7")),
     "zip holding 'feb.csv.gz', packed with gzip", ["archive-passed-over"]),
], ids=["utf-8", "utf-8 with a mark", "windows-1252", "utf-16", "utf-16 big", "utf-16 without a mark",
        "damaged utf-16", "gzip", "gzip of utf-16", "zip", "zip with more"])
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
    assert [c for c in found if c in ("damaged-encoding", "windows-1252", "archive-passed-over")] == warnings


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
    (zipped(("a.csv.gz.gz", gzip.compress(gzip.compress(PLAIN.encode())))), "archive-nested",
     "'a.csv.gz.gz'"),
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


# ---- files that are no table ----------------------------------------------------------------------

METER = "1000000000012"


def sample(name):
    return (harness.SAMPLES / name).read_bytes()


@pytest.mark.parametrize("name, words, new, days", [
    # 144 half-hours of import and 6 of export
    ("sample_df2.df2", "Stark DF2", 152, {"2025-10-25": 48, "2025-10-26": 50, "2025-10-27": 48}),
    ("sample_d0036.txt", "D0036 data flow", 240, {"2025-10-25": 48, "2025-10-26": 50, "2025-10-27": 48}),
    # UTC days: the first and the last settlement day are not whole
    ("sample_d0379.txt", "D0379 data flow", 144, {"2025-10-25": 46, "2025-10-26": 50, "2025-10-27": 48}),
    ("sample_greenbutton.xml", "Green Button (ESPI)", 50, {"2025-10-26": 50}),
    ("sample_data_collector.json", "JSON: a row per meter and day", 146,
     {"2025-10-25": 48, "2025-10-26": 50, "2025-10-27": 48}),
    ("sample_api.json", "JSON: a row per reading", 98, {"2025-10-26": 50, "2025-10-25": 48}),
])
def test_samples_of_other_forms(clean, name, words, new, days):
    fields = {"meter": METER} if name in ("sample_greenbutton.xml", "sample_api.json") else {}
    for content, filename in ((sample(name), name), (gzip.compress(sample(name)), "anything.csv")):
        job = clean.import_file(content, filename, **fields)
        assert job["status"] == "completed", job["error_message"]
        assert job["failed_rows"] == 0 and job["imported_rows"] == job["total_rows"]
        assert words in job["summary"]["evidence"]
        if filename == name:
            assert job["readings_new"] == new
        else:
            assert (job["readings_new"], job["readings_unchanged"]) == (0, new)
    found = dict(clean.sql("SELECT reading_date, COUNT(*) FROM meter_readings JOIN meters ON meters.id = meter_id"
                           " WHERE identifier = ? AND channel = 'AI' AND reading_date IN"
                           " ('2025-10-25', '2025-10-26', '2025-10-27') GROUP BY reading_date", METER))
    assert {d: found.get(d) for d in days} == days


@pytest.mark.parametrize("form", ["arrays", "side by side", "named by time"])
def test_json_of_arrays_over_a_clock_change(clean, form):
    """Two days from the midnight before the clocks go back: 50 and 48 half-hours."""
    stamps = [1761433200 + 1800 * n for n in range(98)]
    values = [n * 125 for n in range(98)]
    content = json.dumps({
        "arrays": {"unit": "Wh", "data": {METER: [list(pair) for pair in zip(stamps, values)]}},
        "side by side": {"mpan": METER, "timestamps": stamps, "values": values, "unit": "Wh"},
        "named by time": {"mpan": METER, "wh": dict(zip(map(str, stamps), values))},
    }[form])
    job = clean.import_file(content, "readings.json")
    assert (job["status"], job["failed_rows"], job["readings_new"]) == ("completed", 0, 98), job["error_message"]
    stored = clean.sql("SELECT reading_date, period_number, ROUND(reading_value * 1000) FROM meter_readings"
                       " ORDER BY reading_at")
    assert stored == [("2025-10-26" if n < 50 else "2025-10-27", (n if n < 50 else n - 50) + 1, v)
                      for n, v in enumerate(values)]
    page = clean.get(f"{clean.admin}/status/{job['batch_id']}").text
    assert "JSON: a row per reading" in page


def test_hours_by_their_number_over_a_clock_change(clean):
    """The second hour of the day comes twice; dates stand in three columns."""
    job = clean.import_file(sample("sample_hours.csv"), "hours.csv")
    assert (job["status"], job["failed_rows"], job["readings_new"]) == ("completed", 0, 73)
    assert "hours are 1 to 24: there is no 0" in job["summary"]["evidence"]
    rows = [line.split(",") for line in sample("sample_hours.csv").decode().splitlines()[1:]]
    stored = clean.sql("SELECT reading_date, period_number, reading_value FROM meter_readings"
                       " ORDER BY reading_at")
    periods = [n for hours in (24, 25, 24) for n in range(1, hours + 1)]
    assert [(date, n, round(value * 1000)) for date, n, value in stored] == [
        (f"{y}-{m}-{d}", n, round(float(kwh) * 1000))
        for (_, y, m, d, _, kwh), n in zip(rows, periods)]


def test_of_a_portals_flows_those_of_the_meter_are_read(clean):
    names = ["Solar", "Home", "From Grid", "To Grid", "Battery"]
    rows = [[f"{when // 2:02d}:{when % 2 * 30:02d}", *((when * n * 37 % 4000) / 1000 for n in range(1, 6))]
            for when in range(48)]
    content = f"MPAN,Date,Time,{','.join(names)}\n" + "".join(
        f"{METER},01/02/2026,{','.join(map(str, row))}\n" for row in rows)
    job = clean.import_file(content)
    assert (job["status"], job["failed_rows"], job["readings_new"]) == ("completed", 0, 96)
    sums = dict(clean.sql("SELECT channel, ROUND(SUM(reading_value), 3) FROM meter_readings GROUP BY channel"))
    assert sums == {"AI": round(sum(r[3] for r in rows), 3), "AE": round(sum(r[4] for r in rows), 3)}
    told = [w for w in job["summary"]["warnings"] if w["code"] == "columns-not-read"]
    assert len(told) == 1 and told[0]["count"] == 3


def test_a_file_without_a_meter_asks_for_it_and_goes_on(clean):
    job = clean.import_file(sample("sample_greenbutton.xml"), "home.xml")
    assert job["status"] == "failed" and job["summary"]["code"] == "no-meter-column"
    page = clean.get(f"{clean.admin}/status/{job['batch_id']}").text
    assert "names no meter" in page and 'name="meter"' in page


def test_a_broken_day_of_a_flow_is_given_back_as_csv(clean):
    """The day that was cut is rejected, and so is the trailer; the CSV of it is corrected and read."""
    lines = sample("sample_d0036.txt").decode().splitlines(keepends=True)
    at = lines.index("102|20251026|\n")
    job = clean.import_file("".join(lines[:at + 50] + lines[at + 51:]), "flow.uff")
    assert job["status"] == "completed", job["error_message"]
    assert (job["imported_rows"], job["failed_rows"]) == (4, 2)
    page = clean.get(f"{clean.admin}/status/{job['batch_id']}").text
    assert "Day with too few or too many half-hours" in page and "File not as it was sent" in page
    rejected = clean.get(f"{clean.admin}/status/{job['batch_id']}/failed-rows.csv").text.splitlines()
    header, row = rejected[0], rejected[1]
    assert header.startswith("MPAN,Channel,Settlement Date,HH1,HH1 Flag,")
    assert row.startswith(f"{METER},AI,20251026,")
    cells = row.split(",")[:3 + 2 * 49] + ["7.5", "A"]
    job = clean.import_file(header.split(",rejected_line")[0] + "\r\n" + ",".join(cells) + "\r\n")
    assert job["status"] == "completed", job["error_message"]
    assert job["readings_new"] == 50


@pytest.mark.parametrize("content, part", [
    (b"ZHV|0000000042|D0010002|D|AAAA|X|BBBB|20251029010203||||OPER|\n026|1000000000012|V|\n",
     "D0010 data flow: it holds cumulative register reads"),
    (b"#F2\r\n#O 1000000000012\r\n#S 1\r\n", "Stark DF2 file, and there is no reading"),
    (b"<?xml version='1.0'?><catalog/>", "an XML file (&lt;catalog&gt;) and not Green Button"),
    (b'{"error": "token expired"}', "meter readings were recognised"),
], ids=["D0010", "DF2", "XML", "JSON"])
def test_what_is_refused_is_named(clean, content, part):
    job = clean.import_file(content, "readings.csv")
    assert job["status"] == "failed"
    assert part in clean.get(f"{clean.admin}/status/{job['batch_id']}").text


# ---- workbooks ------------------------------------------------------------------------------------

def workbook(*sheets, date1904=False):
    """Sheets as (name, rows) or (name, rows, state); returns the bytes of a workbook."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    if date1904:
        book.epoch = openpyxl.utils.datetime.CALENDAR_MAC_1904
    for name, rows, *state in sheets:
        sheet = book.create_sheet(name)
        sheet.sheet_state = state[0] if state else "visible"
        for row in rows:
            sheet.append(row)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def quantity(name, days=3):
    """A sheet as data collectors send it: one measurement quantity, columns 1 to 50 below times."""
    times = [datetime.time(*divmod(30 * i % 1440, 60)) for i in range(1, 49)]
    rows = [["MeasurementQuantityId", name], [], ["Sum of total", None, "Period"],
            [None, None, *times, datetime.time(1, 30), datetime.time(2, 0)],
            ["Mpan", "Settlement Date", *range(1, 51), "Grand Total"]]
    for day in mf.days("2026-02-01", days):
        values = [float(mf.value(0, day, p)) for p in range(48)]
        rows.append([int(mf.mpan(0)), day, *values, None, None, sum(values)])
    return rows + [["Grand Total", None, *[1] * 48]]


@pytest.mark.parametrize("date1904", [False, True], ids=["1900", "1904"])
def test_a_workbook_with_a_sheet_for_each_quantity(clean, date1904):
    content = workbook(("AI", quantity("AI")), ("RE", quantity("RE"), "hidden"),
                       ("Legend", [["Actual", "green"]]), date1904=date1904)
    job = clean.import_file(content, "data.xlsx")
    assert job["status"] == "completed", job["error_message"]
    assert (job["imported_rows"], job["failed_rows"], job["skipped_rows"]) == (6, 0, 2)
    assert job["readings_new"] == 2 * 3 * 48
    warnings = {w["code"]: w for w in job["summary"]["warnings"]}
    assert warnings["sheet-not-read"]["message"] == "sheets that were not read"
    assert "Legend" in warnings["sheet-not-read"]["examples"][0]
    assert "RE" in warnings["hidden-sheet"]["examples"][0]
    units = clean.sql("SELECT DISTINCT channel, unit FROM meter_days ORDER BY channel")
    assert units == [("AI", "kWh"), ("RE", "kVArh")]
    total = sum(mf.value(0, day, p) for day in mf.days("2026-02-01", 3) for p in range(48))
    (kwh,), = clean.sql("SELECT SUM(CAST(ROUND(reading_value * 1000) AS INTEGER)) FROM meter_readings"
                        " WHERE channel = 'AI'")
    assert kwh == total * 1000
    # the file's name means nothing, and the same again changes nothing
    again = clean.import_file(content, "data.csv")
    assert (again["readings_new"], again["readings_unchanged"]) == (0, 2 * 3 * 48)


def test_the_clocks_go_back_in_a_workbook(clean):
    rows = quantity("AI")[:5]
    rows.append([mf.mpan(0), datetime.date(2025, 10, 26), *range(1, 51)])
    job = clean.import_file(workbook(("AI", rows)), "data.xlsx")
    assert job["readings_new"] == 50
    # 00:00, 00:30, both 01:00s and 01:30s, 02:00
    found = clean.sql("SELECT CAST(reading_value AS INTEGER) FROM meter_readings ORDER BY period_number")
    assert [v for v, in found][:8] == [1, 2, 3, 4, 49, 50, 5, 6]


def test_a_rejected_row_of_a_sheet_is_corrected_and_read(clean):
    rows = quantity("RE")
    rows[6][5] = "bad"
    job = clean.import_file(workbook(("RE", rows)), "data.xlsx")
    assert (job["imported_rows"], job["failed_rows"]) == (2, 1)
    page = clean.get(f"{clean.admin}/status/{job['batch_id']}").text
    assert "Sheet &quot;RE&quot;" in page
    rejected = clean.get(f"{clean.admin}/status/{job['batch_id']}/failed-rows.csv").text
    assert ",Channel,rejected_line" in rejected and ',"RE",7,' in rejected
    job = clean.import_file(rejected.replace(",bad,", ",7.5,").encode(), "rejected.csv")
    assert job["status"] == "completed", job["error_message"]
    assert job["readings_new"] == 48
    assert clean.sql("SELECT DISTINCT channel FROM meter_days") == [("RE",)]


def test_workbooks_that_are_refused(clean):
    password = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(1000) + "EncryptedPackage".encode("utf-16-le")
    for content, part in [
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(1000), ".xls"),
        (password + bytes(100), "password"),
        (zipped(("xl/workbook.bin", b"x")), ".xlsb"),
        (zipped(("mimetype", b"application/vnd.oasis.opendocument.spreadsheet"),
                ("META-INF/manifest.xml", b"<m/>")), ".ods"),
        (workbook(("Empty", [])), "the workbook is empty"),
        (workbook(("Cover", [["Dear customer"]]), ("Sites", [["Site", "Postcode"], ["A", "B"]])),
         "none of the workbook's sheets can be read"),
        (zipped(("xl/workbook.xml", b"<!DOCTYPE a><workbook/>")), "DOCTYPE"),
    ]:
        job = clean.import_file(content, "data.xlsx")
        assert job["status"] == "failed" and part in job["error_message"], job["error_message"]


# ---- what the page says of how the file was read --------------------------------------------------

def test_each_inference_is_stated_with_its_evidence(clean):
    start = datetime.datetime(2026, 2, 1, 0, 30)
    rows = [f"{mf.mpan(0)},{start + datetime.timedelta(minutes=30 * i):%d/%m/%Y %H:%M},{i % 7}.5"
            for i in range(480)]
    job = clean.import_file("\n".join(["MPAN,Date,Value", *rows]))
    page = clean.get(f"{clean.admin}/status/{job['batch_id']}").text
    for sentence in ("Period ends: 10 of 10 days complete, as period starts 9 of 11.",
                     "30-minute readings.", "Meter in column MPAN.", "Date in column Date.",
                     "No unit is stated: kWh assumed."):
        assert f"<li>{sentence}</li>" in page, re.findall("<li>.*?</li>", page)


def test_a_column_of_channels_is_stated(clean):
    rows = [f"{mf.mpan(0)},2026-02-01,{channel}," + ",".join(["1.5"] * 48)
            for channel in ("AI", "RI")]
    job = clean.import_file("\n".join(["MPAN,Date,Channel," + ",".join(
        f"HH{i}" for i in range(1, 49)), *rows]))
    evidence = job["summary"]["evidence"]
    assert "; channel in column Channel" in evidence
    assert "; no unit is stated: kWh assumed, of reactive energy kVArh" in evidence


def test_warnings_of_one_kind_have_one_heading(clean):
    """And not the message of the first of them."""
    rows = [f"{mf.mpan(0)},2026-02-{d + 1:02d}," + ",".join(["1.5"] * 48) + ","
            + ("73" if d < 3 else "72") for d in range(20)]
    job = clean.import_file("\n".join(["MPAN,Date," + ",".join(
        f"HH{i}" for i in range(1, 49)) + ",Total", *rows]))
    [warning] = [w for w in job["summary"]["warnings"] if w["code"] == "total-differs"]
    assert warning["message"] == "rows whose readings do not add up to their total"
    assert warning["count"] == 3 and len(warning["examples"]) == 3


def test_a_workbook_says_it_of_each_sheet(clean):
    job = clean.import_file(workbook(("AI", quantity("AI")), ("RE", quantity("RE"))), "data.xlsx")
    page = clean.get(f"{clean.admin}/status/{job['batch_id']}").text
    first, others = page.split("The other sheets")
    assert "sheet &quot;AI&quot;: a row per meter and day" in first.lower().replace("ai&", "AI&")
    assert "Channel RE (as said above the table)." in others.split("</details>")[0]

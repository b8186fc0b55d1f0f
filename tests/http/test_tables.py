"""Tables that stand one below the other, whose rows do not name their meter: the lines above each
table do. From the upload to the readings, to what the job says, and to its rejected rows."""

import csv
import io
import os
import signal

import openpyxl
import pytest

import harness
import meterfiles as mf
import worker_helpers as wh

BAD = "bad"
EACH = 10  # rows of each meter


@pytest.fixture(scope="module")
def server():
    with harness.serving(Workers="1") as server:
        yield server


def rows_of(meter, channel, shape):
    """A meter's rows of February, with values that no other table has."""
    table = 2 * meter + (channel == "AE")
    values = [f"{(n * 37 + 1) % 48}.{table}{n:02d}5" for n in range(48 * EACH)]
    if shape == "wide":
        return [f"{day:%d/%m/%Y}," + ",".join(values[48 * n:48 * n + 48])
                for n, day in enumerate(mf.days("2026-02-01", EACH))]
    if shape == "daily":
        return [f"{day:%d/%m/%Y},{values[n]}" for n, day in enumerate(mf.days("2026-02-01", EACH))]
    return [f"01/02/2026 {n // 2:02d}:{n % 2 * 30:02d},{values[n]}" for n in range(EACH)]


HEADERS = {"wide": "Date," + ",".join(f"{i // 2:02d}:{i % 2 * 30:02d}" for i in range(48)),
           "long": "Timestamp,Value", "daily": "Date,Value"}


def stacked(shape, channels=("",), meters=3, repeated=True):
    """Tables one below the other; a channel of "" is not said."""
    lines = ["Portal of the works"]
    for meter in range(meters):
        for channel in channels:
            lines += [f"Site: House {meter}", f"MPAN: {mf.mpan(meter)}"]
            lines += [f"Channel: {channel}"] if channel else []
            lines += [HEADERS[shape]] if repeated or len(lines) < 6 else []
            lines += rows_of(meter, channel, shape) + ["Total,99"]
    return "\n".join(lines) + "\n"


def readings(server):
    return server.sql("SELECT mpan, channel, reading_date, period_number, reading_value"
                      " FROM meter_readings ORDER BY 1, 2, 3, 4")


def rejected(server, job, part):
    table = server.get(f"{server.admin}/status/{job['batch_id']}/failed-rows.csv?part={part}")
    assert table.status_code == 200, table.text
    return table.text


def test_the_sample(clean):
    """As the page, the API and the stored readings have it."""
    content = (harness.SAMPLES / "sample_stacked_tables.csv").read_bytes()
    trial = clean.import_file(content, "works.csv", dry_run="1")
    assert (trial["status"], trial["readings_new"], readings(clean)) == ("completed", 432, [])
    job = clean.import_file(content, "works.csv")
    assert (job["status"], job["failed_rows"], job["readings_new"]) == ("completed", 0, 432)
    assert job["summary"]["meters"] == 3
    assert {s["meter"] for s in job["summary"]["preview"]} <= {"1000000000012", "2000000000024",
                                                               "1200000000011"}
    page = clean.get(f"{clean.admin}/status/{job['batch_id']}").text
    assert "rows belong to the meter named above them: 3 meters" in page.lower().replace("\n", " ")
    sums, meter, sites = {}, None, content.decode().splitlines()
    for line in csv.reader(sites):
        if line[:1] == ["MPAN"]:
            meter = line[1]
        elif line and line[0][:1].isdigit():
            sums[meter] = sums.get(meter, 0) + sum(round(float(v) * 1000) for v in line[1:49])
    assert dict(clean.sql("SELECT mpan, CAST(ROUND(SUM(reading_value) * 1000) AS INTEGER)"
                          " FROM meter_readings GROUP BY mpan")) == sums


@pytest.mark.parametrize("repeated", [True, False])
@pytest.mark.parametrize("channels", [("",), ("AI", "AE")])
@pytest.mark.parametrize("shape", HEADERS)
def test_rejected_rows_reach_their_meters(clean, shape, channels, repeated):
    """Corrected, and uploaded without a word about the file that they are from."""
    content = stacked(shape, channels, repeated=repeated)
    whole = clean.import_file(content)
    assert (whole["status"], whole["failed_rows"]) == ("completed", 0), whole
    expected = readings(clean)
    assert len({(meter, channel) for meter, channel, *_ in expected}) == 3 * len(channels)
    broken, values = content, {}
    for line in content.splitlines():
        if any(line.startswith(f"{start}") for start in ("03/02", "01/02/2026 01:00")):
            cells = line.split(",")
            values[cells[1]] = f"{BAD}{len(values)}"
            broken = broken.replace(f",{cells[1]}", f",{values[cells[1]]}", 1)
    clean.empty()
    job = clean.import_file(broken)
    assert (job["status"], job["failed_rows"]) == ("completed", 3 * len(channels))
    for part in range(1, len(channels) + 1):
        table = rejected(clean, job, part)
        names, *rows = csv.reader(io.StringIO(table))
        assert [row[names.index("Meter")] for row in rows] == [mf.mpan(m) for m in range(3)]
        for value, word in values.items():
            table = table.replace(f",{word},", f",{value},")
        again = clean.import_file(table.encode(), "corrected.csv")
        assert (again["status"], again["failed_rows"]) == ("completed", 0), again
    assert readings(clean) == expected


def test_rows_below_another_header_keep_their_meter(clean):
    """Of several meters, in one file of rejected rows."""
    other = "\n".join(f"MPAN: {mf.mpan(m)}\nTimestamp,Status,Energy (kWh)\n"
                      f"01/02/2026 00:00,A,{m}.25\n01/02/2026 00:30,A,{m}.75" for m in (1, 2))
    job = clean.import_file(stacked("long", meters=1) + other + "\n")
    assert (job["imported_rows"], job["failed_rows"]) == (EACH, 6)
    before = len(readings(clean))
    table = rejected(clean, job, 1)
    assert table.splitlines()[0].startswith("Timestamp,Status,Energy (kWh),Meter,")
    again = clean.import_file(table.encode())
    assert (again["imported_rows"], again["failed_rows"]) == (4, 0), again
    assert [row for row in readings(clean) if row[0] != mf.mpan(0)] == [
        (mf.mpan(m), "AI", "2026-02-01", n + 1, m + 0.25 + n / 2) for m in (1, 2) for n in (0, 1)]
    assert len(readings(clean)) == before + 4


def test_rows_below_another_header_that_name_their_meter(clean):
    """What is said above the tables is theirs, too; their meter is their own."""
    header = "MPAN,Start,Status,Value"
    job = clean.import_file(stacked("long", ["AE"], meters=1) + "\n".join(
        [header, f"{mf.mpan(1)},01/02/2026 00:00,A,1.25", f"{mf.mpan(2)},01/02/2026 00:30,A,1.75"]))
    assert (job["imported_rows"], job["failed_rows"]) == (EACH, 3)
    table = rejected(clean, job, 1)
    assert table.splitlines()[0].startswith(f"{header},Channel,rejected_line")
    again = clean.import_file(table.encode())
    assert (again["imported_rows"], again["failed_rows"]) == (2, 0), again
    assert {row[:2] for row in readings(clean)} == {(mf.mpan(m), "AE") for m in range(3)}


def test_rows_of_a_doubtful_channel_wait_for_an_answer(clean):
    """They are not read as something by themselves, neither now nor when they are uploaded again."""
    content = stacked("long", meters=1) + "\n".join(
        [f"MPAN: {mf.mpan(1)}", "Channel: Solar", HEADERS["long"], *rows_of(1, "", "long")])
    job = clean.import_file(content)
    assert (job["imported_rows"], job["failed_rows"]) == (EACH, EACH)
    table = rejected(clean, job, 1)
    again = clean.import_file(table.encode())
    assert again["imported_rows"] == 0
    again = clean.import_file(table.replace("(not clear)", "AE").encode())
    assert (again["imported_rows"], again["failed_rows"]) == (EACH, 0), again
    assert {row[1] for row in readings(clean) if row[0] == mf.mpan(1)} == {"AE"}


def test_a_meter_that_is_given_must_be_the_one_that_is_named(clean):
    content = stacked("daily", meters=2)
    job = clean.import_file(content, meter=mf.mpan(0))
    assert (job["status"], job["summary"]["code"]) == ("failed", "meter-conflict")
    assert f"{mf.mpan(1)} above line" in job["error_message"]
    page = clean.get(f"{clean.admin}/status/{job['batch_id']}").text
    assert "Which meter are the readings of?" in page
    answered = clean.post(f"{clean.admin}/status/{job['batch_id']}/answer", data={"meter": ""})
    assert answered.status_code == 303, answered.text
    harness.wait_for(lambda: len(readings(clean)) == 2 * EACH, "the readings of both meters")


def test_a_workbook(clean):
    book = openpyxl.Workbook()
    for line in csv.reader(io.StringIO(stacked("daily"))):
        book.active.append([float(cell) if n and line[0][:1].isdigit() else cell
                            for n, cell in enumerate(line)])
    content = io.BytesIO()
    book.save(content)
    job = clean.import_file(content.getvalue(), "tables.xlsx")
    assert (job["status"], job["failed_rows"], job["readings_new"]) == ("completed", 0, 3 * EACH)
    assert "above them: 3 meters" in job["summary"]["evidence"]
    assert {row[0] for row in readings(clean)} == {mf.mpan(m) for m in range(3)}


def big_file():
    """As wh.big_file, with each meter above its rows."""
    lines, last = ["Date," + ",".join(f"HH{i:02d}" for i in range(1, 49))], None
    for line in wh.big_file().splitlines()[1:]:
        meter, row = line.split(",", 1)
        lines += [] if meter == last else [f"MPAN: {meter}"]
        last = meter
        lines.append(row)
    return "\n".join(lines) + "\n"


def test_an_import_that_was_killed_goes_on_with_the_right_meter(run):
    expected = [(mf.mpan(m), wh.BIG_DAYS) for m in range(wh.BIG_METERS)]
    batch_id = wh.queue(run, big_file())
    worker = wh.Daemon(run)
    try:
        with wh.held_in_the_middle(run, batch_id):
            os.kill(wh.slots(worker.pid)[0], signal.SIGKILL)
        row = wh.wait_for_status(run, batch_id, "completed", "failed")
    finally:
        worker.close()
    assert (row["status"], row["failed_rows"], row["claims"]) == ("completed", 0, 2)
    assert run.sql("SELECT identifier, count(*) FROM meter_days JOIN meters ON meters.id = meter_id"
                   " GROUP BY identifier ORDER BY identifier") == sorted(expected)

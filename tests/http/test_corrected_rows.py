"""Rejected rows, corrected and uploaded again: whatever the file looked like, its readings are then
those of a file that was right from the start. The corrected rows go as they were downloaded, without
a word about the file that they are from."""

import csv
import datetime
import io
import zoneinfo

import openpyxl
import pytest

import harness
import meterfiles as mf

BAD = "bad"


@pytest.fixture(scope="module")
def server():
    with harness.serving(Workers="1") as server:
        yield server


def readings(server):
    return server.sql("SELECT mpan, channel, reading_date, reading_time, period_number, reading_at,"
                      " reading_value, reading_type FROM meter_readings ORDER BY 1, 2, 3, 5")


def stamps(first, count, minutes=30, shift=0):
    start = datetime.datetime.fromisoformat(first)
    return [start + datetime.timedelta(minutes=minutes * i + shift) for i in range(count)]


def by_reading(header, first="2026-02-03", count=96, minutes=30, shift=0, form="%d/%m/%Y %H:%M",
               delimiter=",", value=lambda i: f"{i * 37 % 1000}.5", before=""):
    """A row per reading: a stamp and a value, and what stands before them."""
    return "\n".join([header] + [f"{before}{when.strftime(form)}{delimiter}{value(i)}"
                                 for i, when in enumerate(stamps(first, count, minutes, shift))]) + "\n"


def wide(names, first="2026-02-01", count=3, delimiter=",", before="", after=lambda d: "", point="."):
    return [delimiter.join(["MPAN", "Date", *names])] + [
        delimiter.join([mf.mpan(0), day.isoformat(),
                        *(f"{(d * 50 + p)}{point}25" for p in range(48))]) + after(d)
        for d, day in enumerate(mf.days(first, count))]


NUMBERS = [f"HH{i:02d}" for i in range(1, 49)]
TIMES = [f"{i // 2:02d}:{i % 2 * 30:02d}" for i in range(48)]
M = mf.mpan(0) + ","


def dtc(days):
    out = ["ZHV|0000000042|D0036001|C|AAAA|X|BBBB|20260210010203||||OPER|",
           f"101|{mf.mpan(0)}|AI|AAAA|"]
    for d, day in enumerate(days):
        out += [f"102|{day:%Y%m%d}|"] + [f"103|A|{d * 50 + p}.5|" for p in range(48)]
    return "\n".join(out + [f"ZPT|0000000042|{len(out) - 1}||1|20260210010203|"]) + "\n"


DF2 = "#F2\n#O " + mf.mpan(0) + "-E25A000417\n#S 2\n" + "".join(
    f"{when:%d/%m/%Y,%H:%M},{i}.5,A\n" for i, when in enumerate(stamps("2026-06-01", 49, 30, 30)))

def by_hour(numbering, date="%d/%m/%Y", header="MPAN,Date,Hour,kWh"):
    """A row per hour over the day on which the clocks go back, with the number of its hour."""
    zone = zoneinfo.ZoneInfo("Europe/London")
    start = datetime.datetime(2025, 10, 25, tzinfo=zone).astimezone(datetime.timezone.utc)
    rows = [header]
    for i in range(24 + 25 + 24):
        when = (start + datetime.timedelta(hours=i)).astimezone(zone)
        end = (start + datetime.timedelta(hours=i + 1)).astimezone(zone)
        day = (end - datetime.timedelta(hours=1)) if numbering == "ends" and not end.hour else when
        number = {"starts": when.hour, "ordinals": when.hour + 1, "ends": end.hour or 24,
                  "marked": f"{when.hour + 1}{'*' * when.fold}",
                  "counted": i % 24 + 1 if i < 24 else (i - 24) % 25 + 1 if i < 49 else i - 48,
                  "minutes": f"{when.hour},0"}[numbering]
        rows.append(f"{M}{day.strftime(date)},{number},{100 + i * 37}.5")
    return "\n".join(rows) + "\n"


# what is in them; the value of one row, which is broken and then mended; what is said with the file
FILES = {
    "a row per day": ("\n".join(wide(NUMBERS)), "52.25", {}),
    "columns by the clock": ("\n".join(wide(TIMES)), "52.25", {}),
    "columns of UTC, as March shows": ("\n".join(wide(TIMES, "2025-03-29")), "112.25", {}),
    "numbers of UTC, as March shows": ("\n".join(wide(NUMBERS, "2025-03-29", 9)[1:]), "112.25", {}),
    "decimal commas": ("\n".join(wide(NUMBERS, delimiter=";", point=",")), "52,25", {}),
    "no header": ("\n".join(wide(NUMBERS)[1:]), "52.25", {}),
    "no header, with flags": ("\n".join(
        ",".join([mf.mpan(0), day.isoformat(), *(f"{d * 50 + p}.25,A" for p in range(48))])
        for d, day in enumerate(mf.days("2026-02-01", 3))), "52.25", {}),
    "no header, a row per reading": (by_reading("", before=M).strip(), "259.5", {}),
    "no header, no meter": (by_reading("").strip(), "259.5", {"meter": "M-1"}),
    "no header, 15 minutes": ("\n".join(
        ",".join([mf.mpan(0), str(day), *(f"{d * 100 + p}.25" for p in range(96)),
                  str(96 * 100 * d + 48 * 95 + 24)])
        for d, day in enumerate(mf.days("2026-02-01", 3))), "102.25", {}),
    "columns of an hour": ("\n".join(
        ["MPAN,Date," + ",".join(f"{i:02d}:00" for i in range(24))] + [
            ",".join([mf.mpan(0), str(day), *(f"{d * 100 + p}.25" for p in range(24))])
            for d, day in enumerate(mf.days("2026-02-01", 3))]), "102.25", {}),
    "units below the header": ("\n".join(
        [(lines := wide(TIMES))[0], ",," + ",".join(["Wh"] * 48), *lines[1:]]), "52.25", {}),
    "numbers below a line of times": ("\n".join(
        [",," + ",".join([*TIMES[1:], "00:00", "01:30", "02:00"]),
         "MPAN,Date," + ",".join(map(str, range(1, 51)))]
        + [",".join([mf.mpan(0), str(day), *(f"{d * 50 + p}.25" for p in range(50))])
           for d, day in enumerate(mf.days("2025-10-26", 1))]
        + [",".join([mf.mpan(0), str(day), *(f"{d * 50 + p}.75" for p in range(48)), "", ""])
           for d, day in enumerate(mf.days("2025-10-27", 2))]), "49.25", {}),
    "the meter above the table": ("MPAN: " + mf.mpan(0) + "\n" + by_reading("Date,kWh"), "259.5", {}),
    "the meter given": (by_reading("Date,kWh"), "259.5", {"meter": "Pump house, 2"}),
    "the channel given": (by_reading("MPAN,Date,kWh", before=M), "259.5", {"channel": "AE"}),
    "the channel above the table": ("Channel: RE\n" + by_reading("MPAN,Date,Value", before=M),
                                    "259.5", {}),
    "the unit given": (by_reading("Site,Date,Value", before="Depot,",
                                  value=lambda i: str(1000 + i % 7 * 501)), "4006", {"unit": "Wh"}),
    "period ends": (by_reading("MPAN,Date,kWh", shift=30, before=M), "259.5", {}),
    "period ends, given": (by_reading("MPAN,Date,kWh", count=20, before=M), "259.5",
                           {"labels": "end"}),
    "midnight closes its date": ("MPAN,Date,Time,kWh\n" + "".join(
        f"{M}{when - datetime.timedelta(minutes=30):%d/%m/%Y},{when:%H:%M},{i * 37 % 1000}.5\n"
        for i, when in enumerate(stamps("2026-02-03", 96, 30, 30))), "739.5", {}),
    "5 minutes": (by_reading("MPAN,Date,kWh", count=600, minutes=5, before=M), "259.5", {}),
    "hours": (by_reading("MPAN,Date,kWh", count=72, minutes=60, before=M), "259.5", {}),
    "daily, at midnight": (by_reading("MPAN,Date,kWh", count=20, minutes=1440, before=M),
                           "259.5", {}),
    "daily": (mf.daily(2), str(mf.value(1, mf.days("2026-02-01", 4)[3], 0)), {}),
    "month before day": (by_reading("MPAN,Date,kWh", first="2026-02-03", count=48 * 20,
                                    form="%m/%d/%Y %H:%M", before=M), "259.5", {}),
    "UTC, as March shows": (by_reading("MPAN,Date,kWh", first="2025-03-30", count=480,
                                       form="%Y-%m-%d %H:%M", before=M), "259.5", {}),
    "UTC, said below": (by_reading("MPAN,Date,kWh", first="2025-06-03", before=M)
                        + "Report Time Zone: UTC\n", "259.5", {}),
    "a zone given": (by_reading("MPAN,Date,kWh", first="2025-06-03", before=M), "259.5",
                     {"timezone": "Europe/Paris"}),
    "settlement periods": ("MPAN,Settlement Date,Settlement Period,kWh\n" + "".join(
        f"{M}2026-02-0{1 + i // 48},{i % 48 + 1},{i * 37 % 1000}.5\n" for i in range(96)), "259.5", {}),
    "settlement periods from 0": ("MPAN,Settlement Date,Settlement Period,kWh\n" + "".join(
        f"{M}2026-02-0{1 + i // 48},{i % 48},{i * 37 % 1000}.5\n" for i in range(96)), "259.5", {}),
    **{f"hours, {numbering}, {at}": (by_hour(numbering), f"{100 + at * 37}.5", {})
       for numbering in ("starts", "ordinals", "ends", "counted", "marked") for at in (5, 25, 26, 48)},
    "hours and minutes": (by_hour("minutes", header="MPAN,Date,Hour,Minute,kWh"), "285.5", {}),
    "hours of a date in three columns": (
        by_hour("ordinals", "%Y,%b,%d", "MPAN,Year,Month,Day,Hour Ending,kWh"), "1062.5", {}),
    "dates in three columns": ("\n".join(
        [",".join(["MPAN", "Year", "Month", "Day", *NUMBERS])] + [
            ",".join([mf.mpan(0), f"{day:%Y,%m,%d}", *(f"{d * 50 + p}.25" for p in range(48))])
            for d, day in enumerate(mf.days("2026-02-01", 3))]), "52.25", {}),
    "D0036": (dtc(mf.days("2026-02-01", 3)), "52.5", {}),
    "DF2": (DF2, ",7.5,", {}),
}


def long_day(newest_first=False, shift=0):
    """Local stamps over the day on which the clocks go back."""
    zone = zoneinfo.ZoneInfo("Europe/London")
    start = datetime.datetime(2025, 10, 25, tzinfo=zone).astimezone(datetime.timezone.utc)
    rows = [f"{M}{(start + datetime.timedelta(minutes=30 * i + shift)).astimezone(zone):%d/%m/%Y %H:%M}"
            f",{i}.5\n" for i in range(48 + 50)]
    return "MPAN,Read Date,kWh\n" + "".join(reversed(rows) if newest_first else rows)


@pytest.mark.parametrize("newest_first", [False, True])
@pytest.mark.parametrize("shift", [0, 30])
def test_rows_of_the_repeated_hour_know_which_it_was(server, newest_first, shift):
    """By themselves the two rows of a time that the clock shows twice are alike."""
    content = long_day(newest_first, shift)
    hours = ["first", "first", "second", "second"]
    for place, hour in enumerate(hours, 50 - shift // 30):
        [table] = mend(server, content, content.replace(f",{place}.5\n", f",{BAD}\n"), f"{place}.5")
        assert f" hour={hour}\"," in table
    both = content
    for place in range(50, 53):
        both = both.replace(f",{place}.5\n", f",{BAD}{place}.5\n")
    [table] = mend(server, content, both, "")
    assert " hour=first\"," in table and " hour=second\"," in table
    assert " hour=" not in mend(server, content, content.replace(",20.5\n", f",{BAD}\n"), "20.5")[0]


def rejected(server, job, part=1):
    table = server.get(f"{server.admin}/status/{job['batch_id']}/failed-rows.csv?part={part}")
    assert table.status_code == 200, table.text
    return table.text


def mend(server, content, broken, original, filename="data.csv", parts=1, **said):
    """Imports the file, and then the broken one and its rejected rows, mended: they are the same."""
    server.empty()
    whole = server.import_file(content, filename, **said)
    assert (whole["status"], whole["failed_rows"]) == ("completed", 0), whole
    expected = readings(server)
    server.empty()
    job = server.import_file(broken, filename, **said)
    assert job["status"] == "completed" and job["failed_rows"] > 0
    assert readings(server) != expected
    tables = [rejected(server, job, i + 1) for i in range(parts)]
    for table in tables:
        again = server.import_file(table.replace(BAD, original).encode(), "corrected.csv")
        assert again["status"] == "completed", again["error_message"]
        assert again["failed_rows"] == 0, server.sql("SELECT line, message FROM import_errors")
    assert readings(server) == expected
    return tables


@pytest.mark.parametrize("name", FILES)
def test_mended_rows_are_read_as_those_of_the_whole_file(server, name):
    content, value, said = FILES[name]
    if value.startswith(","):
        broken, original = content.replace(value, f",{BAD},", 1), value[1:-1]
    else:
        broken, original = content.replace(f"{value}", BAD, 1), value
    assert broken != content
    mend(server, content, broken, original, **said)


@pytest.mark.parametrize("name", ["a row per day", "5 minutes", "no header", "D0036"])
def test_what_is_still_wrong_is_shown_again(server, name):
    """Rows that are uploaded as they came are rejected for the same reason, and their list has
    neither more columns nor other cells than the first."""
    content, value, said = FILES[name]
    server.empty()
    job = server.import_file(content.replace(value, BAD, 1), **said)
    first = rejected(server, job)
    again = server.import_file(first.encode(), parent_batch_id=job["batch_id"])
    assert (again["imported_rows"], again["failed_rows"]) == (0, 1)
    page = server.get(f"{server.admin}/status/{again['batch_id']}").text
    assert BAD in page and f'status/{job["batch_id"]}"' in page
    second = rejected(server, again)
    rows = [list(csv.reader(io.StringIO(table))) for table in (first, second)]
    assert rows[0][0] == rows[1][0]
    assert rows[0][1][:-4] == rows[1][1][:-4] and rows[0][1][-2] == rows[1][1][-2]


def test_a_row_of_utc_among_local_ones_is_not_read_by_itself(server):
    """In a file of its own it would show another zone than its file, which contradicts itself."""
    server.empty()
    lines = wide(TIMES, "2025-03-30", 1)
    local = lines[1].split(",")
    local[0], local[4], local[5] = mf.mpan(1), "", ""
    job = server.import_file("\n".join([*lines, ",".join(local)]))
    assert (job["imported_rows"], job["failed_rows"]) == (1, 1), job
    again = server.import_file(rejected(server, job).encode())
    assert (again["imported_rows"], again["failed_rows"]) == (0, 1), again


def sheet(*rows):
    return [list(row) for row in rows]


def workbook(sheets):
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        page = book.create_sheet(name)
        for row in rows:
            page.append(row)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def sheets(value):
    days = mf.days("2026-02-01", 3)
    half_hours = [["Mpan", "Settlement Date", *range(1, 49)]] + [
        [mf.mpan(0), day, *[1.5] * 47, value if i == 1 else 2.5] for i, day in enumerate(days)]
    daily = [["Meter", "Read Date", "Consumption (kWh)"]] + [
        [mf.mpan(1), day, value if i == 1 else 10.5] for i, day in enumerate(days)]
    return {"AI": half_hours, "RE": half_hours, "Gas": daily}


def test_sheets_of_different_layouts(server):
    """A file for each header: AI and RE differ by the column that says so."""
    tables = mend(server, workbook(sheets(7.5)), workbook(sheets(BAD)), "7.5", "data.xlsx", parts=3)
    assert [table.splitlines()[0].split(",")[0] for table in tables] == ["Mpan", "Mpan", "Meter"]
    assert ",Channel,rejected_line" in tables[1] and ",Channel," not in tables[0]
    job = max(server.sql("SELECT batch_id, id FROM import_jobs WHERE filename = 'data.xlsx'"),
              key=lambda row: row[1])[0]
    page = server.get(f"{server.admin}/status/{job}").text
    assert all(f"failed-rows.csv?part={i}" in page for i in (1, 2, 3)) and "sheet “Gas”" in page
    assert server.get(f"{server.admin}/status/{job}/failed-rows.csv?part=4").status_code == 404
    assert server.get(f"{server.admin}/status/{job}/failed-rows.csv?part=x").status_code == 400


def test_rows_below_another_header_are_a_file_of_their_own(server):
    """Nothing needs to be corrected in them."""
    server.empty()
    other = by_reading("MPAN,Start,End,kWh", before=M, value=lambda i: "", count=0)
    other += "".join(f"{M}{when:%d/%m/%Y %H:%M},{when + datetime.timedelta(minutes=30):%d/%m/%Y %H:%M},"
                     f"{i}.5\n" for i, when in enumerate(stamps("2026-03-01", 48)))
    job = server.import_file("\n".join(wide(NUMBERS)).replace("52.25", BAD, 1) + "\n" + other)
    assert (job["imported_rows"], job["failed_rows"]) == (2, 50), job["error_message"]
    page = server.get(f"{server.admin}/status/{job['batch_id']}").text
    assert "from line 5 on" in page
    table = rejected(server, job, 2)
    assert table.startswith("MPAN,Start,End,kWh,") and len(table.splitlines()) == 49
    again = server.import_file(table.encode())
    assert (again["imported_rows"], again["failed_rows"]) == (48, 0)
    assert again["summary"]["date_from"] == "2026-03-01"


def test_rows_that_are_cut_off_stay_wrong_until_they_are_completed(server):
    """Blank cells behind what is left of them would be missing values."""
    server.empty()
    lines = wide(NUMBERS)
    whole, lines[2] = lines[2], ",".join(lines[2].split(",")[:49])
    job = server.import_file("\n".join(lines))
    assert job["failed_rows"] == 1
    table = rejected(server, job)
    again = server.import_file(table)
    assert (again["imported_rows"], again["failed_rows"]) == (0, 1), again
    mended = table.replace(",(cut off)", "," + whole.split(",")[49])
    assert server.import_file(mended)["imported_rows"] == 1


def test_a_line_that_is_cut_off_before_its_value_stays_wrong(server):
    server.empty()
    job = server.import_file(DF2.replace(",7.5,A", ""))
    assert job["failed_rows"] == 1
    table = rejected(server, job)
    again = server.import_file(table)
    assert (again["imported_rows"], again["failed_rows"]) == (0, 1), again
    mended = table.replace("(cut off),(cut off)", "7.5,A")
    assert server.import_file(mended)["imported_rows"] == 1


def test_nothing_runs_as_a_formula(server):
    lines = wide(["Site", *NUMBERS])
    rows = []
    for n, site in enumerate(["=1+1", "@SUM(A1)", "-2+3", "+cmd|'x'!A1", '"=1,1"', '" a"', "-5.5",
                              "-", "+44,5", "it's"]):
        cells = lines[1].split(",")
        rows.append(",".join([*cells[:1], f"2026-03-{n + 1:02d}", site.replace("+44,5", '"+44,5"'),
                              *cells[2:]]).replace(",7.25,", f",{BAD},"))
    server.empty()
    job = server.import_file("\n".join([lines[0], *rows]))
    assert job["failed_rows"] == len(rows)
    sites = [row[2] for row in csv.reader(io.StringIO(rejected(server, job)))][1:]
    assert sites == ["'=1+1", "'@SUM(A1)", "'-2+3", "'+cmd|'x'!A1", "'=1,1", " a", "-5.5", "-",
                     "+44,5", "it's"]


def test_a_quotation_mark_that_never_closes_takes_no_other_row(server):
    server.empty()
    lines = wide(NUMBERS)
    lines[2] = lines[2].replace("52.25", BAD)
    lines[3] = lines[3].replace(",", ',"', 1)
    job = server.import_file("\n".join(lines))
    rows = list(csv.reader(io.StringIO(rejected(server, job))))
    assert len(rows) == 3 and all(len(row) == len(rows[0]) for row in rows)
    assert rows[2][1] == '"2026-02-03'


def test_the_column_read_as_must_stay_as_it_is(server):
    server.empty()
    content, value, _ = FILES["5 minutes"]
    job = server.import_file(content.replace(value, BAD, 1))
    table = rejected(server, job)
    assert "interval=5 labels=start timezone=local" in table
    refused = server.import_file(table.replace("interval=5", "interval=7"))
    assert refused["status"] == "failed" and "Read as" in refused["error_message"]

"""The files that the chaos tests import: one of each layout, with rejected rows, over meters of
their own, so that what they leave does not depend on the order in which they are imported.

Each is large enough for a process to be killed while it is being read.
"""

import gzip
import io
import json

import openpyxl

import meterfiles as mf

FIRST = "2025-05-01"  # no clock change within the months that follow
PERIODS = range(48)


def cells(meter, day, turn):
    """A day's values as text. They depend on meter, day and turn (what a later file corrects)."""
    start = (meter * 37 + day.toordinal() * 11 + turn * 501) % 4000
    return [f"{(start + 7919 * p) % 400}.{p:02d}5" for p in PERIODS]


def wide(first_meter, meters, days, turn=0, bad_every=97):
    lines = ["MPAN,Date," + ",".join(f"HH{p + 1:02d}" for p in PERIODS)]
    for m in range(first_meter, first_meter + meters):
        for day in mf.days(FIRST, days):
            values = cells(m, day, turn)
            if len(lines) % bad_every == 0:
                values[11] = "n/k?"
            lines.append(f"{mf.mpan(m)},{day.isoformat()}," + ",".join(values))
    return "\r\n".join(lines) + "\r\n"


def long(first_meter, meters, days):
    lines = ["MPAN,ReadDateTime,ReadValue,Unit,ReadingType"]
    for m in range(first_meter, first_meter + meters):
        for day in mf.days(FIRST, days):
            for p, value in zip(PERIODS, cells(m, day, 0)):
                flag = "E" if (m + p) % 5 == 0 else "A"
                value = "?" if len(lines) % 911 == 0 else value
                lines.append(f"{mf.mpan(m)},{day.isoformat()} {p // 2:02d}:{p % 2 * 30:02d}:00,"
                             f"{value},kWh,{flag}")
    return "\n".join(lines) + "\n"


def daily(first_meter, meters, days):
    lines = ["MPAN,Date,Reading"]
    for m in range(first_meter, first_meter + meters):
        for day in mf.days(FIRST, days):
            date = "31/02/2025" if len(lines) % 89 == 0 else day.strftime("%d/%m/%Y")
            lines.append(f"{mf.mpan(m)},{date},{cells(m, day, 0)[0]}")
    return "\n".join(lines) + "\n"


def df2(first_meter, meters, days):
    """Times are in UTC and those at which the half-hour ends: here the days of winter."""
    lines = ["#F2"]
    for m in range(first_meter, first_meter + meters):
        lines += [f"#O {mf.mpan(m)}-E25A{m:06d}", "#S 1"]
        for day in mf.days("2025-11-03", days):
            for p, value in zip(PERIODS, cells(m, day, 0)):
                value = "x" if len(lines) % 499 == 0 else value
                lines.append(f"{day:%d/%m/%Y},{p // 2:02d}:{p % 2 * 30:02d},{value},A")
    return "\r\n".join(lines) + "\r\n"


def d0036(first_meter, meters, days):
    lines = ["ZHV|0000000077|D0036001|C|CHAA|X|CHBB|20251129010203||||OPER|"]
    for m in range(first_meter, first_meter + meters):
        lines.append(f"101|{mf.mpan(m)}|AI|CHAA|")
        for day in mf.days(FIRST, days):
            lines.append(f"102|{day:%Y%m%d}|")
            lines += [f"103|{'E' if p == m % 48 else 'A'}|{value}|"
                      for p, value in zip(PERIODS, cells(m, day, 0))]
    # header and trailer are not counted
    lines.append(f"ZPT|0000000077|{len(lines) - 1}||{meters}|20251129010203|")
    return "\r\n".join(lines) + "\r\n"


def workbook(first_meter, meters, days):
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("Readings")
    sheet.append(["MPAN", "Date"] + [f"HH{p + 1:02d}" for p in PERIODS])
    for m in range(first_meter, first_meter + meters):
        for day in mf.days(FIRST, days):
            sheet.append([mf.mpan(m), day.isoformat()] + [float(v) for v in cells(m, day, 0)])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def objects(first_meter, meters, days):
    rows = [{"MPAN": mf.mpan(m), "Date": day.isoformat(), "MeasurementQuantity": "AI",
             **{f"P{p + 1}": value for p, value in zip(PERIODS, cells(m, day, 0))}}
            for m in range(first_meter, first_meter + meters) for day in mf.days(FIRST, days)]
    return json.dumps({"data": rows}, indent=0)


def base():
    """What is in the database before: some of the days that corrections.csv then changes."""
    return {"base.csv": wide(700, 32, 60, bad_every=10 ** 9)}


def all_layouts(scale=1.0):
    """File name → content, as text or bytes."""
    def days(count):
        return max(3, int(count * scale))

    files = {
        "wide.csv": wide(0, 60, days(150)),
        "corrections.csv": wide(700, 20, days(150), turn=1),
        "preview.csv": wide(720, 20, days(100), turn=2),  # a dry run
        "long.csv": long(100, 8, days(100)),
        "daily.csv": daily(200, 60, days(150)),
        "stark.df2": df2(300, 8, days(80)),
        "flow.txt": d0036(400, 40, days(60)),
        "book.xlsx": workbook(500, 12, days(60)),
        "objects.json": objects(600, 20, days(80)),
        "packed.csv.gz": gzip.compress(wide(800, 40, days(100)).encode(), 1, mtime=0),
    }
    return {name: text if isinstance(text, bytes) else text.encode()
            for name, text in files.items()}

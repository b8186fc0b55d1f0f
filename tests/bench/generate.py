"""The files that `make bench` measures with: the same bytes on every machine.

Every value is taken from one list of readings that a linear congruential generator makes: 0.000 to
99.999 kWh with three decimals, most of them small, as households and small businesses use
electricity. Meters have valid, invented MPANs. Wide and daily files are in the order in which
portals export them: one meter after the other, each by date. The days are of a winter, so that
every one of them has 48 half-hours and the number of readings is the number of cells.

    wide        MPAN,Date,HH01 ... HH48                      one row for each meter and day
    long        MPAN,ReadDateTime,ReadValue,Unit,ReadingType one row for each half-hour
    daily       MPAN,Date,Reading                            one row for each day
    workbook    wide, as Excel stores it: MPANs as shared strings, dates and values as numbers
    normalised  mpan,date,period,value                       what the databases' own loaders get
"""

import datetime
import io
import pathlib
import sys
import zipfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from meterfiles import mpan  # noqa: E402

DAYS_PER_METER = 100
FIRST_DAY = datetime.date(2025, 11, 3)
PERIODS = 48
VALUES = 1 << 18
CHUNK = 4096

DATES = [FIRST_DAY + datetime.timedelta(i) for i in range(DAYS_PER_METER)]
# daily files go further back: one total a day is little
DAILY_DATES = [datetime.date(2024, 1, 1) + datetime.timedelta(i) for i in range(500)]


def readings():
    """The list of values, as text."""
    state, out = 20260101, []
    for _ in range(VALUES):
        state = (state * 6364136223846793005 + 1442695040888963407) % (1 << 64)
        number = state >> 33
        limit = (1000, 1000, 10000, 100000)[number & 3]
        out.append(f"{(number >> 2) % limit / 1000:.3f}")
    return out


class Readings:
    """Slices of the list, each of PERIODS values, joined by commas."""

    def __init__(self):
        self.values = readings()
        self.joined = [",".join(self.values[i:i + PERIODS])
                       for i in range(0, VALUES - PERIODS, PERIODS)]

    def row(self, number):
        return self.joined[number * 7919 % len(self.joined)]


def write(path, lines):
    """Writes lines, a chunk at a time."""
    with open(path, "w", encoding="ascii", newline="") as out:
        chunk = []
        for line in lines:
            chunk.append(line)
            if len(chunk) == CHUNK:
                out.write("\n".join(chunk) + "\n")
                chunk = []
        if chunk:
            out.write("\n".join(chunk) + "\n")


def changed(text):
    """Another value with as many digits."""
    return text[:-1] + ("1" if text[-1] != "1" else "2")


def wide_rows(readings_of, days, every=0):
    """(mpan, date, values joined by commas) of `days` meter-days; with `every`, each reading whose
    number is a multiple of it is another one."""
    meter, dates = None, [day.isoformat() for day in DATES]
    for number in range(days):
        if number % DAYS_PER_METER == 0:
            meter = mpan(number // DAYS_PER_METER)
        text = readings_of.row(number)
        if every:
            cells = text.split(",")
            for i in range(-number * PERIODS % every, PERIODS, every):
                cells[i] = changed(cells[i])
            text = ",".join(cells)
        yield meter, dates[number % DAYS_PER_METER], text


def wide_header():
    return "MPAN,Date," + ",".join(f"HH{i:02d}" for i in range(1, PERIODS + 1))


def write_wide(path, readings_of, days, every=0):
    def lines():
        yield wide_header()
        for meter, date, text in wide_rows(readings_of, days, every):
            yield f"{meter},{date},{text}"

    write(path, lines())


def write_wide_of_size(path, readings_of, size):
    """As many whole rows as fit into `size` bytes; returns how many."""
    count = 0
    with open(path, "w", encoding="ascii", newline="") as out:
        left = size - out.write(wide_header() + "\n")
        chunk = []
        for meter, date, text in wide_rows(readings_of, size):
            line = f"{meter},{date},{text}\n"
            if len(line) > left:
                break
            left -= len(line)
            count += 1
            chunk.append(line)
            if len(chunk) == CHUNK:
                out.write("".join(chunk))
                chunk = []
        out.write("".join(chunk))
    return count


def write_wide_normalised(path, readings_of, days):
    def lines():
        for meter, date, text in wide_rows(readings_of, days):
            for period, value in enumerate(text.split(","), 1):
                yield f"{meter},{date},{period},{value}"

    write(path, lines())


def write_long(path, readings_of, count):
    times = [f"{p // 2:02d}:{p % 2 * 30:02d}:00" for p in range(PERIODS)]

    def lines():
        yield "MPAN,ReadDateTime,ReadValue,Unit,ReadingType"
        for number, (meter, date, text) in enumerate(wide_rows(readings_of, -(-count // PERIODS))):
            for period, value in enumerate(text.split(",")[:count - number * PERIODS]):
                yield f"{meter},{date} {times[period]},{value},kWh,A"

    write(path, lines())


def write_long_normalised(path, readings_of, count):
    def lines():
        for number, (meter, date, text) in enumerate(wide_rows(readings_of, -(-count // PERIODS))):
            for period, value in enumerate(text.split(",")[:count - number * PERIODS], 1):
                yield f"{meter},{date},{period},{value}"

    write(path, lines())


def daily_rows(readings_of, count, form):
    dates, meter = [day.strftime(form) for day in DAILY_DATES], None
    for number in range(count):
        if number % len(dates) == 0:
            meter = mpan(number // len(dates))
        yield meter, dates[number % len(dates)], readings_of.values[number * 7919 % VALUES]


def write_daily(path, readings_of, count):
    def lines():
        yield "MPAN,Date,Reading"
        for row in daily_rows(readings_of, count, "%d/%m/%Y"):
            yield ",".join(row)

    write(path, lines())


def write_daily_normalised(path, readings_of, count):
    write(path, (f"{meter},{date},1,{value}"
                 for meter, date, value in daily_rows(readings_of, count, "%Y-%m-%d")))


# ---- workbook -----------------------------------------------------------------------------------

XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
DOCUMENT = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
SHEETS = "application/vnd.openxmlformats-officedocument.spreadsheetml"

PARTS = {
    "[Content_Types].xml":
        f'<Types xmlns="{PACKAGE}/content-types">'
        '<Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{SHEETS}.sheet.main+xml"/>'
        f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{SHEETS}.worksheet+xml"/>'
        f'<Override PartName="/xl/styles.xml" ContentType="{SHEETS}.styles+xml"/>'
        f'<Override PartName="/xl/sharedStrings.xml" ContentType="{SHEETS}.sharedStrings+xml"/>'
        '</Types>',
    "_rels/.rels":
        f'<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="rId1" '
        f'Type="{DOCUMENT}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    "xl/workbook.xml":
        f'<workbook xmlns="{MAIN}" xmlns:r="{DOCUMENT}"><sheets>'
        '<sheet name="Readings" sheetId="1" r:id="rId1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels":
        f'<Relationships xmlns="{PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{DOCUMENT}/worksheet" Target="worksheets/sheet1.xml"/>'
        f'<Relationship Id="rId2" Type="{DOCUMENT}/styles" Target="styles.xml"/>'
        f'<Relationship Id="rId3" Type="{DOCUMENT}/sharedStrings" Target="sharedStrings.xml"/>'
        '</Relationships>',
    # style 1 is a date: number format 14
    "xl/styles.xml":
        f'<styleSheet xmlns="{MAIN}"><fonts count="1"><font/></fonts><fills count="1"><fill/>'
        '</fills><borders count="1"><border/></borders><cellStyleXfs count="1"><xf/>'
        '</cellStyleXfs><cellXfs count="2"><xf numFmtId="0"/>'
        '<xf numFmtId="14" applyNumberFormat="1"/></cellXfs></styleSheet>',
}


def column_name(number):
    name = ""
    while number:
        number, digit = divmod(number - 1, 26)
        name = chr(ord("A") + digit) + name
    return name


def shortest(text):
    """The number as Excel stores it: 1.5 for 1.500."""
    return text.rstrip("0").rstrip(".")


def write_workbook(path, readings_of, days):
    columns = [column_name(i) for i in range(1, PERIODS + 3)]
    strings = wide_header().split(",")
    meters = -(-days // DAYS_PER_METER)
    strings += [mpan(i) for i in range(meters)]
    first = (DATES[0] - datetime.date(1899, 12, 30)).days

    def rows():
        yield '<row r="1" spans="1:50">' + "".join(
            f'<c r="{name}1" t="s"><v>{i}</v></c>' for i, name in enumerate(columns)) + "</row>"
        for number, (_, _, text) in enumerate(wide_rows(readings_of, days)):
            row = number + 2
            cells = "".join(
                f'<c r="{name}{row}"><v>{shortest(value)}</v></c>'
                for name, value in zip(columns[2:], text.split(",")))
            yield (f'<row r="{row}" spans="1:50"><c r="A{row}" t="s">'
                   f'<v>{PERIODS + 2 + number // DAYS_PER_METER}</v></c>'
                   f'<c r="B{row}" s="1"><v>{first + number % DAYS_PER_METER}</v></c>'
                   f'{cells}</row>')

    def part(archive, name):
        info = zipfile.ZipInfo(name)  # dated 1980: the same bytes always
        info.compress_type = zipfile.ZIP_DEFLATED
        return archive.open(info, "w", force_zip64=False)

    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for name, content in PARTS.items():
            with part(archive, name) as out:
                out.write((XML + content).encode())
        with part(archive, "xl/sharedStrings.xml") as out:
            out.write((XML + f'<sst xmlns="{MAIN}" count="{days + PERIODS + 2}" '
                       f'uniqueCount="{len(strings)}">'
                       + "".join(f"<si><t>{s}</t></si>" for s in strings) + "</sst>").encode())
        with part(archive, "xl/worksheets/sheet1.xml") as raw, io.BufferedWriter(raw, 1 << 20) as out:
            out.write((XML + f'<worksheet xmlns="{MAIN}"><sheetData>').encode())
            for row in rows():
                out.write(row.encode())
            out.write(b"</sheetData></worksheet>")

"""Invented meter files for tests."""

import datetime
import zoneinfo
from decimal import Decimal

WEIGHTS = (3, 5, 7, 13, 17, 19, 23, 29, 31, 37, 41, 43)


def mpan(n):
    """The n-th invented MPAN core, with a right check digit."""
    digits = f"{20 + n % 4}{990000000 + n:010d}"[:12]
    return digits + str(sum(int(d) * w for d, w in zip(digits, WEIGHTS)) % 11 % 10)


def days(first, count):
    start = datetime.date.fromisoformat(first)
    return [start + datetime.timedelta(i) for i in range(count)]


def tomorrow():
    """In the meters' time zone: the day after this machine's own may have begun there already."""
    return (datetime.datetime.now(zoneinfo.ZoneInfo("Europe/London")).date()
            + datetime.timedelta(1)).isoformat()


def value(meter, day, period):
    """A value that differs for every reading, with up to three decimals."""
    return Decimal((meter * 7919 + day.toordinal() * 104729 + period * 31) % 100000) / 1000


def wide(meters=2, first="2026-02-01", count=7, columns=48, labels=None):
    labels = labels or [f"HH{i:02d}" for i in range(1, columns + 1)]
    out = ["MPAN,Date," + ",".join(labels)]
    for m in range(meters):
        for day in days(first, count):
            out.append(f"{mpan(m)},{day.isoformat()}," + ",".join(
                str(value(m, day, p)) for p in range(columns)))
    return "\r\n".join(out) + "\r\n"


def wide_sum(meters=2, first="2026-02-01", count=7, columns=48):
    return sum(value(m, day, p) for m in range(meters) for day in days(first, count)
               for p in range(columns))


def long(meters=1, first="2026-02-01", count=2, flag="A"):
    out = ["MPAN,ReadDateTime,ReadValue,Unit,ReadingType"]
    for m in range(meters):
        for day in days(first, count):
            for p in range(48):
                out.append(f"{mpan(m)},{day.isoformat()} {p // 2:02d}:{p % 2 * 30:02d}:00,"
                           f"{value(m, day, p)},kWh,{flag}")
    return "\n".join(out) + "\n"


def daily(meters=2, first="2026-02-01", count=10):
    out = ["MPAN,Date,Reading"]
    for m in range(meters):
        for day in days(first, count):
            out.append(f"{mpan(m)},{day.strftime('%d/%m/%Y')},{value(m, day, 0)}")
    return "\n".join(out) + "\n"


def one_row(values, date="2026-02-01", meter=None, columns=48):
    """A wide file with one row of the given cells."""
    return ("MPAN,Date," + ",".join(f"HH{i:02d}" for i in range(1, columns + 1)) + "\n"
            + f"{meter or mpan(0)},{date}," + ",".join(map(str, values)) + "\n")

"""Shapes of files that few suppliers write, from the file to the readings that the database has."""

import json
from decimal import Decimal

import pytest

import meterfiles as mf

METER = mf.mpan(1)
DAYS = mf.days("2026-01-12", 2)


def value(n):
    return Decimal(n * n * 7331 % 4000) / 1000


def clock(day, n):
    return f"{day}T{n // 2:02d}:{n % 2 * 30:02d}:00Z"


def stamps(base):
    return [(clock(day, n), value(base + 48 * k + n))
            for k, day in enumerate(DAYS) for n in range(48)]


def imported(run, tmp_path, text, *options, name="file.txt"):
    path = tmp_path / name
    path.write_text(text)
    result = run.worker("import", path, "--json", *options)
    return json.loads(result.stdout)


def sums(run):
    """By channel, how many readings there are, and the sum of their exact values."""
    found = {}
    for channel, kwh in run.sql(
            "SELECT channel, CAST(reading_value AS VARCHAR(40)) FROM meter_readings"):
        count, total = found.get(channel, (0, Decimal(0)))
        found[channel] = count + 1, total + Decimal(kwh)
    return found


def total(base):
    return 96, sum(value(base + n) for n in range(96))


@pytest.mark.parametrize("cell", ["{}{}", "{} {}", "{} ({})", "{1}{0}"])
def test_a_flag_in_the_cell_of_its_value(run, tmp_path, cell):
    rows = "".join(f"{METER},{at},{cell.format(kwh, 'E' if n % 7 == 0 else 'A')}\n"
                   for n, (at, kwh) in enumerate(stamps(0)))
    job = imported(run, tmp_path, "MPAN,Timestamp,kWh\n" + rows)
    assert (job["status"], job["failed_rows"]) == ("completed", 0)
    assert "marks in the cells of values" in job["summary"]["evidence"]
    assert sums(run) == {"AI": total(0)}
    assert dict(run.sql("SELECT reading_type, count(*) FROM meter_readings GROUP BY 1")) == {
        "estimated": 14, "actual": 82}


def test_intervals_of_iso_8601(run, tmp_path):
    rows = "".join(f"{METER},{at}/PT30M,{kwh}\n" for at, kwh in stamps(0))
    job = imported(run, tmp_path, "MPAN,Interval,kWh\n" + rows)
    assert (job["status"], job["failed_rows"]) == ("completed", 0)
    assert sums(run) == {"AI": total(0)}


def test_json_with_a_member_for_each_channel(run, tmp_path):
    def readings(base):
        return [{"timestamp": at, "value": float(kwh)} for at, kwh in stamps(base)]

    job = imported(run, tmp_path, json.dumps(
        {"mpan": METER, "import": readings(0), "export": readings(5), "generation": readings(9)}))
    assert (job["status"], job["failed_rows"], job["skipped_rows"]) == ("completed", 0, 96)
    assert [w["code"] for w in job["summary"]["warnings"]] == ["channel-skipped"]
    assert sums(run) == {"AI": total(0), "AE": total(5)}


def test_net_energy_is_asked_about(run, tmp_path):
    text = "MPAN,Timestamp,Net (kWh)\n" + "".join(
        f"{METER},{at},{kwh - 1}\n" for at, kwh in stamps(0))
    job = imported(run, tmp_path, text)
    assert (job["status"], job["summary"]["code"]) == ("failed", "channel-open")
    assert job["summary"]["question"]["option"] == "channel"
    job = imported(run, tmp_path, text, "--channel", "AE")
    assert (job["status"], job["failed_rows"]) == ("completed", 0)
    assert sums(run) == {"AE": (96, total(0)[1] - 96)}


def test_a_midnight_that_shows_too_late_what_times_are(run, tmp_path):
    rows = "".join(
        f"{METER},{day} {'23:59' if n == 48 else f'{n // 2:02d}:{n % 2 * 30:02d}'},{value(n)}\n"
        for day in mf.days("2026-01-01", 12) for n in range(1, 49))
    text = "MPAN,Timestamp,kWh\n" + rows + f"{METER},2026-01-13 00:00,7\n"
    job = imported(run, tmp_path, text)
    assert (job["status"], job["summary"]["code"]) == ("failed", "labels-open")
    assert job["summary"]["question"]["option"] == "labels"
    job = imported(run, tmp_path, text, "--labels", "end")
    assert (job["status"], job["failed_rows"], job["readings_new"]) == ("completed", 0, 576)


def test_what_is_refused(run, tmp_path):
    reads = [str(500 + Decimal(n) / 4) for n in range(96)]
    header = ["MPAN", "Date", *(f"{n // 2:02d}:{n % 2 * 30:02d}" for n in range(48))]
    rows = [[METER, str(day), *reads[48 * k:48 * k + 48]] for k, day in enumerate(DAYS)]
    job = imported(run, tmp_path, "\n".join(",".join(row) for row in [header, *rows]) + "\n")
    assert job["summary"]["code"] == "cumulative-totals"
    job = imported(run, tmp_path, "\n".join("   ".join(row) for row in [header, *rows]) + "\n")
    assert job["summary"]["code"] == "not-meter-data"
    assert "set apart by blanks" in job["error_message"]
    assert run.sql("SELECT count(*) FROM meter_readings")[0][0] == 0

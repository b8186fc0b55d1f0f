"""The real files that others published, through the worker program into the database.

They are no part of the project: this looks for the folder shared/samples beside the checkout, where
EXPECTED.tsv says what each file must yield, and skips where there is none.
"""

import csv
import json
from decimal import Decimal

import pytest

import harness

FOLDER = harness.SOURCE.parent / "shared" / "samples"
TABLE = FOLDER / "EXPECTED.tsv"

if not TABLE.exists():
    pytest.skip("there is no shared/samples beside the checkout", allow_module_level=True)

# The table counts the row with the bad date as imported, although its note says that it is an error.
CORRECTIONS = {"es_banes_one_bad_date.csv": {"meters": "1", "readings": "48", "sum_kwh": "226.103"}}


def rows():
    with TABLE.open(newline="") as table:
        for row in csv.DictReader(table, delimiter="\t"):
            yield pytest.param({**row, **CORRECTIONS.get(row["file"], {})},
                               id=f"{row['file']} {row['options']}".strip())


def stored(run):
    """Meters, number and exact sum of the readings in kWh."""
    meters, count, total = set(), 0, Decimal(0)
    for meter, values in run.sql("SELECT meter_id, period_values FROM meter_days WHERE unit = 'kWh'"):
        values = [v for v in json.loads(values, parse_float=Decimal, parse_int=Decimal)
                  if v is not None]
        meters.add(meter)
        count += len(values)
        total += sum(values)
    return len(meters), count, total


@pytest.mark.parametrize("row", rows())
def test_expected(run, row):
    options = [f"--{option}" for option in row["options"].split()]
    answer = run.worker("import", FOLDER / row["file"], "--json", *options)
    job = json.loads(answer.stdout)
    if row["outcome"] in ("refuse", "ask"):
        assert answer.returncode == 1 and job["status"] == "failed"
        assert job["error_message"] and job["error_message"] in answer.stderr
        assert stored(run) == (0, 0, 0)
        asked = (job["summary"] or {}).get("question")
        assert bool(asked) == (row["outcome"] == "ask")
        return
    assert answer.returncode == 0, answer.stderr
    meters, count, total = stored(run)
    assert (meters, count) == (int(row["meters"]), int(row["readings"]))
    expected = Decimal(row["sum_kwh"])
    assert total.quantize(expected) == expected

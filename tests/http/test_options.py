"""What users say about a file: the same options in form, API and command line, and the question that
a file without an answer asks."""

import html
import json
import re
import subprocess

import pytest

import harness
import meterfiles as mf
from harness import wait_for

READINGS = ("Consumption (kWh), Start, End\n"
            "0.25, 2026-01-05T00:00:00+00:00, 2026-01-05T00:30:00+00:00\n"
            "0.5, 2026-01-05T00:30:00+00:00, 2026-01-05T01:00:00+00:00\n")
METER = mf.mpan(7)


@pytest.fixture(scope="module")
def server():
    with harness.serving(Workers="1") as server:
        yield server


def asked(server, content=READINGS, option="meter", **fields):
    """A job that has asked about an option."""
    job = server.import_file(content, **fields)
    assert job["status"] == "failed"
    assert job["summary"]["question"]["option"] == option
    return job


def meters(server):
    return {row[0] for row in server.sql("SELECT DISTINCT mpan FROM meter_readings")}


def test_options_of_the_form(server):
    job = server.import_file(READINGS, meter=f" {METER[:2]} {METER[2:]} ", estimates="")
    assert job["status"] == "completed", job["error_message"]
    assert job["options"] == {"meter": f"{METER[:2]} {METER[2:]}"}
    assert METER in meters(server)
    page = server.get(f"{server.admin}/status/{job['batch_id']}").text
    assert "<dt>Meter</dt>" in page and "as given" in page


def test_options_of_the_query(server):
    meter = mf.mpan(8)
    answer = server.post(f"{server.api}/jobs?filename=a.csv&meter={meter}&estimates=REPLACE",
                         data=READINGS, headers={"Content-Type": "text/csv"})
    assert answer.status_code == 202
    assert answer.json()["options"] == {"meter": meter, "estimates": "replace"}
    assert server.finished(answer.json()["batch_id"])["status"] == "completed"


def test_a_value_that_is_not_accepted(server):
    answer = server.post(f"{server.api}/jobs?estimates=sometimes", data=READINGS)
    assert answer.status_code == 400
    assert answer.json()["code"] == "bad-parameter"
    assert answer.json()["detail"] == (
        'Parameter estimates: "sometimes" is not one of keep-actual, replace.')
    answer = server.post(server.admin, files={"csv_file": ("a.csv", READINGS, "text/csv")},
                         data={"meter": "M 1", "estimates": "sometimes"})
    assert answer.status_code == 422
    assert "is not one of keep-actual, replace" in answer.text


def test_a_refused_form_keeps_the_options(server):
    answer = server.post(server.admin, data={"meter": 'M "1"', "estimates": "replace"},
                         files={"csv_file": ("", "", "text/csv")})
    assert answer.status_code == 422
    assert 'value="M &quot;1&quot;"' in answer.text
    assert re.search(r'<details class="options" open>', answer.text)
    assert re.search(r'<option value="replace" selected>', answer.text)


NONSENSE = [("no such meter!? " * 20, "319 characters; at most 99", None),
            ("\u00e9" * 60, "60 characters of the value take 120 bytes", None),
            ("Pump\thouse", "a tab, a line break or another control character", None),
            (b"\xff", "can't be decoded", b"meter=%ff")]


def field(page, name):
    return re.search(rf'<(?:input|select)[^>]* name="{name}"[^>]*>', page)[0]


@pytest.mark.parametrize("value, why, body", NONSENSE, ids=["long", "bytes", "control", "no text"])
def test_a_nonsensical_answer_is_refused_where_it_was_given(server, value, why, body):
    """On the same page, with the field marked and what was typed in it."""
    job = asked(server)
    url = f"/status/{job['batch_id']}"
    answer = server.post(server.admin + url + "/answer", data=body or {"meter": value},
                         headers={"Content-Type": "application/x-www-form-urlencoded"})
    assert answer.status_code == 422
    alert = re.search(r'role="alert" id="question-error">([^<]+)', answer.text)[1]
    assert why in html.unescape(alert)
    marked = field(answer.text, "meter")
    assert 'aria-invalid="true"' in marked and 'aria-describedby="question-error ' in marked
    if not body:
        assert alert.startswith("Meter: ")
        assert f'value="{value.strip()}' in marked
        refused = server.post(f"{server.api}/jobs/{job['batch_id']}/answer", json={"meter": value})
        assert refused.status_code == 422 and refused.json()["code"] == "bad-option"
        assert refused.headers["Content-Type"] == "application/problem+json"
        assert why in refused.json()["detail"]
    assert server.job(job["batch_id"])["status"] == "failed"
    assert "aria-invalid" not in server.get(server.admin + url).text


@pytest.mark.parametrize("value, why, body", NONSENSE, ids=["long", "bytes", "control", "no text"])
def test_a_nonsensical_option_of_the_form_is_refused_and_kept(server, value, why, body):
    before = server.get(f"{server.api}/jobs").json()["count"]
    answer = server.post(server.admin, files={"csv_file": ("a.csv", READINGS)},
                         data={"meter": value, "labels": "end", "notes": "kept"})
    assert answer.status_code == 422 and ">kept</textarea>" in answer.text
    marked = field(answer.text, "meter")
    assert 'aria-invalid="true"' in marked
    assert 'aria-describedby="option_meter_error option_meter_hint"' in marked
    why = "not text in UTF-8" if body else why
    assert why in html.unescape(re.search(r'id="option_meter_error">([^<]+)', answer.text)[1])
    assert "aria-invalid" not in field(answer.text, "labels")
    assert '<option value="end" selected>' in answer.text
    assert body or f'value="{value.strip()}' in marked
    assert server.get(f"{server.api}/jobs").json()["count"] == before


def test_a_time_zone_that_is_not_known(server):
    answer = server.post(server.admin, files={"csv_file": ("a.csv", READINGS)},
                         data={"timezone": "<Gallifrey>"})
    assert answer.status_code == 422
    assert "Time zone: &quot;&lt;Gallifrey&gt;&quot; is not a time zone" in answer.text
    assert 'value="&lt;Gallifrey&gt;"' in field(answer.text, "timezone")


def test_a_file_without_a_byte_is_named(server):
    """It may be one of several: none of them is passed over in silence."""
    before = server.get(f"{server.api}/jobs").json()["count"]
    answer = server.post(server.admin, files=[("csv_file", ("a.csv", READINGS)),
                                              ("csv_file", ("b <1>.csv", b""))])
    assert answer.status_code == 422
    assert "&quot;b &lt;1&gt;.csv&quot; is empty" in answer.text
    answer = server.post(f"{server.api}/jobs", files={"csv_file": ("b.csv", b"")})
    assert answer.status_code == 422 and answer.json()["code"] == "empty-file"
    assert server.get(f"{server.api}/jobs").json()["count"] == before


def test_the_question_as_a_form_without_javascript(server):
    job = asked(server, filename="no-meter.csv")
    page = server.get(f"{server.admin}/status/{job['batch_id']}").text
    form = re.search(r'<form class="card question" method="post" action="([^"]+)".*?</form>', page,
                     re.S)
    assert form and "Which meter are the readings of?" in form[0]
    assert re.search(r'<label for="answer">Meter</label>', form[0])
    assert re.search(r'<input type="text" id="answer" name="meter"[^>]* autofocus required', form[0])
    assert "Try again" not in page and "The import failed" not in page

    # nothing filled in: the page again, with why, and nothing has changed
    answer = server.post(form[1], data={"meter": " "})
    assert answer.status_code == 422 and "no value was given" in answer.text
    assert server.job(job["batch_id"])["status"] == "failed"

    meter = mf.mpan(9)
    answer = server.post(form[1], data={"meter": meter})
    assert answer.status_code == 303
    assert answer.headers["Location"].endswith(f"/status/{job['batch_id']}")
    done = server.finished(job["batch_id"])
    assert done["status"] == "completed" and done["readings_new"] == 2
    assert done["options"] == {"meter": meter} and "question" not in done["summary"]
    assert meter in meters(server)
    # the file has gone with the import: nothing is left to answer
    answer = server.post(form[1], data={"meter": meter})
    assert answer.status_code == 409


def test_an_import_that_was_undone_asks_nothing(server):
    job = asked(server, filename="undone.csv")
    assert server.post(f"{server.api}/jobs/{job['batch_id']}/undo").status_code == 202
    wait_for(lambda: server.job(job["batch_id"])["undone_at"], "the undo")
    page = server.get(f"{server.admin}/status/{job['batch_id']}").text
    assert "Undone" in page and 'class="card question"' not in page and "Try again" in page
    rows = server.get(f"{server.admin}/jobs?q=undone.csv").text
    assert "Undone" in rows and "Answer" not in rows


def test_answers_by_the_api(server):
    job = asked(server, dry_run="1")
    url = f"{server.api}/jobs/{job['batch_id']}/answer"
    for body, code in ((b"", "no-answer"), (b"[]", "bad-json"), (b"{", "bad-json"),
                       (b'{"meter": 5}', "bad-json"), (b'{"meter": ""}', "no-answer"),
                       (b'{"colour": "red"}', "unknown-option"), (b'{"a\x00', "bad-json"),
                       (b'{"estimates": "x"}', "bad-option"), (b" " * 70000, "body-too-large")):
        answer = server.post(url, data=body, headers={"Content-Type": "application/json"})
        assert (answer.status_code, answer.json()["code"]) == (422, code), body
    answer = server.post(url, data="meter", headers={"Content-Type": "text/plain"})
    assert answer.json()["code"] == "bad-content-type"
    answer = server.post(url, json={"meter": mf.mpan(10), "estimates": "replace"})
    assert answer.status_code == 202
    assert answer.json()["options"] == {"meter": mf.mpan(10), "estimates": "replace"}
    done = server.finished(job["batch_id"])
    assert done["status"] == "completed" and done["dry_run"] and done["readings_new"] == 2
    assert mf.mpan(10) not in meters(server)

    # importing it for real goes by the same answers
    real = server.post(f"{server.api}/jobs/{job['batch_id']}/import").json()
    assert server.finished(real["batch_id"])["status"] == "completed"
    assert mf.mpan(10) in meters(server)


def test_an_option_that_contradicts_the_file_can_be_taken_back(server):
    job = server.import_file(mf.wide(meters=1, count=1), meter=mf.mpan(11))
    assert job["status"] == "failed" and "names its meters itself" in job["error_message"]
    assert job["summary"]["question"]["given"] is True
    page = server.get(f"{server.admin}/status/{job['batch_id']}").text
    assert f'value="{mf.mpan(11)}"' in page
    answer = server.post(f"{server.admin}/status/{job['batch_id']}/answer", data={"meter": ""})
    assert answer.status_code == 303
    done = server.finished(job["batch_id"])
    assert done["status"] == "completed" and done["options"] is None


def test_a_job_that_asks_nothing(server):
    job = server.import_file("nothing,here\n1,2\n")
    answer = server.post(f"{server.api}/jobs/{job['batch_id']}/answer", json={"meter": "M"})
    assert answer.status_code == 409 and answer.json()["code"] == "job-state"


def test_corrected_rows_go_by_the_options_of_the_first_upload(server):
    broken = READINGS + "x, 2026-01-05T01:00:00+00:00, 2026-01-05T01:30:00+00:00\n"
    job = server.import_file(broken, meter=mf.mpan(12))
    assert job["failed_rows"] == 1
    rows = server.get(f"{server.admin}/status/{job['batch_id']}/failed-rows.csv").text
    again = server.import_file(rows.replace("\nx,", "\n0.75,"), parent_batch_id=job["batch_id"])
    assert again["status"] == "completed", again["error_message"]
    assert again["options"] == {"meter": mf.mpan(12)} and again["readings_new"] == 1


def worker_import(server, path, *args):
    return subprocess.run([str(harness.WORKER), "--config", str(server.settings_file()), "import",
                           *args, str(path)], capture_output=True, text=True, timeout=60)


def test_the_command_line(server, tmp_path):
    path = tmp_path / "portal.csv"
    path.write_text(READINGS)
    done = worker_import(server, path)
    assert done.returncode == 1
    assert "Which meter are the readings of?" in done.stderr
    assert "Give it with --meter TEXT" in done.stderr
    path.write_text(mf.wide(1, count=1))
    done = worker_import(server, path, "--labels", "end")
    assert done.returncode == 1 and "and period ends were given" in done.stderr
    assert "Leave --labels out or change it, or answer on the job's page" in done.stderr
    path.write_text(READINGS)
    done = worker_import(server, path, "--json", "--meter", mf.mpan(13), "--estimates", "replace")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["options"] == {"meter": mf.mpan(13), "estimates": "replace"}
    done = worker_import(server, path, "--estimates", "sometimes")
    assert done.returncode == 2
    assert '--estimates: "sometimes" is not one of keep-actual, replace' in done.stderr


def test_every_option_reaches_the_reader(server):
    """Each option by its effect, from the form to the database."""
    stamps = "Meter Id,Timestamp,Value\nShed,05/06/2026 00:00,30\nShed,05/06/2026 00:30,1151\n"
    job = asked(server, stamps, "unit")
    page = server.get(f"{server.admin}/status/{job['batch_id']}").text
    assert re.findall(r'<input type="radio" name="unit" value="(\w+)"', page) == [
        "kWh", "Wh", "MWh", "kVArh", "kW", "m3", "ft3", "hcf"]
    answer = server.post(f"{server.api}/jobs/{job['batch_id']}/answer",
                         json={"unit": "wh", "labels": "end", "timezone": "UTC", "channel": "AE",
                               "date_order": "mdy"})
    assert answer.status_code == 202
    assert answer.json()["options"] == {"labels": "end", "timezone": "UTC", "unit": "Wh",
                                        "channel": "AE", "date_order": "mdy"}
    done = server.finished(job["batch_id"])
    assert done["status"] == "completed", done["error_message"]
    # 00:00 UTC on 6 May ended the half-hour that began at 00:30 BST
    assert server.sql("SELECT reading_date, period_number, channel, reading_value FROM meter_readings"
                      " WHERE mpan = 'Shed' ORDER BY reading_at") == [
        ("2026-05-06", 2, "AE", 0.03), ("2026-05-06", 3, "AE", 1.151)]
    page = server.get(f"{server.admin}/status/{job['batch_id']}").text
    for words in ("End of the period", "UTC", "Wh", "Active export", "Month, day, year"):
        assert f"<dd>{words} <span" in page


def test_a_zone_that_is_not_known(server):
    answer = server.post(f"{server.api}/jobs?timezone=Europe/Atlantis", data=READINGS)
    assert answer.status_code == 400 and "Europe/Atlantis" in answer.json()["detail"]
    job = server.import_file(READINGS, meter=mf.mpan(14), timezone="America/New_York")
    assert job["summary"]["question"]["option"] == "timezone"


def test_reads_of_a_register_are_a_question(server):
    """The newest first, as a logger exports them: refused, asked about, answered on the page."""
    lines = [f'"{1 + n // 48:02}/02/2026 {n % 48 // 2:02}:{n % 2 * 30:02}:00","{12000 + n * n / 4:,.2f}"'
             for n in range(96)]
    text = "\n".join(['"Time stamp","Value (kWh)"', *reversed(lines)])
    job = server.import_file(text, meter=mf.mpan(31))
    assert (job["status"], job["summary"]["code"]) == ("failed", "cumulative-reads")
    question = job["summary"]["question"]
    assert (question["option"], question["choices"]) == ("reads", ["register"])
    page = server.get(f"{server.admin}/status/{job['batch_id']}").text
    assert "take the differences" in page
    answer = server.post(f"{server.api}/jobs/{job['batch_id']}/answer", json={"reads": "register"})
    assert answer.status_code in (200, 202), answer.text
    job = server.finished(job["batch_id"])
    assert (job["status"], job["readings_new"], job["skipped_rows"]) == ("completed", 95, 1)
    values = server.sql("SELECT reading_value FROM meter_readings JOIN meters ON meters.id = meter_id"
                        f" WHERE mpan = '{mf.mpan(31)}' ORDER BY reading_at")
    assert [round(float(v) * 100) for v, in values] == [25 + 50 * n for n in range(95)]


def test_date_order_on_the_command_line(server, tmp_path):
    path = tmp_path / "dates.csv"
    path.write_text("Meter Id,Date,kWh\nBarn,23-09-01,7\n")
    done = worker_import(server, path)
    assert "Give it with --date-order dmy|ymd" in done.stderr
    done = worker_import(server, path, "--date-order", "ymd", "--json")
    assert json.loads(done.stdout)["summary"]["date_from"] == "2023-09-01"


def test_generation_is_asked_about_and_kept_as_answered(server):
    server.empty()
    table = "MPAN,Timestamp,Generation (kWh)\n" + "".join(
        f"1000000000012,2026-02-01 {n // 2:02d}:{n % 2 * 30:02d},0.5\n" for n in range(48))
    job = server.import_file(table)
    assert (job["status"], job["summary"]["code"]) == ("failed", "channel-open")
    page = server.get(f"{server.admin}/status/{job['batch_id']}").text
    assert "Which channel are the readings to be kept as?" in page and 'name="channel"' in page
    answer = server.post(f"{server.admin}/status/{job['batch_id']}/answer", data={"channel": "AE"})
    assert answer.status_code in (200, 303)
    assert server.finished(job["batch_id"])["status"] == "completed"
    assert server.sql("SELECT channel, COUNT(*) FROM meter_readings GROUP BY channel") == [("AE", 48)]

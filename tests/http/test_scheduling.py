"""Jobs that are given a time to start at: form, API and command line, and who starts them."""

import datetime
import json
import re
import time

import pytest

import harness
import meterfiles as mf
import worker_helpers as wh

FILE = mf.daily(1, count=3)
# refused, and what is said of it; 2020 and 2021 have passed, but that is not what is wrong
WRONG = [("tonight", "is not a time to start at"), ("2026-13-01T02:00", "Europe/London"),
         ("2021-03-28T01:30", "does not exist in Europe/London"),
         ("2020-10-25T01:30", "comes twice in Europe/London"), ("2999-01-01T02:00", "366 days")]


@pytest.fixture(scope="module")
def web():
    with harness.serving(Workers="0", Wait="300") as server:
        yield server


def rfc3339(seconds_ahead):
    at = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds_ahead)
    return at.isoformat().replace("+00:00", "Z")


def microseconds(job):
    return round(datetime.datetime.fromisoformat(
        job["run_after"].replace("Z", "+00:00")).timestamp() * 1e6)


def test_the_form_takes_a_local_time_and_the_page_says_it(web):
    page = web.get(web.admin).text
    assert 'type="datetime-local" id="run_after" name="run_after"' in page
    assert "Local time in Europe/London" in page
    # without "async": there is nothing to wait for, and so the answer comes in time
    answer = web.post(web.admin, files={"csv_file": ("tonight.csv", FILE)},
                      data={"run_after": mf.tomorrow() + "T02:00"})
    assert answer.status_code == 303
    batch_id = answer.headers["Location"].rsplit("/", 1)[1]
    words = r"Waits until \d+ \w+ \d+, 02:00 (GMT|BST)"
    page = web.get(answer.headers["Location"]).text
    assert re.search(words, page) and "/run-now" in page
    page = web.get(f"{web.admin}/jobs?q={batch_id}").text
    assert re.search(words, page) and f"/status/{batch_id}/run-now" in page
    assert web.worker("run", "--once").returncode == 0
    assert web.job(batch_id)["status"] == "queued"


def test_run_now(web):
    batch_id = web.upload(FILE, run_after=rfc3339(3600))
    answer = web.post(f"{web.admin}/status/{batch_id}/run-now")
    assert answer.status_code == 303
    assert "Waits until" not in web.get(answer.headers["Location"]).text
    assert web.worker("run", "--once").returncode == 0
    assert web.job(batch_id)["status"] == "completed"
    answer = web.post(f"{web.api}/jobs/{batch_id}/run-now")
    assert (answer.status_code, answer.json()["code"]) == (409, "job-state")
    other = web.upload(FILE, run_after=rfc3339(3600))
    answer = web.post(f"{web.api}/jobs/{other}/run-now")
    assert answer.status_code == 202 and answer.json()["batch_id"] == other
    assert microseconds(answer.json()) <= time.time() * 1e6


def test_the_api_takes_a_time_with_an_offset(web):
    answer = web.post(f"{web.api}/jobs?filename=a.csv&run_after=2026-06-01T02:00%2B05:30", data=FILE)
    assert answer.status_code == 202
    assert answer.json()["run_after"] == answer.json()["queued_at"], "it has passed: now"
    wanted = rfc3339(7200)
    for answer in (web.post(f"{web.api}/jobs", params={"run_after": wanted}, data=FILE),
                   web.post(f"{web.api}/jobs", files={"csv_file": ("a.csv", FILE)},
                            data={"run_after": wanted})):
        assert answer.status_code == 202, answer.text
        assert abs(microseconds(answer.json()) / 1e6 - time.time() - 7200) < 60


@pytest.mark.parametrize("text, words", WRONG)
def test_what_is_no_time_is_refused(web, text, words):
    before = sorted(web.storage.rglob("*"))
    answer = web.post(f"{web.api}/jobs", params={"run_after": text}, data=FILE)
    assert answer.status_code == 400
    assert "run_after" in answer.json()["detail"] and words in answer.json()["detail"]
    answer = web.post(f"{web.api}/jobs", files={"csv_file": ("a.csv", FILE)},
                      data={"run_after": text})
    assert (answer.status_code, answer.json()["code"]) == (422, "bad-run-after")
    answer = web.post(web.admin, files={"csv_file": ("a.csv", FILE)}, data={"run_after": text})
    assert answer.status_code == 422
    assert words in answer.text and f'value="{text}"' in answer.text
    assert sorted(web.storage.rglob("*")) == before


def test_a_worker_sleeps_until_a_job_is_due(run):
    """It looks every 2 s; a job that is due between two looks is not that late."""
    worker = wh.Daemon(run)
    try:
        worker.wait_ready()

        def is_punctual():
            due = time.time() + 1.3
            batch_id = wh.queue(run, FILE, run_after=int(due * 1e6), due_at=int(due * 1e6))
            (run.storage / "wake").touch()
            row = wh.wait_for_status(run, batch_id, "completed", "failed")
            late = row["started_at"] / 1e6 - due
            assert late >= 0
            return late < 0.6  # 0.7, if it had looked when it was woken and 2 s later
        harness.wait_for(is_punctual, "a job that is taken when it is due")
    finally:
        worker.close()


def test_the_command_queues_and_does_not_wait(run):
    path = run.dir / "tonight.csv"
    path.write_text(FILE)
    result = run.worker("import", path, "--run-after", mf.tomorrow() + "T02:00")
    assert result.returncode == 0, result.stderr
    assert re.search(r"tonight.csv: queued; a worker imports it, not before \d+ \w+ \d+, 02:00 "
                     r"(GMT|BST)\n", result.stdout)
    result = run.worker("import", path, "--json", "--run-after", rfc3339(-5))
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["status"] == "queued"
    assert run.worker("run", "--once").returncode == 0
    assert sorted(s for (s,) in run.sql("SELECT status FROM import_jobs")) == ["completed", "queued"]


@pytest.mark.parametrize("text, words", WRONG + [("", "takes a time")])
def test_the_command_refuses_what_is_no_time(run, text, words):
    path = run.dir / "a.csv"
    path.write_text(FILE)
    result = run.worker("import", path, "--run-after", text)
    assert result.returncode == 2 and words in result.stderr and "--run-after" in result.stderr
    assert not run.database.exists()

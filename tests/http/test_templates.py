"""Import templates: saved from a job, gone by, listed, renamed, deleted; on pages and by the API."""

import re

import pytest

import harness
import meterfiles as mf

VALUES = "Timestamp,Value\n2026-01-05 00:00,30\n2026-01-05 00:30,1151\n"


@pytest.fixture
def server():
    with harness.serving(Workers="1") as server:
        yield server


def saved(server, name="Portal export", **options):
    """A template, saved on the page of a job."""
    job = server.import_file(VALUES, **(options or {"unit": "Wh"}),
                             meter="M 0")
    assert job["status"] == "completed", job["error_message"]
    page = server.get(f"{server.admin}/status/{job['batch_id']}").text
    form = re.search(r'<form class="panel" method="post" action="([^"]+/template)">', page)
    assert form and "The meter is not saved" in page
    answer = server.post(form[1], data={"name": name})
    assert answer.status_code == 303
    assert answer.headers["Location"] == f"{server.admin_path}/templates?done=saved"
    return server.get(f"{server.api}/templates").json()["templates"][0]


def test_a_file_with_the_same_header_goes_by_it(server):
    template = saved(server)
    assert template["options"] == {"unit": "Wh"} and template["uses"] == 0
    # the meter is still asked for, and answered without losing the unit
    job = server.import_file(VALUES)
    assert job["summary"]["question"]["option"] == "meter"
    assert server.post(f"{server.api}/jobs/{job['batch_id']}/answer",
                       json={"meter": "M 1"}).status_code == 202
    done = server.finished(job["batch_id"])
    assert done["status"] == "completed", done["error_message"]
    assert done["options"] == {"meter": "M 1"}
    assert done["summary"]["template"] == {"name": "Portal export", "options": {"unit": "Wh"}}
    assert server.sql("SELECT sum(reading_value) FROM meter_readings WHERE mpan = 'M 1'") == [
        (1.181,)]
    page = server.get(f"{server.admin}/status/{job['batch_id']}").text
    assert "<dt>Import template</dt>" in page and "Portal export" in page and "Unit: Wh." in page
    assert "/template\"" not in page  # nothing of its own to save
    template = server.get(f"{server.api}/templates").json()["templates"][0]
    assert template["uses"] == 1 and template["last_used_at"]


def test_what_is_given_goes_first(server):
    saved(server)
    job = server.import_file(VALUES, meter="M 2", unit="kWh")
    assert server.sql("SELECT sum(reading_value) FROM meter_readings WHERE mpan = 'M 2'") == [
        (1181,)]
    assert job["options"] == {"meter": "M 2", "unit": "kWh"}


def test_a_dry_run_is_imported_as_it_was_shown(server):
    template = saved(server)
    dry = server.import_file(VALUES, meter="M 3", dry_run="1")
    assert server.session.delete(f"{server.api}/templates/{template['id']}").status_code == 204
    real = server.post(f"{server.api}/jobs/{dry['batch_id']}/import").json()
    done = server.finished(real["batch_id"])
    assert done["status"] == "completed" and done["options"] == {"meter": "M 3", "unit": "Wh"}
    assert server.sql("SELECT sum(reading_value) FROM meter_readings WHERE mpan = 'M 3'") == [
        (1.181,)]


def test_the_page(server):
    assert "None has been saved yet" in server.get(f"{server.admin}/templates").text
    template = saved(server)
    page = server.get(f"{server.admin}/templates?done=saved").text
    assert "Portal export" in page and "Unit: Wh" in page and "Not yet" in page and "Saved." in page
    url = f"{server.admin}/templates/{template['id']}"
    answer = server.post(f"{url}/rename", data={"name": " "})
    assert answer.status_code == 422 and "1 to 100 bytes" in answer.text
    answer = server.post(f"{url}/rename", data={"name": "<b>New</b>"})
    assert answer.status_code == 303
    assert "&lt;b&gt;New&lt;/b&gt;" in server.get(f"{server.admin}/templates").text
    assert server.post(f"{url}/delete").status_code == 303
    assert server.post(f"{url}/delete").status_code == 404
    assert "was deleted" in server.get(f"{server.admin}/templates?done=deleted").text
    assert server.get(f"{server.api}/templates").json() == {"templates": [], "count": 0}


def test_a_name_that_is_taken_can_be_changed_at_once(server):
    saved(server)
    job = server.import_file("Timestamp,Value,Note\n2026-01-05 00:00,30,\n", meter="M 4",
                             unit="Wh")
    action = f"{server.admin_path}/status/{job['batch_id']}/template"
    answer = server.session.post(server.base + action, data={"name": "Portal export"},
                                 auth=("bob", harness.PASSWORD), allow_redirects=False)
    assert answer.status_code == 409 and "choose another name" in answer.text
    assert f'method="post" action="{action}"' in answer.text
    assert 'value="Portal export" maxlength="100"' in answer.text
    assert len(server.get(f"{server.api}/templates").json()["templates"]) == 1
    # with nothing to save there is nothing to be named otherwise
    plain = server.import_file(mf.wide(meters=1, count=1))
    url = f"{server.admin}/status/{plain['batch_id']}/template"
    answer = server.post(url, data={"name": "x"})
    assert answer.status_code == 409 and f"{plain['batch_id']}/template" not in answer.text


def test_whose_place_a_template_takes_is_said_before(server):
    job = server.import_file(VALUES, unit="kWh", meter="M 5")
    url = f"{server.admin}/status/{job['batch_id']}"
    assert "takes the place of" not in server.get(url).text
    saved(server)
    page = re.sub(r"<[^>]+>", "", server.get(url).text)
    assert "It takes the place of the import template “Portal export”, which alice saved" in page


def test_a_template_that_the_file_contradicts_is_passed_over(server):
    header = "MPAN,Timestamp,Value,Unit\n"
    first = server.import_file(header + f"{mf.mpan(0)},2026-01-05 00:00,300,\n", unit="Wh")
    assert first["status"] == "completed", first["error_message"]
    saving = server.post(f"{server.api}/jobs/{first['batch_id']}/template", json={"name": "In Wh"})
    assert saving.status_code == 201
    job = server.import_file(header + f"{mf.mpan(0)},2026-01-06 00:00,3,kWh\n")
    assert job["status"] == "completed", job["error_message"]
    assert "template" not in job["summary"]
    page = server.get(f"{server.admin}/status/{job['batch_id']}").text
    assert "An import template was passed over, because the file contradicts it" in page
    assert "In Wh" in page and server.sql(
        "SELECT reading_value FROM meter_readings WHERE reading_date = '2026-01-06'") == [(3,)]


def test_the_api(server):
    job = server.import_file(mf.wide(meters=1, count=1), estimates="replace")
    url = f"{server.api}/jobs/{job['batch_id']}/template"
    answer = server.post(url, json={})
    assert (answer.status_code, answer.json()["code"]) == (422, "bad-name")
    answer = server.post(url, json={"name": "Wide"})
    assert answer.status_code == 201 and answer.json()["options"] == {"estimates": "replace"}
    saved(server, "Other")
    templates = server.get(f"{server.api}/templates").json()["templates"]
    assert [t["name"] for t in templates] == ["Other", "Wide"]
    one = f"{server.api}/templates/{templates[1]['id']}"
    answer = server.session.patch(one, json={"name": "Other"})
    assert (answer.status_code, answer.json()["code"]) == (409, "name-used")
    answer = server.session.patch(one, json={"name": "Wider"})
    assert answer.status_code == 200 and answer.json()["name"] == "Wider"
    assert server.session.patch(f"{server.api}/templates/x", json={"name": "y"}).status_code == 404
    assert server.session.delete(one).status_code == 204
    assert server.session.delete(one).status_code == 404
    answer = server.get(one)
    assert answer.status_code == 405 and answer.headers["Allow"] == "PATCH, DELETE, OPTIONS"


def test_nothing_to_save(server):
    job = server.import_file(mf.wide(meters=1, count=1))
    page = server.get(f"{server.admin}/status/{job['batch_id']}").text
    assert "Save the options" not in page
    answer = server.post(f"{server.api}/jobs/{job['batch_id']}/template", json={"name": "x"})
    assert (answer.status_code, answer.json()["code"]) == (409, "nothing-to-save")

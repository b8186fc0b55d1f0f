"""axe-core's rules on every page, in every state, at both widths, in both colour schemes."""

import pytest

import browsing
import harness
import scenes
from serving import served

AXE = harness.SOURCE / "build/node_modules/axe-core/axe.min.js"

pytestmark = pytest.mark.skipif(not AXE.exists(), reason="no axe-core: `make axe` fetches it with npm")

# rule: why it is not asked
EXCEPTIONS = {}

RUN = """
    const [rules, done] = arguments;
    axe.run(document, {resultTypes: ["violations"], rules}).then(
        result => done(result.violations.map(v => `${v.impact} ${v.id}: ${v.help}: ` +
            v.nodes.map(n => n.target.join(" ") + " [" + n.failureSummary + "]").join("; "))),
        error => done([String(error)]));"""


def violations(page):
    page.js(AXE.read_text())
    return page.driver.execute_async_script(RUN, {rule: {"enabled": False} for rule in EXCEPTIONS})


@pytest.fixture(scope="module")
def empty():
    yield from served(Workers="0", MaxUpload="1M")


@pytest.fixture(scope="module")
def filled(empty):
    return empty, scenes.fill(empty)


SIZES = {"desktop": browsing.DESKTOP, "phone": browsing.PHONE}
STATES = ("completed", "errors", "failed", "dry_run", "undone", "undoing", "cancelled",
          "processing", "question", "queued", "repeated", "scheduled")


def judge(page, what):
    """Judges the page that is shown at each width in each scheme."""
    found = []
    try:
        for size, (width, height) in SIZES.items():
            page.cdp("Emulation.setDeviceMetricsOverride", width=width, height=height,
                     deviceScaleFactor=1, mobile=size == "phone")
            for scheme in ("light", "dark"):
                page.scheme(scheme)
                found += [f"{what}, {size}, {scheme}: {v}" for v in violations(page)]
    finally:
        page.scheme("light")
        page.cdp("Emulation.setDeviceMetricsOverride", width=browsing.DESKTOP[0],
                 height=browsing.DESKTOP[1], deviceScaleFactor=1, mobile=False)
    assert not found, "\n".join(found)


def test_it_finds_what_is_wrong(desktop, empty):
    desktop.login(empty)
    desktop.js("""
        document.querySelector("label[for=priority]").remove();
        document.querySelector("h1").style.color = "#bbb";""")
    found = "\n".join(violations(desktop))
    assert "critical select-name: " in found and "serious color-contrast: " in found


@pytest.mark.parametrize("path", ["", "/jobs"])
def test_empty(desktop, empty, path):
    desktop.login(empty)
    desktop.open(empty, path)
    assert "Nothing has been imported yet." in desktop.text()
    judge(desktop, "empty " + path)


@pytest.mark.parametrize("path", ["", "/jobs", "/jobs?q=nothing+like+it", "/events", "/events?q=nothing+like+it",
                                  "/status/none"])
def test_pages(desktop, filled, path):
    desktop.expected = ["status of 404"]
    desktop.login(filled[0])
    desktop.open(filled[0], path)
    judge(desktop, path)


@pytest.mark.parametrize("state", STATES)
def test_states(desktop, filled, state):
    server, jobs = filled
    desktop.login(server)
    desktop.open(server, f"/status/{jobs[state]}")
    judge(desktop, state)
    # what is folded is judged unfolded, too
    desktop.js("document.querySelectorAll('details').forEach(d => { d.open = true; })")
    assert not (found := violations(desktop)), "\n".join(found)


def test_many_at_once(desktop, filled):
    server, jobs = filled
    desktop.login(server)
    desktop.open(server, "/jobs")
    desktop.js("document.querySelectorAll('.bulk details').forEach(d => { d.open = true; })")
    judge(desktop, "list with choices unfolded")
    desktop.open(server, "/jobs")
    desktop.js("""document.querySelector("[name=job_" + CSS.escape(arguments[0]) + "]").click();
                  document.querySelector(".bulk [value=retry]").click();""", jobs["queued"])
    harness.wait_for(lambda: "Trying imports again" in desktop.text(), "the answer")
    assert "The job is queued; only a failed or cancelled job" in desktop.text()
    judge(desktop, "what was done")


def test_a_refused_upload(desktop, filled, tmp_path):
    desktop.login(filled[0])
    (tmp_path / "empty.csv").touch()
    desktop.choose(tmp_path / "empty.csv")
    assert "empty.csv is empty." in desktop.text("[role=alert]")
    judge(desktop, "refused")


@pytest.fixture
def importing():
    yield from served(Workers="1")


def test_options_and_templates(desktop, importing):
    """The options unfolded, their answers on a job's page, and the page of templates."""
    server = importing
    desktop.login(server)
    desktop.open(server, "")
    desktop.js("document.querySelector('details.options').open = true;")
    judge(desktop, "options")
    desktop.open(server, "/templates")
    judge(desktop, "no templates")
    batch = server.import_file(scenes.WITHOUT_METER, meter="Pump house", labels="start",
                               estimates="replace")["batch_id"]
    desktop.open(server, f"/status/{batch}")
    desktop.js("document.querySelectorAll('details').forEach(d => { d.open = true; })")
    judge(desktop, "options of a job")
    answer = server.post(f"{server.api}/jobs/{batch}/template", json={"name": "Smart meter app"})
    assert answer.status_code == 201
    desktop.open(server, "/templates?done=saved")
    assert "Smart meter app" in desktop.text()
    judge(desktop, "templates")
    desktop.js("document.querySelector('details.confirm').open = true;")
    judge(desktop, "a template's new name")
    asking = server.import_file("Timestamp,Meter Id,Value\n2026-01-05 00:00,M 1,1151\n")["batch_id"]
    desktop.open(server, f"/status/{asking}")
    judge(desktop, "a question with choices")

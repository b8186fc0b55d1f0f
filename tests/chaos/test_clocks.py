"""Hosts whose clocks are stepped forward and back, beyond a lease, while they import."""

import threading

import chaos_files
import installation as inst
import ledger
import later
from chaos_options import LONG
from test_struck_down import retry_given_up, jobs


def test_clocks_that_are_put_forward_and_back(make_installation, make_run, rng):
    files = chaos_files.all_layouts(2.0 if LONG else 0.6)
    before, wanted = ledger.undisturbed(make_run, chaos_files.base(), files)
    target = make_installation()
    server = target.server
    server.expected += ["ECL3504"]
    assert server.import_file(chaos_files.base()["base.csv"], "base.csv")["status"] == "completed"
    clock = later.Clock()
    target.start_daemon(clock.environment())
    over = threading.Event()

    def step():
        while not over.wait(0.3):
            clock.put(rng.choice([-3600, -60, 0, 60, 3600]))

    stepper = threading.Thread(target=step)
    stepper.start()
    try:
        inst.Uploads(target, files, "clock").join()
        inst.harness.wait_for(lambda: server.sql(
            "SELECT count(*) FROM import_jobs WHERE started_at IS NOT NULL") == [(len(files) + 1,)],
            "all jobs to be begun")
    finally:
        over.set()
        stepper.join()
    # what the one has put off is due, by its clock, when that is ahead
    clock.put(2 * 3600)

    def completed():
        found = jobs(server, files)
        return not retry_given_up(target, found) and all(
            status == "completed" for _, status, _ in found.values())

    inst.harness.wait_for(completed, "all jobs to complete", 60)
    ledger.assert_equal(ledger.read(server), wanted)
    ledger.assert_settled(server)

"""The imports W1 to W7: each several times, its peers in turn with it.

What is compared is measured in one run, one right after the other; a ratio is the median of the
ratios of the runs, so that a machine that is slow for a while slows both sides.
"""

from measure import median

WHAT = {
    "W1": "wide, half-hourly",
    "W2": "long, half-hourly",
    "W3": "daily totals",
    "W4": "W1 again, unchanged",
    "W5": "W1 with every hundredth reading changed",
    "W6": "wide, 1 GiB",
    "W7": "W1 as xlsx",
}


def speed(run):
    return run["readings"] / run["seconds"]


def row(case, database, runs, peers=None):
    """A line of the result. runs: what import_file gave; peers: name → what each run's gave."""
    return {
        "case": case,
        "what": WHAT[case],
        "database": database.name,
        "version": database.version,
        "runs": len(runs),
        "readings": runs[0]["readings"],
        "seconds": median([run["seconds"] for run in runs]),
        "readings_per_second": median([speed(run) for run in runs]),
        "rss_kib": max(run["rss_kib"] for run in runs),
        "size": median([run["size"] for run in runs]),
        "peers": {
            name: {
                "seconds": median([peer["seconds"] for peer in those]),
                "size": median([peer["size"] for peer in those]),
                "ratio": median([peer["seconds"] / run["seconds"]
                                 for peer, run in zip(those, runs)]),
            } for name, those in (peers or {}).items()
        },
        "all_seconds": [round(run["seconds"], 3) for run in runs],
    }


def one(database, path):
    """An import into a database as it is."""
    run = database.import_file(path)
    run["size"] = database.size()
    return run


def into_empty(database, path):
    database.fresh()
    return one(database, path)


def relative(case, runs, to):
    """How fast a case is in terms of another, by readings a second."""
    case["speed_of_w1"] = median([speed(run) / speed(other) for run, other in zip(runs, to)])


class Peers:
    """The database's own loader, beside each import."""

    def __init__(self, database, raw, keyed=None):
        self.loads = {"raw": lambda: database.import_raw(raw)}
        if keyed:
            self.loads["keyed"] = lambda: database.import_keyed(keyed)
        self.runs = {name: [] for name in self.loads}

    def load(self):
        for name, load in self.loads.items():
            self.runs[name].append(load())


def simple(case, raw, keyed):
    """A case with its two peers."""
    def measure(database, files, count):
        runs, peers = [], Peers(database, raw(files), keyed(files))
        for _ in range(count):
            runs.append(into_empty(database, raw(files)))
            peers.load()
        return [row(case, database, runs, peers.runs)]
    return measure


def wide(database, files, count):
    """W1, W4 and W5, one after the other into one database. They hold as much: the peers are of
    all three."""
    first, again, changed = [], [], []
    peers = Peers(database, files.wide(), files.wide_normalised())
    history, growth = 0, []
    for _ in range(count):
        first.append(into_empty(database, files.wide()))
        again.append(one(database, files.wide()))
        growth.append(again[-1]["size"] - first[-1]["size"])
        history = max(history, database.history_rows())
        changed.append(one(database, files.wide_changed()))
        expected = (first[-1]["readings"] + 99) // 100
        if changed[-1]["changed"] != expected:
            raise RuntimeError(f"W5 changed {changed[-1]['changed']} readings, not {expected}")
        peers.load()
    rows = [row("W1", database, first, peers.runs), row("W4", database, again, peers.runs),
            row("W5", database, changed, peers.runs)]
    relative(rows[1], again, first)
    relative(rows[2], changed, first)
    rows[1]["history_rows"] = history
    rows[1]["growth"] = max(growth)
    return rows


def beside_w1(case, path, peers_of, done=()):
    """A case that is measured against W1 too."""
    def measure(database, files, count):
        runs, to, peers = [], [], Peers(database, *peers_of(files))
        for _ in range(count):
            to.append(into_empty(database, files.wide()))
            runs.append(into_empty(database, path(files)))
            peers.load()
        files.done_with(*done)
        rows = [row(case, database, runs, peers.runs)]
        relative(rows[0], runs, to)
        return rows
    return measure


PARTS = {
    "W1": wide,
    "W2": simple("W2", lambda f: f.long(), lambda f: f.long_normalised()),
    "W3": simple("W3", lambda f: f.daily(), lambda f: f.daily_normalised()),
    "W4": wide,
    "W5": wide,
    # one reading a line, W6 would be 9 GB, and take the keyed peers minutes
    "W6": beside_w1("W6", lambda f: f.large(), lambda f: (f.large(),), ("large.csv",)),
    # no loader reads workbooks: the same readings as text
    "W7": beside_w1("W7", lambda f: f.workbook(), lambda f: (f.wide(), f.wide_normalised())),
}

"""Results as a table, on the terminal and in docs/performance.md."""

MEBIBYTE = 1 << 20

# case, database, what is judged, where it is found in the row, limit
SPEED_TARGETS = [
    ("W1", "sqlite3", "against `sqlite3 .import`, raw, untyped", ("peers", "raw", "ratio"), 1.5),
    ("W1", "sqlite3", "against `sqlite3 .import`, normalised, keyed", ("peers", "keyed", "ratio"), 10),
    ("W1", "pgsql", "against `\\copy`, normalised, keyed", ("peers", "keyed", "ratio"), 5),
    ("W1", "pgsql", "against `\\copy`, raw, text", ("peers", "raw", "ratio"), 0.7),
    ("W2", "sqlite3", "against `sqlite3 .import`, raw, untyped", ("peers", "raw", "ratio"), 1.0),
    ("W2", "pgsql", "against `\\copy`, normalised, keyed", ("peers", "keyed", "ratio"), 2),
    ("W4", "sqlite3", "against W1", ("speed_of_w1",), 1.0),
    ("W4", "pgsql", "against W1", ("speed_of_w1",), 1.0),
    ("W6", "sqlite3", "against W1", ("speed_of_w1",), 0.9),
    ("W6", "pgsql", "against W1", ("speed_of_w1",), 0.9),
    ("W7", "sqlite3", "against W1", ("speed_of_w1",), 0.25),
    ("W7", "pgsql", "against W1", ("speed_of_w1",), 0.25),
    ("upload", "", "against mod_dav's PUT", ("ratio",), 0.8),
    ("job 304", "", "requests/s against a static file", ("ratio",), 0.5),
    ("job 200", "", "requests/s against a static file", ("ratio",), 0.25),
]

# ... and what must not be exceeded; how it is shown
LIMIT_TARGETS = [
    ("W4", "sqlite3", "history rows written", ("history_rows",), 0, "{:.0f}"),
    ("W4", "pgsql", "history rows written", ("history_rows",), 0, "{:.0f}"),
    # the job itself takes a page or two
    ("W4", "sqlite3", "database growth, KiB", ("growth_kib",), 256, "{:.0f}"),
    ("W4", "pgsql", "database growth, KiB", ("growth_kib",), 256, "{:.0f}"),
    ("W6", "sqlite3", "worker's peak RSS, MiB", ("rss_mib",), 32, "{:.1f}"),
    ("W6", "pgsql", "worker's peak RSS, MiB", ("rss_mib",), 32, "{:.1f}"),
    ("upload", "", "growth of an httpd child, MiB", ("growth_mib",), 8, "{:.1f}"),
    ("jobs list", "", "p99 with 16 clients, ms", ("p99_ms",), 20, "{:.1f}"),
]


def value_at(row, path):
    for key in path:
        if row is None or key not in row:
            return None
        row = row[key]
    return row


def with_units(row):
    out = dict(row)
    for name, unit, size in (("growth", "kib", 1024), ("growth", "mib", MEBIBYTE)):
        if name in row:
            out[f"{name}_{unit}"] = row[name] / size
    if "rss_kib" in row:
        out["rss_mib"] = row["rss_kib"] / 1024
    return out


def targets(results):
    """(case, database, what, target, measured, met) of all that was measured."""
    known = {(row["case"], row.get("database", "")): with_units(row) for row in results}
    out = []
    for case, database, what, path, limit in SPEED_TARGETS:
        value = value_at(known.get((case, database)), path)
        if value is not None:
            out.append((case, database, what, f"≥ {limit:g} ×", f"{value:.2f} ×", value >= limit))
    for case, database, what, path, limit, form in LIMIT_TARGETS:
        value = value_at(known.get((case, database)), path)
        if value is not None:
            out.append((case, database, what, f"≤ {limit:g}", form.format(value), value <= limit))
    return out


def number(value):
    return f"{value:,.0f}"


def ratio(row, path):
    value = value_at(row, path)
    return "" if value is None else f"{value:.2f} ×"


def import_lines(results):
    yield ["", "file", "database", "readings", "seconds", "readings/s", "raw peer", "keyed peer",
           "W1", "peak RSS", "database size"]
    for row in results:
        if "readings_per_second" not in row:
            continue
        yield [row["case"], row["what"], row["version"], number(row["readings"]),
               f"{row['seconds']:.2f}", number(row["readings_per_second"]),
               ratio(row, ("peers", "raw", "ratio")), ratio(row, ("peers", "keyed", "ratio")),
               ratio(row, ("speed_of_w1",)), f"{row['rss_kib'] / 1024:.1f} MiB",
               f"{row['size'] / MEBIBYTE:.0f} MiB"]


# whose peers load the very files of W1
PEERS_OF_W1 = {"W4", "W5", "W7"}


def peer_lines(results):
    yield ["", "peer", "seconds", "size of its table"]
    for row in results:
        if row["case"] in PEERS_OF_W1:
            continue
        for name, peer in row.get("peers", {}).items():
            loader = "`sqlite3 .import`" if row["database"] == "sqlite3" else "`psql \\copy`"
            what = "the file as it is" if name == "raw" else "normalised readings, keyed"
            yield [row["case"], f"{loader}, {what}", f"{peer['seconds']:.2f}",
                   f"{peer['size'] / MEBIBYTE:.0f} MiB"]


def upload_lines(results):
    yield ["upload of one file", "seconds", "MiB/s", "speed of PUT", "growth of a child"]
    for row in results:
        if "bytes" in row:
            yield [row["what"], f"{row['seconds']:.2f}",
                   number(row["bytes"] / MEBIBYTE / row["seconds"]), ratio(row, ("ratio",)),
                   f"{row['growth'] / MEBIBYTE:.1f} MiB"]


def request_lines(results):
    yield ["request", "requests/s", "static file", "p50 ms", "p99 ms", "bytes"]
    for row in results:
        if "requests_per_second" in row:
            yield [row["what"], number(row["requests_per_second"]), ratio(row, ("ratio",)),
                   f"{row['p50_ms']:.1f}", f"{row['p99_ms']:.1f}", number(row["body_bytes"])]


def target_lines(results):
    yield ["", "database", "", "target", "measured", ""]
    for case, database, what, target, measured, met in targets(results):
        yield [case, database, what, target, measured, "met" if met else "**missed**"]


def tables(results):
    return [("Imports", import_lines), ("The databases' own loaders", peer_lines),
            ("Uploads", upload_lines), ("Requests, while an import runs", request_lines),
            ("Targets", target_lines)]


def as_text(results):
    out = []
    for title, make in tables(results):
        lines = [[cell.replace("**", "").replace("`", "") for cell in line]
                 for line in make(results)]
        if len(lines) == 1:
            continue
        widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
        out += ["", title, ""]
        out += ["  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip()
                for line in lines]
    return "\n".join(out) + "\n"


def as_markdown(results, machine):
    out = [machine]
    for title, make in tables(results):
        head, *lines = make(results)
        if not lines:
            continue
        out += ["", f"### {title}", "", "| " + " | ".join(head) + " |",
                "|" + "---|" * len(head)]
        out += ["| " + " | ".join(line) + " |" for line in lines]
    return "\n".join(out) + "\n"


BEGIN, END = "<!-- written by make bench: begin -->\n", "<!-- written by make bench: end -->\n"


def write_into(path, markdown):
    """Puts the tables between the two marks of a document."""
    before, rest = path.read_text(encoding="utf-8").split(BEGIN)
    _, after = rest.split(END)
    path.write_text(before + BEGIN + markdown + END + after, encoding="utf-8")

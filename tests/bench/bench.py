"""`make bench`: how fast it is, beside what else there is. See docs/performance.md."""

import argparse
import datetime
import json
import os
import pathlib
import platform
import shutil
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import harness  # noqa: E402
import report  # noqa: E402
from loaders import DATABASES  # noqa: E402
from files import Files  # noqa: E402
from imports import PARTS  # noqa: E402
from web import requests, uploads  # noqa: E402

WEB_PARTS = {"upload": uploads, "requests": requests}
GIGABYTES_NEEDED = 8


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="parts, by commas: W1 to W7, upload, requests, "
                        "or http for the last two; W1, W4 and W5 are one")
    parser.add_argument("--databases", default="sqlite3,pgsql")
    parser.add_argument("--scale", type=float, default=1.0, help="size of the files; 1: as documented")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--dir", type=pathlib.Path, default=harness.SOURCE / "build" / "bench")
    parser.add_argument("--doc", type=pathlib.Path, help="write the tables into this document")
    return parser.parse_args()


def wanted_parts(only):
    names = [name for name in only.replace("http", "upload,requests").split(",") if name]
    unknown = set(names) - set(PARTS) - set(WEB_PARTS)
    if unknown:
        sys.exit(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}, "
                 f"{', '.join(WEB_PARTS)}")
    return names or [*PARTS, *WEB_PARTS]


def machine():
    model = next((line.split(":", 1)[1].strip() for line in
                  pathlib.Path("/proc/cpuinfo").read_text().splitlines()
                  if line.startswith("model name")), platform.machine())
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)
    return f"{os.cpu_count()} × {model}, {memory:.0f} GiB, Linux {platform.release().split('-')[0]}"


def say(text):
    print(f"{datetime.datetime.now():%H:%M:%S} {text}", flush=True)


def measure_imports(parts, names, files, work, runs):
    """Rows of the import parts on each database."""
    rows = []
    for name in names:
        database = DATABASES[name](work)
        try:
            # W1, W4 and W5 are measured by one function
            for measure in dict.fromkeys(PARTS[part] for part in parts if part in PARTS):
                those = ", ".join(p for p in PARTS if PARTS[p] is measure)
                say(f"{those} on {database.version}")
                rows += measure(database, files, runs)
        finally:
            database.close()
    return rows


def merged(path, rows, about):
    """The rows, in order, with those of earlier parts that were measured in the same way."""
    kept = {}
    if path.exists():
        before = json.loads(path.read_text())
        if before["about"] == about:
            kept = {(row["case"], row.get("database", "")): row for row in before["results"]}
    kept.update({(row["case"], row.get("database", "")): row for row in rows})
    order = [*PARTS, *WEB_PARTS]
    return sorted(kept.values(), key=lambda row: (
        order.index(row["case"]) if row["case"] in order else len(order),
        row.get("database", "") == "pgsql"))


def main():
    options = arguments()
    parts = wanted_parts(options.only)
    options.dir = options.dir.resolve()
    options.dir.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(options.dir).free / (1 << 30)
    if free < GIGABYTES_NEEDED * options.scale:
        sys.exit(f"{options.dir} has {free:.1f} GiB free, {GIGABYTES_NEEDED * options.scale:.1f} "
                 "are needed")
    work = pathlib.Path(tempfile.mkdtemp(prefix="work-", dir=options.dir))
    work.chmod(0o755)
    about = {"machine": machine(), "scale": options.scale, "runs": options.runs}
    try:
        files = Files(work, options.scale)
        rows = measure_imports(parts, options.databases.split(","), files, work, options.runs) \
            if set(parts) & set(PARTS) else []
        for part in parts:
            if part in WEB_PARTS:
                say(part)
                rows += WEB_PARTS[part](files, work, options.runs)
    finally:
        shutil.rmtree(work)
    path = options.dir / "results.json"
    results = merged(path, rows, about)
    path.write_text(json.dumps({"about": about, "results": results}, indent=1) + "\n")
    print(report.as_text(results))
    if options.doc:
        today = datetime.date.today().isoformat()
        report.write_into(options.doc, report.as_markdown(
            results, f"{today}, {about['machine']}; medians of {options.runs} runs"
            + (f", files {options.scale:g} × their size" if options.scale != 1 else "") + "."))
    print(f"{path} has all figures")


if __name__ == "__main__":
    main()

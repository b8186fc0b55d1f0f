#!/usr/bin/python3
"""Rules of this project that no compiler checks; part of `make lint`.

  - dependencies point one way: nothing under lib/ or worker/ includes an httpd header or a file of
    the module, and the module includes nothing of the worker;
  - apr_dbd is used in lib/db.c only;
  - the module and lib/ know no meter words;
  - every log code is used once, has a row in docs/messages.md, and every row has its code;
  - every code of a row error, a warning and a failure that worker/ gives is told of in
    docs/file_formats.md; a row error's has a name in templates/labels.json, a warning's is in the
    list of worker/summary.c;
  - every directive of lib/settings.h has a row in docs/install.md;
  - no file holds a path of the machine it was written on.
"""

import json
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
problems = []


def complain(path, number, text):
    problems.append(f"{path.relative_to(ROOT)}:{number}: {text}")


def lines(pattern):
    for path in sorted(ROOT.glob(pattern)):
        for number, line in enumerate(path.read_text().splitlines(), 1):
            yield path, number, line


HTTPD_HEADERS = {p for p in """httpd.h http_config.h http_core.h http_log.h http_protocol.h
http_request.h http_connection.h http_main.h http_vhost.h mod_status.h mpm_common.h ap_mpm.h
ap_config.h ap_regex.h ap_release.h util_filter.h util_script.h util_time.h unixd.h scoreboard.h
mod_auth.h mod_core.h ap_listen.h""".split()}
METER_WORDS = re.compile(r"\b(mpan|mprn|kwh|half.?hour|settlement|meter_days?|period_values)\b", re.I)
CODE = re.compile(r"ECLNO\((\d+)\)")
used = {}

for area in ("lib", "worker", "mod_eclectyc_import"):
    for suffix in ("c", "h"):
        for path, number, line in lines(f"{area}/*.{suffix}"):
            include = re.match(r'\s*#\s*include\s*[<"]([^>"]+)[>"]', line)
            if include:
                name = include.group(1)
                if area != "mod_eclectyc_import" and (
                        name.rsplit("/", 1)[-1] in HTTPD_HEADERS or "mod_eclectyc_import" in name):
                    complain(path, number, f"{area}/ must not know httpd: {name}")
                if area == "mod_eclectyc_import" and "worker/" in name:
                    complain(path, number, f"the module must not know the worker: {name}")
                if area == "lib" and ("worker/" in name):
                    complain(path, number, f"lib/ must not know the worker: {name}")
                if name.startswith("apr_dbd") and path.name != "db.c":
                    complain(path, number, "apr_dbd is used in lib/db.c only")
            # the values that the option unit accepts are words of a form, as the option is
            if area != "worker" and path.name != "options.h" and METER_WORDS.search(line):
                complain(path, number, "a meter word outside worker/: " + line.strip())
            for code in CODE.findall(line):
                if path.name == "log.h":
                    continue
                if code in used:
                    complain(path, number, f"ECL{code} is used in {used[code]} too")
                used[code] = f"{path.name}:{number}"

documented = set()
for path, number, line in lines("docs/messages.md"):
    row = re.match(r"\|\s*ECL(\d+)\s*\|", line)
    if row:
        if row.group(1) in documented:
            complain(path, number, f"ECL{row.group(1)} has two rows")
        documented.add(row.group(1))
for code in sorted(set(used) - documented):
    problems.append(f"docs/messages.md: no row for ECL{code} ({used[code]})")
for code in sorted(documented - set(used)):
    problems.append(f"docs/messages.md: ECL{code} is used nowhere")

# Codes are found by how they look. What looks so and is none, or is seen on a terminal only:
NO_CODES = set("""cannot-become-owner cannot-open cannot-read copy-busy copy-differs copy-no-file
copy-not-empty copy-same copy-schema dry-run e-3 eclectyc-keeper eclectyc-slot half-hours log-level
no-pipe not-a-file run-after to-config unsupported-timezone""".split())
source = {path: re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.S)
          for path in sorted(ROOT.glob("worker/*.c"))}
everything = "\n".join(source.values())


def codes_after(calls, text=everything):
    return set(re.findall(rf'(?<![a-z_])(?:{calls})\s*(?:[^;"()]|\([^;"()]*\))*"([a-z0-9-]+)"', text))


warnings = codes_after(r"ecl_reader_warn\(|ecl_layout_add_note\(|ecl_summary_warning\(|group_of\(|"
                       r"note\(\s*workbook,|say(?:_days)?\(|\(ecl_layout_note_t\){")
row_codes = codes_after(r"ecl_reader_fail\(|note\(dtc,")
codes = warnings | row_codes | codes_after("ecl_fail") | set(
    re.findall(r'"([a-z][a-z0-9]*(?:-[a-z0-9]+)+)"', everything))
told = (ROOT / "docs/file_formats.md").read_text()
row_table = told[told.index("## When a row fails"):told.index("### Rejected rows")]
named = set(json.loads((ROOT / "templates/labels.json").read_text())["error"])
listed = set(re.findall(r'\{"([a-z0-9-]+)",', source[ROOT / "worker/summary.c"]))
for code in sorted(codes - NO_CODES):
    if f"`{code}`" not in told:
        problems.append(f"docs/file_formats.md: nothing on the code {code}")
for code in sorted(row_codes - named):
    problems.append(f"templates/labels.json: no name for the row error {code}")
for code in sorted(named ^ set(re.findall(r"`([a-z0-9-]+)`", row_table))):
    problems.append(f"docs/file_formats.md (When a row fails) and templates/labels.json: only one "
                    f"has {code}")
for code in sorted((warnings ^ listed) - NO_CODES):
    problems.append(f"worker/summary.c: warnings and the list of their messages differ in {code}")

install = (ROOT / "docs/install.md").read_text() if (ROOT / "docs/install.md").exists() else ""
for directive in re.findall(r'X\("(\w+)"', (ROOT / "lib/settings.h").read_text()):
    if f"`{directive}`" not in install:
        problems.append(f"docs/install.md: no row for {directive}")

home = re.compile(r"/(root|home|work)/\w")
# the source may be somebody else's: git does not have to ask whether it is safe
files = subprocess.run(["git", "-c", "safe.directory=*", "-C", ROOT, "ls-files", "-z"], check=True,
                       capture_output=True, text=True).stdout
for name in files.split("\0"):
    path = ROOT / name
    if name and path.is_file() and path.suffix not in (".png", ".woff2"):
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
            if home.search(line) and path.name != "check_source.py":
                complain(path, number, "a path of one machine: " + line.strip())

print("\n".join(problems) or "source rules: all kept")
sys.exit(1 if problems else 0)

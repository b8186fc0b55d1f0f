"""The two databases: the worker on them, and their own loaders as peers.

A peer swallows the same data unchecked, in two ways:

    raw    the file as it is, into a table of untyped (SQLite) or text (PostgreSQL) columns
    keyed  one reading a line (mpan, date, period, value), into a typed table with a primary key

Each in a table of its own, made anew for every run, on the same disk and with the same server.
"""

import contextlib
import json
import pathlib
import shutil
import sqlite3
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import harness  # noqa: E402
from measure import timed  # noqa: E402


def columns_of(path):
    with open(path, encoding="ascii") as file:
        return len(file.readline().split(","))


class Database:
    """What both have in common: the worker with settings that name the database."""

    def __init__(self, directory):
        self.dir = pathlib.Path(directory) / self.name
        self.dir.mkdir(parents=True)
        self.settings = self.dir / "settings.conf"

    def prepare(self, params):
        """Empties storage and brings the fresh database to the current schema."""
        storage = self.dir / "storage"
        shutil.rmtree(storage, ignore_errors=True)
        storage.mkdir()
        self.settings.write_text(f'EclectycImportDatabase {self.name} "{params}"\n'
                                 f'EclectycImportStorage "{storage}"\n')
        self.worker("migrate")

    def worker(self, *arguments):
        return timed([harness.WORKER, "--config", self.settings, *arguments])

    def import_file(self, path):
        """The whole command: the file is copied into the storage, hashed, read and stored."""
        seconds, rss, out = self.worker("import", "--json", path)
        job = json.loads(out)
        if job["status"] != "completed" or job["failed_rows"]:
            raise RuntimeError(f"{path}: {job['status']}, {job['failed_rows']} rows failed: "
                               f"{job['error_message']}")
        return {"seconds": seconds, "rss_kib": rss, "readings": job["readings_new"]
                + job["readings_changed"] + job["readings_unchanged"],
                "changed": job["readings_changed"]}


class Sqlite(Database):
    name = "sqlite3"
    raw_peer = "sqlite3 .import, raw, untyped"
    keyed_peer = "sqlite3 .import, normalised, keyed"

    def __init__(self, directory):
        super().__init__(directory)
        self.file = self.dir / "eclectyc.db"
        self.version = "SQLite " + sqlite3.sqlite_version

    def remove(self, file):
        for suffix in ("", "-wal", "-shm", "-journal"):
            pathlib.Path(f"{file}{suffix}").unlink(missing_ok=True)

    def fresh(self):
        self.remove(self.file)
        self.prepare(self.file)

    def size(self):
        return sum(pathlib.Path(f"{self.file}{suffix}").stat().st_size for suffix in ("", "-wal")
                   if pathlib.Path(f"{self.file}{suffix}").exists())

    def history_rows(self):
        with contextlib.closing(sqlite3.connect(self.file)) as db:
            return db.execute("SELECT count(*) FROM meter_day_history").fetchone()[0]

    def peer(self, create, path, skip):
        file = self.dir / "peer.db"
        self.remove(file)
        seconds, _, _ = timed(["sqlite3", "-batch", file],
                              stdin=f"{create};\n.mode csv\n.import --skip {skip} '{path}' peer\n")
        size = file.stat().st_size
        self.remove(file)
        return {"seconds": seconds, "size": size}

    def import_raw(self, path):
        names = ",".join(f"c{i}" for i in range(columns_of(path)))
        return self.peer(f"CREATE TABLE peer ({names})", path, 1)

    def import_keyed(self, path):
        return self.peer("CREATE TABLE peer (mpan INTEGER, date TEXT, period INTEGER,"
                         " value NUMERIC, PRIMARY KEY (mpan, date, period)) WITHOUT ROWID", path, 0)

    def close(self):
        shutil.rmtree(self.dir)


class Postgres(Database):
    name = "pgsql"
    raw_peer = "psql \\copy, raw, text"
    keyed_peer = "psql \\copy, normalised, keyed"

    def __init__(self, directory):
        super().__init__(directory)
        self.params = self.server("start").strip()
        self.version = self.psql("SHOW server_version", "postgres").strip()
        self.version = "PostgreSQL " + self.version.split()[0]

    def server(self, command):
        """A server of its own, as initdb makes it."""
        return subprocess.run([harness.SOURCE / "conf" / "demo" / "postgres.sh", command,
                               self.dir / "server"], check=True, capture_output=True,
                              text=True).stdout

    def connection(self, database):
        return self.params.replace("dbname=postgres", f"dbname={database}")

    def psql_command(self, database):
        return ["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d",
                self.connection(database)]

    def psql(self, statement, database="bench"):
        return subprocess.run([*self.psql_command(database), "-c", statement], check=True,
                              capture_output=True, text=True).stdout

    def fresh(self):
        self.psql("DROP DATABASE IF EXISTS bench", "postgres")
        self.psql("CREATE DATABASE bench", "postgres")
        self.psql("CHECKPOINT")
        self.prepare(self.connection("bench"))

    def size(self):
        return int(self.psql("SELECT pg_database_size('bench')"))

    def history_rows(self):
        return int(self.psql("SELECT count(*) FROM meter_day_history"))

    def peer(self, create, path, header):
        self.psql(f"DROP TABLE IF EXISTS peer; {create}")
        self.psql("CHECKPOINT")
        options = "FORMAT csv, HEADER" if header else "FORMAT csv"
        seconds, _, _ = timed([*self.psql_command("bench"), "-c",
                               f"\\copy peer FROM '{path}' ({options})"])
        size = int(self.psql("SELECT pg_total_relation_size('peer')"))
        self.psql("DROP TABLE peer")
        return {"seconds": seconds, "size": size}

    def import_raw(self, path):
        names = ",".join(f"c{i} text" for i in range(columns_of(path)))
        return self.peer(f"CREATE TABLE peer ({names})", path, True)

    def import_keyed(self, path):
        return self.peer("CREATE TABLE peer (mpan bigint, date date, period smallint,"
                         " value numeric, PRIMARY KEY (mpan, date, period))", path, False)

    def close(self):
        self.server("stop")
        shutil.rmtree(self.dir)


DATABASES = {"sqlite3": Sqlite, "pgsql": Postgres}

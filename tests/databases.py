"""The database of a test: SQLite's file, or a fresh database on a private PostgreSQL server.

ECL_TEST_DB says which: sqlite3 (default) or pgsql. Both are looked into by the same statements, with
? for a parameter, and give the same Python values: dates, times and instants as text, numbers as int
or float, the values of a day as JSON.
"""

import atexit
import contextlib
import ctypes
import itertools
import os
import pathlib
import shutil
import sqlite3
import subprocess
import tempfile
import time

DRIVER = os.environ.get("ECL_TEST_DB", "sqlite3")
assert DRIVER in ("sqlite3", "pgsql"), "ECL_TEST_DB is sqlite3 or pgsql"
DEADLINE = 120  # seconds
POSTGRES = pathlib.Path(__file__).resolve().parent.parent / "conf" / "demo" / "postgres.sh"


def take(lock, when, release):
    """Takes a lock as often as it needs until `when` is true under it. It doesn't sleep while it
    has not got it: SQLite has no queue, and a busy writer leaves its lock for a moment only."""
    end = time.monotonic() + DEADLINE
    while True:
        if lock():
            if when():
                return
            release()
            time.sleep(0.02)  # to let the others go on
        assert time.monotonic() < end, f"waited {DEADLINE} s in vain for the database"


def is_begun(db):
    try:
        return db.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError as error:
        if "locked" not in str(error):
            raise


@contextlib.contextmanager
def as_owner_of(directory):
    """Root's files are made and opened as the directory's owner, who is httpd's user: by this thread
    alone, and only if the owner may enter there."""
    libc, owner = ctypes.CDLL(None), directory.stat()
    try:
        libc.setfsgid(owner.st_gid)
        libc.setfsuid(owner.st_uid)
        if not can_list(directory):
            libc.setfsuid(os.geteuid())
            libc.setfsgid(os.getegid())
        yield
    finally:
        libc.setfsuid(os.geteuid())
        libc.setfsgid(os.getegid())


def can_list(directory):
    try:
        return os.listdir(directory) is not None
    except PermissionError:
        return False


class Sqlite3:
    driver = "sqlite3"

    def __init__(self, directory):
        self.path = directory / "eclectyc.db"
        self.setting = f'sqlite3 "{self.path}"'

    def __fspath__(self):
        return str(self.path)

    __str__ = __fspath__

    def exists(self):
        return self.path.exists()

    def connect(self, timeout=30, **kwargs):
        """The files beside the database that the first statement makes would be root's for a moment,
        in which a worker could not open them."""
        with as_owner_of(self.path.parent):
            db = sqlite3.connect(self.path, timeout=timeout, **kwargs)
            with contextlib.suppress(sqlite3.OperationalError):  # the next statement meets it, too
                db.execute("SELECT 1 FROM sqlite_master").fetchone()
        return db

    @contextlib.contextmanager
    def held(self, when=lambda db: True):
        """A transaction in which nobody else can write. Held only where `when` is true once it is."""
        with contextlib.closing(self.connect(timeout=0, isolation_level=None)) as db:
            take(lambda: is_begun(db), lambda: when(db), lambda: db.execute("ROLLBACK"))
            yield db
            db.execute("COMMIT")

    def stall_storing(self):
        """Whoever stores a day from now on never ends."""
        with contextlib.closing(self.connect()) as db:
            db.executescript("CREATE TABLE stall (n INTEGER);"
                             "INSERT INTO stall SELECT value FROM json_each(json_array("
                             + ",".join(["1"] * 100) + "));"
                             "INSERT INTO stall SELECT a.n FROM stall a, stall b;"
                             "CREATE TRIGGER stall BEFORE INSERT ON meter_days BEGIN"
                             " SELECT count(*) FROM stall a, stall b, stall c, stall d"
                             " WHERE a.n + b.n + c.n + d.n = 0; END")

    def is_lost(self, error):
        return isinstance(error, sqlite3.OperationalError)

    def remove(self):
        """It goes with its directory."""


class Server:
    """A PostgreSQL server of this process's own, started when the first database is asked for."""

    def __init__(self):
        self.dir = None
        self.params = None
        self.numbers = itertools.count()

    def start(self):
        if self.params is None:
            if self.dir is None:
                self.dir = tempfile.mkdtemp(prefix="eclectyc-postgres-", dir="/tmp")
                atexit.register(self.remove)
            self.params = subprocess.run([POSTGRES, "start", self.dir, "volatile"], check=True,
                                         capture_output=True, text=True).stdout.strip()
        return self

    def stop(self):
        if self.params is not None:
            subprocess.run([POSTGRES, "stop", self.dir], check=True)
            self.params = None

    def remove(self):
        self.stop()
        if self.dir is not None:
            shutil.rmtree(self.dir, ignore_errors=True)
            self.dir = None

    def pid(self):
        return int(pathlib.Path(self.dir, "data", "postmaster.pid").read_text().split()[0])

    def run(self, statement):
        with contextlib.closing(connect_pgsql(self.start().params)) as db:
            db.raw.autocommit = True
            db.execute(statement)


server = Server()


class Pgsql:
    driver = "pgsql"

    def __init__(self, on=server):
        self.server = on
        self.name = f"test_{os.getpid()}_{next(on.numbers)}"
        on.run(f"CREATE DATABASE {self.name}")
        self.params = on.params.replace("dbname=postgres", f"dbname={self.name}")
        self.setting = f'pgsql "{self.params}"'

    def exists(self):
        """Whether it has a schema."""
        with contextlib.closing(self.connect()) as db:
            return db.execute("SELECT to_regclass('import_jobs') IS NOT NULL").fetchone()[0]

    def connect(self):
        return connect_pgsql(self.params)

    @contextlib.contextmanager
    def held(self, when=lambda db: True):
        """A transaction in which nobody else can write to the jobs. Held only where `when` is true
        once it is."""
        with contextlib.closing(self.connect()) as db:
            take(lambda: db.execute("LOCK TABLE import_jobs IN EXCLUSIVE MODE"),
                 lambda: when(db), db.raw.rollback)
            yield db
            db.commit()

    def stall_storing(self):
        """Whoever stores a day from now on never ends."""
        with contextlib.closing(self.connect()) as db, db:
            db.execute("CREATE FUNCTION stall() RETURNS trigger LANGUAGE plpgsql AS"
                       " 'BEGIN PERFORM pg_sleep(3600); RETURN NEW; END'")
            db.execute("CREATE TRIGGER stall BEFORE INSERT ON meter_days FOR EACH ROW"
                       " EXECUTE FUNCTION stall()")

    def is_lost(self, error):
        import psycopg2
        return isinstance(error, (psycopg2.OperationalError, psycopg2.errors.UndefinedTable))

    def remove(self):
        self.server.run(f"DROP DATABASE IF EXISTS {self.name} WITH (FORCE)")


def make(directory):
    return Pgsql() if DRIVER == "pgsql" else Sqlite3(directory)


# ---- PostgreSQL's values as SQLite's ----------------------------------------------------------------

def number(text, _cursor):
    if text is None:
        return None
    return int(text) if "." not in text else float(text)


class PgsqlConnection:
    """What of sqlite3.Connection the tests use."""

    def __init__(self, raw):
        self.raw = raw

    def execute(self, statement, args=()):
        cursor = self.raw.cursor()
        cursor.execute(statement.replace("%", "%%").replace("?", "%s"), list(args))
        return Cursor(cursor)

    def commit(self):
        self.raw.commit()

    def close(self):
        self.raw.close()

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        self.raw.rollback() if kind else self.raw.commit()


class Cursor:
    def __init__(self, cursor):
        self.cursor = cursor
        self.description = cursor.description

    def fetchone(self):
        return self.cursor.fetchone()

    def fetchall(self):
        return self.cursor.fetchall() if self.description else []

    def __iter__(self):
        return iter(self.fetchall())


def connect_pgsql(params):
    import psycopg2
    from psycopg2.extensions import new_type, register_type
    raw = psycopg2.connect(params)
    with raw.cursor() as cursor:
        cursor.execute("SET timezone = 'UTC'")
        cursor.execute("SET datestyle = 'ISO'")
    raw.commit()
    for oids, name, convert in (
            ((1700,), "NUMERIC", number),
            ((114,), "JSON", lambda t, _: t),
            ((1082,), "DATE", lambda t, _: t),
            ((1083,), "TIME", lambda t, _: t and t[:5]),
            ((1184,), "TIMESTAMPTZ", lambda t, _: t and t.replace(" ", "T").replace("+00", "Z"))):
        register_type(new_type(oids, name, convert), raw)
    return PgsqlConnection(raw)

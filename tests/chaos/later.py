"""Programs for which it is later, or earlier, than it is: later.c, built where it is needed. (What
a file's change time says can't be set, and the machine's clock is not ours.)"""

import atexit
import functools
import os
import pathlib
import shutil
import subprocess
import tempfile


@functools.lru_cache(maxsize=None)
def library():
    directory = pathlib.Path(tempfile.mkdtemp(prefix="eclectyc-later-", dir="/tmp"))
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    directory.chmod(0o755)
    subprocess.run(["gcc", "-shared", "-fPIC", "-O1", "-o", directory / "later.so",
                    pathlib.Path(__file__).with_name("later.c"), "-ldl"], check=True)
    return directory / "later.so"


class Clock:
    """A clock that can be put forward and back while programs go by it."""

    def __init__(self, seconds=0):
        handle, path = tempfile.mkstemp(dir=library().parent)
        os.close(handle)
        self.path = pathlib.Path(path)
        self.path.chmod(0o644)
        self.put(seconds)

    def put(self, seconds):
        fresh = self.path.with_suffix(".new")
        fresh.write_text(str(seconds))
        fresh.chmod(0o644)
        fresh.rename(self.path)

    def environment(self):
        return {**os.environ, "LD_PRELOAD": str(library()), "LATER_FILE": str(self.path)}

"""Programs for which it is later, or earlier, than it is: later.c, built where it is needed."""

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


def environment(seconds):
    return {**os.environ, "LD_PRELOAD": str(library()), "LATER_SECONDS": str(seconds)}

"""How long and with what chance: `make chaos SEED=… MOMENTS=…` sets both. Without MOMENTS it is the
short form, which is part of `make check`."""

import os
import random

LONG = "MOMENTS" in os.environ
MOMENTS = int(os.environ.get("MOMENTS", "10"))
SEED = os.environ.setdefault("SEED", str(random.SystemRandom().randrange(10 ** 6)))

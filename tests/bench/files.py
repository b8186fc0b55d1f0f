"""The measured files, made when they are first asked for and removed with their directory."""

import generate

GIGABYTE = 1 << 30


class Files:
    """Sizes are those of the full measurement times scale."""

    def __init__(self, directory, scale):
        self.dir = directory
        self.days = max(1000, int(100_000 * scale))
        self.long_rows = max(10_000, int(2_000_000 * scale))
        self.daily_rows = max(10_000, int(500_000 * scale))
        self.large_bytes = max(1 << 20, int(GIGABYTE * scale))
        self.readings = None

    def made(self, name, make):
        path = self.dir / name
        if not path.exists():
            self.readings = self.readings or generate.Readings()
            make(path, self.readings)
        return path

    def wide(self):
        return self.made("wide.csv", lambda p, r: generate.write_wide(p, r, self.days))

    def wide_normalised(self):
        return self.made("wide-normalised.csv",
                         lambda p, r: generate.write_wide_normalised(p, r, self.days))

    def wide_changed(self):
        return self.made("wide-changed.csv",
                         lambda p, r: generate.write_wide(p, r, self.days, every=100))

    def long(self):
        return self.made("long.csv", lambda p, r: generate.write_long(p, r, self.long_rows))

    def long_normalised(self):
        return self.made("long-normalised.csv",
                         lambda p, r: generate.write_long_normalised(p, r, self.long_rows))

    def daily(self):
        return self.made("daily.csv", lambda p, r: generate.write_daily(p, r, self.daily_rows))

    def daily_normalised(self):
        return self.made("daily-normalised.csv",
                         lambda p, r: generate.write_daily_normalised(p, r, self.daily_rows))

    def workbook(self):
        return self.made("wide.xlsx", lambda p, r: generate.write_workbook(p, r, self.days))

    def large(self):
        return self.made("large.csv",
                         lambda p, r: generate.write_wide_of_size(p, r, self.large_bytes))

    def done_with(self, *names):
        for name in names:
            (self.dir / name).unlink(missing_ok=True)

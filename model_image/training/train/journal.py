"""What a run says while it goes: one line of log.csv per step, progress on stderr. Numbers only, never a text."""

import csv
import io
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TextIO

LOG = "log.csv"
_HEADER = ("step", "loss", "rate", "tokens_per_second", "metric")
_SECONDS = 10.0  # between two lines where stderr is no terminal


class Journal:
    """The log of one run in `folder`. Silent, and without a file, where not `speaks`: on every rank but the first."""

    def __init__(
        self, folder: Path, *, steps: int, metric: str, speaks: bool = True, out: TextIO | None = None
    ) -> None:
        self._path = folder / LOG
        self._steps, self._metric = steps, metric
        self._speaks = speaks
        self._out = out or sys.stderr
        self._file: TextIO = io.StringIO()
        self._bar: Any = None
        self._told = time.monotonic()
        self._shown = ""

    def open(self, step: int) -> Self:
        """Go on behind `step`: later lines, of a run that was killed, are taken away."""
        if not self._speaks:
            return self
        rows = [row for row in self._rows() if int(row[0]) <= step] if step else []
        self._file = self._path.open("w", newline="")
        csv.writer(self._file).writerows([_HEADER, *rows])
        if self._out.isatty():
            from tqdm import tqdm

            self._bar = tqdm(total=self._steps, initial=step, unit="step", file=self._out)
        return self

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
        if self._bar is not None:
            self._bar.close()

    def step(self, step: int, *, loss: float, rate: float, speed: float, metric: float | None) -> None:
        """One step is done; `speed` in tokens/s, `metric` where an evaluation followed."""
        if not self._speaks:
            return
        now = time.monotonic()
        shown = "" if metric is None else f"{metric:.6g}"
        csv.writer(self._file).writerow([step, f"{loss:.6g}", f"{rate:.6g}", f"{speed:.0f}", shown])
        self._file.flush()
        self._shown = f"{self._metric} {shown}" if shown else self._shown
        if self._bar is not None:
            self._bar.update(1)
            self._bar.set_postfix_str(f"loss {loss:.4f} {self._shown}")
        elif shown or now - self._told >= _SECONDS or step == self._steps:
            self._told = now
            self.note(
                f"step {step:,} of {self._steps:,}: loss {loss:.4f}, {speed:,.0f} tokens/s {self._shown}".rstrip()
            )

    def note(self, text: str) -> None:
        """A line on stderr."""
        if not self._speaks:
            return
        if self._bar is not None:
            self._bar.write(text, file=self._out)
        else:
            print(text, file=self._out, flush=True)

    def _rows(self) -> list[list[str]]:
        """Whole lines of numbers; the last one of a killed run may be torn."""
        if not self._path.is_file():
            return []
        with self._path.open(newline="") as file:
            rows = list(csv.reader(file))[1:]
        return [row for row in rows if len(row) == len(_HEADER) and row[0].isdecimal()]

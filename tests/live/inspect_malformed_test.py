"""Broken capture files, those of ../shared where it is: all that is whole is read, then one line says what
is wrong, with exit status 2. None of them costs more than a second and 64 MB."""

import csv
import json
import os
import pathlib
import re
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
MALFORMED = ROOT.parent / "shared" / "captures" / "malformed"
TAPESTRY = os.environ["TAPESTRY"]
MOST_SECONDS = 1.0
MOST_MEMORY = 64 << 20


class Run:
    """One run of inspect, with what it cost."""

    def __init__(self, path):
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            start = time.monotonic()
            child = os.posix_spawn(TAPESTRY, [TAPESTRY, "inspect", "--json", str(path)], os.environ,
                                   file_actions=[(os.POSIX_SPAWN_DUP2, out.fileno(), 1),
                                                 (os.POSIX_SPAWN_DUP2, err.fileno(), 2)])
            _, status, usage = os.wait4(child, 0)
            self.seconds = time.monotonic() - start
            self.cpu_seconds = usage.ru_utime + usage.ru_stime
            self.memory = usage.ru_maxrss << 10
            self.status = os.waitstatus_to_exitcode(status)
            out.seek(0)
            err.seek(0)
            text = out.read()
            self.errors = err.read().decode(errors="replace").strip().splitlines()
        self.frames = json.loads(text)["frames"] if text else 0


def sanitized():
    """A program with sanitizers has a memory of its own."""
    return b"__asan_init" in pathlib.Path(TAPESTRY).read_bytes()


def problems(run, row, count_memory):
    expected = re.match(r"(\d+) packets?", row["expected"])
    if run.status not in (0, 2):
        yield f"exit status {run.status}"
    if run.status == 2 and len(run.errors) != 1:
        yield f"{len(run.errors)} lines of refusal, not one"
    if row["expected"] == "error" and run.status != 2:
        yield "was taken"
    if expected and "or" not in row["expected"] and int(expected.group(1)) != run.frames and \
            row["tcpdump_4.99.3_exit"] != "1":
        yield f"{run.frames} frames, not {expected.group(1)}"
    # Of the processor, where others use it too.
    if min(run.seconds, run.cpu_seconds) > MOST_SECONDS:
        yield f"{run.seconds:.1f} seconds"
    if count_memory and run.memory > MOST_MEMORY:
        yield f"{run.memory >> 20} MB"


def main():
    manifest = MALFORMED / "MANIFEST.tsv"
    if not manifest.exists():
        print("../shared is not here: no broken files")
        return 77
    count_memory = not sanitized()
    bad = 0
    most = [0.0, 0]
    rows = list(csv.DictReader(manifest.open(), delimiter="\t"))
    for row in rows:
        run = Run(MALFORMED / row["file"])
        most = [max(most[0], run.seconds), max(most[1], run.memory)]
        wrong = list(problems(run, row, count_memory))
        if wrong:
            bad += 1
            print(f"  {row['file']} ({row['expected']}): {', '.join(wrong)}")
    print(f"{len(rows)} broken files, {bad} not as they should be; at most {most[0]:.2f} s and "
          f"{most[1] / 1e6:.1f} MB")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())

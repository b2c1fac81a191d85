#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""fake_gbench.py - stands in for lfv-gbench where a test needs a bad sample.

FAKE says how to behave, FAKE_FOR in which cells (a word of the command line;
all by default).  In other cells it answers as a good sample does.

    good      one measured sample
    crash     dies of SIGSEGV
    hang      never ends, and starts a process that does not, either
    invalid   a sample that the machine spoilt
    spoilt N  as invalid, N times in a row, counted in FAKE_COUNT; then good
    too-slow  its set-up took too long
    failed    its checks caught a wrong answer
    exit      a good sample, but exit code 9
    garbage   no JSON
    silent    nothing at all
    slow      a good sample after 0.2 s, counted in FAKE_COUNT
    lines A,B good samples whose cache line took A ns, then B, ... and the last
              for ever, counted in FAKE_COUNT
"""

import json
import os
import pathlib
import signal
import subprocess
import sys
import time

OPS = 3000000
SECONDS = 0.125


def row(**more):
    return {
        "name": "fake/iterations:1/manual_time",
        "run_type": "iteration",
        "iterations": 1,
        "real_time": 41.5,
        "cpu_time": 1.0,
        "time_unit": "ns",
        "lfv_ops": float(OPS),
        "lfv_seconds": SECONDS,
        "lfv_price_pages_retained": 512.0,
        "lfv_price_address_span_pages": 4096.0,
        "lfv_price_mappings": 3.0,
        "lfv_latency_p50_ns": 80.0,
        "lfv_latency_count": 20000.0,
        "lfv_locks_waited": 17.0,
        **more,
    }


def answer(**more):
    print(json.dumps({"context": {}, "benchmarks": [row(**more)]}))


def error(message):
    answer(error_occurred=True, error_message=message)


def count_up():
    """How often it was called before."""
    count = pathlib.Path(os.environ["FAKE_COUNT"])
    done = int(count.read_text()) if count.exists() else 0
    count.write_text(str(done + 1))
    return done


def spoil(times):
    done = count_up()
    if done % (times + 1) < times:
        answer(label="invalid: the threads overlapped for 0.50 of the window")
    else:
        answer()


def behave(how):
    if how == "crash":
        print("about to touch a guard page", file=sys.stderr, flush=True)
        signal.signal(signal.SIGSEGV, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGSEGV)
    elif how == "hang":
        subprocess.Popen(["sleep", "1000"])
        time.sleep(1000)
    elif how == "invalid":
        answer(label="invalid: a thread was moved")
    elif how.startswith("spoilt"):
        spoil(int(how.split()[1]))
    elif how.startswith("lines"):
        times = how.split()[1].split(",")
        turn = min(count_up(), len(times) - 1)
        answer(lfv_line_transfer_ns=float(times[turn]))
    elif how == "too-slow":
        error("too slow: 4096 of 100000 areas after 10 s")
    elif how == "failed":
        error("overlap: [0x1000, 0x2000) was handed out twice")
        return 3
    elif how == "exit":
        answer()
        print("the sanitizer saw it", file=sys.stderr)
        return 9
    elif how == "garbage":
        print("no JSON")
    elif how == "slow":
        count_up()
        time.sleep(0.2)
        answer()
    elif how == "good":
        answer()
    return 0


def main():
    meant = os.environ.get("FAKE_FOR", "")
    hit = any(meant in word for word in sys.argv)
    return behave(os.environ.get("FAKE", "good") if hit else "good")


if __name__ == "__main__":
    sys.exit(main())

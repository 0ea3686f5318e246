#!/usr/bin/env python3
"""Counts what a message costs the server, and holds it against limits.txt.

    counts.py PROGRAM                 all cases; status 1 when one costs more than 3 % over its limit
    counts.py PROGRAM --update        writes what was counted as the new limits
    counts.py PROGRAM --profile CASE  where the instructions of one case go
    counts.py PROGRAM --json          the figures, for the benchmarks

Instructions are those of user space, as callgrind counts them; both they and the system calls are
the difference of two runs, by message, or for a broadcast by delivery. Nothing here is timed, so
nothing depends on how busy the machine is.
"""
import argparse
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

LIMITS = Path(__file__).resolve().parent / "limits.txt"
SLACK = 1.03    # of a limit, before it counts as broken
GAIN = 0.90     # below so much of a limit, it is time to lower it
FEW, MANY = 1_600, 9_600  # messages; both whole batches of every case


class Failed(Exception):
    """Nothing can be counted; the text says why."""


def run(program, case, messages, folder):
    """Instructions and system calls of one run of the server."""
    command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={folder}/%p", program, case,
               str(messages)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    pid = re.search(r"^pid (\d+)", done.stdout, re.MULTILINE)
    calls = re.search(r"^system calls (\d+)", done.stdout, re.MULTILINE)
    if done.returncode != 0 or not pid or not calls:
        raise Failed(f"{case}: status {done.returncode}\n{done.stdout}{done.stderr}")
    collected = re.search(rf"=={pid[1]}== Collected : (\d+)", done.stderr)
    if not collected:
        raise Failed(f"{case}: callgrind says nothing of process {pid[1]}\n{done.stderr}")
    return int(collected[1]), int(calls[1]), Path(folder) / pid[1]


def count(program, case):
    with tempfile.TemporaryDirectory() as folder:
        few, many = (run(program, case, messages, folder) for messages in (FEW, MANY))
    return {"instructions": (many[0] - few[0]) / (MANY - FEW),
            "system calls": (many[1] - few[1]) / (MANY - FEW)}


def by_function(file):
    """Instructions by function, from one of callgrind's files."""
    shown = subprocess.run(["callgrind_annotate", "--auto=no", "--threshold=100", str(file)],
                           capture_output=True, text=True, check=True).stdout
    found = {}
    for line in shown.splitlines():
        match = re.match(r"\s*([\d,]+) \([ \d.]+%\)\s+[^:]*:(.*?)(?: \[.*\])?$", line)
        if match:
            name = re.sub(r"<.*>|\(.*\)", "", match[2])
            found[name] = found.get(name, 0) + int(match[1].replace(",", ""))
    return found


def profile(program, case):
    with tempfile.TemporaryDirectory() as folder:
        few, many = (by_function(run(program, case, messages, folder)[2])
                     for messages in (FEW, MANY))
    costs = {name: (spent - few.get(name, 0)) / (MANY - FEW) for name, spent in many.items()}
    print(f"{case}: {sum(costs.values()):.0f} instructions a message")
    for name, cost in sorted(costs.items(), key=lambda item: -item[1]):
        if cost >= 2:
            print(f"  {cost:8.1f}  {name[:100]}")


def read_limits():
    limits, made_with = {}, ""
    for line in LIMITS.read_text(encoding="utf-8").splitlines():
        if line.startswith("# g++"):
            made_with = line
        elif line and not line.startswith("#"):
            case, instructions, calls = line.split()
            limits[case] = {"instructions": float(instructions), "system calls": float(calls)}
    return limits, made_with


def write_limits(figures, made_with):
    lines = ["# What a message may cost the server: user-space instructions, and system calls.",
             "# Written by counts.py --update, with:", made_with]
    lines += [f"{case:<20}{found['instructions']:>8.0f}{found['system calls']:>9.3f}"
              for case, found in figures.items()]
    LIMITS.write_text("\n".join(lines) + "\n", encoding="utf-8")


def judge(figures, limits):
    """Prints the table; answers whether everything is within its limit."""
    print(f"{'case':<20}{'instructions':>14}{'limit':>9}{'system calls':>16}{'limit':>9}")
    good = True
    for case in limits.keys() - figures.keys():
        print(f"{case:<20} has a limit and is no case any more: --update")
        good = False
    for case, found in figures.items():
        limit = limits.get(case)
        if limit is None:
            print(f"{case:<20}{found['instructions']:>14.0f}{'':>9}"
                  f"{found['system calls']:>16.3f}   has no limit yet: --update")
            good = False
            continue
        over = [what for what in limit if found[what] > limit[what] * SLACK + 0.001]
        under = [what for what in limit if found[what] < limit[what] * GAIN]
        said = f"  over: {', '.join(over)}" if over else "  lower the limit" if under else ""
        print(f"{case:<20}{found['instructions']:>14.0f}{limit['instructions']:>9.0f}"
              f"{found['system calls']:>16.3f}{limit['system calls']:>9.3f}{said}", flush=True)
        good = good and not over
    return good


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program")
    parser.add_argument("--update", action="store_true")
    parser.add_argument("--profile", metavar="CASE")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    listed = subprocess.run([args.program, "--list"], capture_output=True, text=True, check=True)
    made_with, *cases = listed.stdout.splitlines()
    try:
        if args.profile:
            profile(args.program, args.profile)
            return 0
        figures = {case: count(args.program, case) for case in cases}
    except Failed as error:
        print(f"counts: {error}", file=sys.stderr)
        return 2
    if args.json:
        print(json.dumps(figures))
        return 0
    if args.update:
        write_limits(figures, made_with)
        return 0
    limits, limits_made_with = read_limits()
    good = judge(figures, limits)
    if made_with != limits_made_with:
        print(f"not judged: the limits are of {limits_made_with[2:]}, this is {made_with[2:]}")
        return 0
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())

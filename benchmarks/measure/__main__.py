"""The command line of benchmarks/run.sh."""
import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from . import charts, others, report, rows, windows
from .progress import show
from .servers import ROOT, Failed, Programs

MEASURES = {"windows": windows.measure, "counts": others.counts, "memory": others.memory,
            "compile": others.compile_time, "clients": others.clients, "arena": others.arena}


def parse_arguments():
    parser = argparse.ArgumentParser(prog="benchmarks/run.sh",
                                     description="Measures hawser beside its peers.")
    parser.add_argument("rows", nargs="*", metavar="ROW",
                        help="rows or groups, by the beginning of their names (all)")
    parser.add_argument("--list", action="store_true", help="the names of all rows")
    parser.add_argument("--quick", action="store_true", help="few rounds, to see that it works")
    parser.add_argument("--rounds", type=int, default=40, help="windows per server (40)")
    parser.add_argument("--window", type=int, default=100, help="milliseconds of a window (100)")
    parser.add_argument("--compilations", type=int, default=3, help="of each source (3)")
    parser.add_argument("--arena-seconds", type=int, default=60)
    parser.add_argument("--peer", action="append", default=[], metavar="NAME=COMMAND",
                        help="one more echo server, {port} in its command is replaced, with "
                             "--broadcast behind it one that sends to all: "
                             "--peer 'uws=./uws_server {port}'")
    parser.add_argument("--json", metavar="FILE", help="write all figures there")
    parser.add_argument("--charts", metavar="FOLDER", help="draw an SVG of each group there")
    parser.add_argument("--report", metavar="FILE", help="write the results as a page")
    parser.add_argument("--build", default=ROOT / "build/release", help="build folder")
    parser.add_argument("--compiler", default="g++")
    parser.add_argument("--server-core", type=int, default=0)
    parser.add_argument("--load-core", type=int, default=1)
    args = parser.parse_args()
    if args.quick:
        args.rounds, args.compilations, args.arena_seconds = 5, 1, 6
    return args


def measure_all(args, wanted, results):
    failures = []
    with tempfile.TemporaryDirectory() as folder:
        programs = Programs(args.build, folder, args.peer)
        for row in wanted:
            try:
                results[row.name] = MEASURES[row.how](args, programs, row)
            except (Failed, KeyError, subprocess.SubprocessError) as why:
                show("")
                failures.append(row.name)
                print(f"\n{row.name}: not measured: {why}", flush=True)
                continue
            report.print_row(row, results[row.name])
            sys.stdout.flush()
    return failures


def main():
    args = parse_arguments()
    wanted = rows.chosen(args.rows)
    if args.list or not wanted:
        for row in rows.ROWS:
            print(f"{row.name:<26}{row.group:<12}{row.title}")
        return 0 if args.list else 2
    about = report.machine(args)
    print("\n".join(f"{name}: {value}" for name, value in about.items()), flush=True)
    results = {}
    failures = []
    try:
        failures = measure_all(args, wanted, results)
    except KeyboardInterrupt:
        show("")
        print("\nstopped; what was measured:", flush=True)
    measured = [row for row in wanted if row.name in results]
    if args.json:
        report.write_json(args.json, results, about)
    if args.report:
        report.write_page(args.report, results, about, measured)
    if args.charts:
        charts.draw_all(measured, results, Path(args.charts))
    verdicts = [report.passes(row, key, results[row.name][key])
                for row in measured for key in row.targets if key in results[row.name]]
    print(f"\n{sum(verdicts)} of {len(verdicts)} figures are within their targets"
          + (f"; not measured: {', '.join(failures)}" if failures else ""))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())

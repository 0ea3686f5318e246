"""What people read: the table, the machine, the page of results, the file of figures."""
import json
import os
import platform
import subprocess
from datetime import date
from pathlib import Path

from .rows import SLACK


def first_line(*command):
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return (done.stdout or done.stderr).splitlines()[0]
    except (OSError, IndexError):
        return "not there"


def debian_version(package):
    return first_line("dpkg-query", "-W", "-f", "${Version}\n", package)


def machine(args):
    model = next((line.split(":")[1].strip() for line in
                  Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
                  if line.startswith("model name")), "unknown")
    return {"cpu": model, "cores": os.cpu_count(), "kernel": platform.release(),
            "compiler": first_line(args.compiler, "--version"),
            "asio": debian_version("libasio-dev"), "openssl": debian_version("libssl-dev"),
            "beast": debian_version("libboost1.81-dev"),
            "websocketpp": debian_version("libwebsocketpp-dev"),
            "node": first_line("node", "--version"), "date": date.today().isoformat(),
            "load average": os.getloadavg()[0], "rounds": args.rounds,
            "window ms": args.window}


def passes(row, key, found):
    slack = SLACK if row.unit.startswith("x ") else 0
    return found["value"] <= row.targets[key] + slack


def number(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:.2f}" if value >= 1 else f"{value:.3f}"


def spread(found):
    if found["low"] == found["high"]:
        return number(found["value"])
    return f"{number(found['value'])} [{number(found['low'])}-{number(found['high'])}]"


def cells(row, figures):
    """The lines of one row: what, figure, target, verdict."""
    for key, found in figures.items():
        if key in row.targets:
            verdict = "pass" if passes(row, key, found) else "MISS"
            note = " noisy" if found.get("noisy") else ""
            yield f"hawser, {key}", spread(found), number(row.targets[key]), verdict + note
        elif key != row.against:
            yield key, spread(found), "", ""


def title(row):
    return f"{row.title}, {row.unit}" if row.unit else row.title


def print_row(row, figures):
    print(f"\n{row.name}: {title(row)}")
    for what, value, target, verdict in cells(row, figures):
        print(f"  {what:<28}{value:>26}{target:>12}  {verdict}")


def write_page(path, results, about, rows):
    """The results as Markdown."""
    lines = ["# Results", "", "Written by `benchmarks/run.sh --report`; what it means and how it is measured "
             "is in [README.md](README.md).", ""]
    lines += [f"- {name}: {value}" for name, value in about.items()]
    for group in dict.fromkeys(row.group for row in rows):
        lines += ["", f"## {group}", "", "| row | what | figure | target | |", "|---|---|---|---|---|"]
        for row in rows:
            if row.group == group and row.name in results:
                lines += [f"| {title(row)} | {what} | {value} | {target} | {verdict} |"
                          for what, value, target, verdict in cells(row, results[row.name])]
    Path(path).write_text("\n".join(lines) + "\n", encoding="utf-8")


def write_json(path, results, about):
    Path(path).write_text(json.dumps({"machine": about, "rows": results}, indent=2) + "\n",
                          encoding="utf-8")

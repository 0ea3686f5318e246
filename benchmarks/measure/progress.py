"""One line on a terminal that says what is going on."""
import sys


def show(text, lasting=False):
    if lasting:
        show("")
        print(text, file=sys.stderr, flush=True)
    elif sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)

"""Prints the figures of several runs (the lines of HOLDFAST_FIGURES) as a Markdown table: figures.py FILE"""

import json
import re
import sys


def in_order(row):
    """S9 before S10; letters as they come."""
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", row)]


def text(value):
    return "never" if value is None else f"{value:g}"


def table(lines):
    rows = {}
    for line in lines:
        row, measured, limit, unit, at_least = json.loads(line)
        rows.setdefault(row, {"runs": [], "limit": limit, "unit": unit, "at_least": at_least})["runs"].append(measured)
    out = ["| row | unit | runs | limit |", "| --- | --- | --- | --- |"]
    for row in sorted(rows, key=in_order):
        one = rows[row]
        limit = "–" if one["limit"] is None else f"{'≥' if one['at_least'] else '≤'} {one['limit']:g}"
        out.append(f"| {row} | {one['unit']} | {', '.join(text(value) for value in one['runs'])} | {limit} |")
    return "\n".join(out)


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as figures:
        print(table(figures))

#!/usr/bin/env python3
"""Which operations tools/run-with-faults lets fail, and what it says of it: with a program that has two tests, of which
one has five operations of each kind and the other two hundred."""
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

TOOL = pathlib.Path(__file__).parent.parent / "tools/run-with-faults"
PROGRAM = f"""#!{sys.executable}
import json, os, pathlib, sys
fault = os.environ["HOLDFAST_HOST_FAULT"]
report = next(word.removeprefix("--gtest_output=json:") for word in sys.argv if word.startswith("--gtest_output=json:"))
flags = [word.removeprefix("--gtest_flagfile=") for word in sys.argv if word.startswith("--gtest_flagfile=")]
names = pathlib.Path(flags[0]).read_text().strip().removeprefix("--gtest_filter=").split(":")
kind, nth = fault.split()
cases = []
for name, operations in (("few", 5), ("many", 200)):
    if names != ["*"] and "Some." + name not in names:
        continue
    case = {{"classname": "Some", "name": name, "result": "COMPLETED"}}
    if kind == "none" or int(nth) <= operations:
        case["host_fault"] = "came"
    if os.environ.get("BREAKS") == nth:
        case["failures"] = [{{"failure": "PROMISE BROKEN: it is lost"}}]
    cases.append(case)
with open(os.environ["LOG"], "a") as log:
    log.write(fault + " " + ",".join(case["name"] for case in cases) + "\\n")
pathlib.Path(report).write_text(json.dumps({{"testsuites": [{{"testsuite": cases}}]}}))
"""


class RunWithFaults(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.program = pathlib.Path(self.folder.name) / "program"
        self.log = pathlib.Path(self.folder.name) / "log"
        self.program.write_text(PROGRAM)
        self.program.chmod(0o700)

    def tearDown(self):
        self.folder.cleanup()

    def run_tool(self, *words, **environment):
        self.log.write_text("")
        done = subprocess.run([TOOL, *words[:-1], self.program, words[-1]], env=dict(os.environ, LOG=str(self.log), **environment),
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60, check=False)
        return done.returncode, done.stdout, self.log.read_text().splitlines()

    def test_only_these(self):
        code, text, runs = self.run_tool("--only", "1,3,8", "send_lost")
        self.assertEqual(runs, ["send_lost 1 few,many", "send_lost 3 few,many", "send_lost 8 few,many"])
        self.assertEqual((code, text), (0, '5 lives had their fault and overcame it; the last was "send_lost 8"\n'))

    def test_only_as_far_as_a_test_gets(self):
        self.assertEqual(self.run_tool("--only", "6,300,400", "send_lost")[2],
                         ["send_lost 6 few,many", "send_lost 300 many"])

    def test_only_what_rises(self):
        for wrong in ("3,1", "0", "1,1", "x", ""):
            code, text, runs = self.run_tool("--only", wrong, "send_lost")
            self.assertEqual((code, runs), (2, []), wrong)
            self.assertIn("--only", text)
        self.assertEqual(self.run_tool("--only", "1", "--all", "5", "send_lost")[0], 2)

    def test_all_and_part(self):
        runs = [int(run.split()[1]) for run in self.run_tool("--all", "3", "--part", "2", "send_lost")[2]]
        self.assertEqual(runs, [1, 2, 3, 4, 6, 9, 13, 19, 28, 42, 63, 94, 141, 211])

    def test_broken_promise(self):
        code, text, runs = self.run_tool("--only", "1,3,8", "send_lost", BREAKS="3")
        self.assertEqual((code, len(runs)), (1, 2))
        self.assertIn('HOLDFAST_HOST_FAULT="send_lost 3"', text)
        self.assertIn("Some.few", text)
        self.assertIn("it is lost", text)

    def test_none(self):
        self.assertEqual(self.run_tool("none")[2][0], "none 0 few,many")


if __name__ == "__main__":
    unittest.main()

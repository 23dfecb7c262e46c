"""What the tests of the sources share: arguments, the list of files, the report."""

import argparse
import os
import re
import subprocess
import sys

ROOMS = ["base", "wire", "buf", "timer", "trace", "link", "ip", "udp", "tcp"]


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--root", default=os.path.join(os.path.dirname(__file__), "..", ".."))
    parser.add_argument("--build", default="")
    parser.add_argument("--compiler", default="c++")
    return parser.parse_args()


def files(root, *patterns):
    """Paths below root that match one of the regular expressions, without what is only built."""
    if os.path.exists(os.path.join(root, ".git")):
        command = ["git", "-c", "safe.directory=*", "-C", root, "ls-files", "-co",
                   "--exclude-standard"]
        listed = subprocess.run(command, capture_output=True, text=True, check=True)
        names = listed.stdout.splitlines()
    else:
        names = [
            os.path.relpath(os.path.join(folder, name), root)
            for folder, _, found in os.walk(root)
            for name in found
            if not os.path.relpath(folder, root).startswith("build")
        ]
    return sorted(
        name
        for name in names
        if any(re.search(pattern, name) for pattern in patterns)
        and os.path.isfile(os.path.join(root, name))
    )


def lines(root, path):
    with open(os.path.join(root, path), encoding="utf-8") as file:
        return file.read().splitlines()


def report(problems, checked, what):
    """Ends the test. Nothing looked at is a failure, too."""
    for problem in problems:
        print(problem)
    print(f"{checked} {what} looked at, {len(problems)} problems")
    sys.exit(1 if problems or checked == 0 else 0)

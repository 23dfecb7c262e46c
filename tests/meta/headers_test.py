"""Every header compiles alone.

A header with a source of its own is proved by that source, which must include it first; the others
are compiled here.
"""

import concurrent.futures
import os
import re
import subprocess

import rules


def first_include(root, path):
    for line in rules.lines(root, path):
        match = re.match(r'^#include ["<]([^">]+)[">]', line)
        if match:
            return match.group(1)
    return None


def compile_alone(options, path):
    done = subprocess.run(
        [options.compiler, "-std=c++23", "-fsyntax-only", "-Wall", "-Wextra", "-Werror",
         "-I", options.root, "-x", "c++", "-"],
        input=f'#include "{path}"\n', capture_output=True, text=True, check=False,
    )
    return None if done.returncode == 0 else f"{path} does not compile alone:\n{done.stderr}"


def main():
    options = rules.arguments()
    problems = []
    alone = []
    headers = rules.files(options.root, r"^(stack|drivers|apps|tests/support)/.*\.h$")
    for header in headers:
        if rules.lines(options.root, header)[:1] != ["#pragma once"]:
            problems.append(f"{header}: does not begin with #pragma once")
        source = header[:-2] + ".cpp"
        if not os.path.exists(os.path.join(options.root, source)):
            alone.append(header)
        elif first_include(options.root, source) != header:
            problems.append(f"{source}: does not include {header} first")
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        problems += filter(None, pool.map(lambda path: compile_alone(options, path), alone))
    rules.report(problems, len(headers), "headers")


if __name__ == "__main__":
    main()

"""Small things that a reader should never meet in the tree."""

import re

import rules

TEXT = r"(\.(h|cpp|py|sh|md|txt|toml|pkt|json|html|js|css)|Makefile|\.clang-(format|tidy)|\.ci/run)$"
MACHINE_PATH = re.compile(r"(?<![\w.])/(home|root|work|Users)/\w")
LEFT_OVER = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X)\b")
DIRECTIVE = re.compile(r"^\s*#\s*(\w+)\s*(\w*)")


def directive_complaint(line):
    """stack/ has no options for the preprocessor and no macros: what it reads is what there is."""
    match = DIRECTIVE.match(line)
    if not match or match.group(1) == "include" or match.groups() == ("pragma", "once"):
        return None
    return f"#{match.group(1)} is not for stack/"


def main():
    options = rules.arguments()
    problems = []
    paths = rules.files(options.root, TEXT)
    for path in paths:
        with open(f"{options.root}/{path}", encoding="utf-8", newline="") as file:
            content = file.read()
        if content and not content.endswith("\n"):
            problems.append(f"{path}: the last line has no end")
        for number, line in enumerate(content.split("\n"), 1):
            where = f"{path}:{number}"
            if line != line.rstrip():
                problems.append(f"{where}: white space at the end")
            if "\t" in line and re.search(r"\.(h|cpp|py)$", path):
                problems.append(f"{where}: a tab")
            if MACHINE_PATH.search(line):
                problems.append(f"{where}: a path of one machine")
            if LEFT_OVER.search(line):
                problems.append(f"{where}: something left over")
            if re.match(r"^stack/.*\.(h|cpp)$", path) and directive_complaint(line):
                problems.append(f"{where}: {directive_complaint(line)}")
    rules.report(problems, len(paths), "files")


if __name__ == "__main__":
    main()

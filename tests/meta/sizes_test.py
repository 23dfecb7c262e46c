"""Files stay below 400 lines and functions below 50, so that each can be read at one sitting."""

import re

import rules

FILE_LIMIT = 400
FUNCTION_LIMIT = 50
NOISE = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])\'', re.DOTALL)
SIGNATURE = re.compile(
    r"\)\s*((const|noexcept|override|final|mutable|&&?)\s*)*(->[^;]*|:[^;]*)?\s*$"
)
SCOPE = re.compile(r"\b(namespace|class|struct|enum|union|extern)\b[^()=]*$")


def without_noise(text):
    """The text without comments and literals; every line stays where it is."""
    return NOISE.sub(lambda match: re.sub(r"[^\n]", " ", match.group(0)), text)


def functions(text):
    """(first line, lines) of every body that stands in namespaces and classes only."""
    open_braces = []  # (line, kind)
    statement = ""
    line = 1
    for c in without_noise(text):
        if c == "\n":
            line += 1
        if c == "{":
            inside_scopes = all(kind == "scope" for _, kind in open_braces)
            kind = "other"
            if SCOPE.search(statement):
                kind = "scope"
            elif inside_scopes and SIGNATURE.search(statement):
                kind = "function"
            open_braces.append((line, kind))
        elif c == "}" and open_braces:
            start, kind = open_braces.pop()
            if kind == "function":
                yield start, line - start + 1
        statement = "" if c in "{};" else statement + c


def main():
    options = rules.arguments()
    problems = []
    found = 0
    paths = rules.files(options.root, r"^(stack|drivers|apps)/.*\.(h|cpp)$")
    for path in paths:
        text = rules.lines(options.root, path)
        if len(text) > FILE_LIMIT:
            problems.append(f"{path}: {len(text)} lines")
        for start, length in functions("\n".join(text)):
            found += 1
            if length > FUNCTION_LIMIT:
                problems.append(f"{path}:{start}: a function of {length} lines")
    rules.report(problems, found, f"functions in {len(paths)} files")


if __name__ == "__main__":
    main()

"""What the documents name exists: every path, and every Class::function in code marks."""

import os
import re

import rules

DOCUMENTS = r"^(README\.md|stack/README\.md|docs/.*\.md|captures/.*\.md|tests/.*\.md)$"
LINK = re.compile(r"\]\(([^)#\s]+)(#[^)]*)?\)")
CODE = re.compile(r"`([^`\n]+)`")
PATH = re.compile(r"^(stack|drivers|apps|tests|captures|docs)/[\w./-]*$")
MEMBER = re.compile(r"^(\w+)::(\w+)(\(.*\))?$")


def known_members(root):
    """Class -> the text of the headers that define it."""
    found = {}
    for path in rules.files(root, r"^(stack|drivers|apps)/.*\.h$"):
        text = "\n".join(rules.lines(root, path))
        for name in re.findall(r"^ *(?:class|struct|enum class) (\w+)", text, re.MULTILINE):
            found[name] = found.get(name, "") + text
    return found


def main():
    options = rules.arguments()
    problems = []
    checked = 0
    members = known_members(options.root)
    for document in rules.files(options.root, DOCUMENTS):
        text = "\n".join(rules.lines(options.root, document))
        targets = [(name, os.path.dirname(document)) for name, _ in LINK.findall(text)
                   if "://" not in name]
        targets += [(name, "") for name in CODE.findall(text) if PATH.match(name)]
        for name, base in targets:
            checked += 1
            if not os.path.exists(os.path.join(options.root, base, name)):
                problems.append(f"{document}: {name} does not exist")
        for code in CODE.findall(text):
            match = MEMBER.match(code)
            if not match or match.group(1) == "std":
                continue
            checked += 1
            kind, member = match.group(1), match.group(2)
            if not re.search(rf"\b{member}\b", members.get(kind, "")):
                problems.append(f"{document}: {code} does not exist")
    rules.report(problems, checked, "names")


if __name__ == "__main__":
    main()

"""Holds every #include against the order of the rooms: an arrow goes only downward.

stack/ knows the C++ standard library only, and of that nothing with a clock, a thread or a file.
"""

import re

import rules

LOWER = ["base", "wire"]
MAY_INCLUDE = {
    "stack/base": [],
    "stack/wire": ["base"],
    "stack/buf": LOWER,
    "stack/timer": LOWER,
    "stack/trace": LOWER + ["buf"],
    "stack/link": LOWER + ["buf", "timer", "trace"],
    "stack/ip": LOWER + ["buf", "timer", "trace", "link"],
    "stack/udp": LOWER + ["buf", "timer", "trace", "link", "ip"],
    "stack/tcp": LOWER + ["buf", "timer", "trace", "link", "ip"],
    "stack": rules.ROOMS,
}
# What of the standard library stack/ has asked for so far and may have.
STANDARD = set(
    "algorithm array bit bitset cassert charconv chrono cmath compare concepts cstddef cstdint "
    "cstring cctype deque expected functional initializer_list iterator limits list map memory "
    "numeric optional ostream queue ranges set span string string_view tuple type_traits "
    "unordered_map unordered_set utility variant vector".split()
)
# Libraries that belong to the program, never to the devices.
APPS_ONLY = re.compile(r"^(CLI|nlohmann|toml\+\+|boost)/|^toml\.hpp$")
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def room_of(path):
    parts = path.split("/")
    if parts[0] == "stack" and len(parts) > 2:
        return "stack/" + parts[1]
    return parts[0]


def complaint(path, quote, included):
    room = room_of(path)
    top = path.split("/")[0]
    if quote == '"':
        target = room_of(included)
        if "/" not in included:
            return "is not written from the root of the repository"
        if top in ("tests",) or target == room:
            return None
        if room in MAY_INCLUDE:
            allowed = ["stack/" + name for name in MAY_INCLUDE[room]]
            return None if target in allowed else f"{room} may not know {target}"
        if top == "drivers":
            return None if target.startswith("stack") else f"drivers may not know {target}"
        if top == "apps":
            return None if target.split("/")[0] in ("stack", "drivers", "apps") else "not ours"
        return None
    if top == "stack" and included not in STANDARD:
        return "is not among what stack/ may have of the standard library"
    if path.startswith("stack/") and included == "chrono" and path != "stack/base/time.h":
        return "time comes from stack/base/time.h"
    if top == "drivers" and APPS_ONLY.match(included):
        return "belongs to apps/"
    return None


def main():
    options = rules.arguments()
    problems = []
    checked = 0
    for path in rules.files(options.root, r"^(stack|drivers|apps|tests)/.*\.(h|cpp)$"):
        for number, line in enumerate(rules.lines(options.root, path), 1):
            match = INCLUDE.match(line)
            if not match:
                continue
            checked += 1
            why = complaint(path, *match.groups())
            if why:
                problems.append(f"{path}:{number}: {match.group(2)}: {why}")
    rules.report(problems, checked, "includes")


if __name__ == "__main__":
    main()

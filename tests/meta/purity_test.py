"""Reads the symbols that the stack's libraries want from outside: no clock, thread, file or device.

The list is of what is allowed, so that something new has to be looked at once.
"""

import os
import re
import subprocess

import rules

ALLOWED = re.compile(
    r"""^(
      tapestry::.*|(vtable|typeinfo|typeinfo\ name|VTT|guard\ variable|construction\ vtable)\ for\ .*
    | operator\ (new|delete).*
    | mem(cpy|move|set|cmp|chr)|strlen|bcmp
    | (cbrt|sqrt|pow|exp|log|floor|ceil|fmod|round|lround|llround)f?
    | __cxa_.*|__gxx_personality_v0|_Unwind_Resume|__dso_handle|__stack_chk_fail|atexit
    | __(asan|ubsan|sanitizer|tsan)_.*|_GLOBAL_OFFSET_TABLE_|__tls_get_addr
    | std::.*|(non-virtual\ )?(thunk|virtual\ thunk)\ to\ .*|__gnu_cxx::.*
    | __(mem|str)(cpy|move|set|cat)_chk
    )$""",
    re.VERBOSE,
)
FORBIDDEN_IN_STD = re.compile(
    r"clock::now|chrono::_V2|this_thread|std::thread|mutex|condition_variable|future|promise"
    r"|random_device|filebuf|fstream|std::(cout|cerr|clog|cin)\b|ios_base::Init|filesystem|getline"
)


def undefined_symbols(library):
    listed = subprocess.run(
        ["nm", "--demangle", "--undefined-only", library],
        capture_output=True, text=True, check=True,
    )
    for line in listed.stdout.splitlines():
        match = re.match(r"^\s*U (.*)$", line)
        if match:
            yield match.group(1)


def main():
    options = rules.arguments()
    problems = []
    checked = 0
    for room in rules.ROOMS + ["stack"]:
        folder = "stack" if room == "stack" else f"stack/{room}"
        if not rules.files(options.root, rf"^{folder}/[^/]*\.cpp$"):
            continue
        library = os.path.join(options.build, f"libtapestry_{room}.a")
        if not os.path.exists(library):
            problems.append(f"{library} has not been built")
            continue
        for symbol in sorted(set(undefined_symbols(library))):
            checked += 1
            plain = re.sub(r"@.*$", "", symbol)
            if FORBIDDEN_IN_STD.search(plain) or not ALLOWED.match(plain):
                problems.append(f"tapestry_{room} wants {symbol}")
    rules.report(problems, checked, "symbols")


if __name__ == "__main__":
    main()

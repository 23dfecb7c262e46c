#include "apps/inspect/terminal/help.h"

#include <array>
#include <string_view>

namespace tapestry {

std::string keys_line(int width, bool first, bool branches) {
    static constexpr std::array<std::string_view, 9> kKeys{
        "Enter: next", "Left: back", "n/p: state change", "d: drop frame", "?: help",
        "q: quit",     "/: filter",  "b: break",          "g: time"};
    std::string line = first ? "Press Enter for the next step, ? for all keys, q to quit." : "";
    if (first)
        return static_cast<int>(line.size()) <= width ? line : "Enter: next  ?: help  q: quit";
    for (const std::string_view key : kKeys) {
        if (!branches && key.starts_with("d:")) continue;
        if (static_cast<int>(line.size() + key.size()) + 2 > width) break;
        line += (line.empty() ? "" : "  ") + std::string(key);
    }
    return line;
}

std::vector<std::string> help_lines() {
    return {
        "Enter, Space, Right, Down   one step on     Left, Up, Backspace   back",
        "n, p        next, previous change of a state     Home, End   first, last step",
        "d           drop this frame, and see what would have happened (labs)",
        "u           undo that: back to the run as it was",
        "b           stop at a condition: state==ESTABLISHED, retransmission, seq>=1000",
        "c           on to the next step where it holds",
        "/           show only steps where a condition holds; empty: all",
        "g           go to a time, in seconds",
        "Tab, Shift-Tab   next, previous field of the frame's bytes",
        "PgDn, PgUp       the rest of a long explanation",
        "t           another theme     ?   this help     q   quit",
        "",
        "In the middle time runs downward: one line for each machine, one row for each step, the "
        "last "
        "is where you are. At the sides is what each end of the connection knows; * marks what "
        "this "
        "step has changed. An arrow that does not reach the other side is still on its way; x: the "
        "frame is lost.",
        "",
        "S, F, R, P and . are the flags SYN, FIN, RST, PSH and ACK; 1:6(5) are the bytes from 1 up "
        "to "
        "6, five of them. Numbers count from the first of each direction.",
    };
}

}  // namespace tapestry

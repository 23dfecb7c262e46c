#include "apps/inspect/terminal/help.h"

#include <array>

#include "apps/inspect/terminal/phrases.h"

namespace tapestry {
namespace {

std::vector<std::string> english_help() {
    return {
        "Enter, Space, Right, Down   one step on     Left, Up, Backspace   back",
        "n, p        next, previous change of a state     Home, End   first, last step",
        "d           drop this frame, and see what would have happened (labs)",
        "u, U        undo the latest of that; all: back to the run as it was",
        "b           one more condition to stop at: state==ESTABLISHED, retransmission",
        "            -1 removes the first of them, - all",
        "c           on to the next step where one of them holds",
        "/           show only steps where a condition holds; empty: all",
        "g           go to a time, in seconds",
        "Tab, Shift-Tab   next, previous field of the frame's bytes",
        "PgDn, PgUp       the rest of a long explanation",
        "a  absolute numbers   l  Chinese   t  another theme   ?  this help   q  quit",
        "",
        "In the middle time runs downward: one line for each machine, one row for each step, the "
        "last is where you are. At the sides is what each end of the connection knows; * marks "
        "what this step has changed. An arrow that does not reach the other side is still on its "
        "way; x: the frame is lost.",
        "",
        "S, F, R, P and . are the flags SYN, FIN, RST, PSH and ACK; 1:6(5) are the bytes from 1 up "
        "to 6, five of them. Numbers count from the first of each direction. Windows are in bytes; "
        "behind them, in parentheses, what the window field holds.",
    };
}

std::vector<std::string> chinese_help() {
    return {
        "Enter、空格、Right、Down   下一步     Left、Up、Backspace   上一步",
        "n、p        下一次、上一次状态变化     Home、End   第一步、最后一步",
        "d           丢弃这一帧，看接下来会怎样（实验）",
        "u、U        撤销最近一次丢弃；全部撤销，回到原来的运行",
        "b           增加一个断点条件：state==ESTABLISHED、retransmission",
        "            -1 删除第一个，- 全部删除",
        "c           到下一个满足任一条件的步骤",
        "/           只显示满足条件的步骤；不输入：全部",
        "g           到某个时刻，单位是秒",
        "Tab、Shift-Tab   帧的下一个、上一个字段",
        "PgDn、PgUp       长解释的其余部分",
        "a  绝对序号   l  English   t  换外观   ?  本帮助   q  退出",
        "",
        "中间的时间从上往下：每台机器一条竖线，每一步一行，最后一行就是现在的位置。两边是连接的"
        "两端各自知道的变量；* 标出这一步改变了的。没有到达对面的箭头还在途中；x 表示帧丢失了。",
        "",
        "S、F、R、P 和点号是标志位 SYN、FIN、RST、PSH 和 ACK；1:6(5) 表示从 1 到 6（不含 6）的五"
        "个字节。序号从每个方向的初始序号数起。",
    };
}

}  // namespace

std::string keys_line(int width, bool first, const View& view) {
    static constexpr std::array kKeys{
        Phrase::KeyNext, Phrase::KeyBack,     Phrase::KeyTurn,   Phrase::KeyDrop,  Phrase::KeyHelp,
        Phrase::KeyQuit, Phrase::KeyLanguage, Phrase::KeyFilter, Phrase::KeyBreak, Phrase::KeyTime};
    const auto fits = [&](const std::string& line) { return cells_of(line) <= width; };
    const std::string other(phrase(Phrase::KeyLanguage, view.language));
    const bool languages = view.glyphs == Glyphs::Unicode;
    if (first) {
        const std::string line(phrase(Phrase::FirstKeys, view.language));
        if (languages && fits(line + "  " + other)) return line + "  " + other;
        return fits(line) ? line : std::string(phrase(Phrase::FewKeys, view.language));
    }
    std::string line;
    for (const Phrase key : kKeys) {
        if (!view.branches && key == Phrase::KeyDrop) continue;
        if (!languages && key == Phrase::KeyLanguage) continue;
        const std::string more =
            (line.empty() ? "" : "  ") + std::string(phrase(key, view.language));
        if (!fits(line + more)) break;
        line += more;
    }
    return line;
}

std::vector<std::string> help_lines(const View& view) {
    return view.language == Language::English ? english_help() : chinese_help();
}

}  // namespace tapestry

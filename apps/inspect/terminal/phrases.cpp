#include "apps/inspect/terminal/phrases.h"

#include <array>

namespace tapestry {
namespace {

using enum Phrase;

struct Row {
    Phrase key;
    std::string_view english;
    std::string_view chinese;
};

constexpr auto kRows = std::to_array<Row>({
    {None, "", ""},
    // keys
    {KeyNext, "Enter: next", "Enter: 下一步"},
    {KeyBack, "Left: back", "Left: 上一步"},
    {KeyTurn, "n/p: state change", "n/p: 状态变化"},
    {KeyDrop, "d: drop frame", "d: 丢弃此帧"},
    {KeyHelp, "?: help", "?: 帮助"},
    {KeyQuit, "q: quit", "q: 退出"},
    {KeyLanguage, "l: 中文", "l: English"},
    {KeyFilter, "/: filter", "/: 筛选"},
    {KeyBreak, "b: break", "b: 断点"},
    {KeyTime, "g: time", "g: 时间"},
    {FirstKeys, "Press Enter for the next step, ? for all keys, q to quit.",
     "按 Enter 看下一步，按 ? 看所有按键，按 q 退出。"},
    {FewKeys, "Enter: next  ?: help  q: quit", "Enter: 下一步  ?: 帮助  q: 退出"},
    // where the reader is
    {StepOf, "step {} of {}, {} s", "第 {} 步，共 {} 步，{} 秒"},
    {FilteredBy, "  [filter: {}]", "  [筛选：{}]"},
    {StopsAt, "  [break: {}]", "  [断点：{}]"},
    {BranchOf, "branch: frame {} dropped", "分支：丢弃了帧 {}"},
    {BranchOfMany, "branch: frames {} dropped", "分支：丢弃了帧 {}"},
    {InBranch, "  [{}]", "  [{}]"},
    {More, " PgDn: more ", " PgDn: 更多 "},
    {AnyKey, "any key: back to the steps", "按任意键回到步骤"},
    {TooSmall, "too small", "太小"},
    // what each end knows
    {NoStateKnown, " (no state known)", " （状态未知）"},
    {NoConnection, " no connection", " 还没有连接"},
    {Yet, " yet", " "},
    {RtoTimer, "RTO timer", "RTO 定时"},
    // what happens, in one line
    {Sends, "{} sends {}", "{} 发送{}"},
    {Gets, "{} gets {}", "{} 收到{}"},
    {FrameIs, "frame {}, {}", "帧 {}，{}"},
    {Segment, "segment", "报文段"},
    {Data, "data", "数据"},
    {Brackets, " ({})", "（{}）"},
    {Colon, ": ", "："},
    {Comma, ", ", "，"},
    {Sentence, ". ", "。"},
    {NotArrived, "It does not arrive: {}", "它没有到达：{}"},
    {TimerGoesOff, "A timer of {} goes off: {}", "{} 的定时器到时：{}"},
    {ProgramAsks, "The program on {}: {}", "{} 上的程序：{}"},
    {ProgramIsTold, "The program on {} is told: {}", "{} 上的程序得知：{}"},
    {Learns, "{} changes what it knows of the connection", "{} 更新它对连接的了解"},
    {Refuses, "{} refuses a packet: {}", "{} 拒绝一个分组：{}"},
    {PassesOnAs, "{} passes it on: {}", "{} 转发它：{}"},
    // beside a lifeline
    {RefusedNote, "refused: {}", "拒绝：{}"},
    {ArpArrives, "ARP arrives", "ARP 到达"},
    {Arrives, "{} arrives", "{} 到达"},
    {TimerNote, "timer: {}", "定时器：{}"},
    {PassesOn, "passes it on", "转发"},
    {ChangesFields, "changes {}", "改写 {}"},
    // a frame's bytes
    {BytesOfFrame, "bytes of frame {}  ", "帧 {} 的字节  "},
    {AtByte, "  (byte {})", "  （第 {} 字节）"},
    {AtBytes, "  (bytes {}-{})", "  （第 {}-{} 字节）"},
    // explanations
    {AskedForAddress,
     "Frames on an Ethernet go to hardware (MAC) addresses. Before the first packet to a neighbour "
     "its IP address is asked for, and all on the link hear that.",
     "以太网上的帧发往硬件地址（MAC 地址）。向邻居发送第一个分组之前，要先用它的 IP "
     "地址询问硬件地址，链路上所有的主机都听得到。"},
    {ToldAddress,
     "The one who has the address tells its hardware address. The asker keeps it, so this happens "
     "once; the packet that waited for it can now leave.",
     "拥有这个地址的主机告诉对方自己的硬件地址。询问者把它缓存下来，所以只需问一次；等着它的分组现"
     "在可以发出了。"},
    {AProgramAsks, "A program asks its TCP for something.", "应用程序要求它的 TCP 做一件事。"},
    {AProgramIsTold, "This is what the program gets to know; it sees none of the segments.",
     "这是应用程序能知道的；它看不到任何报文段。"},
    {NewSource,
     "The router writes another address over the source, as a row of its table says: to the "
     "receiver the packet comes from there, and answers will go there. ",
     "路由器按转换表的表项改写源地址：在接收方看来分组就来自那里，应答也会发往那里。"},
    {NewDestination,
     "The router writes another address over the destination, as a row of its table says: that is "
     "where the packet really goes. ",
     "路由器按转换表的表项改写目的地址：这才是分组真正要去的地方。"},
    {OneHopLess,
     "Every router takes one off the time to live (ttl); who takes the last one throws the packet "
     "away. ",
     "每台路由器都把生存时间（ttl）减一；减到零的那台丢弃分组。"},
    {SentAgain, "Sent again: frame {} carried this, and nothing has acknowledged it. ",
     "重传：帧 {} 发送过同样的内容，但一直没有得到确认。"},
    {WhatSyn,
     "A SYN asks for a connection and tells the number from which this side counts its bytes, its "
     "ISS. Here it is shown as 0.",
     "SYN 请求建立连接，并告诉对方本端的字节从哪个序号数起，即初始序号 ISS。这里把它显示为 0。"},
    {WhatSynAck,
     "It says two things. The ACK: your SYN has arrived, and I expect the number behind it next. "
     "The SYN: this is the number from which I count.",
     "它说明两件事。ACK：你的 SYN 已经到达，我接着期待它后面的序号。SYN：我的字节从这个序号数起。"},
    {WhatFin,
     "A FIN says that no more data come from this side. It takes a sequence number, so it is "
     "acknowledged as data are. The other direction stays open.",
     "FIN 表示本端不再有数据要发送。它占用一个序号，所以像数据一样要被确认。另一个方向仍然开着。"},
    {WhatRst, "A RST ends a connection at once, or says that there is none.",
     "RST 立即结束连接，或者说明并没有这个连接。"},
    {WhatData,
     "{} bytes of data, with the number of the first. The ACK tells what has arrived from the "
     "other side.",
     "{} 字节数据，序号是其中第一个字节的。ACK 说明已经收到对方的哪些数据。"},
    {WhatAck,
     "No data: it tells that all below its ack number has arrived, and by its window for how much "
     "more there is room.",
     "没有数据：它说明确认号之前的都已收到，并用窗口说明还能再接收多少。"},
    {OnItsWay, "On its way: it arrives at {} s.", "在途中：将在 {} 秒到达。"},
    {SegmentWaits, "The segment waits for the answer.", "报文段在等这个应答。"},
    {OftenWrong, "Often got wrong: {}", "常见错误：{}"},
    {RuleIs, "Rule: {}", "依据：{}"},
    {ThisIs, "This is: {}.", "本次演示：{}。"},
    // answers to keys
    {NoSuchKey, "No key for that; ? lists them.", "没有这个按键；? 列出所有按键。"},
    {LastStep, "This is the last step. Left goes back, q quits.",
     "这是最后一步。Left 后退，q 退出。"},
    {FirstStep, "This is the first step.", "这是第一步。"},
    {NoLaterTurn, "No state changes after this step.", "这一步之后没有状态变化。"},
    {NoEarlierTurn, "No state changes before this step.", "这一步之前没有状态变化。"},
    {NoFields, "This step has no frame whose fields could be looked at.",
     "这一步没有帧，所以没有字段可看。"},
    {NotDropped, "This is the run as it was: no frame has been dropped.",
     "这就是原来的运行：没有丢弃过任何帧。"},
    {NothingToDrop, "No frame is sent or comes in at this step: go to one, and press d there.",
     "这一步既不发送也不接收帧：请走到有帧的一步再按 d。"},
    {LostAnyway, "This frame does not arrive anyway.", "这一帧本来就没有到达。"},
    {DroppedHere, "Frame {} is dropped here. Enter: what happens then; u: undo.",
     "帧 {} 在这里被丢弃。Enter：看接下来会怎样；u：撤销。"},
    {CaptureIsOver, "A capture is over: d drops frames in tapestry lab --step.",
     "抓包已经结束，不能再丢帧：请在 tapestry lab --step 中按 d。"},
    {KeptIsOver, "A kept run is over: d drops frames in tapestry lab --step.",
     "保存的运行已经结束，不能再丢帧：请在 tapestry lab --step 中按 d。"},
    {ReplayIsFixed, "A replay keeps to its capture: d drops frames in tapestry lab --step.",
     "重放以抓包为准，不能丢帧：请在 tapestry lab --step 中按 d。"},
    {NotTwice, "A network does not do the same twice: d drops frames in tapestry lab --step.",
     "真实的网络不会重演，不能丢帧：请在 tapestry lab --step 中按 d。"},
    {OneTheme, "This terminal has no colours (or NO_COLOR is set): there is one theme.",
     "这个终端没有颜色（或设置了 NO_COLOR）：只有一种外观。"},
    {ThemeDark, "Theme: dark", "外观：深色"},
    {ThemeLight, "Theme: light", "外观：浅色"},
    {ThemePlain, "Theme: without colour", "外观：无颜色"},
    {NoChinese, "No Chinese here: the locale has no UTF-8 (LANG=C.UTF-8 has it).",
     "这个环境不支持 UTF-8。"},
    // filters, conditions, times
    {AskFilter, "show only: ", "只显示："},
    {AskBreak, "stop at: ", "停在："},
    {AskTime, "go to second: ", "到第几秒："},
    {SuchAs, "   (such as state==ESTABLISHED, retransmission, seq>=1000)",
     "   （例如 state==ESTABLISHED、retransmission、seq>=1000）"},
    {AskBreakAgain, "   (already {}; -1 removes the first)", "   （已有 {}；-1 删除第一个）"},
    {AtColumn, "column {}: {}", "第 {} 列：{}"},
    {HoldsNowhere, "it holds at no step", "没有哪一步满足它"},
    {AllShown, "All steps are shown.", "显示所有步骤。"},
    {SomeShown, "{} of {} steps are shown; / and Enter with no text: all.",
     "显示 {} 步（共 {} 步）；按 / 再按 Enter（不输入文字）：全部显示。"},
    {NoBreak, "No condition to stop at.", "没有断点条件。"},
    {WhichBreak, "Which condition? b asks for one.", "停在什么条件？按 b 输入。"},
    {NoSuchBreak, "there is no condition {}; there are {}", "没有第 {} 个条件；一共 {} 个"},
    {BreakRemoved, "Removed: {}. Left: {}", "已删除：{}。还有：{}"},
    {BreaksAre, "Stops at {}", "停在 {}"},
    {HereHolds, "Here holds {}; c: on to the next.", "这里满足 {}；c：到下一个。"},
    {NowhereLater, "No later step where holds {}.", "后面没有满足 {} 的步骤。"},
    {WrongTime, "a number of seconds, as in 0.5", "应为秒数，例如 0.5"},
    {RunIsOver, "The run is over before that: this is its last step.",
     "运行在那之前就结束了：这是最后一步。"},
    // what is wrong with a condition
    {JoinMissing, "here && or || is missing", "这里缺少 && 或 ||"},
    {TooDeep, "too many parentheses", "括号太多"},
    {ParenthesisMissing, "here ) is missing", "这里缺少 )"},
    {NameMissing, "here a name is missing, such as state or retransmission",
     "这里缺少名字，例如 state 或 retransmission"},
    {ValueMissing, "here a value is missing", "这里缺少一个值"},
    {HasAValue, "{0} has a value: compare it, as in {0}==1", "{0} 是有值的：请比较它，例如 {0}==1"},
    {NoWord, "there is no word {}", "没有 {} 这个词"},
    {NoValue, "there is no value {}", "没有 {} 这个值"},
    {NoState, "there is no state {}", "没有 {} 这个状态"},
    {DidYouMean, " (did you mean {}?)", "（是不是 {}？）"},
});

constexpr bool in_order() {
    for (std::size_t i = 0; i < kRows.size(); ++i) {
        if (kRows[i].key != static_cast<Phrase>(i)) return false;
    }
    return kRows.size() == static_cast<std::size_t>(kCount);
}
static_assert(in_order(), "one row for each phrase, in the order of the enumeration");

}  // namespace

std::string_view phrase(Phrase phrase, Language language) {
    const Row& row = kRows.at(static_cast<std::size_t>(phrase));
    return language == Language::English ? row.english : row.chinese;
}

std::string phrase(Phrase phrase, Language language, std::initializer_list<std::string> values) {
    std::string_view text = tapestry::phrase(phrase, language);
    const std::string* next = values.begin();
    std::string filled;
    while (true) {
        const std::size_t place = text.find('{');
        filled += text.substr(0, place);
        if (place == std::string_view::npos) return filled;
        const std::size_t end = text.find('}', place);
        if (end == place + 2) {
            filled += *values.begin();
        } else if (next != values.end()) {
            filled += *next++;
        }
        text.remove_prefix(end + 1);
    }
}

}  // namespace tapestry

#include "apps/inspect/quiz/quiz_conversation.h"

/// What the two SYNs agree on: MSS (RFC 9293 3.7.1), window scale (RFC 7323 2), SACK (RFC 2018 2).

namespace tapestry {
namespace {

constexpr u16 kDefaultMss = 536;

void ask_mss(const QuizConversation& c, Side side, u64 frame, Questions& questions) {
    const auto& offered = c.stream.end(side).offered;
    if (!offered) return;
    const std::string number = std::to_string(frame);
    const Bilingual who = side_text(side);
    const Bilingual to = side_text(other(side));
    const char* id = side == Side::Client ? "client_mss" : "server_mss";
    if (!offered->mss) {
        questions.push_back(
            {id,
             c.stream.number,
             {"The SYN of " + who.english + " has no MSS option. Which MSS does " + to.english +
                  " have to assume?",
              who.chinese + "的 SYN 没有 MSS 选项。" + to.chinese + "必须假定 MSS 为多少？"},
             NumberAnswer{kDefaultMss},
             say("536 bytes: what fits into the 576 bytes that every IPv4 host takes, less 40 "
                 "bytes of "
                 "headers (RFC 9293 3.7.1).",
                 "536 字节：每台 IPv4 主机都接受的 576 字节减去 40 字节首部（RFC 9293 3.7.1）。"),
             say("RFC 9293 3.7.1 has a default", "RFC 9293 3.7.1 规定了默认值"),
             frame_filter(frame)});
        return;
    }
    questions.push_back(
        {id,
         c.stream.number,
         {"What is the maximum segment size (MSS) that " + who.english + " announces, in bytes?",
          who.chinese + "通告的最大报文段长度（MSS）是多少字节？"},
         NumberAnswer{*offered->mss},
         {"Frame " + number + " has it as an option of TCP: " + std::to_string(*offered->mss) +
              ". It is what " + who.english + " can receive, so it limits what " + to.english +
              " sends; the other direction has its own.",
          "帧 " + number + " 在 TCP 选项中给出：" + std::to_string(*offered->mss) + "。这是" +
              who.chinese + "能接收的长度，因此限制" + to.chinese +
              "发送的报文段；另一个方向有自己的值。"},
         say("the TCP options of frame {1} (tcp.options.mss_val)",
             "看帧 {1} 的 TCP 选项（tcp.options.mss_val）", {number}),
         frame_filter(frame)});
}

void ask_scale(const QuizConversation& c, Questions& questions) {
    const auto scaled = [](const QuizSegment& s) {
        return !s.flags.syn() && !s.flags.rst() && s.raw_window > 0 && s.window != s.raw_window;
    };
    const QuizSegment* found = c.first(scaled);
    if (found == nullptr) return;
    const auto& offered = c.stream.end(found->from).offered;
    if (!offered || !offered->window_scale) return;
    const std::string shift = std::to_string(std::min<int>(*offered->window_scale, 14));
    questions.push_back(
        {"scaled_window", c.stream.number,
         say("The window field of frame {1} is {2}. How many bytes are meant?",
             "帧 {1} 的窗口字段为 {2}，实际表示多少字节？",
             {found->frame(), std::to_string(found->raw_window)}),
         NumberAnswer{found->window},
         say("Its sender's SYN has announced a window scale of {1}, and so has the other's one: "
             "{2} times "
             "2 to the power of {1} is {3}. The windows of SYNs themselves are never scaled (RFC "
             "7323 2.2).",
             "发送方在 SYN 中通告了窗口扩大因子 {1}，对方也使用了该选项：{2} 乘以 2 的 {1} "
             "次方等于 {3}。SYN 本身的窗口从不扩大"
             "（RFC 7323 2.2）。",
             {shift, std::to_string(found->raw_window), std::to_string(found->window)}),
         say("the window scale option in the SYN of the same side (tcp.options.wscale.shift)",
             "看同一方 SYN 中的窗口扩大选项（tcp.options.wscale.shift）"),
         frame_filter(found->number)});
}

void ask_sack(const QuizConversation& c, Questions& questions) {
    const auto& client = c.stream.end(Side::Client).offered;
    const auto& server = c.stream.end(Side::Server).offered;
    if (!client || !server) return;
    const bool both = client->sack_permitted && server->sack_permitted;
    questions.push_back(
        {"sack_permitted", c.stream.number,
         say("May selective acknowledgments (SACK) be used in this connection?",
             "这条连接可以使用选择确认（SACK）吗？"),
         ChoiceAnswer{{{"yes", "可以"}, {"no", "不可以"}}, {both ? 0U : 1U}, false},
         both ? say("Both SYNs have the option SACK-permitted (RFC 2018 2).",
                    "两个 SYN 都带有“允许 SACK”选项（RFC 2018 2）。")
              : say("Not both SYNs have the option SACK-permitted, and each side may send SACK "
                    "only to one "
                    "that has announced it (RFC 2018 2).",
                    "并非两个 SYN 都带有“允许 SACK”选项；只有对方声明过，才可以向它发送 SACK（RFC "
                    "2018 2）。"),
         say("the options of the SYN and of the SYN-ACK", "看 SYN 与 SYN-ACK 的选项"),
         stream_filter(c) + " && tcp.flags.syn == 1"});
}

}  // namespace

void ask_options(const QuizConversation& c, Questions& questions) {
    if (!c.stream.syn || !c.stream.syn_ack) return;
    ask_mss(c, Side::Client, c.stream.syn_frame, questions);
    ask_mss(c, Side::Server, c.stream.syn_ack_frame, questions);
    ask_scale(c, questions);
    ask_sack(c, questions);
}

}  // namespace tapestry

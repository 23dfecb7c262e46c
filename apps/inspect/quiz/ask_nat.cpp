#include "apps/inspect/packet_changes.h"
#include "apps/inspect/quiz/quiz_conversation.h"
#include "stack/wire/tcp.h"

/// What a router that translates addresses does to the segments (RFC 3022 4.1).

namespace tapestry {
namespace {

Ipv4View packet_of(const Crossing::Side& side) { return *Ipv4View::parse_quoted(side.headers); }

/// The fields that may have changed, and whether they have.
ChoiceAnswer changed_fields(const Crossing& crossing) {
    const auto in = packet_of(crossing.in);
    const auto out = packet_of(crossing.out);
    const Bytes a = in.payload();
    const Bytes b = out.payload();
    const auto differs = [&](std::size_t at, std::size_t size) {
        return !std::ranges::equal(a.subspan(at, size), b.subspan(at, size));
    };
    ChoiceAnswer answer;
    answer.several = true;
    const auto add = [&](const char* english, const char* chinese, bool changed) {
        if (changed) answer.right.push_back(answer.choices.size());
        answer.choices.push_back({english, chinese});
    };
    add("source address", "源地址", in.source() != out.source());
    add("destination address", "目的地址", in.destination() != out.destination());
    add("time to live", "生存时间（TTL）", in.ttl() != out.ttl());
    add("IPv4 header checksum", "IPv4 首部校验和", in.checksum() != out.checksum());
    add("source port", "源端口", differs(TcpView::kSourcePort, 2));
    add("destination port", "目的端口", differs(TcpView::kDestinationPort, 2));
    add("sequence number", "序号", differs(TcpView::kSequence, 4));
    add("TCP checksum", "TCP 校验和", differs(TcpView::kChecksum, 2));
    return answer;
}

/// "frame 4", "frame 4 of the other side's capture".
Bilingual frame_text(const Crossing::Side& side) {
    const std::string number = std::to_string(side.frame);
    return side.other ? say("frame {1} of the other side's capture", "另一侧抓包的帧 {1}", {number})
                      : say("frame {1}", "帧 {1}", {number});
}

void ask_pair(const Crossing& crossing, Questions& questions) {
    const Bilingual before = frame_text(crossing.in);
    const Bilingual after = frame_text(crossing.out);
    const Bilingual hint =
        say("the same sequence number and IPv4 identification (ip.id), another address",
            "序号和 IPv4 标识（ip.id）相同，地址不同");
    const bool other = crossing.out.other;
    questions.push_back(
        {"nat_pair",
         std::nullopt,
         {"A router rewrites the packet of " + before.english + " (NAT). Which frame" +
              (other ? " of the other side's capture" : "") +
              " has the same packet behind the router?",
          "路由器改写了" + before.chinese + " 中的分组（NAT）。经过路由器之后，同一个分组是" +
              (other ? "另一侧抓包的" : "") + "哪一帧？"},
         FramesAnswer{{crossing.out.frame}},
         {"It is " + after.english + ": the same IPv4 identification, sequence number and text.",
          "是" + after.chinese + "：IPv4 标识、序号和数据都相同。"},
         hint,
         crossing.in.other ? "" : frame_filter(crossing.in.frame)});
    const std::string was = who_to_whom(packet_of(crossing.in));
    const std::string is = who_to_whom(packet_of(crossing.out));
    questions.push_back({"nat_changes", std::nullopt,
                         say("Which of these fields differ between {1} and {2}?", "",
                             {before.english, after.english}),
                         changed_fields(crossing),
                         say("The router has made {2} of {1}. TTL and checksums follow: every "
                             "router counts the TTL down, "
                             "and both checksums cover addresses. The numbers of TCP are left "
                             "alone (RFC 3022 4.1).",
                             "路由器把 {1} 改成了 {2}。TTL 和校验和随之改变：每个路由器都把 TTL "
                             "减一，而两个校验和都覆盖地址。TCP 的序号不变"
                             "（RFC 3022 4.1）。",
                             {was, is}),
                         hint, ""});
    questions.back().text.chinese =
        before.chinese + " 与" + after.chinese + " 之间，下列哪些字段不同？";
}

}  // namespace

void ask_nat(const std::vector<Crossing>& crossings, Questions& questions) {
    // The first SYN, of which the router changes the source (or, where a port is forwarded, the
    // destination), and the first packet that comes back.
    const auto of = [&](bool opens, bool source) {
        return std::ranges::find_if(crossings, [&](const Crossing& crossing) {
            const bool changed =
                packet_of(crossing.in).source() != packet_of(crossing.out).source();
            return crossing.opens == opens && changed == source;
        });
    };
    const auto hidden = of(true, true);
    const auto syn = hidden != crossings.end() ? hidden : of(true, false);
    if (syn == crossings.end()) return;
    ask_pair(*syn, questions);
    if (syn == hidden) {
        const std::string both = who_to_whom(packet_of(syn->out));
        const std::string who = both.substr(0, both.find(' '));
        const Bilingual frame = frame_text(syn->in);
        questions.push_back(
            {"nat_address",
             std::nullopt,
             {"Under which address and port does the server see the client of " + frame.english +
                  "?",
              "服务器看到的" + frame.chinese + " 的客户端地址和端口是什么？"},
             WordsAnswer{{who}},
             say("{1}: that is the source behind the router, and there the server's answers go.",
                 "{1}：这是经过路由器之后的源，服务器的应答也发往这里。", {who}),
             say("address:port, as 203.0.113.5:49152", "格式为 地址:端口，例如 203.0.113.5:49152"),
             ""});
    }
    const auto back = of(false, syn != hidden);
    if (back != crossings.end()) ask_pair(*back, questions);
}

}  // namespace tapestry

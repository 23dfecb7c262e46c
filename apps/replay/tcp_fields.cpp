// What two segments differ in that are taken for the same one.

#include <algorithm>

#include "apps/replay/tcp_items.h"

namespace tapestry {
namespace {

using Kind = TcpItem::Kind;

/// Nobody sees a difference of less in a recording.
constexpr Duration kSameTime = 10ms;

void wrong(CompareRow& row, const std::string& what, std::string_view rfc) {
    if (row.wrong) return;  // the first one says it
    row.wrong = true;
    row.what = what;
    row.rfc = rfc;
}

void compare_numbers(const TcpItem& recorded, const TcpItem& sent, CompareRow& row) {
    const Segment& a = *recorded.segment;
    const Segment& b = *sent.segment;
    const auto changed = static_cast<u8>(a.flags.bits ^ b.flags.bits);
    if (recorded.kind == Kind::Reset) {
        if (changed != 0 || recorded.seq != sent.seq || recorded.ack != sent.ack) {
            row.rules.add(Leeway::ResetForm);
        }
        return;
    }
    constexpr u8 kEcn = TcpFlags::kEce | TcpFlags::kCwr;
    if ((changed & TcpFlags::kPsh) != 0) row.rules.add(Leeway::Push);
    if ((changed & kEcn) != 0) row.rules.add(Leeway::Ecn);
    if ((changed & ~(TcpFlags::kPsh | kEcn)) != 0) wrong(row, "other flags", "RFC 9293 3.1");
    if (recorded.seq != sent.seq && recorded.kind != Kind::Probe) {
        wrong(row, "another sequence number", "RFC 9293 3.4");
    }
    if (recorded.ack != sent.ack) {
        if (recorded.kind == Kind::Text) {
            row.rules.add(Leeway::AckOnText);
        } else {
            wrong(row, "another acknowledgment number", "RFC 9293 3.4");
        }
    }
    if (a.flags.urg() && b.flags.urg() && a.up != b.up) {
        wrong(row, "another urgent pointer", "RFC 9293 3.8.5");
    }
}

void compare_stamps(const Segment& a, const Segment& b, CompareRow& row) {
    if (a.options.timestamps.has_value() != b.options.timestamps.has_value()) {
        wrong(row, "timestamps in only one of them", "RFC 7323 3.2");
        return;
    }
    if (!a.options.timestamps) return;
    if (a.options.timestamps->value != b.options.timestamps->value) {
        row.rules.add(Leeway::TimestampValue);
    }
    if (a.options.timestamps->echo_reply != b.options.timestamps->echo_reply) {
        row.rules.add(Leeway::TimestampEcho);
    }
}

void compare_options(const TcpItem& recorded, const TcpItem& sent, CompareRow& row) {
    if (recorded.kind == Kind::Reset) {
        if (!(recorded.segment->options == sent.segment->options)) row.rules.add(Leeway::ResetForm);
        return;
    }
    const TcpOptions& a = recorded.segment->options;
    const TcpOptions& b = sent.segment->options;
    compare_stamps(*recorded.segment, *sent.segment, row);
    if (a.mss != b.mss) wrong(row, "another MSS option", "RFC 9293 3.7.1");
    if (a.window_scale.has_value() != b.window_scale.has_value()) {
        wrong(row, "window scaling offered by only one of them", "RFC 7323 2.2");
    } else if (a.window_scale != b.window_scale) {
        row.rules.add(Leeway::WindowScale);
    }
    if (a.sack_permitted && !b.sack_permitted) row.rules.add(Leeway::SackPermitted);
    if (!a.sack_permitted && b.sack_permitted) {
        wrong(row, "selective acknowledgments offered by us only", "RFC 2018 2");
    }
    if (a.sack_count != b.sack_count || a.sack_blocks != b.sack_blocks) {
        row.rules.add(Leeway::SackBlocks);
    }
    TcpOptions same = a;
    same.timestamps = b.timestamps;
    if (!(same == b)) return;
    const auto raw_size = [](const TcpItem& item) {
        const auto ip = Ipv4View::parse(item.packet());
        const auto tcp = ip ? TcpView::parse(ip->payload()) : std::unexpected(ip.error());
        return tcp ? tcp->header_size() : 0;
    };
    if (raw_size(recorded) != raw_size(sent)) row.rules.add(Leeway::OptionOrder);
}

void compare_text(const TcpItem& recorded, const TcpItem& sent, CompareRow& row) {
    const Bytes a = recorded.segment->payload;
    const Bytes b = sent.segment->payload;
    if (a.size() != b.size()) {
        row.rules.add(recorded.kind == Kind::Probe ? Leeway::ProbeForm : Leeway::Segmentation);
        return;
    }
    if (recorded.kind == Kind::Probe) return;  // what a probe carries means nothing
    const auto cut = std::min<std::size_t>(recorded.recorded->cut, a.size());
    if (!std::equal(a.begin(), a.end() - static_cast<std::ptrdiff_t>(cut), b.begin())) {
        wrong(row, "other bytes", "RFC 9293 3.4");
    }
}

void compare_times(const TcpItem& recorded, const TcpItem& sent, CompareRow& row) {
    const Duration late = sent.time - recorded.time;
    if (late <= kSameTime && late >= -kSameTime) return;
    if (recorded.kind == Kind::Ack) {
        row.rules.add(Leeway::AckTiming);
    } else if (recorded.kind == Kind::Probe) {
        if (late > 100ms || late < -100ms) row.rules.add(Leeway::ProbeTiming);
    } else {
        row.rules.add(late > kSameTime ? Leeway::SentLater : Leeway::SentEarlier);
    }
}

}  // namespace

void compare_fields(const TcpItem& recorded, const TcpItem& sent, CompareRow& row) {
    compare_numbers(recorded, sent, row);
    compare_options(recorded, sent, row);
    compare_text(recorded, sent, row);
    compare_times(recorded, sent, row);
    if (recorded.kind != Kind::Reset && recorded.window() != sent.window()) {
        row.rules.add(Leeway::Window);
    }
    const auto a = Ipv4View::parse(recorded.recorded->packet());
    const auto b = Ipv4View::parse(sent.sent->packet());
    if (a && b) compare_ip(*a, *b, row);
}

}  // namespace tapestry

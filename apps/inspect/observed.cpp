#include "apps/inspect/observed.h"

namespace tapestry {

std::string_view name(Analysis analysis) {
    switch (analysis) {
        case Analysis::Retransmission:
            return "retransmission";
        case Analysis::FastRetransmission:
            return "fast_retransmission";
        case Analysis::SpuriousRetransmission:
            return "spurious_retransmission";
        case Analysis::OutOfOrder:
            return "out_of_order";
        case Analysis::LostSegment:
            return "lost_segment";
        case Analysis::AckLostSegment:
            return "ack_lost_segment";
        case Analysis::DuplicateAck:
            return "duplicate_ack";
        case Analysis::ZeroWindow:
            return "zero_window";
        case Analysis::WindowUpdate:
            return "window_update";
        case Analysis::WindowFull:
            return "window_full";
        case Analysis::ZeroWindowProbe:
            return "zero_window_probe";
        case Analysis::ZeroWindowProbeAck:
            return "zero_window_probe_ack";
        case Analysis::KeepAlive:
            return "keep_alive";
        case Analysis::KeepAliveAck:
            return "keep_alive_ack";
        case Analysis::ReusedPorts:
            return "reused_ports";
        case Analysis::kCount:
            break;
    }
    return "?";
}

std::string_view name(ChecksumSeen checksum) {
    switch (checksum) {
        case ChecksumSeen::Good:
            return "good";
        case ChecksumSeen::Wrong:
            return "wrong";
        case ChecksumSeen::Partial:
            return "partial";
        case ChecksumSeen::NotChecked:
            return "not checked";
    }
    return "?";
}

std::vector<std::string> AnalysisSet::names() const {
    std::vector<std::string> all;
    for (unsigned i = 0; i < static_cast<unsigned>(Analysis::kCount); ++i) {
        if (has(static_cast<Analysis>(i))) all.emplace_back(name(static_cast<Analysis>(i)));
    }
    return all;
}

std::string ObservedStream::ending() const {
    const TcpState client = end(Side::Client).state;
    const TcpState server = end(Side::Server).state;
    if (reset_by) {
        const std::string who = *reset_by == Side::Client ? "client" : "server";
        const bool refused = *reset_by == Side::Server && !syn_ack && syn;
        return refused ? "refused by the server" : "reset by the " + who;
    }
    const auto over = [](TcpState s) { return s == TcpState::Closed || s == TcpState::TimeWait; };
    if (over(client) && over(server)) return "closed";
    if (syn && !syn_ack) return "no answer";
    const auto half = [](TcpState s) {
        return s == TcpState::CloseWait || s == TcpState::FinWait2;
    };
    if (half(client) || half(server)) return "half closed";
    return "open";
}

}  // namespace tapestry

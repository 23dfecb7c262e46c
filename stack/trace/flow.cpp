#include "stack/trace/flow.h"

#include "stack/wire/icmp.h"

namespace tapestry {
namespace {

constexpr u8 kRequest = static_cast<u8>(IcmpType::EchoRequest);
constexpr u8 kReply = static_cast<u8>(IcmpType::EchoReply);

std::string padded(std::string text, std::size_t width) {
    text.resize(std::max(text.size(), width), ' ');
    return text;
}

std::string to_string(const FlowTuple& tuple) {
    std::string line =
        "src=" + tuple.source.address.to_string() + " dst=" + tuple.destination.address.to_string();
    if (tuple.protocol == IpProtocol::Icmp) {
        line += " type=" + std::to_string(tuple.icmp_type) +
                " code=0 id=" + std::to_string(tuple.source.port);
    } else if (tuple.protocol == IpProtocol::Tcp || tuple.protocol == IpProtocol::Udp) {
        line += " sport=" + std::to_string(tuple.source.port) +
                " dport=" + std::to_string(tuple.destination.port);
    }
    return line + ' ';
}

}  // namespace

FlowTuple FlowTuple::reversed() const {
    FlowTuple answer{destination, source, protocol, icmp_type};
    if (protocol == IpProtocol::Icmp) answer.icmp_type = icmp_type == kRequest ? kReply : kRequest;
    return answer;
}

std::string_view name(FlowState state) {
    switch (state) {
        case FlowState::None:
            return "NONE";
        case FlowState::SynSent:
            return "SYN_SENT";
        case FlowState::SynSent2:
            return "SYN_SENT2";
        case FlowState::SynRecv:
            return "SYN_RECV";
        case FlowState::Established:
            return "ESTABLISHED";
        case FlowState::FinWait:
            return "FIN_WAIT";
        case FlowState::CloseWait:
            return "CLOSE_WAIT";
        case FlowState::LastAck:
            return "LAST_ACK";
        case FlowState::TimeWait:
            return "TIME_WAIT";
        case FlowState::Close:
            return "CLOSE";
    }
    return "?";
}

std::string flow_protocol_name(IpProtocol protocol) {
    switch (protocol) {
        case IpProtocol::Icmp:
            return "icmp";
        case IpProtocol::Tcp:
            return "tcp";
        case IpProtocol::Udp:
            return "udp";
    }
    return "unknown";
}

std::string to_string(const FlowSnapshot& flow) {
    const IpProtocol protocol = flow.original.protocol;
    // conntrack's own columns: the name in eight, then number, seconds, state.
    std::string line = padded(flow_protocol_name(protocol), 8) + ' ' +
                       std::to_string(static_cast<unsigned>(protocol)) + ' ' +
                       std::to_string(flow.remaining / 1s) + ' ';
    if (protocol == IpProtocol::Tcp) line += std::string(name(flow.state)) + ' ';
    line += to_string(flow.original);
    if (!flow.replied) line += "[UNREPLIED] ";
    line += to_string(flow.reply);
    if (flow.assured) line += "[ASSURED] ";
    return line + "mark=0 use=1";
}

}  // namespace tapestry

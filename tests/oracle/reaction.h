#pragma once

#include <string>
#include <vector>

#include "tests/support/ip_host.h"
#include "tests/support/recording_port.h"

namespace tapestry::test {

/// A sent frame in the oracle's notation: "ICMP type/code len=<of the IP packet>", "TCP[flags] seq= ack="
/// (the number of a SYN is chance: "*"), "ARP<operation>". Anything else by its name.
inline std::string reaction_of(const RecordingPort::Sent& sent) {
    if (is_arp(sent)) {
        return "ARP" + std::to_string(static_cast<int>(arp_of(sent).operation));
    }
    const auto packet = ip_of(sent);
    if (!packet) return "no valid packet";
    if (const auto icmp = icmp_of(sent)) {
        return "ICMP " + std::to_string(static_cast<int>(icmp->type())) + "/" +
               std::to_string(icmp->code()) + " len=" + std::to_string(packet->total_length());
    }
    if (packet->protocol() != IpProtocol::Tcp) return "another protocol";
    const auto tcp = TcpView::parse(packet->payload());
    if (!tcp) return "no valid segment";
    const TcpFlags flags = tcp->flags();
    std::string letters;
    if (flags.fin()) letters += 'F';
    if (flags.syn()) letters += 'S';
    if (flags.rst()) letters += 'R';
    if (flags.psh()) letters += 'P';
    if (flags.ack()) letters += 'A';
    const std::string seq = flags.syn() ? "*" : std::to_string(tcp->sequence().value());
    return "TCP[" + letters + "] seq=" + seq +
           " ack=" + std::to_string(tcp->acknowledgment().value());
}

inline std::string reaction_of(const std::vector<RecordingPort::Sent>& sent) {
    std::string text;
    for (const auto& frame : sent) text += (text.empty() ? "" : ", ") + reaction_of(frame);
    return text.empty() ? "silent" : text;
}

}  // namespace tapestry::test

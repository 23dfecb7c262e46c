#pragma once

#include "tests/support/link_host.h"

namespace tapestry::test {

inline constexpr Ipv4Address kOther(10, 0, 0, 9);
inline const MacAddress kOtherMac({2, 0, 0, 0, 0, 9});

/// A packet to be recognised by its bytes.
inline std::vector<u8> packet(u8 mark) { return {mark, mark, mark, mark}; }

inline ArpPacket request(Ipv4Address from, MacAddress mac, Ipv4Address target = kUs) {
    return {ArpOperation::Request, mac, from, MacAddress(), target};
}
inline ArpPacket reply(Ipv4Address from, MacAddress mac) {
    return {ArpOperation::Reply, mac, from, kOurMac, kUs};
}

inline std::vector<ArpEntry> table(const LinkHost& host) {
    return host.interface->arp().entries(host.now);
}
inline std::size_t arp_requests_for(const std::vector<RecordingPort::Sent>& sent,
                                    Ipv4Address address) {
    std::size_t n = 0;
    for (const auto& one : sent) n += is_arp(one) && arp_of(one).target_ip == address ? 1 : 0;
    return n;
}

}  // namespace tapestry::test

#include "apps/replay/comparison.h"

namespace tapestry {

std::string_view name(Match match) {
    switch (match) {
        case Match::Equal:
            return "equal";
        case Match::Recut:
            return "recut";
        case Match::Allowed:
            return "allowed";
        case Match::Diverged:
            return "diverged";
        case Match::kCount:
            break;
    }
    return "?";
}

Match CompareRow::match(LeewaySet allowed) const {
    if (wrong || !rules.within(allowed)) return Match::Diverged;
    if (rules.empty()) return Match::Equal;
    LeewaySet pieces;
    pieces.add(Leeway::Segmentation);
    pieces.add(Leeway::AckCoalesced);
    return rules.within(pieces) ? Match::Recut : Match::Allowed;
}

void CompareSum::add(const CompareRow& row, LeewaySet allowed) {
    ++matches[static_cast<std::size_t>(row.match(allowed))];
    recorded += row.recorded != nullptr ? 1 : 0;
    sent += row.sent != nullptr ? 1 : 0;
    for (std::size_t i = 0; i < rules.size(); ++i) {
        rules[i] += row.rules.has(static_cast<Leeway>(i)) ? 1 : 0;
    }
}

void CompareSum::add(const CompareSum& other) {
    for (std::size_t i = 0; i < matches.size(); ++i) matches[i] += other.matches[i];
    for (std::size_t i = 0; i < rules.size(); ++i) rules[i] += other.rules[i];
    recorded += other.recorded;
    sent += other.sent;
}

void compare_ip(const Ipv4View& recorded, const Ipv4View& sent, CompareRow& row) {
    if (recorded.identification() != sent.identification()) row.rules.add(Leeway::IpId);
    if (recorded.ttl() != sent.ttl()) row.rules.add(Leeway::Ttl);
    if (recorded.tos() != sent.tos()) row.rules.add(Leeway::Tos);
    if (recorded.dont_fragment() != sent.dont_fragment()) row.rules.add(Leeway::DontFragment);
}

}  // namespace tapestry

#include "apps/replay/leeway.h"

#include <array>

namespace tapestry {
namespace {

struct Row {
    std::string_view name;
    std::string_view text;
    std::string_view rfc;
};

/// In the order of the enumeration.
constexpr std::array<Row, static_cast<std::size_t>(Leeway::kCount)> kRows{{
    {"segmentation", "the same bytes, cut at other places", "RFC 9293 3.7"},
    {"ack_coalesced", "acknowledged together with what came next", "RFC 9293 3.8.6.3"},
    {"window", "how much buffer is offered is the host's", "RFC 9293 3.8.6"},
    {"window_scale", "and so is the unit in which it is said", "RFC 7323 2.2"},
    {"ip_id", "of an atomic datagram it means nothing", "RFC 6864 4.1"},
    {"ttl", "a host's own choice", "RFC 1122 3.2.1.7"},
    {"tos", "precedence and type of service are set by the host", "RFC 1122 3.2.1.6"},
    {"dont_fragment", "path MTU discovery may be done, or not", "RFC 1191 3"},
    {"timestamp_value", "every host has a timestamp clock of its own", "RFC 7323 5.4"},
    {"timestamp_echo", "of which segment the timestamp is echoed follows its ACKs", "RFC 7323 4.3"},
    {"sack_permitted", "selective acknowledgments are optional", "RFC 2018 2"},
    {"sack_blocks", "which blocks are told follows what was held", "RFC 2018 4"},
    {"option_order", "options may come in any order and padding", "RFC 9293 3.1"},
    {"ecn", "explicit congestion notification is optional", "RFC 3168 6.1"},
    {"push", "where a segment ends a write is not always known", "RFC 9293 3.9.1.2"},
    {"ack_on_text", "text carries the ACK of its time", "RFC 9293 3.8.6.3"},
    {"icmp_quote", "how much of the datagram an error quotes", "RFC 1122 3.2.2"},
    {"sent_later", "left later than the recorded one", "RFC 9293 3.8"},
    {"sent_earlier", "left earlier than the recorded one", "RFC 9293 3.8"},
    {"ack_timing", "an ACK may be held back for up to 500 ms", "RFC 9293 3.8.6.3"},
    {"window_update", "an ACK that only moves the window", "RFC 9293 3.8.6.2.2"},
    {"repeated_ack", "how often a number is acknowledged again", "RFC 5681 4.2"},
    {"recovery", "when and how lost text is sent again", "RFC 6298, RFC 5681 3.2"},
    {"probe_form", "a window probe with an octet, or without", "RFC 9293 3.8.6.1"},
    {"probe_timing", "when windows and silent peers are probed", "RFC 9293 3.8.6.1, 3.8.4"},
    {"reset_form", "a reset with an ACK, or with another number", "RFC 9293 3.5.2"},
    {"reset_at_death", "a connection that is given up need not be reset", "RFC 9293 3.8.3"},
    {"arp_timing", "when a neighbour is asked for, or asked again", "RFC 1122 2.3.2.1"},
}};

const Row& row(Leeway rule) { return kRows.at(static_cast<std::size_t>(rule)); }

}  // namespace

std::string_view name(Leeway rule) { return row(rule).name; }
std::string_view text(Leeway rule) { return row(rule).text; }
std::string_view rfc(Leeway rule) { return row(rule).rfc; }

std::optional<Leeway> leeway(std::string_view name) {
    for (std::size_t i = 0; i < kRows.size(); ++i) {
        if (kRows[i].name == name) return static_cast<Leeway>(i);
    }
    return std::nullopt;
}

}  // namespace tapestry

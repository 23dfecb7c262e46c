#include "apps/router/iptables_values.h"

#include <bit>
#include <charconv>

namespace tapestry {
namespace {

constexpr std::size_t kMaxInterfaceName = 15;  // Linux's IFNAMSIZ, less the zero
constexpr std::size_t kMaxMultiport = 15;      // XT_MULTI_PORTS
constexpr u32 kMaxAddresses = 65536;

constexpr IptablesName kStates[] = {{"INVALID", ConnectionState::kInvalid},
                                    {"NEW", ConnectionState::kNew},
                                    {"RELATED", ConnectionState::kRelated},
                                    {"ESTABLISHED", ConnectionState::kEstablished}};
constexpr IptablesName kFlags[] = {{"FIN", TcpFlags::kFin}, {"SYN", TcpFlags::kSyn},
                                   {"RST", TcpFlags::kRst}, {"PSH", TcpFlags::kPsh},
                                   {"ACK", TcpFlags::kAck}, {"URG", TcpFlags::kUrg}};
constexpr u8 kAllFlags = 0x3f;

constexpr u8 code(RejectWith with) { return static_cast<u8>(with); }
constexpr IptablesName kRejects[] = {{"icmp-port-unreachable", code(RejectWith::PortUnreachable)},
                                     {"icmp-net-unreachable", code(RejectWith::NetUnreachable)},
                                     {"icmp-host-unreachable", code(RejectWith::HostUnreachable)},
                                     {"icmp-proto-unreachable", code(RejectWith::ProtoUnreachable)},
                                     {"icmp-net-prohibited", code(RejectWith::NetProhibited)},
                                     {"icmp-host-prohibited", code(RejectWith::HostProhibited)},
                                     {"icmp-admin-prohibited", code(RejectWith::AdminProhibited)},
                                     {"tcp-reset", code(RejectWith::TcpReset)},
                                     {"port-unreach", code(RejectWith::PortUnreachable)},
                                     {"net-unreach", code(RejectWith::NetUnreachable)},
                                     {"host-unreach", code(RejectWith::HostUnreachable)},
                                     {"proto-unreach", code(RejectWith::ProtoUnreachable)},
                                     {"net-prohib", code(RejectWith::NetProhibited)},
                                     {"host-prohib", code(RejectWith::HostProhibited)},
                                     {"admin-prohib", code(RejectWith::AdminProhibited)},
                                     {"tcp-rst", code(RejectWith::TcpReset)}};

constexpr u8 code(Target target) { return static_cast<u8>(target); }
constexpr IptablesName kTargets[] = {
    {"ACCEPT", code(Target::Accept)}, {"DROP", code(Target::Drop)},
    {"REJECT", code(Target::Reject)}, {"RETURN", code(Target::Return)},
    {"SNAT", code(Target::Snat)},     {"MASQUERADE", code(Target::Masquerade)},
    {"DNAT", code(Target::Dnat)}};

struct IcmpName {
    std::string_view name;
    u8 type;
    int code;  // -1: any
};
constexpr IcmpName kIcmpNames[] = {{"echo-reply", 0, -1},
                                   {"pong", 0, -1},
                                   {"destination-unreachable", 3, -1},
                                   {"network-unreachable", 3, 0},
                                   {"host-unreachable", 3, 1},
                                   {"protocol-unreachable", 3, 2},
                                   {"port-unreachable", 3, 3},
                                   {"fragmentation-needed", 3, 4},
                                   {"source-route-failed", 3, 5},
                                   {"network-prohibited", 3, 9},
                                   {"host-prohibited", 3, 10},
                                   {"communication-prohibited", 3, 13},
                                   {"source-quench", 4, -1},
                                   {"redirect", 5, -1},
                                   {"network-redirect", 5, 0},
                                   {"host-redirect", 5, 1},
                                   {"echo-request", 8, -1},
                                   {"ping", 8, -1},
                                   {"router-advertisement", 9, -1},
                                   {"router-solicitation", 10, -1},
                                   {"time-exceeded", 11, -1},
                                   {"ttl-exceeded", 11, -1},
                                   {"ttl-zero-during-transit", 11, 0},
                                   {"ttl-zero-during-reassembly", 11, 1},
                                   {"parameter-problem", 12, -1},
                                   {"timestamp-request", 13, -1},
                                   {"timestamp-reply", 14, -1}};

std::optional<u32> number(std::string_view text, u32 max) {
    u32 value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || error != std::errc() || end != text.data() + text.size() || value > max) {
        return std::nullopt;
    }
    return value;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
    std::vector<std::string_view> parts;
    while (true) {
        const std::size_t at = text.find(separator);
        parts.push_back(text.substr(0, at));
        if (at == std::string_view::npos) return parts;
        text.remove_prefix(at + 1);
    }
}

const IptablesName* find(std::span<const IptablesName> names, std::string_view name) {
    for (const IptablesName& known : names) {
        if (known.name == name) return &known;
    }
    return nullptr;
}

std::string upper(std::string_view text) {
    std::string result(text);
    for (char& c : result) {
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    }
    return result;
}

/// One port, or two with `between` in the middle.
PortRange port_range(const IptablesWord& word, std::string_view text, char between,
                     std::string_view wanted) {
    const std::size_t at = text.find(between);
    const std::string_view low = text.substr(0, at);
    const std::string_view high = at == std::string_view::npos ? low : text.substr(at + 1);
    const bool open = between == ':' && at != std::string_view::npos;
    const auto first = open && low.empty() ? 0 : number(low, 65535);
    const auto last = open && high.empty() ? 65535 : number(high, 65535);
    if (!first || !last) {
        const bool named = !text.empty() && text.front() >= 'a' && text.front() <= 'z';
        refuse_word(word, expected(wanted, word) +
                              (named ? "; ports go by number here, names are not known" : ""));
    }
    if (*first > *last) refuse_word(word, "the range " + std::string(text) + " runs backwards");
    return {static_cast<u16>(*first), static_cast<u16>(*last)};
}

}  // namespace

std::span<const IptablesName> connection_state_names() { return kStates; }
std::span<const IptablesName> tcp_flag_names() { return kFlags; }
std::span<const IptablesName> reject_names() { return kRejects; }
std::span<const IptablesName> target_names() { return kTargets; }

Ipv4Prefix read_prefix(const IptablesWord& word) {
    constexpr auto kWanted = "an address like 192.168.3.0/24";
    if (word.text.find(',') != std::string::npos) {
        refuse_word(word, "one address in a rule: write a rule for each of " + word.text);
    }
    const std::size_t slash = word.text.find('/');
    const auto mask = slash == std::string::npos
                          ? std::nullopt
                          : Ipv4Address::parse(std::string_view(word.text).substr(slash + 1));
    auto prefix = Ipv4Prefix::parse(mask ? word.text.substr(0, slash) : word.text);
    if (!prefix) refuse_word(word, expected(kWanted, word));
    if (mask) {
        const int length = std::countl_one(mask->value());
        if (std::popcount(mask->value()) != length) {
            refuse_word(word, mask->to_string() +
                                  " is no netmask: expected ones, then zeros, as in 255.255.255.0");
        }
        prefix->length = static_cast<u8>(length);
    }
    // iptables shows the network, whichever of its addresses was written.
    return {prefix->network(), prefix->length};
}

std::optional<IpProtocol> read_protocol(const IptablesWord& word) {
    const std::string name = upper(word.text);
    if (name == "ALL" || name == "0") return std::nullopt;
    if (name == "TCP") return IpProtocol::Tcp;
    if (name == "UDP") return IpProtocol::Udp;
    if (name == "ICMP") return IpProtocol::Icmp;
    const auto value = number(word.text, 255);
    if (!value) refuse_word(word, expected("tcp, udp, icmp, all or a number to 255", word));
    return static_cast<IpProtocol>(*value);
}

std::string read_interface(const IptablesWord& word) {
    if (word.text.empty() || word.text.size() > kMaxInterfaceName) {
        refuse_word(word, expected("the name of an interface, 1 to 15 characters", word));
    }
    return word.text;
}

PortRange read_ports(const IptablesWord& word) {
    return port_range(word, word.text, ':', "a port or a range like 1024:65535");
}

std::vector<PortRange> read_port_list(const IptablesWord& word) {
    std::vector<PortRange> ports;
    std::size_t places = 0;
    for (const std::string_view part : split(word.text, ',')) {
        ports.push_back(port_range(word, part, ':', "ports like 80,443,8000:8100"));
        places += ports.back().first == ports.back().last ? 1 : 2;
    }
    if (places > kMaxMultiport) {
        refuse_word(word, "too many ports: 15 at most in one rule, a range counts as two");
    }
    return ports;
}

u8 read_states(const IptablesWord& word) {
    u8 states = 0;
    for (const std::string_view part : split(word.text, ',')) {
        const IptablesName* state = find(kStates, upper(part));
        if (state == nullptr) {
            refuse_word(word, expected("NEW, ESTABLISHED, RELATED or INVALID, with commas", word));
        }
        states = static_cast<u8>(states | state->value);
    }
    return states;
}

u8 read_tcp_flags(const IptablesWord& word) {
    const std::string text = upper(word.text);
    if (text == "ALL") return kAllFlags;
    if (text == "NONE") return 0;
    u8 flags = 0;
    for (const std::string_view part : split(text, ',')) {
        const IptablesName* flag = find(kFlags, part);
        if (flag == nullptr) {
            refuse_word(word, expected("flags like SYN,ACK, or ALL, or NONE", word));
        }
        flags = static_cast<u8>(flags | flag->value);
    }
    return flags;
}

std::optional<IcmpMatch> read_icmp_type(const IptablesWord& word) {
    if (word.text == "any") return std::nullopt;
    for (const IcmpName& known : kIcmpNames) {
        if (known.name != word.text) continue;
        IcmpMatch match{static_cast<IcmpType>(known.type), std::nullopt};
        if (known.code >= 0) match.code = static_cast<u8>(known.code);
        return match;
    }
    const std::size_t slash = word.text.find('/');
    const auto type = number(std::string_view(word.text).substr(0, slash), 255);
    if (!type) refuse_word(word, expected("echo-request, a number, or type/code like 3/4", word));
    IcmpMatch match{static_cast<IcmpType>(*type), std::nullopt};
    if (slash == std::string::npos) return match;
    const auto code = number(std::string_view(word.text).substr(slash + 1), 255);
    if (!code) refuse_word(word, expected("type/code like 3/4", word));
    match.code = static_cast<u8>(*code);
    return match;
}

RateLimit read_limit(const IptablesWord& word) {
    constexpr u32 kMaxPerSecond = 10000;
    const std::size_t slash = word.text.find('/');
    const auto count = number(std::string_view(word.text).substr(0, slash), 0xffffffff);
    const std::string unit = slash == std::string::npos ? "s" : word.text.substr(slash + 1);
    Duration period{};
    if (std::string_view("second").starts_with(unit)) period = 1s;
    if (std::string_view("minute").starts_with(unit)) period = 60s;
    if (std::string_view("hour").starts_with(unit)) period = 3600s;
    if (std::string_view("day").starts_with(unit)) period = 86400s;
    if (!count || *count == 0 || unit.empty() || period == Duration{}) {
        refuse_word(word, expected("a rate like 5/min, 10/second, 100/hour or 3/day", word));
    }
    if (*count > kMaxPerSecond * (period / 1s)) {
        refuse_word(word, "the rate " + word.text + " is too high: 10000 a second at most");
    }
    return RateLimit(*count, period, kDefaultBurst);
}

u32 read_number(const IptablesWord& word, u32 low, u32 high) {
    const auto value = number(word.text, high);
    if (!value || *value < low) {
        refuse_word(
            word,
            expected("a number from " + std::to_string(low) + " to " + std::to_string(high), word));
    }
    return *value;
}

RejectWith read_reject(const IptablesWord& word) {
    const IptablesName* with = find(kRejects, word.text);
    if (with == nullptr) {
        refuse_word(word, expected("icmp-port-unreachable (or -net-, -host-, -proto-unreachable, "
                                   "-net-, -host-, -admin-prohibited), or tcp-reset",
                                   word));
    }
    return static_cast<RejectWith>(with->value);
}

PortRange read_target_ports(const IptablesWord& word, std::string_view text) {
    return port_range(word, text, '-', "a port or a range like 1024-2000");
}

Translation read_translation(const IptablesWord& word) {
    constexpr auto kWanted =
        "an address like 203.0.113.5, 203.0.113.5-203.0.113.9 or "
        "203.0.113.5:1024-2000";
    const std::string_view text = word.text;
    const std::size_t colon = text.find(':');
    const std::string_view addresses = text.substr(0, colon);
    const std::size_t hyphen = addresses.find('-');
    const auto first = Ipv4Address::parse(addresses.substr(0, hyphen));
    const auto last =
        hyphen == std::string_view::npos ? first : Ipv4Address::parse(addresses.substr(hyphen + 1));
    if (!first || !last) refuse_word(word, expected(kWanted, word));
    if (*last < *first) {
        refuse_word(word, "the range " + std::string(addresses) + " runs backwards");
    }
    if (last->value() - first->value() >= kMaxAddresses) {
        refuse_word(
            word, "the range " + std::string(addresses) + " is too large: 65536 addresses at most");
    }
    Translation translation{{*first, *last}, std::nullopt};
    if (colon != std::string_view::npos) {
        translation.ports = read_target_ports(word, text.substr(colon + 1));
    }
    return translation;
}

}  // namespace tapestry

#pragma once

#include <span>

#include "apps/router/iptables_words.h"

/// What stands behind the options of a rule: read from a word, or refused with that word. And the
/// tables of names that reading and printing share.

namespace tapestry {

struct IptablesName {
    std::string_view name;
    u8 value;
};
/// In the order in which they are printed.
std::span<const IptablesName> connection_state_names();
std::span<const IptablesName> tcp_flag_names();
/// The value is that of RejectWith; the first of several names for one is the one to print.
std::span<const IptablesName> reject_names();
std::span<const IptablesName> target_names();

/// "192.168.3.0/24", "10.0.0.1", "10.0.0.0/255.0.0.0".
Ipv4Prefix read_prefix(const IptablesWord& word);
/// A name or a number; nothing: all.
std::optional<IpProtocol> read_protocol(const IptablesWord& word);
/// At most 15 bytes; a '+' at its end stands for anything.
std::string read_interface(const IptablesWord& word);
/// "80" or "1024:65535"; either side of the colon may be missing.
PortRange read_ports(const IptablesWord& word);
/// "80,443,8000:8100", at most 15 ports, a range counting as two.
std::vector<PortRange> read_port_list(const IptablesWord& word);
/// "ESTABLISHED,RELATED".
u8 read_states(const IptablesWord& word);
/// "SYN,ACK", "ALL", "NONE".
u8 read_tcp_flags(const IptablesWord& word);
/// "echo-request", "8", "3/4"; nothing: any.
std::optional<IcmpMatch> read_icmp_type(const IptablesWord& word);
/// Of a limit that does not name its burst.
inline constexpr u32 kDefaultBurst = 5;
/// "5/min", with the default burst.
RateLimit read_limit(const IptablesWord& word);
u32 read_number(const IptablesWord& word, u32 low, u32 high);
RejectWith read_reject(const IptablesWord& word);

/// "A", "A-B", "A:P", "A-B:P-Q".
struct Translation {
    AddressRange to;
    std::optional<PortRange> ports;
};
Translation read_translation(const IptablesWord& word);
/// "1024-2000": of a target a hyphen, not a colon, stands between ports.
PortRange read_target_ports(const IptablesWord& word, std::string_view text);

}  // namespace tapestry

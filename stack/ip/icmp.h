#pragma once

#include <deque>
#include <map>
#include <memory>

#include "stack/ip/ping_socket.h"
#include "stack/ip/token_bucket.h"
#include "stack/ip/transport.h"

namespace tapestry {

class Ipv4;

/// What an ICMP error means to a socket (RFC 1122 section 4.2.3.9 has the classes).
Errno errno_of(IcmpType type, u8 code);

/// ICMP of one stack (RFC 792, RFC 1122 section 3.2.2): answers echo requests, passes errors to the
/// transport protocols, reports errors to others, and is the protocol below ping sockets.
///
/// Redirects and source quenches are ignored: both let a stranger steer us (RFC 6633 for the
/// latter). Not done: timestamps, address masks (RFC 6918).
class Icmp final : public TransportProtocol {
public:
    Icmp(Services& services, Ipv4& ip);
    ~Icmp() override;

    /// Refuses: IcmpShort, IcmpBadChecksum, IcmpUnknownType, IcmpBroadcastEcho, IcmpBadQuote,
    /// IcmpNoMatch, IcmpIgnored, IcmpQueueFull; DeviceFull and the like when an answer cannot
    /// leave.
    std::expected<void, Drop> input(const Ipv4Datagram& datagram, TimePoint now) override;
    /// An error about an echo request of ours.
    std::expected<void, Drop> icmp_error(const IcmpError& error, TimePoint now) override;

    /// Reports an error about `packet`, a valid IP packet, to its source, unless a rule of RFC 1122
    /// 3.2.2 or the rate limit forbids it. `second` is the second word of the ICMP header;
    /// `link_broadcast` says that the packet came in a broadcast frame.
    void send_error(IcmpType type, u8 code, u32 second, Bytes packet, bool link_broadcast,
                    TimePoint now);

    /// A false handle when 4096 are open.
    PingSocket socket();

private:
    friend class PingSocket;
    std::expected<void, Drop> answer_echo(const IcmpView& request, const Ipv4Datagram& datagram,
                                          TimePoint now);
    std::expected<void, Drop> take_reply(const IcmpView& reply, const Ipv4Datagram& datagram,
                                         TimePoint now);
    std::expected<void, Drop> take_error(const IcmpView& error, const Ipv4Datagram& datagram,
                                         TimePoint now);
    bool may_report(const Ipv4View& packet, bool link_broadcast) const;
    std::expected<void, Errno> send_request(PingPort& port, Ipv4Address destination, u16 sequence,
                                            Bytes data);
    std::expected<void, Drop> queue(PingPort& port, const PingReply& reply);

    Services& services_;
    Ipv4& ip_;
    TokenBucket error_limit_;
    std::map<u16, std::unique_ptr<PingPort>> ports_;  ///< by identifier
};

}  // namespace tapestry

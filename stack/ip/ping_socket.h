#pragma once

#include <expected>
#include <optional>

#include "stack/base/errno.h"
#include "stack/base/ready.h"
#include "stack/base/time.h"
#include "stack/wire/address.h"
#include "stack/wire/icmp.h"

namespace tapestry {

class Icmp;
struct PingPort;

/// An answer to an echo request, or what the network (or our own link) says instead.
struct PingReply {
    Ipv4Address source;       ///< who answered, or who reports
    Ipv4Address destination;  ///< whom the request was for; of an answer: its source
    u16 sequence = 0;
    u8 ttl = 0;            ///< of the answer as it arrived; 0 for an error
    std::size_t size = 0;  ///< bytes of echo data; 0 for an error
    TimePoint arrived{};
    std::optional<IcmpType> error;  ///< nothing: an answer
    u8 code = 0;                    ///< of the error
};

/// A handle on a source of echo requests with an identifier of its own (RFC 792, RFC 1122 section
/// 3.2.2.6). It never blocks; it sends at once, at the time that the stack was last told. Must not
/// outlive its stack.
class PingSocket {
public:
    PingSocket() = default;
    PingSocket(PingSocket&& other) noexcept;
    PingSocket& operator=(PingSocket&& other) noexcept;
    ~PingSocket();

    explicit operator bool() const { return port_ != nullptr; }

    /// Sends one request with `data`, at most 65507 bytes; large ones are fragmented. EMSGSIZE,
    /// EAGAIN (device full), ENETUNREACH, EACCES (a broadcast without set_broadcast), EBADF.
    std::expected<void, Errno> send(Ipv4Address destination, u16 sequence, Bytes data);
    /// The oldest answer or error; EAGAIN when there is none, EBADF.
    std::expected<PingReply, Errno> receive();
    void set_ttl(u8 ttl);
    void set_broadcast(bool allowed);
    /// ping -M do: what is too large for the path is refused with EMSGSIZE.
    void set_dont_fragment(bool on);
    void close();

    /// 0 when closed.
    u16 identifier() const;
    Readiness readiness() const;
    void watch(ReadySet* set, u64 token);

private:
    friend class Icmp;
    PingSocket(Icmp& icmp, PingPort& port) : icmp_(&icmp), port_(&port) {}
    Icmp* icmp_ = nullptr;
    PingPort* port_ = nullptr;
};

}  // namespace tapestry

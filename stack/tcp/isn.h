#pragma once

#include "stack/base/siphash.h"
#include "stack/base/time.h"
#include "stack/wire/address.h"
#include "stack/wire/seq_num.h"

namespace tapestry {

/// Initial sequence numbers (RFC 6528, RFC 9293 section 3.4.1):
///
///     ISN = M + F(localip, localport, remoteip, remoteport, secretkey)
///
/// where M is a timer that ticks every 4 microseconds and F a keyed pseudorandom function.
class IsnGenerator {
public:
    explicit IsnGenerator(const SipKey& secret) : secret_(secret) {}
    SeqNum isn(const Endpoint& local, const Endpoint& remote, TimePoint now) const;
    /// The offset that a connection adds to its timestamp clock, so that it tells nothing about the
    /// others (RFC 7323 section 5.4 and 7).
    u32 timestamp_offset(const Endpoint& local, const Endpoint& remote) const;
    /// Where in the range of ephemeral ports connections to `remote` begin (RFC 6056 section 3.3.3),
    /// so that a server learns nothing of the ports that others see.
    u32 port_offset(Ipv4Address local, const Endpoint& remote) const;

private:
    u64 hash(const Endpoint& local, const Endpoint& remote) const;
    SipKey secret_;
};

}  // namespace tapestry

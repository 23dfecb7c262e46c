#pragma once

#include <optional>

#include "stack/wire/ipv4.h"
#include "stack/wire/seq_num.h"

namespace tapestry {

/// Numbers that the RFCs leave to a host. A stack draws them itself unless somebody is there to choose:
/// a replay takes them from its recording. Nothing: the stack's own choice. Called in the middle of
/// things, so that it must not call the stack.
class Choices {
public:
    virtual ~Choices() = default;
    /// ISS, the initial send sequence number (RFC 9293 3.4.1).
    virtual std::optional<SeqNum> iss(const Endpoint& /*local*/, const Endpoint& /*remote*/) {
        return std::nullopt;
    }
    /// What the timestamp clock of a new connection shows now (RFC 7323 5.4).
    virtual std::optional<u32> timestamp(const Endpoint& /*local*/, const Endpoint& /*remote*/) {
        return std::nullopt;
    }
    /// The identification of a datagram (RFC 6864). `transport` are the bytes behind the IPv4 header,
    /// as many as lie together.
    virtual std::optional<u16> identification(const Ipv4Header& /*header*/, Bytes /*transport*/) {
        return std::nullopt;
    }
    /// The identifier of a new source of echo requests (RFC 792); one that is in use is passed over.
    virtual std::optional<u16> echo_identifier() { return std::nullopt; }
};

}  // namespace tapestry

#pragma once

#include <vector>

#include "stack/ip/transport.h"

namespace tapestry::test {

/// A protocol above IP that has no sockets and keeps the errors that it is told of.
class RecordingTransport final : public TransportProtocol {
public:
    std::expected<void, Drop> input(const Ipv4Datagram&, TimePoint) override {
        return std::unexpected(Drop::UdpNoSocket);
    }
    std::expected<void, Drop> icmp_error(const IcmpError& error, TimePoint) override {
        errors.push_back(error);
        quotes.emplace_back(error.quoted_payload.begin(), error.quoted_payload.end());
        return {};
    }
    std::vector<IcmpError> errors;
    std::vector<std::vector<u8>> quotes;
};

}  // namespace tapestry::test

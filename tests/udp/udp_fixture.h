#pragma once

#include <algorithm>
#include <optional>

#include "tests/support/udp_host.h"

namespace tapestry::test {

inline const Endpoint kClient{kPeer, 5000};

/// A socket, a host around it, and a client at kClient.
class UdpTest : public testing::Test {
protected:
    UdpHost host_;
    UdpSocket socket_ = host_.udp.socket();
    std::vector<u8> data_ = pattern_bytes(100);
    std::vector<u8> buffer_ = std::vector<u8>(65536);

    UdpSocket bound(Endpoint local, bool reuse = false) {
        UdpSocket made = host_.udp.socket();
        made.set_reuse_address(reuse);
        EXPECT_TRUE(made.bind(local));
        return made;
    }
    /// What the socket receives, or nothing.
    std::optional<std::vector<u8>> read(UdpSocket& socket) {
        const auto got = socket.receive(buffer_);
        if (!got) return std::nullopt;
        EXPECT_FALSE(got->truncated);
        return std::vector<u8>(buffer_.begin(),
                               buffer_.begin() + static_cast<std::ptrdiff_t>(got->size));
    }
    /// An ICMP error from the peer's network about the frame that was sent last.
    std::expected<void, Drop> error(IcmpType type, u8 code, u32 second = 0) {
        auto quoted = payload_of(host_.port.sent.back());
        quoted.resize(std::min<std::size_t>(quoted.size(), 28));
        return host_.receive_ip(ip_header(IpProtocol::Icmp),
                                icmp_message({type, code, second}, quoted));
    }
};

}  // namespace tapestry::test

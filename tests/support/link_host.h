#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "stack/link/interface.h"
#include "stack/wire/arp.h"
#include "stack/wire/ethernet.h"
#include "tests/support/recording_port.h"

namespace tapestry::test {

inline const MacAddress kPeerMac({2, 0, 0, 0, 0, 1});
inline const MacAddress kOurMac({2, 0, 0, 0, 0, 2});
inline constexpr Ipv4Address kPeer(10, 0, 0, 1);
inline constexpr Ipv4Address kUs(10, 0, 0, 2);

/// `payload` with room for a header in front.
inline std::vector<u8> behind_header(std::size_t header_size, Bytes payload) {
    std::vector<u8> bytes(header_size + payload.size());
    std::copy(payload.begin(), payload.end(), &bytes[0] + header_size);
    return bytes;
}

/// A frame around any payload; to us from the peer unless said otherwise.
inline std::vector<u8> ethernet_frame(EtherType type, Bytes payload, MacAddress to = kOurMac,
                                      MacAddress from = kPeerMac) {
    std::vector<u8> frame = behind_header(EthernetView::kHeaderSize, payload);
    EthernetHeader{to, from, type}.write(frame.data());
    return frame;
}

/// In a frame from the peer's hardware address, whatever the packet says.
inline std::vector<u8> arp_frame(const ArpPacket& packet, MacAddress to = kOurMac) {
    return ethernet_frame(EtherType::Arp, packet.to_bytes(), to);
}

/// One interface 10.0.0.2/24 on a recording device, in virtual time.
class LinkHost : public TraceSink {
public:
    explicit LinkHost(const StackConfig& config = quiet(), PortCapabilities offers = {},
                      u32 mtu = 0, u8 prefix_length = 24)
        : services(config, rng) {
        port.offers = offers;
        services.trace = this;
        interface = std::make_unique<Interface>(
            u8{0}, port, InterfaceConfig{"eth0", kOurMac, {kUs, prefix_length}, mtu}, services);
    }

    /// No announcement at the start, so that a test sees only what it caused.
    static StackConfig quiet() {
        StackConfig config;
        config.arp.announce = false;
        return config;
    }

    std::expected<std::optional<Interface::Arrival>, Drop> input(Bytes frame) {
        arrived = pool.copy(frame);
        services.last_now = now;
        return interface->input(arrived, now);
    }
    std::expected<void, Drop> receive_arp(const ArpPacket& packet, MacAddress to = kOurMac) {
        const auto result = input(arp_frame(packet, to));
        if (!result) return std::unexpected(result.error());
        EXPECT_FALSE(*result) << "an ARP packet goes no further";
        return {};
    }
    /// The answer to our request for `address`.
    std::expected<void, Drop> answer(Ipv4Address address = kPeer, MacAddress mac = kPeerMac) {
        return receive_arp({ArpOperation::Reply, mac, address, kOurMac, kUs});
    }

    /// Lets time pass, timer by timer.
    virtual void pass(Duration span) {
        const TimePoint end = now + span;
        for (auto next = services.timers.next_deadline(); next && *next <= end;
             next = services.timers.next_deadline()) {
            now = std::max(now, *next);
            tick();
        }
        now = end;
        tick();
    }

    /// Sends a packet of these bytes to a neighbour.
    SendResult send(Bytes bytes, Ipv4Address to = kPeer) {
        Frame frame(bytes);
        return interface->output(frame, to, now);
    }
    u64 drops(Drop drop) const { return services.counters.of(drop); }

    void on_drop(const DropEvent& event) override { refused.push_back(event.drop); }
    void on_frame(const FrameEvent& event) override {
        traced.push_back({event.now, event.direction, event.headers.size(), event.offload});
    }
    struct Traced {
        TimePoint now;
        Direction direction;
        std::size_t header_size;
        Offload offload;
    };

    TimePoint now{};
    SeededRng rng{1};
    RecordingPort port;
    PacketPool pool{PacketPool::kSuperFrameSlot, 64};
    Packet arrived;
    Services services;
    std::unique_ptr<Interface> interface;
    std::vector<Drop> refused;
    std::vector<Traced> traced;

protected:
    virtual void tick() {
        services.last_now = now;
        services.timers.advance(now);
    }
};

inline bool is_arp(const RecordingPort::Sent& sent) {
    const auto ethernet = EthernetView::parse(sent.bytes);
    return ethernet && ethernet->type() == EtherType::Arp;
}
/// What a sent frame holds; fails the test when it is not ARP.
inline ArpPacket arp_of(const RecordingPort::Sent& sent) {
    EXPECT_TRUE(is_arp(sent));
    if (!is_arp(sent)) return {};
    const auto packet = ArpPacket::parse(EthernetView::parse(sent.bytes)->payload());
    EXPECT_TRUE(packet);
    return packet.value_or(ArpPacket());
}
inline MacAddress destination_of(const RecordingPort::Sent& sent) {
    return MacAddress::load(sent.bytes.data());
}
/// What is behind the Ethernet header.
inline std::vector<u8> payload_of(const RecordingPort::Sent& sent) {
    return {sent.bytes.begin() + EthernetView::kHeaderSize, sent.bytes.end()};
}

/// "the call was refused, and for this reason"
template <typename T>
testing::AssertionResult refused_as(const std::expected<T, Drop>& result, Drop drop) {
    if (result) return testing::AssertionFailure() << "was taken, not refused as " << name(drop);
    if (result.error() != drop) {
        return testing::AssertionFailure()
               << "was refused as " << name(result.error()) << ", not as " << name(drop);
    }
    return testing::AssertionSuccess();
}
template <typename T>
testing::AssertionResult taken(const std::expected<T, Drop>& result) {
    if (result) return testing::AssertionSuccess();
    return testing::AssertionFailure() << "was refused as " << name(result.error());
}

}  // namespace tapestry::test

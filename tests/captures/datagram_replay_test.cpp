// The stack in the place of a recorded host that speaks no TCP: what it answers, frame by frame.

#include <gtest/gtest.h>

#include "drivers/wire_frames.h"
#include "stack/stack.h"
#include "stack/wire/arp.h"
#include "stack/wire/ipv4.h"
#include "stack/wire/udp.h"
#include "tests/support/capture_file.h"

using namespace tapestry;        // NOLINT
using namespace tapestry::test;  // NOLINT

namespace {

constexpr Ipv4Address kClient{192, 168, 3, 10};
constexpr Ipv4Address kServer{192, 168, 3, 1};

std::string path_of(const std::string& file) {
    return std::string(TEST_ROOT) + "/../captures/" + file + ".pcap";
}

/// Without what may differ between two right hosts: the identification (RFC 6864), "don't fragment",
/// the precedence of ICMP errors (RFC 1122 3.2.2 leaves it to the host), and the header checksum that
/// depends on them. What is left must be equal byte for byte.
std::vector<u8> comparable(std::vector<u8> frame) {
    const auto ethernet = EthernetView::parse(frame);
    if (!ethernet || ethernet->type() != EtherType::Ipv4) return frame;
    const auto ip = Ipv4View::parse(ethernet->payload());
    if (!ip) return frame;
    u8* header = frame.data() + EthernetView::kHeaderSize;
    store_be16(header + Ipv4View::kIdentification, 0);
    header[Ipv4View::kFlagsAndOffset] &= static_cast<u8>(~(Ipv4View::kDontFragment >> 8));
    if (ip->protocol() == IpProtocol::Icmp) header[Ipv4View::kTos] = 0;
    store_be16(header + Ipv4View::kChecksum, 0);
    return frame;
}

std::string hex(Bytes bytes) {
    std::string text;
    for (const u8 b : bytes) {
        constexpr const char* kDigits = "0123456789abcdef";
        text += kDigits[b >> 4U];
        text += kDigits[b & 15U];
    }
    return text;
}

/// Feeds what the other host sent; collects what the stack sends, completed as for a wire.
class DatagramReplay : public testing::Test, private Port {
protected:
    void open(const std::string& file, Ipv4Address host, bool neighbours_known = true) {
        frames_ = read_capture(path_of(file));
        host_ = host;
        for (const CapturedFrame& f : frames_) {
            const MacAddress source = EthernetView::parse(f.bytes)->source();
            (is_ours(f) ? our_mac_ : their_mac_) = source;
        }
        StackConfig config;
        config.arp.announce = false;
        stack_ = std::make_unique<Stack>(config, rng_);
        InterfaceConfig interface;
        interface.mac = our_mac_;
        interface.address = {host, 24};
        interface_ = &stack_->add_interface(*this, interface, frames_.front().time);
        if (neighbours_known) {
            const Ipv4Address other = host == kClient ? kServer : kClient;
            interface_->arp().add_static(other, their_mac_, frames_.front().time);
        }
    }

    /// Plays the recording. `application` is asked after each frame of the other side; `before` is told
    /// of each frame of ours when it is due.
    void play(const std::function<void()>& application,
              const std::function<void(const CapturedFrame&)>& before = {}) {
        for (const CapturedFrame& f : frames_) {
            stack_->advance(f.time);
            if (is_ours(f)) {
                recorded_.push_back(comparable(f.bytes));
                if (before) before(f);
            } else {
                Packet packet = pool_.copy(f.bytes);
                stack_->receive(*interface_, {&packet, 1}, f.time);
                application();
            }
            stack_->advance(f.time);
        }
    }

    void expect_same_frames() {
        ASSERT_GT(recorded_.size(), 0U);
        EXPECT_EQ(sent_.size(), recorded_.size());
        for (std::size_t i = 0; i < std::min(sent_.size(), recorded_.size()); ++i) {
            EXPECT_EQ(hex(sent_[i]), hex(recorded_[i])) << "frame " << i + 1 << " of ours";
        }
    }
    u64 drops(Drop drop) const { return stack_->counters().drops[static_cast<std::size_t>(drop)]; }

    bool is_ours(const CapturedFrame& f) const {
        const auto ethernet = EthernetView::parse(f.bytes);
        if (ethernet->type() == EtherType::Arp) {
            return ArpPacket::parse(ethernet->payload())->sender_ip == host_;
        }
        return Ipv4View::parse(ethernet->payload())->source() == host_;
    }

    std::vector<CapturedFrame> frames_;
    std::vector<std::vector<u8>> recorded_, sent_;
    std::unique_ptr<Stack> stack_;

private:
    PortCapabilities capabilities() const override { return {}; }
    bool transmit(const Frame& frame) override {
        const WireFrames wire(frame);
        for (std::size_t i = 0; i < wire.count(); ++i) {
            const Frame one = wire.at(i);
            std::vector<u8> bytes(one.size());
            one.copy_to(bytes.data());
            sent_.push_back(comparable(std::move(bytes)));
        }
        return true;
    }

    Ipv4Address host_;
    MacAddress our_mac_, their_mac_;
    SeededRng rng_{1};
    PacketPool pool_{PacketPool::kFrameSlot, 16};
    Interface* interface_ = nullptr;
};

void nobody() {}

TEST_F(DatagramReplay, PingIsAnsweredAsLinuxDoes) {
    open("ping.server", kServer);
    play(nobody);
    expect_same_frames();
}

TEST_F(DatagramReplay, ArpIsAnsweredAndLearntFromTheRequest) {
    open("arp.server", kServer, false);
    play(nobody);
    expect_same_frames();  // the reply, and the echo reply without a request of ours
}

TEST_F(DatagramReplay, ClosedPortIsUnreachable) {
    open("udp-unreachable.server", kServer);
    play(nobody);
    expect_same_frames();
    EXPECT_EQ(drops(Drop::UdpNoSocket), 2U);
}

TEST_F(DatagramReplay, DatagramsAreEchoedInTheSameFragments) {
    open("udp-echo.server", kServer);
    UdpSocket socket = stack_->udp_socket();
    ASSERT_TRUE(socket.bind({kServer, 7000}));
    play([&] {
        std::array<u8, 4096> buffer{};
        while (const auto datagram = socket.receive(buffer)) {
            EXPECT_TRUE(socket.send_to(Bytes(buffer).first(datagram->size), datagram->source));
        }
    });
    expect_same_frames();
}

/// What a recorded datagram of ours carries, whether or not it is cut into fragments.
std::optional<std::vector<u8>> udp_text(const std::vector<CapturedFrame>& frames,
                                        const CapturedFrame& first) {
    const auto ip = *Ipv4View::parse(EthernetView::parse(first.bytes)->payload());
    if (ip.fragment_offset() != 0) return std::nullopt;
    std::vector<u8> text;
    for (const CapturedFrame& f : frames) {
        const auto part = *Ipv4View::parse(EthernetView::parse(f.bytes)->payload());
        if (part.source() != ip.source() || part.identification() != ip.identification()) continue;
        text.resize(
            std::max<std::size_t>(text.size(), part.fragment_offset() + part.payload().size()));
        std::copy(part.payload().begin(), part.payload().end(),
                  text.begin() + part.fragment_offset());
    }
    text.erase(text.begin(), text.begin() + UdpView::kHeaderSize);
    return text;
}

u16 first_source_port(const std::vector<CapturedFrame>& frames) {
    const auto ip = *Ipv4View::parse(EthernetView::parse(frames.front().bytes)->payload());
    return load_be16(&ip.payload()[0]);
}

TEST_F(DatagramReplay, EchoesReachTheClientWhole) {
    open("udp-echo.client", kClient);
    UdpSocket socket = stack_->udp_socket();
    ASSERT_TRUE(socket.bind({kClient, first_source_port(frames_)}));
    ASSERT_TRUE(socket.connect({kServer, 7000}));
    std::vector<std::vector<u8>> asked, answered;
    play(
        [&] {
            std::array<u8, 4096> buffer{};
            while (const auto datagram = socket.receive(buffer)) {
                answered.emplace_back(buffer.begin(), buffer.begin() + datagram->size);
            }
        },
        [&](const CapturedFrame& f) {
            const auto text = udp_text(frames_, f);
            if (!text) return;
            asked.push_back(*text);
            EXPECT_TRUE(socket.send(*text));
        });
    expect_same_frames();
    EXPECT_EQ(asked.size(), 3U);
    EXPECT_EQ(answered, asked);
}

TEST_F(DatagramReplay, UnreachablePortIsAnErrorOfTheSocket) {
    open("udp-unreachable.client", kClient);
    UdpSocket socket = stack_->udp_socket();
    ASSERT_TRUE(socket.bind({kClient, first_source_port(frames_)}));
    ASSERT_TRUE(socket.connect({kServer, 7000}));
    int refusals = 0;
    play(
        [&] {
            std::array<u8, 16> buffer{};
            const auto datagram = socket.receive(buffer);
            ASSERT_FALSE(datagram);
            EXPECT_EQ(datagram.error(), Errno::ConnectionRefused);
            ++refusals;
        },
        [&](const CapturedFrame& f) { EXPECT_TRUE(socket.send(*udp_text(frames_, f))); });
    expect_same_frames();
    EXPECT_EQ(refusals, 2);
}

}  // namespace

#pragma once

#include <map>

#include "tests/hostile/alive.h"

namespace tapestry::test {

/// Remembers how every connection stood after the last thing that happened to it, by the peer's port.
class LastStates final : public TraceSink {
public:
    void on_tcp(const TcpEvent& event) override { last[event.after.remote.port] = event.after; }
    std::map<u16, TcpSnapshot> last;
};

/// A server on port 81 whose socket is in the hands of the test, and a peer.
class HostileTcpTest : public HostileIpTest {
protected:
    static constexpr u8 kSyn = TcpFlags::kSyn;
    static constexpr u8 kAck = TcpFlags::kAck;
    static constexpr u8 kFin = TcpFlags::kFin;
    static constexpr u8 kRst = TcpFlags::kRst;
    static constexpr u8 kUrg = TcpFlags::kUrg;

    explicit HostileTcpTest(const StackConfig& config = HostileHost::quiet())
        : HostileIpTest(config) {
        host_.stack.set_trace(&states_);
        listener_ = host_.stack.tcp_listener();
        EXPECT_TRUE(listener_.listen({Ipv4Address(), 81}, 2000));
    }
    /// The trace goes before the host does.
    ~HostileTcpTest() override { host_.stack.set_trace(nullptr); }

    /// A connection of peer_'s; its other end is socket_.
    testing::AssertionResult establish(std::vector<u8> options = {2, 4, 5, 180}) {
        if (auto opened = peer_.open(std::move(options)); !opened) return opened;
        auto accepted = listener_.accept();
        if (!accepted) return testing::AssertionFailure() << "nothing to accept";
        socket_ = std::move(*accepted);
        (void)host_.port.take();
        return testing::AssertionSuccess();
    }
    TcpSnapshot snapshot() { return socket_.snapshot(); }
    TcpState state_of(u16 port) { return states_.last[port].state; }

    /// What the application gets to read now.
    std::vector<u8> read() {
        std::vector<u8> all;
        std::array<u8, 4096> buffer{};
        while (const auto got = socket_.read(buffer)) {
            if (*got == 0) break;
            all.insert(all.end(), buffer.begin(), buffer.begin() + static_cast<long>(*got));
        }
        host_.settle();
        return all;
    }
    /// The application writes, and it leaves.
    void write(Bytes data) {
        EXPECT_TRUE(socket_.write(data));
        host_.settle();
    }
    /// Fed one segment: refused for this reason, and answered by one bare ACK (`answered`) or not at all.
    testing::AssertionResult refuses(const RawTcp& segment, Drop drop, bool answered) {
        const auto refused = refused_once(segment.frame(), drop);
        if (!refused) return refused;
        const auto sent = host_.take_segments();
        if (sent.empty() != answered && (!answered || (sent.size() == 1 && sent[0].flags == kAck &&
                                                       sent[0].ack == peer_.seq))) {
            return testing::AssertionSuccess();
        }
        return testing::AssertionFailure() << "answered by " << sent.size() << " segments";
    }
    /// The segment that an honest peer would send next.
    RawTcp next(u8 flags = kAck, std::vector<u8> text = {}) const {
        return {.source_port = peer_.port,
                .destination_port = peer_.server,
                .seq = peer_.seq,
                .ack = peer_.ack,
                .flags = flags,
                .text = std::move(text)};
    }
    /// Both directions still work.
    testing::AssertionResult works() {
        (void)host_.port.take();
        const auto there = pattern_bytes(100, 7);
        peer_.send(kAck, there);
        if (read() != there) return testing::AssertionFailure() << "what the peer sent is not read";
        if (!socket_.write(there)) return testing::AssertionFailure() << "cannot write";
        host_.settle();
        for (const SeenSegment& segment : peer_.hear()) {
            if (segment.text == there) {
                peer_.send(kAck);
                return testing::AssertionSuccess();
            }
        }
        return testing::AssertionFailure() << "what was written is not sent";
    }
    /// An outgoing connection to the peer's port 90, as far as its SYN; peer_ then answers for it.
    TcpSocket connecting() {
        TcpSocket socket = host_.stack.tcp_socket();
        EXPECT_TRUE(socket.connect({kPeer, 90}));
        (void)host_.port.take();
        host_.settle();
        const auto syn = host_.take_segments();
        EXPECT_EQ(syn.size(), 1U);
        if (!syn.empty()) {
            peer_.port = 90;
            peer_.server = syn[0].source_port;
            peer_.ack = syn[0].seq + 1;
        }
        return socket;
    }

    LastStates states_;
    Listener listener_;
    TcpPeer peer_{.host = host_, .server = 81};
    TcpSocket socket_;
};

/// 1,1,8,10: two NOPs and a timestamps option.
inline std::vector<u8> timestamps_option(u32 value, u32 echo) {
    std::vector<u8> option{1, 1, 8, 10, 0, 0, 0, 0, 0, 0, 0, 0};
    store_be32(&option[4], value);
    store_be32(&option[8], echo);
    return option;
}

}  // namespace tapestry::test

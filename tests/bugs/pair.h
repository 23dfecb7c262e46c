#pragma once

#include "tests/bugs/bench.h"

namespace tapestry::test {

/// Two of our stacks and a wire that takes 5 ms each way, in virtual time. The way is done to the frames
/// of both directions: those of one direction that leave at one moment arrive at one moment, and are what
/// changes places.
class Pair {
public:
    struct End {
        End(Way way, const StackConfig& config, Ipv4Address address, MacAddress mac, u64 seed)
            : rng(seed), choices(way), stack(config, rng) {
            interface = &stack.add_interface(port, {"eth0", mac, {address, 24}}, TimePoint{});
            stack.set_choices(&choices);
        }
        ~End() { stack.set_choices(nullptr); }
        SeededRng rng;
        NumbersChosen choices;
        RecordingPort port;
        Stack stack;
        Interface* interface = nullptr;
    };

    explicit Pair(Way way, const StackConfig& here_config = HostileHost::quiet(),
                  const StackConfig& there_config = HostileHost::quiet())
        : here(way, here_config, kUs, kOurMac, 1),
          there(way, there_config, kPeer, kPeerMac, 2),
          way_(way) {
        here.interface->arp().add_static(kPeer, kPeerMac, now);
        there.interface->arp().add_static(kUs, kOurMac, now);
    }

    /// `there` connects to port 80 of `here`.
    void connect() {
        Listener listener = here.stack.tcp_listener();
        ASSERT_TRUE(listener.listen({Ipv4Address(), 80}));
        client = there.stack.tcp_socket();
        ASSERT_TRUE(client.connect({kUs, 80}));
        ASSERT_TRUE(until([&] { return listener.acceptable(); }, 30s));
        server = std::move(*listener.accept());
    }
    /// Lets things happen until `done`; false: not within `limit`.
    bool until(const std::function<bool()>& done, Duration limit) {
        const TimePoint end = now + limit;
        for (;;) {
            carry();
            if (done()) return true;
            carry();
            TimePoint next = flights_.empty() ? kNever : flights_.front().arrival;
            for (End* side : {&here, &there}) {
                next = std::min(next, side->stack.next_deadline().value_or(kNever));
            }
            if (next > end) {
                now = end;
                return false;
            }
            now = std::max(now, next);
            arrive();
        }
    }
    void pass(Duration span) {
        (void)until([] { return false; }, span);
    }
    /// Frames that have arrived, both directions.
    std::size_t frames = 0;
    std::size_t transformed = 0;
    /// True loses a frame of the direction.
    std::function<bool(bool from_here, const TcpView&)> loses;

    TimePoint now{};
    End here;
    End there;
    TcpSocket server;  ///< of here
    TcpSocket client;  ///< of there

private:
    struct Flight {
        TimePoint arrival;
        bool from_here;
        RecordingPort::Sent frame;
    };
    /// What has been sent leaves.
    void carry() {
        for (End* side : {&here, &there}) {
            side->stack.advance(now);
            std::vector<Flight> leaving;
            for (auto& frame : side->port.take()) {
                if (is_lost(side == &here, frame)) continue;
                leaving.push_back({now + 5ms, side == &here, std::move(frame)});
            }
            for (std::size_t i = 0; way_ == Way::Swapped && i + 1 < leaving.size(); i += 2) {
                std::swap(leaving[i], leaving[i + 1]);
                ++transformed;
            }
            for (Flight& one : leaving) {
                flights_.push_back(one);
                if (way_ != Way::Twice) continue;
                flights_.push_back(std::move(one));
                ++transformed;
            }
        }
    }
    void arrive() {
        while (!flights_.empty() && flights_.front().arrival <= now) {
            const Flight one = std::move(flights_.front());
            flights_.pop_front();
            End& to = one.from_here ? there : here;
            Packet packet = pool_.copy(one.frame.bytes);
            packet.offload = one.frame.offload;  // a device would have done the sum
            to.stack.receive(*to.interface, std::span(&packet, 1), now);
            ++frames;
        }
    }
    bool is_lost(bool from_here, const RecordingPort::Sent& frame) {
        const auto ip = ip_of(frame);
        if (!loses || !ip || ip->protocol() != IpProtocol::Tcp) return false;
        const auto tcp = TcpView::parse(ip->payload());
        return tcp && loses(from_here, *tcp);
    }

    Way way_;
    PacketPool pool_{PacketPool::kSuperFrameSlot, 2};
    std::deque<Flight> flights_;
};

template <std::size_t N>
void play_pair(const std::array<Way, N>& ways, const std::function<void(Pair&)>& story,
               const StackConfig& here = HostileHost::quiet(),
               const StackConfig& there = HostileHost::quiet()) {
    for (const Way way : ways) {
        SCOPED_TRACE(name(way));
        Pair pair(way, here, there);
        pair.connect();
        if (testing::Test::HasFailure()) return;
        story(pair);
        if (way == Way::Twice || way == Way::Swapped) {
            EXPECT_GT(pair.transformed, 0U) << "nothing was " << name(way);
        }
        if (testing::Test::HasFailure()) return;
    }
}

}  // namespace tapestry::test

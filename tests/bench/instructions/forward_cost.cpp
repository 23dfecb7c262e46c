// Instructions per forwarded packet, to be run under callgrind (see segment_cost.sh): datagrams of 18
// bytes through a router with some rules and 100,000 live conversations, each packet of another one.
// Nothing around it: no link, no system call. Only measured() is counted.

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "stack/stack.h"
#include "stack/wire/udp.h"

using namespace tapestry;

namespace {

constexpr u32 kConversations = 100'000;
const MacAddress kMac({2, 0, 0, 0, 0, 1});
const MacAddress kNeighbour({2, 0, 0, 0, 0, 2});

class CountingPort final : public Port {
public:
    PortCapabilities capabilities() const override { return {1500, 65535}; }
    bool transmit(const Frame& /*frame*/) override {
        ++frames;
        return true;
    }
    std::size_t frames = 0;
};

std::vector<u8> datagram(u32 number) {
    std::vector<u8> frame(60);
    EthernetHeader{kMac, kNeighbour, EtherType::Ipv4}.write(frame.data());
    const Ipv4Address host(192, 168, 3, static_cast<u8>(2 + number % 250));
    Ipv4Header{.total_length = 46,
               .protocol = IpProtocol::Udp,
               .source = host,
               .destination = Ipv4Address(198, 51, 100, static_cast<u8>(1 + number / 50'000))}
        .write(frame.data() + 14);
    UdpHeader{.source_port = static_cast<u16>(1024 + number % 50'000),
              .destination_port = 53,
              .length = 26}
        .write(frame.data() + 34);
    return frame;
}

struct Router {
    explicit Router(bool nat) : stack(config(), rng) {
        lan = &stack.add_interface(ports[0], {"lan", kMac, {{192, 168, 3, 1}, 24}, 0}, now);
        wan = &stack.add_interface(ports[1], {"wan", kMac, {{203, 0, 113, 5}, 24}, 0}, now);
        stack.add_route({{}, 0}, *wan, {203, 0, 113, 1});
        wan->arp().add_static({203, 0, 113, 1}, kNeighbour, now);
        if (!nat) return;
        Rule masquerade;
        masquerade.match.out = {{"wan", false}};
        masquerade.target = Target::Masquerade;
        stack.forwarder().append(Chain::Postrouting, masquerade);
    }
    static StackConfig config() {
        StackConfig config;
        config.forwarding = true;
        config.arp.announce = false;
        return config;
    }
    void pass(const std::vector<u8>& frame) {
        batch[0].assign(frame);
        now += 1us;
        stack.receive(*lan, batch, now);
    }

    TimePoint now{};
    SeededRng rng{1};
    CountingPort ports[2];
    Stack stack;
    Interface* lan;
    Interface* wan;
    PacketPool pool{PacketPool::kFrameSlot, 1};
    std::vector<Packet> batch{1};
};

[[gnu::noinline]] void measured(Router& router, const std::vector<std::vector<u8>>& frames,
                                u32 packets) {
    for (u32 i = 0; i < packets; ++i) router.pass(frames[i * 7919 % kConversations]);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3) {
        std::fprintf(stderr, "usage: forward_cost nat|route PACKETS\n");
        return 2;
    }
    Router router(std::strcmp(argv[1], "nat") == 0);
    router.batch[0] = router.pool.take();
    std::vector<std::vector<u8>> frames;
    frames.reserve(kConversations);
    for (u32 i = 0; i < kConversations; ++i) frames.push_back(datagram(i));
    for (const auto& frame : frames) router.pass(frame);
    measured(router, frames, static_cast<u32>(std::stoul(argv[2])));
    std::printf("%zu frames out\n", router.ports[1].frames);
    return 0;
}

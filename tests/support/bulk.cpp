#include "tests/support/bulk.h"

#include <stdexcept>

namespace tapestry::test {
namespace {

constexpr Ipv4Address kClient{10, 0, 0, 1};
constexpr Ipv4Address kServer{10, 0, 0, 2};
const MacAddress kClientMac({2, 0, 0, 0, 0, 1});
const MacAddress kServerMac({2, 0, 0, 0, 0, 2});
constexpr u16 kPort = 5001;
constexpr u16 kFirstPort = 10000;  ///< of the client: by it the server knows the flow

}  // namespace

Bulk::Bulk(const BulkConfig& config)
    : world_({config.seed, 1}),
      client_(world_.add_host("client", config.stack)),
      server_(world_.add_host("server", config.stack)),
      flows_(config.flows),
      data_(64 << 10U) {
    MemoryLink& link = world_.add_link(config.link);
    Device* device = &link.end(0);
    if (config.drop > 0) {
        device = &client_.keep<Fault>(*device, world_.clock(), config.seed * 7 + 1,
                                      FaultConfig{.drop = config.drop}, FaultConfig{});
    }
    client_.attach(*device, {"eth0", kClientMac, {kClient, 24}, 0});
    server_.attach(link.end(1), {"eth0", kServerMac, {kServer, 24}, 0});
    client_.stack().interface(0).arp().add_static(kServer, kServerMac, world_.now());
    server_.stack().interface(0).arp().add_static(kClient, kClientMac, world_.now());
    listener_ = server_.stack().tcp_listener();
    if (!listener_.listen({Ipv4Address(), kPort})) throw std::logic_error("listen");
    client_.add_program([this] { send(); });
    server_.add_program([this] { receive(); });
    for (u32 i = 0; i < config.flows; ++i) {
        world_.at(TimePoint{} + i * config.stagger, [this, i] {
            TcpSocket& socket = flows_.at(i).sender;
            socket = client_.stack().tcp_socket();
            const u16 port = static_cast<u16>(kFirstPort + i);
            if (!socket.bind({kClient, port}) || !socket.connect({kServer, kPort})) {
                throw std::logic_error("connect");
            }
        });
    }
}

bool Bulk::run_until_bytes(u64 bytes, TimePoint limit) {
    return world_.run_until([this, bytes] { return arrived_ >= bytes; }, limit);
}

void Bulk::send() {
    for (Flow& flow : flows_) {
        if (!flow.sender) continue;
        while (flow.sender.writable_bytes() > 0 && flow.sender.write(data_)) {
        }
    }
}

void Bulk::receive() {
    while (auto accepted = listener_.accept()) {
        const u16 flow = static_cast<u16>(accepted->remote().port - kFirstPort);
        flows_.at(flow).receiver = std::move(*accepted);
    }
    arrived_ = 0;
    for (Flow& flow : flows_) {
        if (flow.receiver) {
            const TcpSnapshot now = flow.receiver.snapshot();
            if (now.receive_queued > 0) flow.receiver.consume(now.receive_queued);
            flow.read += now.receive_queued;
            flow.waiting = now.receive_out_of_order;
        }
        arrived_ += flow.read + flow.waiting;
    }
}

}  // namespace tapestry::test

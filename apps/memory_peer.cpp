#include "apps/memory_peer.h"

#include <algorithm>
#include <array>

namespace tapestry {

MemoryPeer::MemoryPeer(World& world, Host& host)
    : world_(world), host_(host), services_(host.stack()), listener_(host.stack().tcp_listener()) {
    // Nobody else is on that host: the ports are free.
    static_cast<void>(listener_.listen({Ipv4Address(), 80}));
    static_cast<void>(services_.listen(TestServices::Kind::Echo, 7));
    static_cast<void>(services_.listen(TestServices::Kind::Discard, 9));
    static_cast<void>(services_.listen(TestServices::Kind::Chargen, 19));
    host_.add_program([this] { run(); });
}

void MemoryPeer::run() {
    services_.poll();
    accept_all();
    for (auto it = clients_.begin(); it != clients_.end();) {
        it = serve(it->second) ? std::next(it) : clients_.erase(it);
    }

    std::optional<TimePoint> next;
    for (const auto& [number, client] : clients_) {
        const auto due = client.http.next_output();
        if (due && *due > world_.now() && (!next || *due < *next)) next = due;
    }
    if (!next || (wake_ && *wake_ <= *next && *wake_ > world_.now())) return;
    wake_ = next;
    world_.at(*next, [this] { run(); });
}

void MemoryPeer::accept_all() {
    while (auto socket = listener_.accept()) {
        clients_[next_client_++].socket = std::move(*socket);
    }
}

bool MemoryPeer::serve(Client& client) {
    if (!read(client) || !write(client)) return false;
    const bool idle = client.out.empty() && !client.http.next_output();
    if (client.http.finished() && idle && !client.said_all) {
        client.said_all = true;
        if (!client.socket.shutdown(Shutdown::Send)) return false;
    }
    return !(client.input_ended && idle);
}

bool MemoryPeer::read(Client& client) {
    std::array<u8, 16384> block;
    while (client.out.empty() && client.http.waiting() <= PeerHttp::kMaxHead) {
        const auto got = client.socket.read(block);
        if (!got && got.error() == Errno::Again) return true;
        if (!got) return false;
        if (*got == 0) {
            if (!client.input_ended) client.http.end_of_input(world_.now());
            client.input_ended = true;
            return true;
        }
        client.http.input({reinterpret_cast<const char*>(block.data()), *got}, world_.now());
        client.http.take_output(client.out, world_.now());
    }
    return true;
}

bool MemoryPeer::write(Client& client) {
    client.http.take_output(client.out, world_.now());
    while (!client.out.empty()) {
        const auto sent = client.socket.write(
            {reinterpret_cast<const u8*>(client.out.data()), client.out.size()});
        if (!sent) return sent.error() == Errno::Again;
        client.out.erase(0, *sent);
        client.http.take_output(client.out, world_.now());
    }
    return true;
}

}  // namespace tapestry

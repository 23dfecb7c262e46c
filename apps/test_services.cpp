#include "apps/test_services.h"

#include <array>
#include <string>

namespace tapestry {
namespace {

constexpr std::size_t kAll = std::size_t{1} << 30;

/// RFC 864 section "Data Syntax": lines of 72 printable characters, each line one further in the ring of
/// 95. The whole ring of lines, so that it can be sent over and over.
const std::string& chargen_pattern() {
    static const std::string pattern = [] {
        std::string text;
        for (unsigned line = 0; line < 95; ++line) {
            for (unsigned i = 0; i < 72; ++i) text += static_cast<char>(' ' + (line + i) % 95);
            text += "\r\n";
        }
        std::string long_text;
        while (long_text.size() < 128U << 10) long_text += text;
        return long_text;
    }();
    return pattern;
}

Bytes as_bytes(std::string_view text) {
    return {reinterpret_cast<const u8*>(text.data()), text.size()};
}

}  // namespace

std::expected<void, Errno> TestServices::listen(Kind kind, u16 port) {
    auto door = std::make_unique<Door>(Door{kind, stack_.tcp_listener(), {}});
    if (const auto done = door->listener.listen({Ipv4Address(), port}); !done) return done;
    const u64 token = next_token_++;
    door->listener.watch(&ready_, token);
    // Chargen over UDP would answer one small datagram with a large one, to whoever is named as its
    // source: an amplifier, and so left out.
    if (kind != Kind::Chargen) {
        door->datagrams = stack_.udp_socket();
        if (const auto done = door->datagrams.bind({Ipv4Address(), port}); !done) return done;
        door->datagrams.watch(&ready_, token);
    }
    doors_.emplace(token, std::move(door));
    return {};
}

void TestServices::poll() {
    ready_.take(tokens_);
    for (const u64 token : tokens_) {
        if (const auto door = doors_.find(token); door != doors_.end()) {
            accept_all(*door->second);
            answer_datagrams(*door->second);
        } else if (const auto client = clients_.find(token); client != clients_.end()) {
            if (!serve(client->second)) clients_.erase(client);
        }
    }
}

void TestServices::accept_all(Door& door) {
    while (auto socket = door.listener.accept()) {
        const u64 token = next_token_++;
        const auto client = clients_.emplace(token, Client{door.kind, std::move(*socket)}).first;
        client->second.socket.watch(&ready_, token);
        // Chargen speaks first, and nothing else may happen for long.
        if (!serve(client->second)) clients_.erase(client);
    }
}

void TestServices::answer_datagrams(Door& door) {
    std::array<u8, 65536> data;
    while (const auto datagram = door.datagrams.receive(data)) {
        if (door.kind != Kind::Echo) continue;
        // Lost when the device is full: that is UDP.
        static_cast<void>(
            door.datagrams.send_to(Bytes(data).first(datagram->size), datagram->source));
    }
}

bool TestServices::serve(Client& client) {
    switch (client.kind) {
        case Kind::Echo:
            return echo(client);
        case Kind::Discard:
            return discard(client);
        case Kind::Chargen:
            return generate(client);
    }
    return false;
}

bool TestServices::echo(Client& client) {
    while (client.socket.writable_bytes() > 0) {
        const auto pieces = client.socket.peek(client.socket.writable_bytes());
        if (!pieces) return pieces.error() == Errno::Again;
        if ((*pieces)[0].empty()) return false;
        const auto sent = client.socket.write((*pieces)[0]);
        if (!sent) return sent.error() == Errno::Again;
        client.socket.consume(*sent);
    }
    return true;  // called again when there is room
}

bool TestServices::discard(Client& client) {
    while (true) {
        const auto pieces = client.socket.peek(kAll);
        if (!pieces) return pieces.error() == Errno::Again;
        const std::size_t size = (*pieces)[0].size() + (*pieces)[1].size();
        if (size == 0) return false;
        client.socket.consume(size);
    }
}

bool TestServices::generate(Client& client) {
    // What the client says is thrown away; when it closes we do.
    if (const auto pieces = client.socket.peek(kAll)) {
        const std::size_t size = (*pieces)[0].size() + (*pieces)[1].size();
        if (size == 0) return false;
        client.socket.consume(size);
    } else if (pieces.error() != Errno::Again) {
        return false;
    }
    const std::string& pattern = chargen_pattern();
    while (client.socket.writable_bytes() > 0) {
        const auto rest = std::string_view(pattern).substr(client.phase);
        const auto sent = client.socket.write(as_bytes(rest));
        if (!sent) return sent.error() == Errno::Again;
        client.phase = (client.phase + *sent) % pattern.size();
    }
    return true;
}

}  // namespace tapestry

#pragma once

#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "stack/stack.h"

namespace tapestry {

/// The classical test services on a stack: echo (RFC 862), discard (RFC 863), chargen (RFC 864), over
/// TCP; echo and discard over UDP as well. Event-driven: poll() after every turn of whatever drives the
/// stack; nothing ever waits. What cannot be sent to a slow client is not read from it either.
class TestServices {
public:
    enum class Kind : u8 { Echo, Discard, Chargen };

    /// The stack outlives the services.
    explicit TestServices(Stack& stack) : stack_(stack) {}
    TestServices(const TestServices&) = delete;
    TestServices& operator=(const TestServices&) = delete;

    /// EADDRINUSE.
    std::expected<void, Errno> listen(Kind kind, u16 port);
    /// Does what can be done now.
    void poll();
    std::size_t connections() const { return clients_.size(); }

private:
    struct Door {
        Kind kind;
        Listener listener;
        UdpSocket datagrams;
    };
    struct Client {
        Kind kind;
        TcpSocket socket;
        std::size_t phase = 0;  ///< of chargen's pattern
    };

    void accept_all(Door& door);
    void answer_datagrams(Door& door);
    /// False: the client has gone.
    bool serve(Client& client);
    bool echo(Client& client);
    bool discard(Client& client);
    bool generate(Client& client);

    Stack& stack_;
    ReadySet ready_;
    std::vector<u64> tokens_;
    u64 next_token_ = 0;
    std::map<u64, std::unique_ptr<Door>> doors_;
    std::map<u64, Client> clients_;
};

}  // namespace tapestry

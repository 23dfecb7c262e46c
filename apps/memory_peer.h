#pragma once

#include <map>
#include <optional>
#include <string>

#include "apps/test_services.h"
#include "drivers/peer_http.h"
#include "drivers/world.h"

namespace tapestry {

/// The far end of --net memory: what the sandbox's peer offers (PeerHttp on port 80, echo, discard,
/// chargen), but on a second stack of ours and in virtual time. A program of its host.
class MemoryPeer {
public:
    /// Both outlive the peer, but are not run any more when it has gone.
    MemoryPeer(World& world, Host& host);
    MemoryPeer(const MemoryPeer&) = delete;
    MemoryPeer& operator=(const MemoryPeer&) = delete;

private:
    struct Client {
        TcpSocket socket;
        PeerHttp http;
        std::string out;
        bool input_ended = false;
        bool said_all = false;
    };

    void run();
    void accept_all();
    /// False: the connection is over.
    bool serve(Client& client);
    bool read(Client& client);
    bool write(Client& client);

    World& world_;
    Host& host_;
    TestServices services_;
    Listener listener_;
    std::map<u64, Client> clients_;
    u64 next_client_ = 0;
    std::optional<TimePoint> wake_;  ///< when run() has been asked for
};

}  // namespace tapestry

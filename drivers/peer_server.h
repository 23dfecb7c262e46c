#pragma once

#include <map>
#include <memory>
#include <set>
#include <vector>

#include "drivers/unique_fd.h"
#include "stack/base/time.h"
#include "stack/wire/address.h"

namespace tapestry {

/// Where the peer's services are. 0: not wanted.
struct PeerPorts {
    u16 http = 80;
    u16 echo = 7;      ///< RFC 862
    u16 discard = 9;   ///< RFC 863
    u16 chargen = 19;  ///< RFC 864, but in blocks as large as the reader takes them
};

/// The far end that a sandbox gives us to talk to: services on the *kernel's* sockets, so that every
/// byte that arrives has been judged by a second, independent TCP. See PeerHttp for what the web
/// server has. One thread; when the descriptors run out, the oldest connection goes.
class PeerServer {
public:
    /// Listens on `address` (unspecified: on all). Throws SetupError.
    explicit PeerServer(Ipv4Address address, const PeerPorts& ports = {});
    ~PeerServer();
    PeerServer(const PeerServer&) = delete;
    PeerServer& operator=(const PeerServer&) = delete;

    /// Serves until the process is killed, or until `stop_fd` (-1: never) becomes readable.
    void run(int stop_fd = -1);
    /// The descriptors that it needs.
    std::vector<int> descriptors() const;

private:
    struct Listener;
    struct Connection;

    void listen(Ipv4Address address, u16 port, int service);
    void accept_all(const Listener& listener);
    void on_event(Connection& connection, u32 events);
    void settle(Connection& connection);
    void close(int fd);
    void close_oldest();
    int next_timeout() const;

    UniqueFd epoll_;
    std::vector<Listener> listeners_;
    std::map<int, std::unique_ptr<Connection>> connections_;
    std::set<int> waiting_;  ///< connections whose HTTP has more to say, later
    std::vector<char> block_;
    u64 accepted_ = 0;
    std::size_t limit_ = 0;  ///< connections at a time
};

}  // namespace tapestry

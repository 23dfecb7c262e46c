#pragma once

#include <memory>
#include <unordered_map>
#include <vector>

#include "apps/http/session.h"
#include "stack/stack.h"

namespace tapestry {

/// An HTTP/1.1 server on a stack: any number of connections in one thread, each served when its socket
/// has something to say (ReadySet), none of them ever waited for.
class HttpServer {
public:
    /// All outlive the server.
    HttpServer(Stack& stack, Site& site, HttpServerConfig config = {});
    HttpServer(const HttpServer&) = delete;
    HttpServer& operator=(const HttpServer&) = delete;

    /// EADDRINUSE, EADDRNOTAVAIL.
    std::expected<void, Errno> listen(const Endpoint& local);
    Endpoint local() const { return listener_.local(); }
    /// Does what can be done now: after each turn of what drives the stack, and at next_deadline().
    void poll(TimePoint now);
    /// Takes no more clients and no more requests. What is being answered is answered to the end; it is
    /// over when connections() is 0. Who ends before that takes answers away that are still on their
    /// way out of a send buffer.
    void finish(TimePoint now);
    /// When the first connection runs out of patience.
    TimePoint next_deadline() const;
    std::size_t connections() const { return sessions_.size(); }
    /// Answers that have been written, to all clients.
    u64 answers() const { return answers_; }

private:
    static constexpr u64 kListenerToken = 0;

    void accept_all(TimePoint now);
    void serve(u64 token, TimePoint now);
    void make_room();

    Site& site_;
    HttpServerConfig config_;
    ReadySet ready_;
    Listener listener_;
    std::unordered_map<u64, std::unique_ptr<HttpSession>> sessions_;
    u64 next_token_ = 1;
    std::vector<u64> tokens_;
    std::vector<u8> scratch_;
    TimePoint earliest_ = kNever;  ///< no deadline of a session is before it
    u64 answers_ = 0;
};

}  // namespace tapestry

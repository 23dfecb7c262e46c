#pragma once

#include <expected>
#include <list>
#include <string>

#include "apps/router/control_answer.h"
#include "drivers/loop.h"
#include "stack/trace/trace.h"

namespace tapestry {

/// Answers those who ask a running router, over a Unix socket that only its owner can open. It lives
/// in the router's loop and never waits: what a client does not take at once stays in a buffer with a
/// bound, and a client that lets that fill up is dropped. So is the one that has been silent the
/// longest when too many come.
class ControlServer final : public TraceSink {
public:
    static constexpr std::size_t kMaxClients = 16;
    static constexpr std::size_t kMaxRequest = 256;
    static constexpr int kPiecesAtOnce = 4;  ///< of a long answer; then the router has its turn
    static constexpr std::size_t kMaxEventBytes = 1 << 20;  ///< that wait for one client

    /// A socket that nobody listens on any more is replaced; one where somebody does is not. The loop
    /// outlives it. Throws Failure.
    ControlServer(Loop& loop, std::string path);
    ~ControlServer() override;
    ControlServer(const ControlServer&) = delete;
    ControlServer& operator=(const ControlServer&) = delete;

    /// To those who follow events. Sent when the loop finds their sockets ready.
    void on_flow(const FlowEvent& event) override;

    std::size_t clients() const { return clients_.size(); }
    /// Somebody follows events.
    bool followed() const;

private:
    struct Client {
        UniqueFd fd;
        std::string request;
        bool asked = false;
        bool ended = false;  ///< it has closed its side: nothing more will be asked
        ControlAnswer answer;
        std::string out;      ///< what waits to be sent
        bool waits = false;   ///< for room in its socket
        u64 last_active = 0;  ///< the number of the last event of any client
    };
    using Place = std::list<Client>::iterator;

    void listen(const std::string& path);
    void accept_all();
    void on_ready(Place client, u32 events);
    bool read_request(Client& client);
    bool send(Client& client);
    void watch(Place client);
    void drop(Place client);

    Loop& loop_;
    std::string path_;
    UniqueFd listener_;
    std::list<Client> clients_;
    u64 activity_ = 0;
};

/// A stream socket connected to `path`, or the errno that says why not.
std::expected<UniqueFd, int> connect_control(const std::string& path);

}  // namespace tapestry

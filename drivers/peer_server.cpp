#include "drivers/peer_server.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "drivers/monotonic.h"
#include "drivers/peer_http.h"
#include "drivers/setup_error.h"

namespace tapestry {
namespace {

enum Service : int { kHttp, kEcho, kDiscard, kChargen };

/// Large blocks: a benchmark should measure the wire, not the peer's system calls.
constexpr std::size_t kBlock = std::size_t{128} << 10;
/// Blocks of one connection before the others get their turn.
constexpr int kBlocksPerTurn = 8;

/// RFC 864 section "Data Syntax": 72 of the printable characters in each line, one further each time.
std::string chargen_block() {
    std::string block;
    for (unsigned line = 0; block.size() + 74 <= kBlock; ++line) {
        for (unsigned i = 0; i < 72; ++i) block += static_cast<char>(' ' + (line + i) % 95);
        block += "\r\n";
    }
    return block;
}

bool would_block(ssize_t result) { return result < 0 && (errno == EAGAIN || errno == EINTR); }

}  // namespace

struct PeerServer::Listener {
    UniqueFd fd;
    int service;
};

/// One client. Output that did not fit the socket waits in `out`, and while it does, echo and HTTP
/// read no more.
struct PeerServer::Connection {
    UniqueFd fd;
    int service = kHttp;
    u64 serial = 0;
    PeerHttp http;
    std::string out;
    std::size_t sent = 0;      ///< of out
    bool input_ended = false;  ///< the client's FIN has come
    bool said_all = false;  ///< our FIN is out: wait for the client's, so that none of it is lost
    bool failed = false;
    u32 interest = 0;

    bool pending() const { return sent < out.size(); }
    /// Ready for more input. A client that floods a slow answer with requests is not read further.
    bool hungry() const {
        if (service == kChargen) return true;
        return !pending() && http.waiting() <= PeerHttp::kMaxHead;
    }
    void read(std::vector<char>& block);
    void write();
};

void PeerServer::Connection::read(std::vector<char>& block) {
    for (int i = 0; i < kBlocksPerTurn && hungry(); ++i) {
        const ssize_t got = recv(fd.get(), block.data(), block.size(), 0);
        if (would_block(got)) return;
        if (got < 0) failed = true;
        if (got <= 0) {
            input_ended = true;
            if (service == kHttp) http.end_of_input(monotonic_now());
            return;
        }
        const std::string_view bytes(block.data(), static_cast<std::size_t>(got));
        if (said_all) continue;
        if (service == kHttp) {
            http.input(bytes, monotonic_now());
            http.take_output(out, monotonic_now());
        } else if (service == kEcho) {
            out += bytes;
            write();
        }
        if (bytes.size() < block.size()) return;  // that was all for now
    }
}

void PeerServer::Connection::write() {
    static const std::string characters = chargen_block();
    for (int i = 0; i < kBlocksPerTurn; ++i) {
        if (!pending()) {
            out.clear();
            sent = 0;
            if (service != kChargen) return;
            out = characters;
        }
        const std::string_view rest = std::string_view(out).substr(sent);
        const ssize_t done = send(fd.get(), rest.data(), rest.size(), MSG_NOSIGNAL);
        if (would_block(done)) return;
        if (done < 0) {
            failed = true;
            return;
        }
        sent += static_cast<std::size_t>(done);
    }
}

PeerServer::PeerServer(Ipv4Address address, const PeerPorts& ports)
    : epoll_(epoll_create1(EPOLL_CLOEXEC)), block_(kBlock) {
    if (!epoll_) throw SetupError("cannot make the peer", errno);
    listen(address, ports.http, kHttp);
    listen(address, ports.echo, kEcho);
    listen(address, ports.discard, kDiscard);
    listen(address, ports.chargen, kChargen);
}

PeerServer::~PeerServer() = default;

void PeerServer::listen(Ipv4Address address, u16 port, int service) {
    if (port == 0) return;
    const std::string what = "the peer cannot listen on port " + std::to_string(port);
    UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!fd) throw SetupError(what, errno);
    const int on = 1;
    setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in name{};
    name.sin_family = AF_INET;
    name.sin_port = htons(port);
    name.sin_addr.s_addr = htonl(address.value());
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = fd.get();
    if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name) != 0 ||
        ::listen(fd.get(), 4096) != 0 ||
        epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd.get(), &event) != 0) {
        throw SetupError(what, errno);
    }
    listeners_.push_back({std::move(fd), service});
}

std::vector<int> PeerServer::descriptors() const {
    std::vector<int> all{epoll_.get()};
    for (const Listener& listener : listeners_) all.push_back(listener.fd.get());
    return all;
}

void PeerServer::run(int stop_fd) {
    rlimit files{};
    getrlimit(RLIMIT_NOFILE, &files);
    constexpr std::size_t kOthers = 32;
    limit_ = std::max<std::size_t>(files.rlim_cur, 2 * kOthers) - kOthers;
    if (stop_fd >= 0) {
        epoll_event event{};
        event.events = EPOLLIN;
        event.data.fd = stop_fd;
        epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, stop_fd, &event);
    }
    std::array<epoll_event, 64> events;
    while (true) {
        const int count = epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()),
                                     next_timeout());
        for (int i = 0; i < count; ++i) {
            const epoll_event& event = events[static_cast<std::size_t>(i)];
            if (event.data.fd == stop_fd) return;
            const auto listener = std::ranges::find_if(
                listeners_, [&](const Listener& l) { return l.fd.get() == event.data.fd; });
            if (listener != listeners_.end()) {
                accept_all(*listener);
            } else if (const auto found = connections_.find(event.data.fd);
                       found != connections_.end()) {
                on_event(*found->second, event.events);
            }
        }
        for (const int fd : std::vector<int>(waiting_.begin(), waiting_.end())) {
            const auto found = connections_.find(fd);
            if (found != connections_.end()) on_event(*found->second, 0);
        }
    }
}

void PeerServer::accept_all(const Listener& listener) {
    // A few at a time: connections that are there already must not starve.
    for (int i = 0; i < 16; ++i) {
        UniqueFd fd(accept4(listener.fd.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
        if (!fd) {
            if (errno == EMFILE || errno == ENFILE) close_oldest();
            return;
        }
        const int on = 1;
        setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        if (connections_.size() >= limit_) close_oldest();
        const int number = fd.get();
        auto connection = std::make_unique<Connection>();
        connection->fd = std::move(fd);
        connection->service = listener.service;
        connection->serial = accepted_++;
        epoll_event event{};
        event.data.fd = number;
        if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, number, &event) != 0) continue;
        settle(*(connections_[number] = std::move(connection)));
    }
}

void PeerServer::on_event(Connection& connection, u32 events) {
    if ((events & EPOLLERR) != 0) connection.failed = true;
    if ((events & (EPOLLIN | EPOLLHUP)) != 0) connection.read(block_);
    if (connection.service == kHttp) connection.http.take_output(connection.out, monotonic_now());
    if (connection.pending() || connection.service == kChargen) connection.write();
    settle(connection);
}

/// Ends a connection that has nothing left to do, or says what it waits for.
void PeerServer::settle(Connection& connection) {
    const bool idle = !connection.pending() && !connection.http.next_output();
    if (connection.http.next_output() && !connection.pending()) {
        waiting_.insert(connection.fd.get());
    } else {
        waiting_.erase(connection.fd.get());
    }
    const bool done = connection.input_ended && (idle || connection.service == kChargen);
    if (connection.failed || done) return close(connection.fd.get());
    if (connection.http.finished() && idle && !connection.said_all) {
        connection.said_all = true;
        shutdown(connection.fd.get(), SHUT_WR);
    }
    const bool reads = !connection.input_ended && connection.hungry();
    const bool writes = connection.pending() || connection.service == kChargen;
    epoll_event event{};
    event.events =
        (reads ? static_cast<u32>(EPOLLIN) : 0U) | (writes ? static_cast<u32>(EPOLLOUT) : 0U);
    event.data.fd = connection.fd.get();
    if (event.events == connection.interest) return;
    connection.interest = event.events;
    epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, connection.fd.get(), &event);
}

void PeerServer::close(int fd) {
    waiting_.erase(fd);
    connections_.erase(fd);
}

void PeerServer::close_oldest() {
    const auto oldest = std::ranges::min_element(
        connections_, {}, [](const auto& entry) { return entry.second->serial; });
    if (oldest != connections_.end()) close(oldest->first);
}

/// Milliseconds until a slow answer goes on, as epoll_wait() wants them.
int PeerServer::next_timeout() const {
    TimePoint next = kNever;
    for (const int fd : waiting_) {
        next = std::min(next, connections_.at(fd)->http.next_output().value_or(kNever));
    }
    if (next == kNever) return -1;
    const i64 wait = (next - monotonic_now() + 999999ns) / 1ms;
    return static_cast<int>(std::clamp<i64>(wait, 0, 60000));
}

}  // namespace tapestry

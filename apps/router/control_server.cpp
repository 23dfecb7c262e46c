#include "apps/router/control_server.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "apps/failure.h"
#include "apps/router/flow_text.h"

namespace tapestry {
namespace {

/// The path fits: RouterFile and the options see to it; a longer one is cut and will not be found.
sockaddr_un address_of(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.data(), std::min(path.size(), sizeof address.sun_path - 1));
    return address;
}

const sockaddr* generic(const sockaddr_un& address) {
    return reinterpret_cast<const sockaddr*>(&address);  // as the calls want it
}

[[noreturn]] void refuse(const std::string& path, const std::string& why) {
    throw Failure(kUsage, "control: " + path + ": " + why);
}

/// Whatever a router left there that was killed.
void remove_stale(const std::string& path) {
    struct stat status {};
    if (lstat(path.c_str(), &status) != 0) return;
    if (!S_ISSOCK(status.st_mode)) refuse(path, "is there already, and is no socket");
    const auto connected = connect_control(path);
    if (connected) refuse(path, "another router listens there already");
    if (connected.error() == ECONNREFUSED) unlink(path.c_str());
}

}  // namespace

std::expected<UniqueFd, int> connect_control(const std::string& path) {
    UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const sockaddr_un address = address_of(path);
    if (!fd || connect(fd.get(), generic(address), sizeof address) != 0) {
        return std::unexpected(errno);
    }
    return fd;
}

ControlServer::ControlServer(Loop& loop, std::string path) : loop_(loop), path_(std::move(path)) {
    listen(path_);
    loop_.watch_fd(listener_.get(), EPOLLIN, [this](u32) { accept_all(); });
}

void ControlServer::listen(const std::string& path) {
    remove_stale(path);
    listener_ = UniqueFd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    const sockaddr_un address = address_of(path);
    // Mode 0600 from its first moment on.
    const mode_t before = umask(0177);
    const bool bound = listener_ && bind(listener_.get(), generic(address), sizeof address) == 0;
    const int error = errno;
    umask(before);
    if (!bound) refuse(path, "cannot listen there: " + std::string(std::strerror(error)));
    if (::listen(listener_.get(), kMaxClients) != 0) refuse(path, std::strerror(errno));
}

ControlServer::~ControlServer() {
    while (!clients_.empty()) drop(clients_.begin());
    loop_.unwatch_fd(listener_.get());
    unlink(path_.c_str());
}

void ControlServer::accept_all() {
    while (true) {
        UniqueFd fd(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
        if (!fd) return;
        if (clients_.size() >= kMaxClients) {
            drop(std::ranges::min_element(clients_, {}, &Client::last_active));
        }
        clients_.emplace_back();
        clients_.back().fd = std::move(fd);
        clients_.back().last_active = ++activity_;
        watch(std::prev(clients_.end()));
    }
}

/// Waits for what the client has to do next: ask, take, or go away.
void ControlServer::watch(Place client) {
    const u32 events = (client->ended ? 0U : u32{EPOLLIN}) | (client->waits ? u32{EPOLLOUT} : 0U);
    loop_.watch_fd(client->fd.get(), events,
                   [this, client](u32 happened) { on_ready(client, happened); });
}

void ControlServer::drop(Place client) {
    loop_.unwatch_fd(client->fd.get());
    clients_.erase(client);
}

void ControlServer::on_ready(Place client, u32 events) {
    client->last_active = ++activity_;
    const bool waited = client->waits;
    const bool ended = client->ended;
    if ((events & (EPOLLHUP | EPOLLERR)) != 0) return drop(client);
    if ((events & EPOLLIN) != 0 && !read_request(*client)) return drop(client);
    if (client->asked && !send(*client)) return drop(client);
    if (client->waits != waited || client->ended != ended) watch(client);
}

/// False: the client is gone, or says too much.
bool ControlServer::read_request(Client& client) {
    char buffer[kMaxRequest];
    const ssize_t size = recv(client.fd.get(), buffer, sizeof buffer, 0);
    if (size < 0) return errno == EAGAIN || errno == EINTR;
    if (size == 0) {
        // It may still listen to an answer that is on its way.
        client.ended = true;
        return client.asked && !client.answer.events;
    }
    if (client.asked) return true;  // one question: what comes behind it is not heard
    client.request.append(buffer, static_cast<std::size_t>(size));
    const std::size_t end = client.request.find('\n');
    if (end == std::string::npos) return client.request.size() < kMaxRequest;
    client.asked = true;
    client.answer =
        control_answer(std::string_view(client.request).substr(0, end), loop_.stack(), loop_.now());
    client.out = client.answer.first;
    return true;
}

/// Sends what the socket takes. False: the answer is complete, or the client is gone.
bool ControlServer::send(Client& client) {
    client.waits = false;
    for (int pieces = 0; pieces <= kPiecesAtOnce;) {
        if (client.out.empty() && client.answer.more) {
            client.out = client.answer.more();
            ++pieces;
        }
        if (client.out.empty()) return client.answer.events;
        const ssize_t sent =
            ::send(client.fd.get(), client.out.data(), client.out.size(), MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) continue;
        if (sent < 0 && errno != EAGAIN) return false;
        if (sent < 0) break;
        client.out.erase(0, static_cast<std::size_t>(sent));
    }
    client.waits = true;
    return true;
}

bool ControlServer::followed() const {
    return std::ranges::any_of(clients_, [](const Client& c) { return c.answer.events; });
}

void ControlServer::on_flow(const FlowEvent& event) {
    for (auto client = clients_.begin(); client != clients_.end();) {
        const auto next = std::next(client);
        if (client->asked && client->answer.events) {
            client->out += (client->answer.json ? event_json(event) : event_line(event)) + '\n';
            if (client->out.size() > kMaxEventBytes) {
                drop(client);
            } else if (!client->waits) {
                client->waits = true;
                watch(client);
            }
        }
        client = next;
    }
}

}  // namespace tapestry

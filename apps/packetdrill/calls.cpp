#include "apps/packetdrill/calls.h"

#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace tapestry::packetdrill {
namespace {

std::optional<Endpoint> endpoint_of(const sockaddr* address, socklen_t length) {
    sockaddr_in in{};
    if (address == nullptr || length < sizeof in) return std::nullopt;
    std::memcpy(&in, address, sizeof in);
    if (in.sin_family != AF_INET) return std::nullopt;
    return Endpoint{Ipv4Address(ntohl(in.sin_addr.s_addr)), ntohs(in.sin_port)};
}

void store(const Endpoint& endpoint, sockaddr* address, socklen_t* length) {
    if (address == nullptr || length == nullptr) return;
    sockaddr_in in{};
    in.sin_family = AF_INET;
    in.sin_port = htons(endpoint.port);
    in.sin_addr.s_addr = htonl(endpoint.address.value());
    std::memcpy(address, &in, std::min<std::size_t>(*length, sizeof in));
    *length = sizeof in;
}

int result_of(const std::expected<void, Errno>& result) {
    return result ? 0 : fail(result.error());
}

}  // namespace

int fail(int error) {
    errno = error;
    return -1;
}

std::shared_ptr<Calls::Descriptor> Calls::find(int fd) {
    const auto found = descriptors_.find(fd);
    if (found == descriptors_.end() || found->second->is_epoll) {
        errno = found == descriptors_.end() ? EBADF : ENOTSOCK;
        return nullptr;
    }
    return found->second;
}

/// The tool closes what is left with the system's close(): the number must be one of the kernel's.
int Calls::make(Descriptor descriptor) {
    const int fd = eventfd(0, EFD_CLOEXEC);
    if (fd >= 0)
        descriptors_.insert_or_assign(fd, std::make_shared<Descriptor>(std::move(descriptor)));
    return fd;
}

int Calls::socket(int domain, int type, int protocol) {
    machine_.start();
    if (domain != AF_INET) return fail(EAFNOSUPPORT);
    if ((type & 0xf) != SOCK_STREAM) return fail(ESOCKTNOSUPPORT);
    if (protocol != 0 && protocol != IPPROTO_TCP) return fail(EPROTONOSUPPORT);
    return make(
        {.socket = machine_.stack().tcp_socket(), .non_blocking = (type & SOCK_NONBLOCK) != 0});
}

/// The tool knows our address by its --local_ip, and says so by bind().
void Calls::move_to(Ipv4Address local) {
    for (auto& [fd, each] : descriptors_) each->socket = TcpSocket();
    machine_.restart(local);
    for (auto& [fd, each] : descriptors_) {
        if (each->is_epoll) continue;
        each->socket = machine_.stack().tcp_socket();
        static_cast<void>(each->socket.set_options(each->options));
    }
}

int Calls::bind(int fd, const sockaddr* address, socklen_t length) {
    const auto socket = find(fd);
    if (socket == nullptr) return -1;
    const auto local = endpoint_of(address, length);
    if (!local) return fail(EINVAL);
    bool untouched = true;
    for (const auto& [number, each] : descriptors_) {
        untouched = untouched && !each->listener && each->socket.local().port == 0;
    }
    const bool other = !local->address.is_unspecified() && local->address.is_unicast() &&
                       local->address != machine_.settings().local.address;
    if (untouched && other) move_to(local->address);
    const auto bound = socket->socket.bind(*local);
    if (bound) socket->bound = *local;
    return result_of(bound);
}

int Calls::listen(int fd, int backlog) {
    const auto socket = find(fd);
    if (socket == nullptr) return -1;
    if (socket->listener) return 0;
    if (socket->socket.remote().port != 0) return fail(EINVAL);
    // A listener is a thing of its own in the stack: the bound socket makes room for it.
    socket->socket = TcpSocket();
    machine_.settle();
    Listener listener = machine_.stack().tcp_listener();
    const auto done = listener.listen(socket->bound, backlog < 1 ? 1U : static_cast<u32>(backlog));
    if (!done) {
        socket->socket = machine_.stack().tcp_socket();
        return fail(done.error());
    }
    if (const auto set = listener.set_options(socket->options); !set) return fail(set.error());
    socket->listener = std::move(listener);
    return 0;
}

int Calls::accept(Lock& lock, int fd, sockaddr* address, socklen_t* length) {
    const auto socket = find(fd);
    if (socket == nullptr) return -1;
    if (!socket->listener) return fail(EINVAL);
    std::expected<TcpSocket, Errno> accepted = std::unexpected(Errno::Again);
    const auto attempt = [&] {
        accepted = socket->listener.accept();
        return accepted || accepted.error() != Errno::Again;
    };
    if (socket->non_blocking) {
        attempt();
    } else {
        machine_.wait(lock, attempt, kNever);
    }
    if (!accepted) return fail(accepted.error());
    store(accepted->remote(), address, length);
    const TcpSocketOptions options = accepted->options();
    return make({.socket = std::move(*accepted), .options = options});
}

int Calls::connect(Lock& lock, int fd, const sockaddr* address, socklen_t length) {
    const auto socket = find(fd);
    if (socket == nullptr) return -1;
    const auto remote = endpoint_of(address, length);
    if (!remote) return fail(EINVAL);
    TcpSocket& tcp = socket->socket;
    const auto decided = [&] {
        return tcp.state() != TcpState::SynSent && tcp.state() != TcpState::SynReceived;
    };
    if (!socket->connecting) {
        if (const auto begun = tcp.connect(*remote); !begun) return fail(begun.error());
        socket->connecting = true;
        machine_.settle();
        if (socket->non_blocking && !decided()) return fail(EINPROGRESS);
        if (!socket->non_blocking) machine_.wait(lock, decided, kNever);
    }
    if (!decided()) return fail(EALREADY);
    socket->connecting = false;
    const Errno error = tcp.take_error();
    if (error != Errno::None) return fail(error);
    return 0;
}

ssize_t Calls::receive(Lock& lock, int fd, MutableBytes out, int flags) {
    const auto socket = find(fd);
    if (socket == nullptr) return -1;
    if (!socket->socket) return fail(ENOTCONN);
    if ((flags & MSG_OOB) != 0) return fail(EINVAL);  // no urgent data are kept apart
    if ((flags & MSG_ERRQUEUE) != 0) return fail(EAGAIN);
    TcpSocket& tcp = socket->socket;
    std::expected<std::size_t, Errno> done = std::unexpected(Errno::Again);
    const auto attempt = [&] {
        if ((flags & MSG_PEEK) == 0) {
            done = tcp.read(out);
        } else if (const auto pieces = tcp.peek(out.size()); pieces) {
            u8* end = std::ranges::copy((*pieces)[0], out.data()).out;
            end = std::ranges::copy((*pieces)[1], end).out;
            done = static_cast<std::size_t>(end - out.data());
        } else {
            done = std::unexpected(pieces.error());
        }
        return done || done.error() != Errno::Again;
    };
    if (socket->non_blocking || (flags & MSG_DONTWAIT) != 0) {
        attempt();
    } else {
        machine_.wait(lock, attempt, kNever);
    }
    machine_.settle();
    if (!done) return fail(done.error());
    return static_cast<ssize_t>(*done);
}

ssize_t Calls::send(Lock& lock, int fd, Bytes data, int flags) {
    const auto socket = find(fd);
    if (socket == nullptr) return -1;
    if (!socket->socket) return fail(ENOTCONN);
    if ((flags & MSG_FASTOPEN) != 0) return fail(EOPNOTSUPP);
    TcpSocket& tcp = socket->socket;
    std::size_t written = 0;
    Errno error = Errno::None;
    const auto attempt = [&] {
        const Bytes rest = data.subspan(written);
        const auto n = (flags & MSG_OOB) != 0 ? tcp.write_urgent(rest) : tcp.write(rest);
        if (n) written += *n;
        error = n ? Errno::None : n.error();
        return n ? written == data.size() : error != Errno::Again;
    };
    if (socket->non_blocking || (flags & MSG_DONTWAIT) != 0) {
        attempt();
    } else {
        const auto sending = [&] {
            const bool done = attempt();
            machine_.stack().advance(machine_.now());
            return done;
        };
        machine_.wait(lock, sending, kNever);
    }
    machine_.settle();
    if (written > 0 || error == Errno::None) return static_cast<ssize_t>(written);
    return fail(error);
}

int Calls::control(int fd, int command, int argument) {
    const auto socket = find(fd);
    if (socket == nullptr) return -1;
    if (command == F_GETFL) return O_RDWR | (socket->non_blocking ? O_NONBLOCK : 0);
    if (command != F_SETFL) return fail(EINVAL);
    socket->non_blocking = (argument & O_NONBLOCK) != 0;
    return 0;
}

int Calls::io_control(int fd, unsigned long request, int* value) {
    const auto socket = find(fd);
    if (socket == nullptr) return -1;
    if (value == nullptr) return fail(EFAULT);
    const TcpInfo info = socket->socket.info();
    switch (request) {
        case SIOCINQ:
            *value = static_cast<int>(socket->socket.readable_bytes());
            return 0;
        case SIOCATMARK:
            *value = socket->socket.urgent_ahead() == 1 ? 1 : 0;
            return 0;
        case SIOCOUTQ:
            *value = static_cast<int>(socket->socket.snapshot().send_queued);
            return 0;
        case SIOCOUTQNSD:
            *value = static_cast<int>(info.notsent_bytes);
            return 0;
        case FIONBIO:
            socket->non_blocking = *value != 0;
            return 0;
        default:
            return fail(ENOTTY);
    }
}

int Calls::close(Lock& lock, int fd) {
    const auto found = descriptors_.find(fd);
    if (found == descriptors_.end()) return fail(EBADF);
    TcpSocket socket = std::move(found->second->socket);
    found->second->listener.close();
    const auto linger = found->second->options.linger;
    const bool waits = !found->second->non_blocking && linger && *linger > Duration{};
    descriptors_.erase(found);
    ::close(fd);
    if (waits && socket && socket.readable_bytes() == 0 && socket.shutdown(Shutdown::Send)) {
        machine_.settle();
        const auto acknowledged = [&] {
            const TcpState state = socket.state();
            return state != TcpState::FinWait1 && state != TcpState::Closing &&
                   state != TcpState::LastAck;
        };
        machine_.wait(lock, acknowledged, machine_.now() + *linger);
    }
    socket.close();
    machine_.settle();
    return 0;
}

int Calls::shutdown(int fd, int how) {
    const auto socket = find(fd);
    if (socket == nullptr) return -1;
    if (how < SHUT_RD || how > SHUT_RDWR) return fail(EINVAL);
    if (!socket->socket) return fail(ENOTCONN);
    const auto done = socket->socket.shutdown(how == SHUT_RD   ? Shutdown::Receive
                                              : how == SHUT_WR ? Shutdown::Send
                                                               : Shutdown::Both);
    machine_.settle();
    return result_of(done);
}

}  // namespace tapestry::packetdrill

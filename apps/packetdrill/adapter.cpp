// The table of calls that packetdrill drives a stack through: each takes the lock, and goes to Calls or
// to Machine. docs/packetdrill.md says how it is used.

#include <dlfcn.h>

#include <cerrno>
#include <cstdarg>
#include <cstring>
#include <numeric>

#include "apps/packetdrill/calls.h"

namespace tapestry::packetdrill {
namespace {

struct Instance {
    explicit Instance(const char* flags) : machine(flags == nullptr ? "" : flags) {}
    Machine machine;
    Calls calls{machine};
};

/// The one that the preloaded library asks.
Instance* the_instance = nullptr;

/// Under the lock: f(instance, lock).
template <typename Call>
auto locked(void* userdata, Call call) {
    auto& instance = *static_cast<Instance*>(userdata);
    Machine::Lock lock(instance.machine.mutex());
    return call(instance, lock);
}

Bytes bytes(const void* data, std::size_t size) { return {static_cast<const u8*>(data), size}; }
MutableBytes bytes(void* data, std::size_t size) { return {static_cast<u8*>(data), size}; }

std::size_t size_of(const iovec* pieces, std::size_t count) {
    return std::accumulate(pieces, pieces + count, std::size_t{0},
                           [](std::size_t sum, const iovec& one) { return sum + one.iov_len; });
}

ssize_t receive_pieces(void* userdata, int fd, const iovec* pieces, std::size_t count, int flags) {
    std::vector<u8> whole(size_of(pieces, count));
    const ssize_t got = locked(userdata, [&](Instance& i, Machine::Lock& lock) {
        return i.calls.receive(lock, fd, whole, flags);
    });
    std::size_t at = 0;
    for (std::size_t i = 0; i < count && got > 0 && at < static_cast<std::size_t>(got); ++i) {
        const std::size_t n = std::min(pieces[i].iov_len, static_cast<std::size_t>(got) - at);
        std::memcpy(pieces[i].iov_base, &whole[at], n);
        at += n;
    }
    return got;
}

ssize_t send_pieces(void* userdata, int fd, const iovec* pieces, std::size_t count, int flags) {
    std::vector<u8> whole;
    whole.reserve(size_of(pieces, count));
    for (std::size_t i = 0; i < count; ++i) {
        const Bytes piece = bytes(static_cast<const void*>(pieces[i].iov_base), pieces[i].iov_len);
        whole.insert(whole.end(), piece.begin(), piece.end());
    }
    return locked(userdata, [&](Instance& i, Machine::Lock& lock) {
        return i.calls.send(lock, fd, whole, flags);
    });
}

void finish(void* userdata) {
    auto* instance = static_cast<Instance*>(userdata);
    if (the_instance == instance) the_instance = nullptr;
    {
        const Machine::Lock lock(instance->machine.mutex());
        instance->machine.finish();
        instance->calls.close_all();
    }
    delete instance;  // NOLINT(cppcoreguidelines-owning-memory): C has had it
}

ssize_t receive(void* userdata, int fd, void* buffer, size_t count, int flags) {
    return locked(userdata, [&](Instance& i, Machine::Lock& lock) {
        return i.calls.receive(lock, fd, bytes(buffer, count), flags);
    });
}

ssize_t send(void* userdata, int fd, const void* buffer, size_t count, int flags) {
    return locked(userdata, [&](Instance& i, Machine::Lock& lock) {
        return i.calls.send(lock, fd, bytes(buffer, count), flags);
    });
}

int control(void* userdata, int fd, int command, ...) {  // NOLINT: the interface's
    va_list arguments;
    va_start(arguments, command);
    const int argument = va_arg(arguments, int);
    va_end(arguments);
    return locked(userdata, [&](Instance& i, Machine::Lock&) {
        return i.calls.control(fd, command, argument);
    });
}

int io_control(void* userdata, int fd, unsigned long request, ...) {  // NOLINT: the interface's
    va_list arguments;
    va_start(arguments, request);
    int* value = va_arg(arguments, int*);
    va_end(arguments);
    return locked(userdata, [&](Instance& i, Machine::Lock&) {
        return i.calls.io_control(fd, request, value);
    });
}

int netdev_receive(void* userdata, void* buffer, size_t* size, long long* time) {
    return locked(userdata, [&](Instance& i, Machine::Lock& lock) {
        const PacketPort::Sent next = i.machine.next_packet(lock);
        if (*size != 0 && next.packet.size() > *size) give_up("a packet is larger than the buffer");
        std::memcpy(buffer, next.packet.data(), next.packet.size());
        *size = next.packet.size();
        *time = Machine::microseconds(next.time);
        return 0;
    });
}

int time_of_day(void* userdata, timeval* time, void* /*zone*/) {
    const i64 now = locked(
        userdata, [](Instance& i, Machine::Lock& lock) { return i.machine.time_of_day(lock); });
    time->tv_sec = now / 1'000'000;
    time->tv_usec = now % 1'000'000;
    return 0;
}

void fill_sockets(packetdrill_interface& out) {
    out.free = finish;
    out.socket = [](void* u, int domain, int type, int protocol) {
        return locked(u,
                      [&](Instance& i, auto&) { return i.calls.socket(domain, type, protocol); });
    };
    out.bind = [](void* u, int fd, const sockaddr* address, socklen_t length) {
        return locked(u, [&](Instance& i, auto&) { return i.calls.bind(fd, address, length); });
    };
    out.listen = [](void* u, int fd, int backlog) {
        return locked(u, [&](Instance& i, auto&) { return i.calls.listen(fd, backlog); });
    };
    out.accept = [](void* u, int fd, sockaddr* address, socklen_t* length) {
        return locked(u, [&](Instance& i, Machine::Lock& lock) {
            return i.calls.accept(lock, fd, address, length);
        });
    };
    out.connect = [](void* u, int fd, const sockaddr* address, socklen_t length) {
        return locked(u, [&](Instance& i, Machine::Lock& lock) {
            return i.calls.connect(lock, fd, address, length);
        });
    };
    out.fcntl = control;
    out.ioctl = io_control;
    out.close = [](void* u, int fd) {
        return locked(u, [&](Instance& i, Machine::Lock& lock) { return i.calls.close(lock, fd); });
    };
    out.shutdown = [](void* u, int fd, int how) {
        return locked(u, [&](Instance& i, auto&) { return i.calls.shutdown(fd, how); });
    };
    out.getsockopt = [](void* u, int fd, int level, int name, void* value, socklen_t* length) {
        return locked(u, [&](Instance& i, auto&) {
            return i.calls.get_option(fd, level, name, value, length);
        });
    };
    out.setsockopt = [](void* u, int fd, int level, int name, const void* value, socklen_t length) {
        return locked(u, [&](Instance& i, auto&) {
            return i.calls.set_option(fd, level, name, value, length);
        });
    };
}

void fill_transfers(packetdrill_interface& out) {
    out.read = [](void* u, int fd, void* buffer, size_t n) { return receive(u, fd, buffer, n, 0); };
    out.recv = receive;
    out.recvfrom = [](void* u, int fd, void* buffer, size_t n, int flags, sockaddr*,
                      socklen_t* length) {
        if (length != nullptr) *length = 0;  // a stream does not say from whom
        return receive(u, fd, buffer, n, flags);
    };
    out.readv = [](void* u, int fd, const iovec* pieces, int count) {
        return receive_pieces(u, fd, pieces, static_cast<std::size_t>(count), 0);
    };
    out.recvmsg = [](void* u, int fd, msghdr* message, int flags) {
        message->msg_controllen = 0;
        message->msg_flags = 0;
        return receive_pieces(u, fd, message->msg_iov, message->msg_iovlen, flags);
    };
    out.write = [](void* u, int fd, const void* buffer, size_t n) {
        return send(u, fd, buffer, n, 0);
    };
    out.send = send;
    out.sendto = [](void* u, int fd, const void* buffer, size_t n, int flags, const sockaddr*,
                    socklen_t) { return send(u, fd, buffer, n, flags); };
    out.writev = [](void* u, int fd, const iovec* pieces, int count) {
        return send_pieces(u, fd, pieces, static_cast<std::size_t>(count), 0);
    };
    out.sendmsg = [](void* u, int fd, const msghdr* message, int flags) {
        return send_pieces(u, fd, message->msg_iov, message->msg_iovlen, flags);
    };
    out.pipe = [](void*, int*) { return fail(ENOSYS); };
    out.splice = [](void*, int, loff_t*, int, loff_t*, size_t, unsigned) {
        return ssize_t{fail(ENOSYS)};
    };
}

void fill_time(packetdrill_interface& out) {
    out.poll = [](void* u, pollfd* entries, nfds_t count, int timeout) {
        return locked(u, [&](Instance& i, Machine::Lock& lock) {
            return i.calls.poll(lock, entries, count, timeout);
        });
    };
    out.epoll_create = [](void* u, int) {
        return locked(u, [](Instance& i, auto&) { return i.calls.epoll_create(); });
    };
    out.epoll_ctl = [](void* u, int epoll, int operation, int fd, epoll_event* event) {
        return locked(u, [&](Instance& i, auto&) {
            return i.calls.epoll_control(epoll, operation, fd, event);
        });
    };
    out.epoll_wait = [](void* u, int epoll, epoll_event* events, int count, int timeout) {
        return locked(u, [&](Instance& i, Machine::Lock& lock) {
            return i.calls.epoll_wait(lock, epoll, events, count, timeout);
        });
    };
    out.netdev_send = [](void* u, const void* packet, size_t size) {
        return locked(u, [&](Instance& i, Machine::Lock& lock) {
            i.machine.inject(lock, bytes(packet, size));
            return 0;
        });
    };
    out.netdev_receive = netdev_receive;
    out.usleep = [](void* u, useconds_t microseconds) {
        return locked(u, [&](Instance& i, Machine::Lock& lock) {
            i.machine.sleep(lock, std::chrono::microseconds(microseconds));
            return 0;
        });
    };
    out.gettimeofday = time_of_day;
}

/// TCP_INFO for the preloaded library: 1, and the answer, when the descriptor is ours.
int answer_info(int fd, void* value, socklen_t* length) {
    if (the_instance == nullptr) return 0;
    return locked(the_instance, [&](Instance& i, auto&) {
        if (!i.calls.owns(fd)) return 0;
        return i.calls.get_option(fd, 6 /* IPPROTO_TCP */, 11 /* TCP_INFO */, value, length) == 0
                   ? 1
                   : 0;
    });
}

}  // namespace
}  // namespace tapestry::packetdrill

void packetdrill_interface_init(const char* flags, packetdrill_interface* out) {
    using namespace tapestry::packetdrill;  // NOLINT: the one function outside
    the_instance = new Instance(flags);     // NOLINT(cppcoreguidelines-owning-memory): free()'s
    out->userdata = the_instance;
    fill_sockets(*out);
    fill_transfers(*out);
    fill_time(*out);
    using Register = void (*)(int (*)(int, void*, socklen_t*));
    const auto preloaded =
        reinterpret_cast<Register>(dlsym(RTLD_DEFAULT, "tapestry_answers_tcp_info"));
    if (preloaded != nullptr) preloaded(&answer_info);
}

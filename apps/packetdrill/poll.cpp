// poll and epoll: the same readiness, said twice.

#include <cerrno>

#include "apps/packetdrill/calls.h"

namespace tapestry::packetdrill {

TimePoint Calls::deadline(int milliseconds) const {
    return milliseconds < 0 ? kNever : machine_.now() + std::chrono::milliseconds(milliseconds);
}

short Calls::poll_events(const Descriptor& fd) const {
    const Readiness ready =
        fd.listener ? Readiness{.readable = fd.listener.acceptable()} : fd.socket.readiness();
    int events = 0;
    if (ready.readable) events |= POLLIN | POLLRDNORM;
    if (ready.priority) events |= POLLPRI;
    if (ready.writable) events |= POLLOUT | POLLWRNORM;
    if (ready.error) events |= POLLERR;
    if (ready.hangup) events |= POLLHUP;
    if (ready.read_hangup) events |= POLLRDHUP;
    return static_cast<short>(events);
}

int Calls::poll(Lock& lock, pollfd* entries, nfds_t count, int timeout) {
    int ready = 0;
    const auto look = [&] {
        ready = 0;
        for (nfds_t i = 0; i < count; ++i) {
            pollfd& entry = entries[i];
            entry.revents = 0;
            if (entry.fd < 0) continue;
            const auto found = descriptors_.find(entry.fd);
            const int asked = entry.events | POLLERR | POLLHUP;
            entry.revents = found == descriptors_.end() || found->second->is_epoll
                                ? short{POLLNVAL}
                                : static_cast<short>(poll_events(*found->second) & asked);
            ready += entry.revents != 0 ? 1 : 0;
        }
        return ready > 0;
    };
    machine_.wait(lock, look, deadline(timeout));
    return ready;
}

int Calls::epoll_create() {
    machine_.start();
    return make({.is_epoll = true});
}

int Calls::epoll_control(int epoll, int operation, int fd, const epoll_event* event) {
    const auto set = descriptors_.find(epoll);
    if (set == descriptors_.end() || !descriptors_.contains(fd)) return fail(EBADF);
    if (!set->second->is_epoll || epoll == fd) return fail(EINVAL);
    auto& watched = set->second->watched;
    const bool there = watched.contains(fd);
    switch (operation) {
        case EPOLL_CTL_ADD:
            if (there) return fail(EEXIST);
            break;
        case EPOLL_CTL_MOD:
            if (!there) return fail(ENOENT);
            break;
        case EPOLL_CTL_DEL:
            if (!there) return fail(ENOENT);
            watched.erase(fd);
            return 0;
        default:
            return fail(EINVAL);
    }
    if (event == nullptr) return fail(EFAULT);
    watched[fd] = {.event = *event};
    return 0;
}

/// The bits of poll's events and epoll's are the same.
bool Calls::look(Descriptor& epoll, epoll_event* events, int count, int& found) {
    found = 0;
    for (auto& [fd, watched] : epoll.watched) {
        const auto socket = descriptors_.find(fd);
        if (socket == descriptors_.end() || found == count) continue;
        const u32 wanted = watched.event.events;
        if ((wanted & ~u32{EPOLLET | EPOLLONESHOT | EPOLLEXCLUSIVE}) == 0) continue;
        u32 ready = static_cast<u32>(poll_events(*socket->second)) & (wanted | EPOLLERR | EPOLLHUP);
        const u32 fresh = ready & ~watched.told;
        if ((wanted & EPOLLET) != 0) {
            // An edge is a bit that comes; all that hold are told with it.
            watched.told = ready;
            if (fresh == 0) continue;
        }
        if (ready == 0) continue;
        events[found++] = {.events = ready, .data = watched.event.data};
        if ((wanted & EPOLLONESHOT) != 0) watched.event.events &= EPOLLET | EPOLLONESHOT;
    }
    return found > 0;
}

int Calls::epoll_wait(Lock& lock, int epoll, epoll_event* events, int count, int timeout) {
    const auto set = descriptors_.find(epoll);
    if (set == descriptors_.end()) return fail(EBADF);
    if (!set->second->is_epoll || count < 1) return fail(EINVAL);
    const auto epoll_set = set->second;
    int found = 0;
    machine_.wait(
        lock, [&] { return look(*epoll_set, events, count, found); }, deadline(timeout));
    return found;
}

}  // namespace tapestry::packetdrill

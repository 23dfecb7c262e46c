#pragma once

#include <map>

#include "apps/packetdrill/interface.h"
#include "apps/packetdrill/machine.h"
#include "drivers/system_errno.h"

namespace tapestry::packetdrill {

/// The system calls on sockets of one stack, under descriptors that the kernel knows, too. Each returns
/// what the system call would, and sets errno. Called under the machine's lock.
class Calls {
public:
    explicit Calls(Machine& machine) : machine_(machine) {}

    using Lock = Machine::Lock;
    int socket(int domain, int type, int protocol);
    int bind(int fd, const sockaddr* address, socklen_t length);
    int listen(int fd, int backlog);
    int accept(Lock& lock, int fd, sockaddr* address, socklen_t* length);
    int connect(Lock& lock, int fd, const sockaddr* address, socklen_t length);
    ssize_t receive(Lock& lock, int fd, MutableBytes out, int flags);
    ssize_t send(Lock& lock, int fd, Bytes data, int flags);
    int control(int fd, int command, int argument);
    int io_control(int fd, unsigned long request, int* value);
    int close(Lock& lock, int fd);
    int shutdown(int fd, int how);
    int get_option(int fd, int level, int name, void* value, socklen_t* length);
    int set_option(int fd, int level, int name, const void* value, socklen_t length);
    int poll(Lock& lock, pollfd* entries, nfds_t count, int timeout);
    int epoll_create();
    int epoll_control(int epoll, int operation, int fd, const epoll_event* event);
    int epoll_wait(Lock& lock, int epoll, epoll_event* events, int count, int timeout);
    bool owns(int fd) const { return descriptors_.contains(fd); }
    void close_all() { descriptors_.clear(); }

private:
    struct Watched {
        epoll_event event{};
        u32 told = 0;  ///< of an edge-triggered one: what it has been told
    };
    struct Descriptor {
        TcpSocket socket{};
        Listener listener{};
        Endpoint bound{};
        TcpSocketOptions options{};
        bool non_blocking = false;
        bool connecting = false;
        bool is_epoll = false;
        std::map<int, Watched> watched{};
    };
    /// Null, and EBADF, or ENOTSOCK for an epoll descriptor. A call that sleeps keeps it alive.
    std::shared_ptr<Descriptor> find(int fd);
    int make(Descriptor descriptor);
    void move_to(Ipv4Address local);
    bool look(Descriptor& epoll, epoll_event* events, int count, int& found);
    short poll_events(const Descriptor& fd) const;
    TimePoint deadline(int milliseconds) const;

    Machine& machine_;
    std::map<int, std::shared_ptr<Descriptor>> descriptors_;
};

/// -1, with errno set.
int fail(int error);
inline int fail(Errno error) { return fail(system_errno(error)); }

/// One option of a socket in C's form. ENOPROTOOPT, EINVAL.
std::expected<TcpSocketOptions, int> with_option(TcpSocketOptions options, int level, int name,
                                                 const void* value, socklen_t length);
/// What of getsockopt can be read from the options; an int. ENOPROTOOPT.
std::expected<int, int> option_value(const TcpSocketOptions& options, const StackConfig& config,
                                     int level, int name);
/// Linux's struct tcp_info, cut to *length.
void store_info(const TcpInfo& info, void* value, socklen_t* length);

}  // namespace tapestry::packetdrill

#include "stack/base/errno.h"

#include <array>

namespace tapestry {
namespace {

struct Row {
    std::string_view name;
    std::string_view text;
};

constexpr std::array kRows{
    Row{"0", "no error"},
    Row{"EAGAIN", "resource temporarily unavailable"},
    Row{"EINPROGRESS", "operation now in progress"},
    Row{"EINVAL", "invalid argument"},
    Row{"EBADF", "socket is closed"},
    Row{"EADDRINUSE", "address already in use"},
    Row{"EADDRNOTAVAIL", "cannot assign requested address"},
    Row{"EISCONN", "socket is already connected"},
    Row{"ENOTCONN", "socket is not connected"},
    Row{"ECONNREFUSED", "connection refused"},
    Row{"ECONNRESET", "connection reset by peer"},
    Row{"ECONNABORTED", "connection aborted"},
    Row{"ETIMEDOUT", "connection timed out"},
    Row{"EHOSTUNREACH", "no route to host"},
    Row{"ENETUNREACH", "network is unreachable"},
    Row{"ENOPROTOOPT", "protocol not available"},
    Row{"EMSGSIZE", "message too long"},
    Row{"EPIPE", "broken pipe"},
    Row{"ENOBUFS", "no buffer space available"},
    Row{"EACCES", "permission denied"},
};
static_assert(kRows.size() == static_cast<std::size_t>(Errno::AccessDenied) + 1);

}  // namespace

std::string_view name(Errno e) { return kRows.at(static_cast<std::size_t>(e)).name; }
std::string_view text(Errno e) { return kRows.at(static_cast<std::size_t>(e)).text; }

}  // namespace tapestry

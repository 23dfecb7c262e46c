#pragma once

#include <string_view>

#include "stack/base/types.h"

namespace tapestry {

/// Why a user's call could not be carried out: the names that everybody knows from <errno.h>.
enum class Errno : u8 {
    None,
    Again,                ///< EAGAIN: would block; try again when the socket is ready
    InProgress,           ///< EINPROGRESS: the handshake goes on
    InvalidArgument,      ///< EINVAL
    BadDescriptor,        ///< EBADF: the handle is closed
    AddressInUse,         ///< EADDRINUSE
    AddressNotAvailable,  ///< EADDRNOTAVAIL: not ours, or no port is free
    IsConnected,          ///< EISCONN
    NotConnected,         ///< ENOTCONN
    ConnectionRefused,    ///< ECONNREFUSED
    ConnectionReset,      ///< ECONNRESET
    ConnectionAborted,    ///< ECONNABORTED
    TimedOut,             ///< ETIMEDOUT
    HostUnreachable,      ///< EHOSTUNREACH
    NetworkUnreachable,   ///< ENETUNREACH
    ProtocolUnreachable,  ///< ENOPROTOOPT, as Linux maps it
    MessageSize,          ///< EMSGSIZE
    BrokenPipe,           ///< EPIPE
    NoBuffers,            ///< ENOBUFS
    AccessDenied,         ///< EACCES: broadcast without asking for it
};

/// "ECONNREFUSED"
std::string_view name(Errno e);
/// "connection refused"
std::string_view text(Errno e);

}  // namespace tapestry

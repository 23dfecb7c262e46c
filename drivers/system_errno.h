#pragma once

#include <cerrno>

#include "stack/base/errno.h"

namespace tapestry {

/// The system's number for an error of ours: ECONNRESET for Errno::ConnectionReset, and so on.
constexpr int system_errno(Errno e) {
    switch (e) {
        case Errno::None:
            return 0;
        case Errno::Again:
            return EAGAIN;
        case Errno::InProgress:
            return EINPROGRESS;
        case Errno::InvalidArgument:
            return EINVAL;
        case Errno::BadDescriptor:
            return EBADF;
        case Errno::AddressInUse:
            return EADDRINUSE;
        case Errno::AddressNotAvailable:
            return EADDRNOTAVAIL;
        case Errno::IsConnected:
            return EISCONN;
        case Errno::NotConnected:
            return ENOTCONN;
        case Errno::ConnectionRefused:
            return ECONNREFUSED;
        case Errno::ConnectionReset:
            return ECONNRESET;
        case Errno::ConnectionAborted:
            return ECONNABORTED;
        case Errno::TimedOut:
            return ETIMEDOUT;
        case Errno::HostUnreachable:
            return EHOSTUNREACH;
        case Errno::NetworkUnreachable:
            return ENETUNREACH;
        case Errno::ProtocolUnreachable:
            return ENOPROTOOPT;
        case Errno::MessageSize:
            return EMSGSIZE;
        case Errno::BrokenPipe:
            return EPIPE;
        case Errno::NoBuffers:
            return ENOBUFS;
        case Errno::AccessDenied:
            return EACCES;
    }
    return EINVAL;
}

}  // namespace tapestry

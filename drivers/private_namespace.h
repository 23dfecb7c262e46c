#pragma once

#include <sys/types.h>

#include <string>

#include "drivers/unique_fd.h"

namespace tapestry {

/// Puts the calling thread into a network namespace of its own: no interface but a loopback that is
/// up, IPv6 off. Root makes just that; an ordinary user makes a user namespace too, in which he is root
/// over that network and over nothing else.
///
/// The way back: root returns to where it was when the object dies. A user cannot; his process stays.
class PrivateNamespace {
public:
    /// Throws SetupError, which names what forbids it and the remedy. As an ordinary user the process
    /// must have one thread only.
    PrivateNamespace();
    ~PrivateNamespace();
    PrivateNamespace(const PrivateNamespace&) = delete;
    PrivateNamespace& operator=(const PrivateNamespace&) = delete;

    /// A user namespace was made as well.
    bool through_user_namespace() const { return user_; }
    /// A process of the namespace, for others to find it by: the calling thread, of which the kernel
    /// keeps the namespace below /proc like a process's.
    pid_t pid() const;
    /// What to put before a command so that it runs in the namespace:
    /// "nsenter -t 4711 -U --preserve-credentials -n".
    std::string enter_command() const;

private:
    void enter_as_user();

    UniqueFd home_;  ///< the namespace that root came from
    bool user_ = false;
};

/// The setting of this machine that keeps ordinary users from making namespaces, as the command that
/// changes it; a general hint where no such setting is found.
std::string user_namespace_remedy();

}  // namespace tapestry

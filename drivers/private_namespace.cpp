#include "drivers/private_namespace.h"

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>

#include "drivers/netlink.h"
#include "drivers/setup_error.h"

namespace tapestry {
namespace {

/// The number in a file below /proc/sys, or `otherwise` when it is not there.
long read_setting(const char* path, long otherwise) {
    std::ifstream file(path);
    long value = otherwise;
    return file >> value ? value : otherwise;
}

bool write_file(const char* path, const std::string& text) {
    const UniqueFd fd(open(path, O_WRONLY | O_CLOEXEC));
    if (!fd) return false;
    return write(fd.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

}  // namespace

std::string user_namespace_remedy() {
    if (read_setting("/proc/sys/kernel/unprivileged_userns_clone", 1) == 0) {
        return "\"sudo sysctl kernel.unprivileged_userns_clone=1\" allows them";
    }
    if (read_setting("/proc/sys/user/max_user_namespaces", 1) == 0) {
        return "\"sudo sysctl user.max_user_namespaces=10000\" allows them";
    }
    if (read_setting("/proc/sys/user/max_net_namespaces", 1) == 0) {
        return "\"sudo sysctl user.max_net_namespaces=10000\" allows them";
    }
    if (read_setting("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", 0) != 0) {
        return "\"sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0\" allows them";
    }
    return "run as root, or in a container with --privileged";
}

PrivateNamespace::PrivateNamespace() {
    home_ = UniqueFd(open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
    if (unshare(CLONE_NEWNET) != 0) {
        // Not allowed: an ordinary user, or root in a container. Both may make a user namespace.
        home_.reset();
        enter_as_user();
    }
    try {
        Netlink().set_up("lo");
    } catch (const SetupError& error) {
        // AppArmor lets the namespace be made, but without any right in it.
        throw SetupError("the private network namespace cannot be used", error.error(),
                         user_namespace_remedy());
    }
    // Router solicitations and their like would be noise in every capture. No IPv6, no such file.
    write_file("/proc/sys/net/ipv6/conf/all/disable_ipv6", "1");
    write_file("/proc/sys/net/ipv6/conf/default/disable_ipv6", "1");
}

void PrivateNamespace::enter_as_user() {
    const uid_t uid = geteuid();
    const gid_t gid = getegid();
    if (unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) {
        const int error = errno;
        throw SetupError(
            "cannot make a private network namespace", error,
            error == EINVAL ? "the process must have one thread only" : user_namespace_remedy());
    }
    user_ = true;
    // user_namespaces(7): a group map may be written only after setgroups has been denied.
    const bool mapped = write_file("/proc/self/setgroups", "deny") &&
                        write_file("/proc/self/uid_map", "0 " + std::to_string(uid) + " 1") &&
                        write_file("/proc/self/gid_map", "0 " + std::to_string(gid) + " 1");
    if (!mapped) {
        throw SetupError("cannot become root of a private user namespace", errno,
                         user_namespace_remedy());
    }
}

PrivateNamespace::~PrivateNamespace() {
    if (home_) setns(home_.get(), CLONE_NEWNET);
}

pid_t PrivateNamespace::pid() const { return gettid(); }

std::string PrivateNamespace::enter_command() const {
    return "nsenter -t " + std::to_string(pid()) +
           (user_ ? " -U --preserve-credentials -n" : " -n");
}

}  // namespace tapestry

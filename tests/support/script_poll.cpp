// poll and epoll in scripts.

#include "tests/support/script_calls.h"
#include "tests/support/script_socket_options.h"

namespace tapestry::test {
namespace {

/// The "{...}" of a list, or of one alone.
std::vector<std::string> entries(const std::string& list) {
    std::vector<std::string> all;
    for (std::size_t at = list.find('{'); at != std::string::npos; at = list.find('{', at + 1)) {
        all.push_back(list.substr(at, list.find('}', at) - at + 1));
    }
    return all;
}

}  // namespace

const std::string& argument(const CallLine& call, std::size_t index) {
    if (index >= call.args.size()) {
        throw ScriptSyntaxError(call.name + "() wants more arguments");
    }
    return call.args[index];
}

/// "POLLIN|POLLOUT" of what is asked for and holds, "0" for nothing; `prefix` is POLL or EPOLL.
std::string ScriptCalls::events(const Descriptor& fd, const std::string& asked,
                                const std::string& prefix) {
    const Readiness ready =
        fd.listener ? Readiness{.readable = fd.listener.acceptable()} : fd.socket.readiness();
    std::string have;
    const auto add = [&](bool is, const char* event, bool always) {
        const std::string name = prefix + event;
        const std::string list = '|' + asked + '|';
        if (!is || (!always && list.find('|' + name + '|') == std::string::npos)) return;
        have += (have.empty() ? "" : "|") + name;
    };
    add(ready.readable, "IN", false);
    add(ready.priority, "PRI", false);
    add(ready.writable, "OUT", false);
    add(ready.error, "ERR", true);
    add(ready.hangup, "HUP", true);
    add(ready.read_hangup, "RDHUP", false);
    return have.empty() ? "0" : have;
}

/// poll([{fd=4, events=POLLIN, revents=POLLIN}, ...], n, timeout)
ScriptCalls::Try ScriptCalls::poll(const CallLine& call) {
    CallResult result;
    for (const std::string& entry : entries(argument(call, 0))) {
        const Descriptor& fd = descriptor(field(entry, "fd").value_or(""));
        const std::string have = events(fd, field(entry, "events").value_or(""), "POLL");
        if (have != "0") ++result.value;
        if (have != field(entry, "revents").value_or("0")) {
            result.fault += "revents of " + entry + " is " + have + "; ";
        }
    }
    if (result.value == 0 && argument(call, 2) != "0") return std::nullopt;
    return result;
}

/// epoll_create(1) = 5
ScriptCalls::Try ScriptCalls::make_epoll(const CallLine& call) {
    epolls_[call.result].clear();
    return CallResult{.value = call.result, .error = Errno::None, .fault = {}};
}

/// epoll_ctl(5, EPOLL_CTL_ADD, 4, {events=EPOLLIN, fd=4})
ScriptCalls::Try ScriptCalls::change_epoll(const CallLine& call) {
    auto& watched = epolls_[integer(argument(call, 0))];
    const i64 fd = integer(argument(call, 2));
    if (argument(call, 1) == "EPOLL_CTL_DEL") {
        watched.erase(fd);
    } else {
        static_cast<void>(descriptor(argument(call, 2)));
        watched[fd] = field(argument(call, 3), "events").value_or("");
    }
    return CallResult{};
}

/// epoll_wait(5, [{events=EPOLLIN, fd=4}, ...], n, timeout), in the order of descriptors. Told as long
/// as it holds (level-triggered).
ScriptCalls::Try ScriptCalls::wait_epoll(const CallLine& call) {
    std::vector<std::string> wanted = entries(argument(call, 1));
    CallResult result;
    for (const auto& [fd, asked] : epolls_[integer(argument(call, 0))]) {
        const std::string have = events(descriptor(std::to_string(fd)), asked, "EPOLL");
        if (have == "0") continue;
        const auto at = static_cast<std::size_t>(result.value++);
        const bool named = at < wanted.size() && field(wanted[at], "events") == have &&
                           field(wanted[at], "fd") == std::to_string(fd);
        if (!named) result.fault += "descriptor " + std::to_string(fd) + " is " + have + "; ";
    }
    if (result.value == 0 && argument(call, 3) != "0") return std::nullopt;
    return result;
}

std::optional<Duration> ScriptCalls::timeout(const CallLine& call) {
    if (call.name != "poll" && call.name != "epoll_wait") return std::nullopt;
    const i64 milliseconds = integer(argument(call, call.name == "poll" ? 2 : 3));
    if (milliseconds < 0) return std::nullopt;
    return std::chrono::milliseconds(milliseconds);
}

CallResult ScriptCalls::poll_timed_out(const CallLine& call) {
    CallLine now = call;
    now.args.back() = "0";
    return (call.name == "poll" ? poll(now) : wait_epoll(now)).value();
}

const TcpSocket* ScriptCalls::socket_of(const PortPair& ports) const {
    for (const auto& [number, fd] : descriptors_) {
        const PortPair own{fd.socket.local().port, fd.socket.remote().port};
        if (own == ports) return &fd.socket;
    }
    return nullptr;
}

}  // namespace tapestry::test

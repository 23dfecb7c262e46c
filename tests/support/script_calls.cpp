#include "tests/support/script_calls.h"

namespace tapestry::test {
namespace {

CallResult failed(Errno error) { return {.value = -1, .error = error, .fault = {}}; }
CallResult gives(i64 value) { return {.value = value, .error = Errno::None, .fault = {}}; }
CallResult result_of(const std::expected<void, Errno>& result) {
    return result ? gives(0) : failed(result.error());
}

const std::string& argument(const CallLine& call, std::size_t index) {
    if (index >= call.args.size()) {
        throw ScriptSyntaxError(call.name + "() wants more arguments");
    }
    return call.args[index];
}

i64 integer(std::string_view text) {
    Cursor cursor(text);
    const bool negative = cursor.take("-");
    const i64 value = cursor.number<i64>();
    if (!cursor.at_end()) cursor.fail("a number alone");
    return negative ? -value : value;
}

/// "[5]" or "5"
i64 boxed(std::string_view text) {
    text = trimmed(text);
    if (text.starts_with('[') && text.ends_with(']')) text = text.substr(1, text.size() - 2);
    return integer(trimmed(text));
}

bool has_flag(std::string_view flags, std::string_view flag) {
    return flags.find(flag) != std::string_view::npos;
}

/// The value of `name` in "{onoff=1, linger=0}".
std::optional<std::string> field(const std::string& text, std::string_view name) {
    std::size_t at = text.find(std::string(name) + '=');
    while (at != std::string::npos && at > 0 && (isalnum(text[at - 1]) || text[at - 1] == '_')) {
        at = text.find(std::string(name) + '=', at + 1);
    }
    if (at == std::string::npos) return std::nullopt;
    const std::size_t begin = at + name.size() + 1;
    const std::size_t end = text.find_first_of(",}]", begin);
    return std::string(trimmed(std::string_view(text).substr(begin, end - begin)));
}

/// An option of one socket by its name in C.
void assign_option(TcpSocketOptions& options, const std::string& name, const std::string& value) {
    if (name == "SO_LINGER") {
        const bool on = field(value, "onoff").value_or("0") != "0";
        options.linger.reset();
        if (on) options.linger = std::chrono::seconds(integer(field(value, "linger").value_or("")));
        return;
    }
    if (name == "TCP_CONGESTION") {
        const std::string wanted(trimmed(value));
        const bool quoted = wanted.size() > 2 && wanted.front() == '"' && wanted.back() == '"';
        if (quoted) options.congestion = congestion_of(wanted.substr(1, wanted.size() - 2));
        if (!options.congestion) throw ScriptSyntaxError("wanted \"cubic\" or \"reno\"");
        return;
    }
    const i64 number = boxed(value);
    if (name == "TCP_NODELAY") {
        options.no_delay = number != 0;
    } else if (name == "SO_KEEPALIVE") {
        options.keep_alive = number != 0;
    } else if (name == "TCP_KEEPIDLE") {
        options.keep_idle = std::chrono::seconds(number);
    } else if (name == "TCP_KEEPINTVL") {
        options.keep_interval = std::chrono::seconds(number);
    } else if (name == "TCP_KEEPCNT") {
        options.keep_count = static_cast<u32>(number);
    } else if (name == "TCP_USER_TIMEOUT") {
        options.user_timeout = std::chrono::milliseconds(number);
    } else if (name == "SO_SNDBUF") {
        options.send_buffer = static_cast<u32>(number);
    } else if (name == "SO_RCVBUF") {
        options.receive_buffer = static_cast<u32>(number);
    } else if (name == "TCP_MAXSEG") {
        options.max_segment = static_cast<u16>(number);
    } else if (name == "IP_TTL") {
        options.ttl = static_cast<u8>(number);
    } else if (name == "IP_TOS") {
        options.tos = static_cast<u8>(number);
    } else if (name != "SO_REUSEADDR") {
        throw ScriptSyntaxError("no option is called " + name);
    }
}

}  // namespace

ScriptCalls::Descriptor& ScriptCalls::descriptor(const std::string& text) {
    const auto found = descriptors_.find(integer(text));
    if (found == descriptors_.end()) throw ScriptSyntaxError("descriptor " + text + " is not open");
    return found->second;
}

/// "..." is the usual one; "{port=80, addr=10.0.0.1}" says what differs.
Endpoint ScriptCalls::endpoint(const std::string& text, const Endpoint& usual) const {
    Endpoint result = usual;
    if (const auto port = field(text, "port")) result.port = static_cast<u16>(integer(*port));
    if (const auto address = field(text, "addr")) {
        const auto parsed = Ipv4Address::parse(*address);
        if (!parsed) throw ScriptSyntaxError("no address: " + *address);
        result.address = *parsed;
    }
    return result;
}

std::optional<CallResult> ScriptCalls::attempt(const CallLine& call, bool may_block,
                                               CallProgress& progress) {
    Try result = try_once(call, progress);
    if (result || may_block) return result;
    return CallResult{.value = progress.done, .error = Errno::None, .fault = "it blocks"};
}

ScriptCalls::Try ScriptCalls::try_once(const CallLine& call, CallProgress& progress) {
    if (call.name == "socket") return open(call);
    if (call.name == "poll") return poll(call);
    Descriptor& fd = descriptor(argument(call, 0));
    if (call.name == "bind") return bind(fd, call);
    if (call.name == "listen") return listen(fd, call);
    if (call.name == "accept") return accept(fd, call);
    if (call.name == "connect") return connect(fd, call, progress);
    if (call.name == "shutdown") return shutdown(fd, call);
    if (call.name == "setsockopt") return set_option(fd, call);
    if (call.name == "getsockopt") return get_option(fd, call);
    if (call.name == "fcntl") return control(fd, call);
    if (call.name == "close") {
        descriptors_.erase(integer(call.args[0]));
        return gives(0);
    }
    return transfer(fd, call, progress);
}

/// read(fd, ..., n), recv(fd, ..., n, flags), write(fd, ..., n), send(fd, ..., n, flags)
ScriptCalls::Try ScriptCalls::transfer(Descriptor& fd, const CallLine& call,
                                       CallProgress& progress) {
    const bool out = call.name == "write" || call.name == "send";
    if (!out && call.name != "read" && call.name != "recv") {
        throw ScriptSyntaxError("no call is named " + call.name);
    }
    const auto size = static_cast<u32>(integer(argument(call, 2)));
    const bool dont_wait = call.args.size() > 3 && has_flag(call.args[3], "MSG_DONTWAIT");
    const bool block = !fd.non_blocking && !dont_wait;
    return out ? write(fd, size, block, progress) : read(fd, size, block);
}

ScriptCalls::Try ScriptCalls::open(const CallLine& call) {
    if (!has_flag(argument(call, 1), "SOCK_STREAM")) {
        throw ScriptSyntaxError("only SOCK_STREAM is done");
    }
    if (descriptors_.contains(call.result)) {
        throw ScriptSyntaxError("descriptor " + std::to_string(call.result) + " is open already");
    }
    Descriptor& fd = descriptors_[call.result];
    fd.socket = stack_.tcp_socket();
    fd.non_blocking = has_flag(call.args[1], "SOCK_NONBLOCK");
    return gives(call.result);
}

CallResult ScriptCalls::bind(Descriptor& fd, const CallLine& call) {
    fd.bound = endpoint(argument(call, 1), {config_.local.address, config_.local_port});
    return result_of(fd.socket.bind(fd.bound));
}

CallResult ScriptCalls::listen(Descriptor& fd, const CallLine& call) {
    // A listener is a thing of its own in the stack: the bound socket makes room for it.
    fd.socket = TcpSocket();
    settle();
    fd.listener = stack_.tcp_listener();
    const auto done = fd.listener.listen(fd.bound, static_cast<u32>(integer(argument(call, 1))));
    fd.listener.set_options(fd.options);
    return result_of(done);
}

ScriptCalls::Try ScriptCalls::accept(Descriptor& fd, const CallLine& call) {
    auto socket = fd.listener.accept();
    if (!socket) {
        if (socket.error() == Errno::Again && !fd.non_blocking) return std::nullopt;
        return failed(socket.error());
    }
    if (descriptors_.contains(call.result)) {
        throw ScriptSyntaxError("descriptor " + std::to_string(call.result) + " is open already");
    }
    Descriptor& accepted = descriptors_[call.result];
    accepted.socket = std::move(*socket);
    accepted.options = fd.options;
    return gives(call.result);
}

ScriptCalls::Try ScriptCalls::connect(Descriptor& fd, const CallLine& call,
                                      CallProgress& progress) {
    if (!progress.started) {
        const auto begun =
            fd.socket.connect(endpoint(argument(call, 1), {config_.remote, config_.connect_port}));
        if (!begun) return failed(begun.error());
        progress.started = true;
        if (fd.non_blocking) return failed(Errno::InProgress);
    }
    switch (fd.socket.state()) {
        case TcpState::SynSent:
        case TcpState::SynReceived:
            return std::nullopt;
        case TcpState::Closed:
            return failed(fd.socket.take_error());
        default:
            return gives(0);
    }
}

ScriptCalls::Try ScriptCalls::write(Descriptor& fd, u32 size, bool block, CallProgress& progress) {
    std::vector<u8> bytes(size - static_cast<u32>(progress.done));
    for (u32 i = 0; i < bytes.size(); ++i) bytes[i] = stream_byte(fd.written + i, true);
    const auto done = fd.socket.write(bytes);
    if (!done) {
        if (done.error() == Errno::Again && block) return std::nullopt;
        // As with the real call, bytes that went before an error are reported first.
        return progress.done > 0 ? gives(progress.done) : failed(done.error());
    }
    fd.written += static_cast<u32>(*done);
    progress.done += static_cast<i64>(*done);
    if (progress.done < size && block) return std::nullopt;
    return gives(progress.done);
}

ScriptCalls::Try ScriptCalls::read(Descriptor& fd, u32 size, bool block) {
    std::vector<u8> bytes(size);
    const auto done = fd.socket.read(bytes);
    if (!done) {
        if (done.error() == Errno::Again && block) return std::nullopt;
        return failed(done.error());
    }
    CallResult result = gives(static_cast<i64>(*done));
    for (u32 i = 0; i < *done; ++i) {
        if (bytes[i] == stream_byte(fd.read + i, false)) continue;
        result.fault = "byte " + std::to_string(fd.read + i) + " is not the one that was sent";
        break;
    }
    fd.read += static_cast<u32>(*done);
    return result;
}

CallResult ScriptCalls::shutdown(Descriptor& fd, const CallLine& call) {
    const std::string& how = argument(call, 1);
    if (how == "SHUT_RD") return result_of(fd.socket.shutdown(Shutdown::Receive));
    if (how == "SHUT_WR") return result_of(fd.socket.shutdown(Shutdown::Send));
    if (how == "SHUT_RDWR") return result_of(fd.socket.shutdown(Shutdown::Both));
    throw ScriptSyntaxError("wanted SHUT_RD, SHUT_WR or SHUT_RDWR");
}

CallResult ScriptCalls::set_option(Descriptor& fd, const CallLine& call) {
    TcpSocketOptions options = fd.options;
    assign_option(options, argument(call, 2), argument(call, 3));
    if (fd.listener) {
        fd.listener.set_options(options);
    } else {
        const auto set = fd.socket.set_options(options);
        if (!set) return failed(set.error());
    }
    fd.options = options;
    return gives(0);
}

/// SO_ERROR alone; the rest can be asked for by checks.
CallResult ScriptCalls::get_option(Descriptor& fd, const CallLine& call) {
    if (argument(call, 2) != "SO_ERROR") throw ScriptSyntaxError("only SO_ERROR is done");
    const Errno error = fd.socket.take_error();
    const std::string have = error == Errno::None ? "0" : std::string(name(error));
    std::string_view want = trimmed(argument(call, 3));
    want = want.starts_with('[') ? trimmed(want.substr(1, want.size() - 2)) : want;
    CallResult result = gives(0);
    if (want != have && want != "...") result.fault = "the option is [" + have + "]";
    return result;
}

CallResult ScriptCalls::control(Descriptor& fd, const CallLine& call) {
    constexpr i64 kReadWrite = 2;
    constexpr i64 kNonBlock = 0x800;
    if (argument(call, 1) == "F_GETFL")
        return gives(kReadWrite + (fd.non_blocking ? kNonBlock : 0));
    if (call.args[1] != "F_SETFL") throw ScriptSyntaxError("only F_GETFL and F_SETFL are done");
    fd.non_blocking = has_flag(argument(call, 2), "O_NONBLOCK");
    return gives(0);
}

/// poll([{fd=4, events=POLLIN, revents=POLLIN}, ...], n, timeout)
ScriptCalls::Try ScriptCalls::poll(const CallLine& call) {
    const std::string& list = argument(call, 0);
    CallResult result;
    for (std::size_t at = list.find('{'); at != std::string::npos; at = list.find('{', at + 1)) {
        const std::string entry = list.substr(at, list.find('}', at) - at + 1);
        const std::string events = field(entry, "events").value_or("");
        const std::string wanted = field(entry, "revents").value_or("0");
        Descriptor& fd = descriptor(field(entry, "fd").value_or(""));
        Readiness ready = fd.socket.readiness();
        if (fd.listener) ready = {.readable = fd.listener.acceptable()};
        std::string have;
        const auto add = [&](bool is, const char* flag) {
            if (is) have += (have.empty() ? "" : "|") + std::string(flag);
        };
        add(ready.readable && has_flag(events, "POLLIN"), "POLLIN");
        add(ready.priority && has_flag(events, "POLLPRI"), "POLLPRI");
        add(ready.writable && has_flag(events, "POLLOUT"), "POLLOUT");
        add(ready.error, "POLLERR");
        add(ready.hangup, "POLLHUP");
        if (!have.empty()) ++result.value;
        if (have.empty()) have = "0";
        if (have != wanted) result.fault += "revents of " + entry + " is " + have + "; ";
    }
    if (result.value == 0 && argument(call, 2) != "0") return std::nullopt;
    return result;
}

std::optional<Duration> ScriptCalls::timeout(const CallLine& call) {
    if (call.name != "poll") return std::nullopt;
    const i64 milliseconds = integer(argument(call, 2));
    if (milliseconds < 0) return std::nullopt;
    return std::chrono::milliseconds(milliseconds);
}

CallResult ScriptCalls::poll_timed_out(const CallLine& call) {
    CallLine now = call;
    now.args.at(2) = "0";
    return poll(now).value();
}

}  // namespace tapestry::test

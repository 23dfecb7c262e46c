#include "tests/support/script_calls.h"

#include <algorithm>
#include <array>

#include "tests/support/script_socket_options.h"

namespace tapestry::test {
namespace {

CallResult failed(Errno error) { return {.value = -1, .error = error, .fault = {}}; }
CallResult gives(i64 value) { return {.value = value, .error = Errno::None, .fault = {}}; }
CallResult result_of(const std::expected<void, Errno>& result) {
    return result ? gives(0) : failed(result.error());
}

bool has_flag(std::string_view flags, std::string_view flag) {
    return flags.find(flag) != std::string_view::npos;
}

/// Of "[{..., 100}, {..., 200}]" the sum.
i64 size_of_pieces(const std::string& list) {
    i64 sum = 0;
    for (std::size_t at = list.find('{'); at != std::string::npos; at = list.find('{', at + 1)) {
        const std::size_t comma = list.find(',', at);
        const std::size_t end = list.find('}', at);
        if (comma == std::string::npos || end < comma) {
            throw ScriptSyntaxError("wanted pieces {..., SIZE}");
        }
        sum += integer(trimmed(std::string_view(list).substr(comma + 1, end - comma - 1)));
    }
    return sum;
}

/// "{msg_name(...)=..., msg_iov(1)=[{..., 100}], msg_flags=0}"
i64 size_of_message(const std::string& message) {
    const std::size_t begin = message.find('[', message.find("msg_iov"));
    const std::size_t end = message.find(']', begin);
    if (begin == std::string::npos || end == std::string::npos) {
        throw ScriptSyntaxError("wanted {..., msg_iov(1)=[{..., SIZE}], ...}");
    }
    return size_of_pieces(message.substr(begin, end - begin));
}

/// How the calls that move bytes say how many: fd, buffer, n [, flags ...]; fd, pieces, count; fd,
/// message, flags.
enum class TransferForm : u8 { Buffer, Pieces, Message };
struct TransferCall {
    std::string_view name;
    bool out;
    TransferForm form;
};
constexpr std::array<TransferCall, 10> kTransfers{{{"read", false, TransferForm::Buffer},
                                                   {"recv", false, TransferForm::Buffer},
                                                   {"recvfrom", false, TransferForm::Buffer},
                                                   {"readv", false, TransferForm::Pieces},
                                                   {"recvmsg", false, TransferForm::Message},
                                                   {"write", true, TransferForm::Buffer},
                                                   {"send", true, TransferForm::Buffer},
                                                   {"sendto", true, TransferForm::Buffer},
                                                   {"writev", true, TransferForm::Pieces},
                                                   {"sendmsg", true, TransferForm::Message}}};

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
    if (call.name == "epoll_create") return make_epoll(call);
    if (call.name == "epoll_ctl") return change_epoll(call);
    if (call.name == "epoll_wait") return wait_epoll(call);
    Descriptor& fd = descriptor(argument(call, 0));
    if (call.name == "bind") return bind(fd, call);
    if (call.name == "listen") return listen(fd, call);
    if (call.name == "accept") return accept(fd, call);
    if (call.name == "connect") return connect(fd, call, progress);
    if (call.name == "shutdown") return shutdown(fd, call);
    if (call.name == "setsockopt") return set_option(fd, call);
    if (call.name == "getsockopt") return get_option(fd, call);
    if (call.name == "fcntl") return control(fd, call);
    if (call.name == "ioctl") return io_control(fd, call);
    if (call.name == "close") {
        descriptors_.erase(integer(call.args[0]));
        return gives(0);
    }
    return transfer(fd, call, progress);
}

/// read and write in all their forms. On a stream the addresses of recvfrom and sendto say nothing.
ScriptCalls::Try ScriptCalls::transfer(Descriptor& fd, const CallLine& call,
                                       CallProgress& progress) {
    const auto* kind = std::find_if(kTransfers.begin(), kTransfers.end(),
                                    [&](const TransferCall& c) { return c.name == call.name; });
    if (kind == kTransfers.end()) throw ScriptSyntaxError("no call is named " + call.name);
    i64 size = 0;
    std::size_t flags_at = call.args.size();
    if (kind->form == TransferForm::Buffer) {
        size = integer(argument(call, 2));
        flags_at = 3;
    } else if (kind->form == TransferForm::Pieces) {
        size = size_of_pieces(argument(call, 1));
    } else {
        size = size_of_message(argument(call, 1));
        flags_at = 2;
    }
    const std::string flags = flags_at < call.args.size() ? call.args[flags_at] : "";
    const bool block = !fd.non_blocking && !has_flag(flags, "MSG_DONTWAIT");
    const auto n = static_cast<u32>(size);
    return kind->out ? write(fd, n, block, has_flag(flags, "MSG_OOB"), progress)
                     : read(fd, n, block, has_flag(flags, "MSG_PEEK"));
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

ScriptCalls::Try ScriptCalls::write(Descriptor& fd, u32 size, bool block, bool urgent,
                                    CallProgress& progress) {
    std::vector<u8> bytes(size - static_cast<u32>(progress.done));
    for (u32 i = 0; i < bytes.size(); ++i) bytes[i] = stream_byte(fd.written + i, true);
    const auto done = urgent ? fd.socket.write_urgent(bytes) : fd.socket.write(bytes);
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

ScriptCalls::Try ScriptCalls::read(Descriptor& fd, u32 size, bool block, bool peek) {
    std::vector<u8> bytes(size);
    std::expected<std::size_t, Errno> done;
    if (peek) {
        const auto pieces = fd.socket.peek(size);
        done = pieces ? std::expected<std::size_t, Errno>((*pieces)[0].size() + (*pieces)[1].size())
                      : std::unexpected(pieces.error());
        if (pieces) {
            const auto second = std::ranges::copy((*pieces)[0], bytes.begin()).out;
            std::ranges::copy((*pieces)[1], second);
        }
    } else {
        done = fd.socket.read(bytes);
    }
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
    if (!peek) fd.read += static_cast<u32>(*done);
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
    const auto options = with_option(fd.options, argument(call, 2), argument(call, 3));
    if (!options) return failed(options.error());
    const auto set =
        fd.listener ? fd.listener.set_options(*options) : fd.socket.set_options(*options);
    if (!set) return failed(set.error());
    fd.options = fd.listener ? *options : fd.socket.options();
    return gives(0);
}

CallResult ScriptCalls::get_option(Descriptor& fd, const CallLine& call) {
    const std::string& option = argument(call, 2);
    std::string have;
    if (option == "SO_ERROR") {
        const Errno error = fd.socket.take_error();
        have = error == Errno::None ? "0" : std::string(name(error));
    } else {
        have = option_text(fd.socket, fd.options, stack_.config(), option);
    }
    std::string_view want = trimmed(argument(call, 3));
    want = want.starts_with('[') ? trimmed(want.substr(1, want.size() - 2)) : want;
    CallResult result = gives(0);
    if (want != have && want != "...") result.fault = "the option is [" + have + "]";
    return result;
}

/// ioctl(fd, SIOCINQ, [5])
CallResult ScriptCalls::io_control(Descriptor& fd, const CallLine& call) {
    const std::string& request = argument(call, 1);
    const i64 value = boxed(argument(call, 2));
    if (request == "FIONBIO") {
        fd.non_blocking = value != 0;
        return gives(0);
    }
    const TcpInfo info = fd.socket.info();
    i64 have = 0;
    if (request == "SIOCINQ") {
        have = static_cast<i64>(fd.socket.readable_bytes());
    } else if (request == "SIOCATMARK") {
        // The next byte is the last urgent one.
        have = fd.socket.urgent_ahead() == 1 ? 1 : 0;
    } else if (request == "SIOCOUTQ") {
        have = fd.socket.snapshot().send_queued;
    } else if (request == "SIOCOUTQNSD") {
        have = info.notsent_bytes;
    } else {
        throw ScriptSyntaxError("no request is called " + request);
    }
    CallResult result = gives(0);
    if (have != value) result.fault = "it is [" + std::to_string(have) + ']';
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

}  // namespace tapestry::test

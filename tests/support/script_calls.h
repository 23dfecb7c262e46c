#pragma once

#include <map>

#include "stack/stack.h"
#include "tests/support/script_wire.h"

namespace tapestry::test {

/// What a call has given back.
struct CallResult {
    i64 value = 0;
    Errno error = Errno::None;
    std::string fault;  ///< what is wrong whatever the script expects: data that are not the peer's
};

/// How far a blocking call has come.
struct CallProgress {
    i64 done = 0;          ///< bytes written
    bool started = false;  ///< connect() has sent the SYN
};

/// The system calls of a script on sockets of one stack, under the script's descriptors.
class ScriptCalls {
public:
    ScriptCalls(Stack& stack, const ScriptConfig& config) : stack_(stack), config_(config) {}

    /// One try. Nothing: the call blocks; try again, with the same progress, when something has
    /// happened. `may_block`: the script gives it time ("a...b"). Throws ScriptSyntaxError for a call
    /// that makes no sense.
    std::optional<CallResult> attempt(const CallLine& call, bool may_block, CallProgress& progress);
    /// The call begins a connection.
    static bool connects(const CallLine& call) { return call.name == "connect"; }
    /// poll() and epoll_wait() wait this long; nothing: for ever, or it is another call.
    static std::optional<Duration> timeout(const CallLine& call);
    /// Time is up for poll() or epoll_wait(): what it gives back.
    CallResult poll_timed_out(const CallLine& call);
    /// The open socket of a connection; null: it has none.
    const TcpSocket* socket_of(const PortPair& ports) const;

private:
    struct Descriptor {
        TcpSocket socket;
        Listener listener;
        Endpoint bound;
        TcpSocketOptions options;
        bool non_blocking = false;
        u32 written = 0;
        u32 read = 0;
    };

    using Try = std::optional<CallResult>;
    Try try_once(const CallLine& call, CallProgress& progress);
    Try open(const CallLine& call);
    CallResult bind(Descriptor& fd, const CallLine& call);
    CallResult listen(Descriptor& fd, const CallLine& call);
    Try accept(Descriptor& fd, const CallLine& call);
    Try connect(Descriptor& fd, const CallLine& call, CallProgress& progress);
    Try write(Descriptor& fd, u32 size, bool block, bool urgent, CallProgress& progress);
    Try read(Descriptor& fd, u32 size, bool block, bool peek);
    CallResult shutdown(Descriptor& fd, const CallLine& call);
    CallResult set_option(Descriptor& fd, const CallLine& call);
    CallResult get_option(Descriptor& fd, const CallLine& call);
    CallResult control(Descriptor& fd, const CallLine& call);
    CallResult io_control(Descriptor& fd, const CallLine& call);
    std::string events(const Descriptor& fd, const std::string& asked, const std::string& prefix);
    Try poll(const CallLine& call);
    Try make_epoll(const CallLine& call);
    Try change_epoll(const CallLine& call);
    Try wait_epoll(const CallLine& call);
    Try transfer(Descriptor& fd, const CallLine& call, CallProgress& progress);
    Descriptor& descriptor(const std::string& text);
    Endpoint endpoint(const std::string& text, const Endpoint& usual) const;
    void settle() { stack_.advance(stack_.now()); }

    Stack& stack_;
    const ScriptConfig& config_;
    std::map<i64, Descriptor> descriptors_;
    /// Of an epoll descriptor: the events that are asked for, by descriptor.
    std::map<i64, std::map<i64, std::string>> epolls_;
};

/// Throws ScriptSyntaxError when there are not so many.
const std::string& argument(const CallLine& call, std::size_t index);

}  // namespace tapestry::test

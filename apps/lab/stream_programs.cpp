#include "apps/lab/stream_programs.h"

#include <algorithm>
#include "apps/inspect/story.h"

namespace tapestry {
namespace {

/// Data of a stream that comes in many pieces is told of when no more has come for so long.
constexpr Duration kQuiet = 300ms;
constexpr std::size_t kShort = 40;

bool is_readable(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; });
}

std::string bytes_text(u64 count) {
    return std::to_string(count) + (count == 1 ? " byte" : " bytes");
}

}  // namespace

Stream::Stream(const Seat& at, const Command& command)
    : Program(at), socket_(at.stack().tcp_socket()), what_("connect") {
    seat().call(command.line);
    TcpSocketOptions options;
    options.no_delay = true;
    if (command.keep_alive) {
        options.keep_alive = true;
        options.keep_idle = *command.keep_alive;
        options.keep_interval = *command.keep_alive;
    }
    static_cast<void>(socket_.set_options(options));
    auto opened = command.port == 0 ? std::expected<void, Errno>()
                                    : socket_.bind({Ipv4Address(), command.port});
    if (opened) opened = socket_.connect(command.remote);
    connecting_ = opened.has_value();
    if (!opened) end(opened.error());
}

Stream::Stream(const Seat& at, TcpSocket socket, bool paused)
    : Program(at), socket_(std::move(socket)), what_("listen"), paused_(paused) {
    const std::string peer = socket_.remote().to_string();
    seat().result("accepted a connection from " + peer, "接受了来自 " + peer + " 的连接");
}

void Stream::poll() {
    if (over_) return;
    if (connecting_) connected();
    if (over_ || connecting_) return;
    write();
    if (!over_ && !paused_) read();
    if (over_ || !sending_ || !outgoing_.empty() || socket_.snapshot().send_queued > 0) return;
    sending_ = false;
    seat().result("send: everything has been acknowledged", "send：数据已全部得到确认");
}

void Stream::connected() {
    const TcpState state = socket_.state();
    if (state == TcpState::SynSent || state == TcpState::SynReceived) return;
    if (state == TcpState::Closed) return end(socket_.take_error());
    connecting_ = false;
    const std::string local = socket_.local().to_string();
    seat().result("connect: connected, from " + local, "connect：已连接，本端是 " + local);
}

bool Stream::done() const { return over_ || (!connecting_ && !sending_); }

void Stream::send(const Command& command) {
    what_ = "send";
    seat().call(command.line);
    if (over_) {
        seat().result("send: there is no connection any more", "send：连接已经不在了");
        return;
    }
    outgoing_ += command.text;
    sending_ = true;
    write();
}

void Stream::write() {
    while (!outgoing_.empty()) {
        const auto sent =
            socket_.write({reinterpret_cast<const u8*>(outgoing_.data()), outgoing_.size()});
        if (!sent && sent.error() == Errno::Again) return;
        if (!sent) return end(sent.error());
        outgoing_.erase(0, *sent);
    }
}

void Stream::read() {
    std::array<u8, 4096> block;
    while (true) {
        const auto got = socket_.read(block);
        if (!got && got.error() == Errno::Again) return;
        if (!got) return end(got.error());
        if (*got == 0) {
            tell_rest();
            seat().result("the peer has closed the connection", "对方关闭了连接");
            over_ = true;
            return socket_.close();
        }
        tell({reinterpret_cast<const char*>(block.data()), *got});
    }
}

void Stream::tell(std::string_view text) {
    if (untold_ == 0 && text.size() <= kShort && is_readable(text)) {
        const std::string quoted = '"' + std::string(text) + '"';
        seat().result("received " + quoted, "收到 " + quoted);
        return;
    }
    untold_ += text.size();
    last_read_ = seat().now();
    seat().world().at(last_read_ + kQuiet, [this, at = last_read_] {
        if (at == last_read_) tell_rest();
    });
}

void Stream::tell_rest() {
    if (untold_ == 0) return;
    const u64 count = std::exchange(untold_, 0);
    seat().result("received " + bytes_text(count), "收到 " + std::to_string(count) + " 字节");
}

void Stream::end(const std::string& why, const std::string& chinese) {
    tell_rest();
    seat().result(what_ + ": " + why, what_ + "：" + chinese);
    over_ = true;
    socket_.close();
}

void Stream::give_up(Duration patience) {
    if (done()) return;
    const std::string what = connecting_ ? "no connection" : "no acknowledgment";
    const std::string chinese = connecting_ ? " 内没有建立连接，放弃" : " 内没有得到确认，放弃";
    socket_.abort();
    end(what + " within " + duration_text(patience) + ", given up",
        duration_text(patience) + chinese);
}

void Stream::close() {
    seat().call("close");
    over_ = true;
    socket_.close();
}

void Stream::set_paused(bool paused) {
    paused_ = paused;
    poll();
}

ListenProgram::ListenProgram(const Seat& at, const Command& command)
    : Program(at),
      listener_(at.stack().tcp_listener()),
      port_(command.port),
      paused_(command.paused) {
    const auto listening = listener_.listen({Ipv4Address(), port_});
    seat().call(command.line + (listening ? "" : ": " + std::string(text(listening.error()))));
}

void ListenProgram::poll() {
    while (auto socket = listener_.accept()) {
        streams_.push_back(std::make_unique<Stream>(seat(), std::move(*socket), paused_));
    }
    for (const auto& stream : streams_) stream->poll();
}

void ListenProgram::set_paused(bool paused) {
    paused_ = paused;
    seat().call((paused ? "pause " : "resume ") + std::to_string(port_));
    for (const auto& stream : streams_) stream->set_paused(paused);
}

EchoProgram::EchoProgram(const Seat& at, u16 port) : Program(at), services_(at.stack()) {
    const auto listening = services_.listen(TestServices::Kind::Echo, port);
    seat().call("echo " + std::to_string(port) +
                (listening ? "" : ": " + std::string(text(listening.error()))));
}

}  // namespace tapestry

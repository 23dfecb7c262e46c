#include "apps/nc_udp.h"

#include <sys/epoll.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "apps/failure.h"
#include "apps/pump.h"

namespace tapestry {
namespace {

/// What fits an Ethernet frame without fragments, as other netcats send it.
constexpr std::size_t kBlock = 1472;

[[noreturn]] void fail(Errno error) { throw Failure(kNo, "nc: " + std::string(text(error))); }

class NcUdp {
public:
    NcUdp(Attachment& net, const NcUdpOptions& options)
        : net_(net),
          options_(options),
          socket_(net.stack().udp_socket()),
          has_peer_(!options.listen) {}
    ~NcUdp() { watch_input(false); }
    NcUdp(const NcUdp&) = delete;
    NcUdp& operator=(const NcUdp&) = delete;

    int run() {
        const auto ready = options_.listen ? socket_.bind({Ipv4Address(), options_.peer.port})
                                           : socket_.connect(options_.peer);
        if (!ready) fail(ready.error());
        last_ = net_.now();
        while (true) {
            if (net_.loop() != nullptr) watch_input(has_peer_ && !input_ended_);
            if (net_.world() != nullptr && !input_ended_) read_input();
            TimePoint limit = kNever;
            if (options_.wait > Duration{}) {
                limit = last_ + options_.wait;
            } else if (input_ended_) {
                limit = last_ + 1s;
            } else if (net_.world() != nullptr) {
                limit = net_.now() + 1s;
            }
            const bool had_peer = has_peer_;
            const bool had_input = !input_ended_;
            net_.run_until(
                [&] {
                    take_datagrams();
                    return has_peer_ != had_peer || input_ended_ == had_input;
                },
                limit);
            if (!net_.interruption().empty()) throw Failure(kNo, "nc: " + net_.interruption());
            const bool over = options_.wait > Duration{} || input_ended_;
            if (over && net_.now() >= limit && last_ + wait() <= net_.now()) return kDone;
        }
    }

private:
    Duration wait() const { return options_.wait > Duration{} ? options_.wait : 1s; }

    void watch_input(bool on) {
        if (on == watching_) return;
        watching_ = on;
        if (on) {
            net_.loop()->watch_fd(0, EPOLLIN, [this](u32) { read_input(); });
        } else {
            net_.loop()->unwatch_fd(0);
        }
    }

    void read_input() {
        std::array<u8, kBlock> block;
        const ssize_t n = read(0, block.data(), block.size());
        if (n < 0 && (errno == EINTR || errno == EAGAIN)) return;
        last_ = net_.now();
        if (n <= 0) {
            input_ended_ = true;
            if (watching_) watch_input(false);
            return;
        }
        const auto sent = socket_.send_to(Bytes(block).first(static_cast<std::size_t>(n)), peer());
        if (!sent && sent.error() != Errno::Again) fail(sent.error());
    }

    Endpoint peer() const { return options_.listen ? talker_ : options_.peer; }

    void take_datagrams() {
        std::array<u8, 65536> block;
        while (true) {
            const auto datagram = socket_.receive(block);
            if (!datagram) {
                if (datagram.error() == Errno::Again) return;
                fail(datagram.error());
            }
            if (!has_peer_) {
                talker_ = datagram->source;
                has_peer_ = true;
            }
            last_ = net_.now();
            Bytes bytes = Bytes(block).first(datagram->size);
            ssize_t n = output_.write(bytes);
            // A datagram that stdout has no room for is lost: that is UDP. In virtual time nobody is
            // kept waiting.
            while (n == 0 && !bytes.empty() && net_.loop() == nullptr) {
                output_.wait_for_room();
                n = output_.write(bytes);
            }
            if (n < 0) fail(Errno::BrokenPipe);
        }
    }

    Attachment& net_;
    const NcUdpOptions& options_;
    UdpSocket socket_;
    StandardOutput output_;
    Endpoint talker_;
    bool has_peer_;
    bool watching_ = false;
    bool input_ended_ = false;
    TimePoint last_{};
};

}  // namespace

int run_udp(Attachment& net, const NcUdpOptions& options) { return NcUdp(net, options).run(); }

}  // namespace tapestry

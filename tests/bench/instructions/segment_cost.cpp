// Instructions per segment, to be run under callgrind (see segment_cost.sh): a number that stays the
// same however busy the machine is.
//
// A transfer between two stacks is recorded once. Then one of the two is made again, with the same seed,
// and gets the recorded frames at the recorded times with nothing around it: no link, no other stack,
// no system call. Only measured() is counted.

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <vector>

#include "stack/stack.h"

using namespace tapestry;

namespace {

constexpr u16 kPort = 9;
const Ipv4Prefix kSender{Ipv4Address(192, 168, 3, 10), 24};
const Ipv4Prefix kReceiver{Ipv4Address(192, 168, 3, 1), 24};

/// Keeps what is sent, or only counts it.
class RecordingPort final : public Port {
public:
    explicit RecordingPort(u32 super) : super_(super) {}
    PortCapabilities capabilities() const override { return {1500, super_}; }
    bool transmit(const Frame& frame) override {
        ++frames;
        if (!keep) return true;
        std::vector<u8> bytes(frame.size());
        frame.copy_to(bytes.data());
        sent.push_back({std::move(bytes), frame.offload});
        return true;
    }
    struct Sent {
        std::vector<u8> bytes;
        Offload offload;
    };
    std::deque<Sent> sent;
    std::size_t frames = 0;
    bool keep = true;

private:
    u32 super_;
};

/// What one stack was given, and when.
struct Arrival {
    TimePoint at;
    RecordingPort::Sent frame;
    bool last_of_batch = true;
};

struct End {
    End(const Ipv4Prefix& address, u8 number, u32 super)
        : port(super), rng(number), stack(config(), rng) {
        stack.add_interface(
            port, {.name = "eth0", .mac = MacAddress({2, 0, 0, 0, 0, number}), .address = address},
            TimePoint{});
    }
    static StackConfig config() {
        StackConfig config;
        config.arp.announce = false;
        return config;
    }
    void receive(const RecordingPort::Sent& frame, TimePoint now) {
        slot.resize(frame.bytes.size());
        std::memcpy(slot.mutable_bytes().data(), frame.bytes.data(), frame.bytes.size());
        slot.offload = frame.offload;
        stack.receive(stack.interface(0), {&slot, 1}, now);
    }

    PacketPool pool{PacketPool::kSuperFrameSlot, 4};
    Packet slot = pool.take();
    RecordingPort port;
    SeededRng rng;
    Stack stack;
    TcpSocket socket;
    Listener listener;
    std::size_t left = 0;
};

void start_sender(End& end, std::size_t bytes) {
    end.left = bytes;
    end.socket = end.stack.tcp_socket();
    if (!end.socket.connect({kReceiver.address, kPort})) std::abort();
    end.stack.advance(TimePoint{});
}

void start_receiver(End& end) {
    end.listener = end.stack.tcp_listener();
    if (!end.listener.listen({Ipv4Address(), kPort})) std::abort();
}

/// The application of either end, after each batch.
void run_user(End& end, TimePoint now) {
    static const std::vector<u8> block(std::size_t{64} << 10, 'x');
    while (end.left > 0) {
        const auto n = end.socket.write(Bytes(block).first(std::min(block.size(), end.left)));
        if (!n) break;
        end.left -= *n;
    }
    if (end.listener && !end.socket) {
        if (auto accepted = end.listener.accept()) end.socket = std::move(*accepted);
    }
    if (end.listener && end.socket) {
        while (const auto pieces = end.socket.peek(1U << 20)) {
            const std::size_t n = (*pieces)[0].size() + (*pieces)[1].size();
            if (n == 0) break;
            end.socket.consume(n);
        }
    }
    end.stack.advance(now);
}

/// One batch of what `from` has sent goes to `to`, and into the record.
bool carry(End& from, End& to, std::vector<Arrival>& record, TimePoint now) {
    const bool any = !from.port.sent.empty();
    while (!from.port.sent.empty()) {
        record.push_back({now, std::move(from.port.sent.front())});
        from.port.sent.pop_front();
        to.receive(record.back().frame, now);
        run_user(to, now);
    }
    return any;
}

[[gnu::noinline]] void measured(End& end, const std::vector<Arrival>& record, std::size_t from) {
    for (std::size_t i = from; i < record.size(); ++i) {
        end.receive(record[i].frame, record[i].at);
        run_user(end, record[i].at);
    }
}

void play(End& end, const std::vector<Arrival>& record) {
    end.port.keep = false;
    // The handshake and slow start are not what is counted.
    const std::size_t warm_up = record.size() / 10;
    const std::vector<Arrival> head(record.begin(),
                                    record.begin() + static_cast<std::ptrdiff_t>(warm_up));
    for (const Arrival& arrival : head) {
        end.receive(arrival.frame, arrival.at);
        run_user(end, arrival.at);
    }
    const std::size_t frames_before = end.port.frames;
    measured(end, record, warm_up);
    std::printf("%zu frames in, %zu frames out\n", record.size() - warm_up,
                end.port.frames - frames_before);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 4) {
        std::fprintf(stderr, "usage: segment_cost send|receive BYTES SUPER_FRAME\n");
        return 2;
    }
    const std::size_t bytes = std::strtoull(argv[2], nullptr, 10);
    const u32 super = static_cast<u32>(std::strtoul(argv[3], nullptr, 10));
    End a(kSender, 1, super);
    End b(kReceiver, 2, super);
    std::vector<Arrival> to_a;
    std::vector<Arrival> to_b;
    start_receiver(b);
    start_sender(a, bytes);
    TimePoint now{};
    for (int idle = 0; idle < 3;) {
        now += 100us;
        const bool forth = carry(a, b, to_b, now);
        const bool back = carry(b, a, to_a, now + 50us);
        idle = forth || back ? 0 : idle + 1;
    }
    if (std::strcmp(argv[1], "send") == 0) {
        End again(kSender, 1, super);
        start_sender(again, bytes);
        play(again, to_a);
    } else {
        End again(kReceiver, 2, super);
        start_receiver(again);
        play(again, to_b);
    }
}

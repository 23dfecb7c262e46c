#include <gtest/gtest.h>

#include <cstdlib>
#include <new>

#include "stack/tcp/reno.h"
#include "tests/support/tcp_host.h"

// A program of its own, because it replaces operator new by one that counts.

namespace {

/// What operator new and delete have done so far, in this program.
struct HeapUse {
    std::size_t calls = 0;  ///< of operator new
    std::size_t bytes = 0;  ///< asked for and not given back
};
HeapUse use;

/// The size stands in front of each block, in a place that keeps the alignment.
constexpr std::size_t kFront = alignof(std::max_align_t);

void* counted_allocate(std::size_t size) {
    auto* block = static_cast<std::byte*>(std::malloc(size + kFront));
    if (block == nullptr) throw std::bad_alloc();
    *reinterpret_cast<std::size_t*>(block) = size;
    ++use.calls;
    use.bytes += size;
    return block + kFront;
}
void counted_free(void* p) noexcept {
    if (p == nullptr) return;
    auto* block = static_cast<std::byte*>(p) - kFront;
    use.bytes -= *reinterpret_cast<std::size_t*>(block);
    std::free(block);
}

}  // namespace

void* operator new(std::size_t size) { return counted_allocate(size); }
void* operator new[](std::size_t size) { return counted_allocate(size); }
void operator delete(void* p) noexcept { counted_free(p); }
void operator delete[](void* p) noexcept { counted_free(p); }
void operator delete(void* p, std::size_t) noexcept { counted_free(p); }
void operator delete[](void* p, std::size_t) noexcept { counted_free(p); }

namespace tapestry::test {

namespace {

HeapUse heap_use() { return use; }

/// Two stacks and a cable between them that allocates nothing: what one sends is handed to the other
/// by deliver().
class Cable final : public Port {
public:
    explicit Cable(u32 super_frame) : offers_{1500, super_frame} {}
    PortCapabilities capabilities() const override { return offers_; }
    bool transmit(const Frame& frame) override {
        if (count_ == packets_.size()) return false;
        Packet& packet = packets_[count_];
        if (!packet) packet = pool_.take();
        packet.resize(frame.size());
        frame.copy_to(packet.mutable_bytes().data());
        packet.offload = frame.offload;
        ++count_;
        return true;
    }
    /// Everything that is under way arrives in one batch.
    bool deliver(Stack& stack, TimePoint now) {
        const std::size_t n = std::exchange(count_, 0);
        std::swap(packets_, arriving_);
        stack.receive(stack.interface(0), std::span(arriving_).first(n), now);
        return n > 0;
    }

private:
    PortCapabilities offers_;
    PacketPool pool_{PacketPool::kSuperFrameSlot, 256};
    std::vector<Packet> packets_{64};
    std::vector<Packet> arriving_{64};
    std::size_t count_ = 0;
};

struct Pair {
    explicit Pair(u32 super_frame) : to_b(super_frame), to_a(super_frame) {
        a.add_interface(to_b, {"a0", MacAddress({2, 0, 0, 0, 0, 1}), {kA, 24}}, now);
        b.add_interface(to_a, {"b0", MacAddress({2, 0, 0, 0, 0, 2}), {kB, 24}}, now);
        listener = b.tcp_listener();
        EXPECT_TRUE(listener.listen({Ipv4Address(), 80}));
        client = a.tcp_socket();
        EXPECT_TRUE(client.connect({kB, 80}));
        for (int i = 0; i < 10; ++i) step();
        auto accepted = listener.accept();
        EXPECT_TRUE(accepted);
        if (accepted) server = std::move(*accepted);
    }
    void step() {
        now += 50us;
        a.advance(now);
        b.advance(now);
        to_b.deliver(b, now);
        to_a.deliver(a, now);
    }
    /// Both sides write what they can and read what there is, until `bytes` more have been read.
    void transfer(std::size_t bytes) {
        std::size_t read = 0;
        for (int i = 0; read < bytes && i < 1000000; ++i) {
            static_cast<void>(client.write(chunk));
            static_cast<void>(server.write(chunk));
            step();
            for (TcpSocket* socket : {&client, &server}) {
                while (const auto n = socket->read(buffer)) read += *n;
            }
        }
        EXPECT_GE(read, bytes);
    }

    static constexpr Ipv4Address kA{10, 0, 0, 1};
    static constexpr Ipv4Address kB{10, 0, 0, 2};
    TimePoint now{};
    SeededRng rng_a{1};
    SeededRng rng_b{2};
    Cable to_b;
    Cable to_a;
    Stack a{StackConfig(), rng_a};
    Stack b{StackConfig(), rng_b};
    Listener listener;
    TcpSocket client;
    TcpSocket server;
    std::vector<u8> chunk = std::vector<u8>(8192, 7);
    std::vector<u8> buffer = std::vector<u8>(32768);
};

TEST(Allocations, ASegmentCostsNone) {
    for (const u32 super_frame : {u32{0}, u32{65535}}) {
        Pair pair(super_frame);
        pair.transfer(4 << 20);
        const HeapUse before = heap_use();
        const u64 segments = pair.a.counters().tcp_in_segs + pair.b.counters().tcp_in_segs;
        pair.transfer(8 << 20);
        EXPECT_EQ(heap_use().calls - before.calls, 0U);
        EXPECT_EQ(heap_use().bytes, before.bytes);
        const u64 now = pair.a.counters().tcp_in_segs + pair.b.counters().tcp_in_segs;
        EXPECT_GT(now - segments, 200U) << "something was moved";
    }
}

/// Opens n connections to port 80 by hand and hands back their sockets.
std::vector<TcpSocket> open_many(TcpHost& host, Listener& listener, u16 n) {
    std::vector<TcpSocket> sockets;
    sockets.reserve(n);
    for (u16 i = 0; i < n; ++i) {
        TcpHeader syn = tcp_header(100, TcpFlags::kSyn, 0);
        syn.source_port = static_cast<u16>(1000 + i);
        syn.options.mss = 1460;
        syn.options.window_scale = 7;
        syn.options.timestamps = TcpTimestamps{1, 0};
        host.receive(syn);
        const auto answer = host.take().at(0);
        TcpHeader ack = tcp_header(101, TcpFlags::kAck, answer.seq.value() + 1);
        ack.source_port = syn.source_port;
        ack.options.timestamps = TcpTimestamps{1, answer.options.timestamps->value};
        host.receive(ack);
        auto accepted = listener.accept();
        if (accepted) sockets.push_back(std::move(*accepted));
    }
    EXPECT_EQ(sockets.size(), n);
    return sockets;
}

/// An idle connection owns no buffer and fits in 512 bytes. Its places in the tables of the stack (the
/// four-tuple, the timer, the lists) are less than another 128.
TEST(Allocations, AnIdleConnectionFitsInOneKilobyte) {
    EXPECT_LE(sizeof(Connection) + sizeof(Reno), 1024U);
    constexpr u16 kCount = 4096;  // a power of two: what grows by doubling is full
    TcpHost host;
    Listener listener = host.stack.tcp_listener();
    ASSERT_TRUE(listener.listen({Ipv4Address(), 80}));
    const std::size_t empty = heap_use().bytes;
    const auto sockets = open_many(host, listener, kCount);
    const std::size_t handles = sockets.capacity() * sizeof(TcpSocket);
    const std::size_t each = (heap_use().bytes - empty - handles) / kCount;
    EXPECT_LE(each, 1024U + 128U);
    EXPECT_GE(each, sizeof(Connection)) << "this is not measuring what it should";
}

/// Memory follows data: connections that have had some and are idle again hold nothing more.
TEST(Allocations, AnIdleConnectionKeepsNoBuffer) {
    constexpr u16 kCount = 256;
    TcpHost host;
    Listener listener = host.stack.tcp_listener();
    ASSERT_TRUE(listener.listen({Ipv4Address(), 80}));
    auto sockets = open_many(host, listener, kCount);
    const std::size_t before = heap_use().bytes;
    std::vector<u8> buffer(2000);
    for (TcpSocket& socket : sockets) {
        const TcpSnapshot s = socket.snapshot();
        TcpHeader data = tcp_header(101, TcpFlags::kAck, s.snd_nxt.value());
        data.source_port = s.remote.port;
        data.options.timestamps = TcpTimestamps{2, 0};
        host.receive(data, std::vector<u8>(1000, 1));
        EXPECT_EQ(socket.read(buffer).value_or(0), 1000U);
        EXPECT_EQ(socket.write(Bytes(buffer).first(1000)).value_or(0), 1000U);
        host.settle();
        TcpHeader ack = tcp_header(1101, TcpFlags::kAck, s.snd_nxt.value() + 1000);
        ack.source_port = s.remote.port;
        ack.options.timestamps = TcpTimestamps{3, 0};
        host.receive(ack);
        EXPECT_EQ(socket.snapshot().send_queued, 0U);
        host.port.sent.clear();
    }
    host.port.sent.shrink_to_fit();
    // A block or two of the common pool, whatever the number of connections.
    EXPECT_LE(heap_use().bytes, before + 2 * BlockPool::kMinBlock + 4096);
}

}  // namespace
}  // namespace tapestry::test

#include "drivers/loop.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/time.h>

#include <csignal>
#include <cstdio>

#include "drivers/monotonic.h"
#include "drivers/netlink.h"
#include "drivers/packet_socket.h"
#include "drivers/private_namespace.h"
#include "drivers/tap.h"
#include "tests/support/fake_device.h"
#include "tests/support/forked.h"

namespace tapestry {
namespace {

/// A device in memory that tells epoll, as a real one does, when it was fed.
class WakingDevice final : public Device {
public:
    WakingDevice() : event_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}
    void feed(Bytes bytes) {
        inner.feed(bytes);
        const u64 one = 1;
        ASSERT_EQ(write(event_.get(), &one, sizeof one), 8);
    }
    PortCapabilities capabilities() const override { return {}; }
    bool transmit(const Frame& frame) override { return inner.transmit(frame); }
    std::size_t receive(std::span<Packet> batch) override {
        u64 count = 0;
        [[maybe_unused]] const ssize_t got = read(event_.get(), &count, sizeof count);
        const std::size_t n = inner.receive(batch);
        ++calls;
        return n;
    }
    int fd() const override { return event_.get(); }

    test::FakeDevice inner;
    u32 calls = 0;

private:
    UniqueFd event_;
};

InterfaceConfig interface_config() {
    InterfaceConfig config;
    config.mac = MacAddress({2, 0, 0, 0, 0, 2});
    config.address = {Ipv4Address(10, 0, 0, 2), 24};
    return config;
}

StackConfig stack_config() {
    StackConfig config;
    config.arp.announce = false;
    config.arp.request_interval = 5ms;
    return config;
}

/// A loop whose stack has one device in memory.
class LoopTest : public ::testing::Test {
protected:
    SeededRng rng{1};
    WakingDevice device;
    Stack stack{stack_config(), rng};
    Interface& interface = stack.add_interface(device, interface_config(), monotonic_now());
    Loop loop{stack};

    void SetUp() override { loop.add(device, interface); }
    u64 frames_in() const { return stack.counters().frames_in; }
    /// Far enough that a test which waits for it has gone wrong.
    TimePoint late() const { return loop.now() + 20s; }
};

const auto kPing = test::PacketBuilder().icmp_echo(1, 1).build();
const auto kNeverDone = [] { return false; };

TEST_F(LoopTest, DoneIsAskedFirst) {
    EXPECT_TRUE(loop.run_until([] { return true; }, TimePoint{}));
    EXPECT_TRUE(loop.run_until([] { return true; }));
    EXPECT_FALSE(loop.run_until(kNeverDone, loop.now()));
}

TEST_F(LoopTest, DeadlineComes) {
    const TimePoint deadline = loop.now() + 3ms;
    EXPECT_FALSE(loop.run_until(kNeverDone, deadline));
    EXPECT_GE(loop.now(), deadline);
}

TEST_F(LoopTest, TimeIsTheSystemsMonotonicOne) {
    const TimePoint before = monotonic_now();
    const TimePoint now = loop.now();
    EXPECT_LE(before, now);
    EXPECT_LE(now, monotonic_now());
    EXPECT_GT(now, TimePoint{});
}

TEST_F(LoopTest, FramesReachTheStack) {
    for (int i = 0; i < 200; ++i) device.feed(kPing);
    EXPECT_TRUE(loop.run_until([&] { return frames_in() == 200; }, late()));
    device.feed(kPing);
    EXPECT_TRUE(loop.run_until([&] { return frames_in() == 201; }, late()));
}

TEST_F(LoopTest, IdleDeviceIsNotAskedAgainAndAgain) {
    device.feed(kPing);
    EXPECT_TRUE(loop.run_until([&] { return frames_in() == 1; }, late()));
    const u32 calls = device.calls;
    EXPECT_FALSE(loop.run_until(kNeverDone, loop.now() + 10ms));
    EXPECT_LE(device.calls, calls + 2);
}

TEST_F(LoopTest, OneTurnTakesABoundedBatch) {
    for (std::size_t i = 0; i < 3 * Loop::kBatch; ++i) device.feed(kPing);
    loop.run_once(1s);
    EXPECT_GT(frames_in(), 0U);
    EXPECT_LE(frames_in(), Loop::kBatch + Loop::kSlots);
}

TEST_F(LoopTest, StackTimersRun) {
    auto socket = stack.udp_socket();
    ASSERT_TRUE(socket.send_to(kPing, {Ipv4Address(10, 0, 0, 9), 9}));
    // The neighbour is asked for three times, on the stack's own timer.
    EXPECT_TRUE(loop.run_until([&] { return device.inner.sent.size() == 3; }, late()));
    EXPECT_EQ(stack.counters().arp_requests_out, 3U);
}

TEST_F(LoopTest, UserCallsOfTheLastMomentAreSent) {
    auto socket = stack.tcp_socket();
    EXPECT_TRUE(loop.run_until([&] {
        (void)socket.connect({Ipv4Address(10, 0, 0, 9), 9});
        return true;
    }));
    EXPECT_EQ(device.inner.sent.size(), 1U) << "the ARP request for the SYN's next hop";
}

TEST_F(LoopTest, DescriptorsCallBack) {
    int ends[2] = {-1, -1};
    ASSERT_EQ(pipe(ends), 0);
    const UniqueFd reader(ends[0]);
    UniqueFd writer(ends[1]);
    std::string heard;
    u32 last_events = 0;
    loop.watch_fd(reader.get(), EPOLLIN, [&](u32 events) {
        last_events = events;
        char byte = 0;
        if (read(reader.get(), &byte, 1) == 1) {
            heard += byte;
        } else {
            loop.unwatch_fd(reader.get());
        }
    });
    ASSERT_EQ(write(writer.get(), "abc", 3), 3);
    EXPECT_TRUE(loop.run_until([&] { return heard == "abc"; }, late()));
    EXPECT_EQ(last_events, static_cast<u32>(EPOLLIN));
    writer.reset();
    EXPECT_TRUE(loop.run_until([&] { return (last_events & EPOLLHUP) != 0; }, late()));
    last_events = 0;
    EXPECT_FALSE(loop.run_until([&] { return last_events != 0; }, loop.now() + 3ms));
}

TEST_F(LoopTest, WatchingAgainReplaces) {
    const UniqueFd event(eventfd(1, EFD_CLOEXEC));
    int first = 0;
    int second = 0;
    loop.watch_fd(event.get(), EPOLLIN, [&](u32) { ++first; });
    loop.watch_fd(event.get(), EPOLLIN, [&](u32) { ++second; });
    EXPECT_TRUE(loop.run_until([&] { return second == 3; }, late()));
    EXPECT_EQ(first, 0);
    loop.unwatch_fd(event.get());
    loop.unwatch_fd(event.get());
    loop.run_once(Duration{});
    EXPECT_EQ(second, 3);
}

TEST_F(LoopTest, CallbacksMayUnwatchEachOther) {
    const UniqueFd one(eventfd(1, EFD_CLOEXEC));
    const UniqueFd two(eventfd(1, EFD_CLOEXEC));
    int calls = 0;
    const auto last_one_standing = [&](u32) {
        ++calls;
        loop.unwatch_fd(one.get());
        loop.unwatch_fd(two.get());
    };
    loop.watch_fd(one.get(), EPOLLIN, last_one_standing);
    loop.watch_fd(two.get(), EPOLLIN, last_one_standing);
    EXPECT_FALSE(loop.run_until(kNeverDone, loop.now() + 3ms));
    EXPECT_EQ(calls, 1);
}

TEST_F(LoopTest, RegularFilesAreAlwaysReady) {
    FILE* file = std::tmpfile();
    ASSERT_NE(file, nullptr);
    int calls = 0;
    loop.watch_fd(fileno(file), EPOLLIN, [&](u32 events) {
        EXPECT_NE(events & EPOLLIN, 0U);
        if (++calls == 5) loop.unwatch_fd(fileno(file));
    });
    EXPECT_TRUE(loop.run_until([&] { return calls == 5; }, late()));
    EXPECT_FALSE(loop.run_until([&] { return calls > 5; }, loop.now() + 3ms));
    std::fclose(file);
    EXPECT_THROW(loop.watch_fd(-1, EPOLLIN, [](u32) {}), SetupError);
}

TEST_F(LoopTest, BusyDeviceDoesNotStarveTheOthers) {
    // Refills itself whenever it is read, as a flood does.
    class Endless final : public Device {
    public:
        PortCapabilities capabilities() const override { return {}; }
        bool transmit(const Frame&) override { return true; }
        std::size_t receive(std::span<Packet> batch) override {
            for (Packet& packet : batch) packet = pool_.copy(kPing);
            return batch.size();
        }

    private:
        PacketPool pool_{PacketPool::kFrameSlot, 256};
    };
    Endless endless;
    auto config = interface_config();
    config.address = {Ipv4Address(10, 9, 0, 2), 24};
    Stack other(stack_config(), rng);
    Loop busy(other);
    Interface& flooded = other.add_interface(endless, config, busy.now());
    config.address = {Ipv4Address(10, 8, 0, 2), 24};
    Interface& quiet = other.add_interface(device, config, busy.now());
    busy.add(endless, flooded);
    busy.add(device, quiet);
    const UniqueFd event(eventfd(1, EFD_CLOEXEC));
    bool called = false;
    busy.watch_fd(event.get(), EPOLLIN, [&](u32) { called = true; });
    device.calls = 0;
    device.feed(kPing);
    EXPECT_TRUE(busy.run_until([&] { return called && device.calls > 0; }, late()));
    EXPECT_FALSE(busy.run_until(kNeverDone, busy.now() + 3ms)) << "the deadline comes all the same";
}

TEST_F(LoopTest, DeviceWithAFrameHeldBackIsAskedInTime) {
    // Lets a frame go at a moment that no descriptor tells.
    class Holding final : public Device {
    public:
        explicit Holding(TimePoint due) : due_(due), quiet_(eventfd(0, EFD_CLOEXEC)) {}
        PortCapabilities capabilities() const override { return {}; }
        bool transmit(const Frame&) override { return true; }
        std::size_t receive(std::span<Packet> batch) override {
            if (gone_ || monotonic_now() < due_) return 0;
            gone_ = true;
            batch[0] = pool_.copy(kPing);
            return 1;
        }
        int fd() const override { return quiet_.get(); }
        std::optional<TimePoint> next_deadline() const override {
            return gone_ ? std::nullopt : std::optional(due_);
        }

    private:
        TimePoint due_;
        bool gone_ = false;
        UniqueFd quiet_;
        PacketPool pool_{PacketPool::kFrameSlot, 256};
    };
    Holding holding(loop.now() + 5ms);
    Stack other(stack_config(), rng);
    Loop waiting(other);
    waiting.add(holding, other.add_interface(holding, interface_config(), waiting.now()));
    const TimePoint end = late();
    EXPECT_TRUE(waiting.run_until([&] { return other.counters().frames_in == 1; }, end));
    EXPECT_LT(waiting.now(), end) << "noticed only because the wait was over";
}

TEST_F(LoopTest, DeviceWithoutADescriptorIsAskedAnyway) {
    test::FakeDevice memory;
    Stack other(stack_config(), rng);
    Loop waiting(other);
    waiting.add(memory, other.add_interface(memory, interface_config(), waiting.now()));
    waiting.run_once(Duration{});
    memory.feed(kPing);
    const TimePoint end = late();
    EXPECT_TRUE(waiting.run_until([&] { return other.counters().frames_in == 1; }, end));
    EXPECT_LT(waiting.now(), end) << "noticed only because the wait was over";
}

TEST_F(LoopTest, StopHoldsUntilResume) {
    loop.stop();
    EXPECT_TRUE(loop.stopped());
    EXPECT_FALSE(loop.run_until(kNeverDone));
    EXPECT_FALSE(loop.run_until(kNeverDone));
    EXPECT_TRUE(loop.run_until([] { return true; }));
    loop.resume();
    const TimePoint deadline = loop.now() + 3ms;
    EXPECT_FALSE(loop.run_until(kNeverDone, deadline));
    EXPECT_GE(loop.now(), deadline);
}

Loop* stopped_by_signal = nullptr;

TEST_F(LoopTest, SignalHandlerMayStopIt) {
    stopped_by_signal = &loop;
    struct sigaction action {};
    struct sigaction before {};
    action.sa_handler = [](int) { stopped_by_signal->stop(); };
    sigaction(SIGALRM, &action, &before);
    itimerval timer{};
    timer.it_value.tv_usec = 5000;
    setitimer(ITIMER_REAL, &timer, nullptr);
    EXPECT_FALSE(loop.run_until(kNeverDone));  // for ever, but for the signal
    EXPECT_TRUE(loop.stopped());
    sigaction(SIGALRM, &before, nullptr);
}

TEST_F(LoopTest, InterruptedWaitGoesOn) {
    struct sigaction action {};
    struct sigaction before {};
    action.sa_handler = [](int) {};
    sigaction(SIGALRM, &action, &before);
    itimerval timer{};
    timer.it_value.tv_usec = timer.it_interval.tv_usec = 1000;
    setitimer(ITIMER_REAL, &timer, nullptr);
    const TimePoint deadline = loop.now() + 20ms;
    EXPECT_FALSE(loop.run_until(kNeverDone, deadline));
    EXPECT_GE(loop.now(), deadline);
    timer = {};
    setitimer(ITIMER_REAL, &timer, nullptr);
    sigaction(SIGALRM, &before, nullptr);
}

// ---- devices that go away ---------------------------------------------------------------------

TEST(LoopDevices, DeletedTapEndsTheRunAndIsNamed) {
    test::expect_passes_forked([] {
        const PrivateNamespace home;
        SeededRng rng(1);
        Stack stack(stack_config(), rng);
        Tap tap({"tap0"});
        Netlink netlink;
        netlink.set_up("tap0");
        Loop loop(stack);
        loop.add(tap, stack.add_interface(tap, interface_config(), loop.now()));
        EXPECT_FALSE(loop.run_until(kNeverDone, loop.now() + 3ms));
        EXPECT_EQ(loop.lost_device(), nullptr);
        netlink.delete_link("tap0");
        EXPECT_FALSE(loop.run_until(kNeverDone, loop.now() + 20s));
        EXPECT_EQ(loop.lost_device(), &tap);
        // The stack may still say goodbye, without a busy loop.
        loop.run_once(3ms);
    });
}

TEST(LoopDevices, InterfaceMayGoDownAndComeBack) {
    test::expect_passes_forked([] {
        const PrivateNamespace home;
        SeededRng rng(1);
        Stack stack(stack_config(), rng);
        Netlink netlink;
        netlink.create_veth("ve0", "ve1");
        const auto up = [&] {
            for (const char* end : {"ve0", "ve1"}) netlink.set_up(end);
            for (const char* end : {"ve0", "ve1"}) netlink.wait_until_running(end);
        };
        up();
        PacketSocket device({"ve0"});
        PacketSocket other({"ve1"});
        Loop loop(stack);
        loop.add(device, stack.add_interface(device, interface_config(), loop.now()));
        for (int i = 0; i < 5; ++i) {
            netlink.set_up("ve0", false);
            EXPECT_FALSE(loop.run_until(kNeverDone, loop.now() + 3ms));
            up();
            EXPECT_FALSE(loop.run_until(kNeverDone, loop.now() + 3ms));
        }
        EXPECT_EQ(device.errors().read_failed, 5U);
        EXPECT_EQ(loop.lost_device(), nullptr);
        const u64 before = stack.counters().frames_in;
        EXPECT_TRUE(other.transmit(test::frame_of(kPing, 14)));
        EXPECT_TRUE(
            loop.run_until([&] { return stack.counters().frames_in > before; }, loop.now() + 20s));
    });
}

}  // namespace
}  // namespace tapestry

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>

#include "drivers/netlink.h"
#include "drivers/packet_socket.h"
#include "drivers/private_namespace.h"
#include "drivers/tap.h"
#include "tests/support/forked.h"
#include "tests/support/packet_builder.h"

namespace tapestry {
namespace {

using test::pattern_bytes;

std::string error_of(const std::function<void()>& call) {
    try {
        call();
    } catch (const SetupError& error) {
        return error.what();
    }
    return "no error";
}

TEST(Tap, NamesThatCannotBeAreRefused) {
    for (const std::string name : {"a/b", "sixteen-letters!", ".", "a b", "x:1"}) {
        EXPECT_NE(error_of([&] { const Tap tap({name}); }).find("cannot be an interface's name"),
                  std::string::npos)
            << name;
    }
    EXPECT_NE(error_of([] { const Tap tap({std::string("a\0b", 3)}); }).find("cannot be"),
              std::string::npos);
}

TEST(Tap, ErrorsNameTheRemedy) {
    test::expect_passes_forked([] {
        const PrivateNamespace home;
        const Tap first({"tap7"});
        EXPECT_EQ(error_of([] { const Tap tap({"tap7"}); }),
                  "cannot attach to the TAP \"tap7\": Device or resource busy; another program has "
                  "it: end that, or choose another name");
        Netlink().create_veth("ve0", "ve1");
        EXPECT_NE(error_of([] { const Tap tap({"ve0"}); }).find("is not a TAP"), std::string::npos);
        EXPECT_NE(error_of([] {
                      const Tap tap({"tap8", true, 70000});
                  }).find("MTU"),
                  std::string::npos);
    });
}

TEST(Tap, UserWithoutRightsLearnsTheCommand) {
    test::expect_passes_forked([] {
        test::become_nobody();
        const std::string error = error_of([] { const Tap tap({"tap0"}); });
        // Either the file is closed to him or making the interface is; both have a command.
        EXPECT_NE(error.find("\"sudo "), std::string::npos) << error;
    });
}

TEST(Tap, KernelMayChooseTheName) {
    test::expect_passes_forked([] {
        const PrivateNamespace home;
        const Tap first({""});
        const Tap second({""});
        EXPECT_EQ(first.name(), "tap0");
        EXPECT_EQ(second.name(), "tap1");
        EXPECT_EQ(first.capabilities().max_super_frame, 65535U);
    });
}

TEST(Tap, PlainOneSaysSoAndTakesNoOffload) {
    test::expect_passes_forked([] {
        const PrivateNamespace home;
        Tap tap({"tap0", false});
        Netlink().set_up("tap0");
        EXPECT_FALSE(tap.checksum_offload());
        EXPECT_EQ(tap.capabilities().max_super_frame, 0U);
        const auto builder = test::PacketBuilder().udp(1, 2);
        EXPECT_TRUE(
            tap.transmit(test::frame_of(builder.build_partial(), 14, builder.partial_offload())));
        EXPECT_EQ(tap.errors().write_failed, 1U);
        EXPECT_TRUE(tap.transmit(test::frame_of(builder.build(), 14)));
        EXPECT_EQ(tap.errors().total(), 1U);
    });
}

TEST(Tap, FramesToAnInterfaceThatIsDownAreLostAndCounted) {
    test::expect_passes_forked([] {
        const PrivateNamespace home;
        Tap tap({"tap0"});
        const auto bytes = test::PacketBuilder().udp(1, 2).build();
        EXPECT_TRUE(tap.transmit(test::frame_of(bytes, 14)));
        EXPECT_EQ(tap.errors().write_failed, 1U);
        Netlink().set_up("tap0");
        EXPECT_TRUE(tap.transmit(test::frame_of(bytes, 14)));
        EXPECT_EQ(tap.errors().write_failed, 1U);
    });
}

TEST(Tap, FrameThatTheKernelWillNeverTakeIsCounted) {
    test::expect_passes_forked([] {
        const PrivateNamespace home;
        Tap tap({"tap0"});
        Netlink().set_up("tap0");
        const std::vector<u8> bytes(13);  // not even an Ethernet header
        EXPECT_TRUE(tap.transmit(test::frame_of(bytes, 13)));
        EXPECT_TRUE(tap.transmit(Frame()));
        Offload lie;
        lie.checksum = Offload::Checksum::Partial;
        lie.csum_start = 60000;
        const auto frame = test::PacketBuilder().udp(1, 2).build();
        EXPECT_TRUE(tap.transmit(test::frame_of(frame, 14, lie)));
        EXPECT_EQ(tap.errors().write_failed, 3U);
    });
}

/// A datagram from the kernel through `interface` of the given size, to an address behind it.
void make_kernel_send(const std::string& interface, std::size_t size) {
    Netlink netlink;
    netlink.add_address(interface, {Ipv4Address(192, 168, 9, 1), 24});
    const UniqueFd fd(socket(AF_INET, SOCK_DGRAM, 0));
    const int on = 1;
    setsockopt(fd.get(), SOL_SOCKET, SO_BROADCAST, &on, sizeof on);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(9);
    to.sin_addr.s_addr = htonl(Ipv4Address(192, 168, 9, 255).value());
    const std::vector<u8> bytes(size);
    EXPECT_EQ(sendto(fd.get(), bytes.data(), size, 0, reinterpret_cast<sockaddr*>(&to), sizeof to),
              static_cast<ssize_t>(size));
}

TEST(Tap, FrameLargerThanItsSlotIsRefusedNotCut) {
    test::expect_passes_forked([] {
        const PrivateNamespace home;
        Tap tap({"tap0", false});  // slots for an MTU of 1500
        Netlink().set_mtu("tap0", 9000);
        Netlink().set_up("tap0");
        make_kernel_send("tap0", 5000);
        std::vector<Packet> batch(4);
        EXPECT_EQ(tap.receive(batch), 0U);
        EXPECT_EQ(tap.errors().truncated, 1U);
    });
}

void make_cable(Netlink& netlink) {
    netlink.create_veth("ve0", "ve1");
    for (const char* end : {"ve0", "ve1"}) netlink.set_up(end);
    for (const char* end : {"ve0", "ve1"}) netlink.wait_until_running(end);
}

TEST(PacketSocket, FrameLargerThanItsSlotIsRefusedNotCut) {
    test::expect_passes_forked([] {
        const PrivateNamespace home;
        Netlink netlink;
        make_cable(netlink);
        PacketSocket device({"ve0", false});
        netlink.set_mtu("ve0", 9000);
        netlink.set_mtu("ve1", 9000);
        make_kernel_send("ve1", 5000);
        pollfd poller{device.fd(), POLLIN, 0};
        ASSERT_EQ(poll(&poller, 1, 5000), 1);
        std::vector<Packet> batch(4);
        EXPECT_EQ(device.receive(batch), 0U);
        EXPECT_EQ(device.errors().truncated, 1U);
    });
}

TEST(PacketSocket, ShowsWhatArrivesAndNotWhatLeaves) {
    test::expect_passes_forked([] {
        const PrivateNamespace home;
        Netlink netlink;
        make_cable(netlink);
        PacketSocket left({"ve0"});
        PacketSocket right({"ve1"});
        const auto bytes = test::PacketBuilder().udp(1, 2).payload(pattern_bytes(64)).build();
        EXPECT_TRUE(left.transmit(test::frame_of(bytes, 14)));
        pollfd poller{right.fd(), POLLIN, 0};
        ASSERT_EQ(poll(&poller, 1, 5000), 1);
        std::vector<Packet> batch(4);
        ASSERT_EQ(right.receive(batch), 1U);
        EXPECT_TRUE(std::ranges::equal(batch[0].bytes(), bytes));
        EXPECT_EQ(left.receive(batch), 0U);
    });
}

TEST(PacketSocket, FramesThatTheKernelCouldNotKeepAreCounted) {
    test::expect_passes_forked([] {
        const PrivateNamespace home;
        Netlink netlink;
        make_cable(netlink);
        PacketSocket device({"ve0"});
        PacketSocket sender({"ve1"});
        const int small = 1;  // the kernel takes its own least
        setsockopt(device.fd(), SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
        const auto bytes = test::PacketBuilder().udp(1, 2).payload(pattern_bytes(1400)).build();
        for (int i = 0; i < 100; ++i) EXPECT_TRUE(sender.transmit(test::frame_of(bytes, 14)));
        std::vector<Packet> batch(128);
        std::size_t got = 0;
        for (int i = 0; i < 500 && got + device.errors().kernel_dropped < 100; ++i) {
            got += device.receive(batch);
            pollfd poller{device.fd(), POLLIN, 0};
            poll(&poller, 1, 10);
        }
        EXPECT_GT(device.errors().kernel_dropped, 0U);
        EXPECT_EQ(got + device.errors().kernel_dropped, 100U);
        EXPECT_EQ(device.errors().total(), device.errors().kernel_dropped);
    });
}

TEST(PacketSocket, ErrorsNameTheCause) {
    test::expect_passes_forked([] {
        const PrivateNamespace home;
        EXPECT_NE(error_of([] {
                      const PacketSocket s({"nowhere0"});
                  }).find("\"nowhere0\": No such device"),
                  std::string::npos);
        EXPECT_NE(error_of([] { const PacketSocket s({""}); }).find("cannot be"),
                  std::string::npos);
    });
    test::expect_passes_forked([] {
        test::become_nobody();
        EXPECT_NE(error_of([] { const PacketSocket s({"lo"}); }).find("CAP_NET_RAW"),
                  std::string::npos);
    });
}

}  // namespace
}  // namespace tapestry

#include <poll.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <string>

#include "apps/bench/forward.h"
#include "apps/bench/spawn.h"
#include "drivers/entropy.h"
#include "drivers/loop.h"
#include "drivers/monotonic.h"
#include "drivers/netlink.h"
#include "drivers/segmenter.h"
#include "drivers/setup_error.h"
#include "drivers/tap.h"
#include "drivers/vnet_header.h"
#include "stack/wire/udp.h"

namespace tapestry {
namespace {

const MacAddress kClientMac({2, 0, 0, 0, 3, 10});
const MacAddress kServerMac({2, 0, 0, 0, 3, 20});
const MacAddress kOurMac({2, 0, 0, 0, 3, 1});

/// Until somebody writes to it.
bool readable(int fd, int milliseconds) {
    pollfd one{fd, POLLIN, 0};
    return poll(&one, 1, milliseconds) > 0;
}

/// Two TAPs whose kernel ends become the hosts' interfaces.
class TapPair : public MiddleBox {
public:
    TapPair() : inside_({.name = "bench0"}), outside_({.name = "bench1"}) {}

    void cable(pid_t client, pid_t server) override {
        hand_over("bench0", client, kClientMac);
        hand_over("bench1", server, kServerMac);
    }

protected:
    Tap inside_;
    Tap outside_;

private:
    static void hand_over(const char* name, pid_t process, MacAddress mac) {
        Netlink netlink;
        netlink.set_mac(name, mac);
        netlink.rename(name, kForwardInterface);
        netlink.move_to_namespace_of(kForwardInterface, process);
    }
};

/// What any router between two TAPs has to do: read a frame, give it another address, write it.
class CopyLoop final : public TapPair {
public:
    void run(int result_fd) override {
        std::array<pollfd, 3> fds{
            {{inside_.fd(), POLLIN, 0}, {outside_.fd(), POLLIN, 0}, {result_fd, POLLIN, 0}}};
        while (true) {
            bool idle = true;
            if (drain(inside_.fd(), outside_.fd(), kServerMac)) idle = false;
            if (drain(outside_.fd(), inside_.fd(), kClientMac)) idle = false;
            if (!idle) continue;
            poll(fds.data(), fds.size(), -1);
            if ((fds[2].revents & POLLIN) != 0) return;
        }
    }

private:
    bool drain(int from, int to, MacAddress mac) {
        constexpr int kBatch = 64;
        for (int i = 0; i < kBatch; ++i) {
            const ssize_t n = read(from, buffer_.data(), buffer_.size());
            if (n <= 0) return i > 0;
            mac.store(buffer_.data() + kVnetHeaderSize);
            [[maybe_unused]] const ssize_t written =
                write(to, buffer_.data(), static_cast<std::size_t>(n));
        }
        return true;
    }
    std::array<u8, PacketPool::kSuperFrameSlot> buffer_{};
};

/// A device that swallows what is sent, as long as the table is filled.
class Gate final : public Port {
public:
    explicit Gate(Port& inner) : inner_(inner) {}
    PortCapabilities capabilities() const override { return inner_.capabilities(); }
    bool transmit(const Frame& frame) override { return !open || inner_.transmit(frame); }
    bool open = false;

private:
    Port& inner_;
};

class OurRouter final : public TapPair {
public:
    OurRouter()
        : stack_(config(), rng_),
          inside_gate_(inside_),
          outside_gate_(outside_),
          lan_(stack_.add_interface(inside_gate_, {"lan", kOurMac, {kForwardInside, 24}, 0},
                                    monotonic_now())),
          wan_(stack_.add_interface(outside_gate_, {"wan", kOurMac, {kForwardOutside, 24}, 0},
                                    monotonic_now())),
          loop_(stack_) {
        Rule masquerade;
        masquerade.match.out = {{"wan", false}};
        masquerade.target = Target::Masquerade;
        stack_.forwarder().append(Chain::Postrouting, masquerade);
        fill_table();
        inside_gate_.open = outside_gate_.open = true;
        loop_.add(inside_, lan_);
        loop_.add(outside_, wan_);
    }

    void run(int result_fd) override {
        bool over = false;
        loop_.watch_fd(result_fd, POLLIN, [&](u32 /*events*/) { over = true; });
        loop_.run_until([&] { return over; });
    }

private:
    static StackConfig config() {
        StackConfig config;
        config.forwarding = true;
        config.arp.announce = false;
        return config;
    }
    /// 100,000 mappings, made as traffic makes them: by datagrams from 250 hosts.
    void fill_table() {
        constexpr u32 kMappings = 100'000;
        constexpr u32 kHosts = 250;
        wan_.arp().add_static(kForwardServer, kServerMac, monotonic_now());
        PacketPool pool(PacketPool::kFrameSlot, 1);
        for (u32 i = 0; i < kMappings; ++i) {
            const Ipv4Address host(192, 168, 3, static_cast<u8>(2 + i % kHosts));
            std::array<u8, 42> frame{};
            EthernetHeader{kOurMac, kClientMac, EtherType::Ipv4}.write(frame.data());
            Ipv4Header{.total_length = 28,
                       .protocol = IpProtocol::Udp,
                       .source = host,
                       .destination = Ipv4Address(u32{198} << 24 | 51U << 16 | i / 50'000)}
                .write(frame.data() + 14);
            UdpHeader{.source_port = static_cast<u16>(1024 + i % 50'000), .destination_port = 53}
                .write(frame.data() + 34);
            std::array<Packet, 1> batch{pool.copy(frame)};
            stack_.receive(lan_, batch, monotonic_now());
        }
        stack_.add_route({{}, 0}, wan_, kForwardServer);
    }

    SeededRng rng_{entropy_seed()};
    Stack stack_;
    Gate inside_gate_;
    Gate outside_gate_;
    Interface& lan_;
    Interface& wan_;
    Loop loop_;
};

/// Linux itself, with the rule that every home router has.
class KernelRouter final : public MiddleBox {
public:
    void cable(pid_t client, pid_t server) override {
        Netlink netlink;
        netlink.create_veth("lan", "far0");
        netlink.create_veth("wan", "far1");
        for (const auto& [name, process] : {std::pair{"far0", client}, std::pair{"far1", server}}) {
            netlink.rename(name, kForwardInterface);
            netlink.move_to_namespace_of(kForwardInterface, process);
        }
        netlink.add_address("lan", {kForwardInside, 24});
        netlink.add_address("wan", {kForwardOutside, 24});
        netlink.set_up("lan");
        netlink.set_up("wan");
        // Of this namespace only.
        const int status = std::system(
            "echo 1 > /proc/sys/net/ipv4/ip_forward && nft 'add table ip nat; add chain ip nat "
            "post "
            "{ type nat hook postrouting priority 100 ; }; add rule ip nat post oifname wan "
            "masquerade'");
        if (status != 0) throw SetupError("nft cannot set the kernel's masquerading up");
    }
    void run(int result_fd) override { readable(result_fd, -1); }
};

/// slirp4netns at its best: with super-frames in place of an MTU of 1500.
class SlirpRouter final : public MiddleBox {
public:
    ~SlirpRouter() override {
        if (slirp_ > 0) end_child(slirp_);
    }
    void cable(pid_t client, pid_t server) override {
        Netlink netlink;
        netlink.create_veth("wan", "far1");
        netlink.rename("far1", kForwardInterface);
        netlink.move_to_namespace_of(kForwardInterface, server);
        netlink.add_address("wan", {kForwardOutside, 24});
        netlink.set_up("wan");
        const Pipe ready;
        slirp_ = spawn([&] {
            const std::string process = std::to_string(client);
            // What it says about itself is not for the reader of our figures.
            if (std::freopen("/dev/null", "w", stdout) == nullptr ||
                std::freopen("/dev/null", "w", stderr) == nullptr) {
                throw SetupError("cannot open /dev/null", errno);
            }
            const std::string fd = std::to_string(ready.write_end.get());
            execlp("slirp4netns", "slirp4netns", "--configure", "--mtu=65520", "--ready-fd",
                   fd.c_str(), process.c_str(), kForwardInterface, nullptr);
            throw SetupError("cannot start slirp4netns", errno);
        });
        ready.wait_for_byte();
    }
    void run(int result_fd) override { readable(result_fd, -1); }

private:
    pid_t slirp_ = -1;
};

bool installed(const char* program) {
    return std::system((std::string("command -v ") + program + " >/dev/null").c_str()) == 0;
}

}  // namespace

std::unique_ptr<MiddleBox> make_middle_box(Middle middle) {
    switch (middle) {
        case Middle::Tapestry:
            return std::make_unique<OurRouter>();
        case Middle::CopyLoop:
            return std::make_unique<CopyLoop>();
        case Middle::Kernel:
            return installed("nft") ? std::make_unique<KernelRouter>() : nullptr;
        case Middle::Slirp:
            return installed("slirp4netns") ? std::make_unique<SlirpRouter>() : nullptr;
    }
    return nullptr;
}

}  // namespace tapestry

#include "drivers/sandbox.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <fstream>
#include <thread>

#include "drivers/host_check.h"
#include "drivers/netlink.h"
#include "tests/support/forked.h"

namespace tapestry {
namespace {

using Cable = SandboxOptions::Cable;

/// What a command prints, both streams together.
std::string output_of(const std::string& command) {
    FILE* pipe = popen((command + " 2>&1").c_str(), "r");
    if (pipe == nullptr) return "popen failed";
    std::string out;
    std::array<char, 4096> buffer;
    std::size_t got = 0;
    while ((got = fread(buffer.data(), 1, buffer.size(), pipe)) > 0) out.append(buffer.data(), got);
    pclose(pipe);
    return out;
}

std::string file(const std::string& path) {
    std::ifstream in(path);
    return {std::istreambuf_iterator<char>(in), {}};
}

ino_t network() {
    struct stat info {};
    stat("/proc/thread-self/ns/net", &info);
    return info.st_ino;
}

HostCheck check_named(const std::vector<HostCheck>& checks, const std::string& name) {
    const auto found = std::ranges::find(checks, name, &HostCheck::name);
    return found == checks.end() ? HostCheck{"missing", false, "", ""} : *found;
}

/// The state letter of a process in /proc; ' ' when there is none.
char state_of(pid_t pid) {
    const std::string line = file("/proc/" + std::to_string(pid) + "/stat");
    const std::size_t name_end = line.rfind(')');
    return name_end == std::string::npos ? ' ' : line.at(name_end + 2);
}

/// As root and as an ordinary user.
class SandboxAs : public ::testing::TestWithParam<bool> {
protected:
    static void as_user(const std::function<void()>& body) {
        if (!GetParam() && geteuid() != 0) GTEST_SKIP() << "not root";
        test::expect_passes_forked([&] {
            if (GetParam()) test::become_nobody();
            body();
        });
    }
};

TEST_P(SandboxAs, HasAPeerThatServes) {
    as_user([] {
        Sandbox sandbox;
        EXPECT_EQ(sandbox.device().capabilities().mtu, 1500U);
        EXPECT_GE(sandbox.device().fd(), 0);
        EXPECT_EQ(output_of("curl -s http://192.168.3.1/1M.bin | sha256sum").substr(0, 64),
                  "8ffdf7e6cfde155ab118e1f70435db9efd0e96745e674854895edd173fc591ca");
        EXPECT_NE(output_of("curl -s http://192.168.3.1/").find("<h1>"), std::string::npos);
        EXPECT_EQ(output_of("curl -s -o /dev/null -w '%{http_code}' http://192.168.3.1/none"),
                  "404");
    });
}

TEST_P(SandboxAs, SeesNothingOfTheMachine) {
    as_user([] {
        const Sandbox sandbox;
        std::string names;
        std::ifstream devices("/proc/thread-self/net/dev");
        for (std::string line; std::getline(devices, line);) {
            const std::size_t colon = line.find(':');
            if (colon == std::string::npos) continue;
            const std::string name = line.substr(line.find_first_not_of(' '));
            names += name.substr(0, name.find(':')) + " ";
        }
        EXPECT_TRUE(names == "lo tap0 " || names == "lo peer0 tapestry0 ") << names;
        EXPECT_EQ(file("/proc/sys/net/ipv6/conf/all/disable_ipv6").substr(0, 1), "1");
    });
}

TEST_P(SandboxAs, CanBeEnteredFromOutside) {
    as_user([] {
        // The sandbox lives in a process of its own, this one stays outside, as another terminal would.
        int words[2] = {-1, -1};
        ASSERT_EQ(pipe(words), 0);
        const pid_t child = fork();
        if (child == 0) {
            const Sandbox sandbox;
            const std::string command = sandbox.enter_command() + "\n";
            if (write(words[1], command.data(), command.size()) < 0) _exit(1);
            pause();
        }
        std::string command;
        char byte = 0;
        while (read(words[0], &byte, 1) == 1 && byte != '\n') command += byte;
        EXPECT_NE(output_of(command + " curl -s --max-time 5 http://192.168.3.1/").find("<h1>"),
                  std::string::npos)
            << command;
        kill(child, SIGKILL);
        waitpid(child, nullptr, 0);
    });
}

TEST_P(SandboxAs, PeerEndsWithTheSandboxAndWithTheProcess) {
    as_user([] {
        pid_t server = -1;
        {
            const Sandbox sandbox;
            server = sandbox.server_pid();
            ASSERT_GT(server, 0);
            EXPECT_NE(state_of(server), ' ');
        }
        EXPECT_EQ(state_of(server), ' ') << "reaped";
    });
    as_user([] {
        int words[2] = {-1, -1};
        ASSERT_EQ(pipe(words), 0);
        const pid_t child = fork();
        if (child == 0) {
            const Sandbox sandbox;
            const pid_t server = sandbox.server_pid();
            if (write(words[1], &server, sizeof server) < 0) _exit(1);
            pause();
        }
        pid_t server = -1;
        ASSERT_EQ(read(words[0], &server, sizeof server), static_cast<ssize_t>(sizeof server));
        kill(child, SIGKILL);
        waitpid(child, nullptr, 0);
        // Nobody's child now; it goes as soon as the kernel has told it.
        for (int i = 0; i < 500 && state_of(server) != ' ' && state_of(server) != 'Z'; ++i) {
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
        }
        const char state = state_of(server);
        EXPECT_TRUE(state == ' ' || state == 'Z') << state;
    });
}

TEST_P(SandboxAs, RunsProgramsAtThePeer) {
    as_user([] {
        const Sandbox sandbox;
        const pid_t child = sandbox.run_in_namespace(
            {"sh", "-c", "curl -s --max-time 5 -o /dev/null http://192.168.3.1/ && exit 42"});
        int status = 0;
        ASSERT_EQ(waitpid(child, &status, 0), child);
        EXPECT_EQ(WEXITSTATUS(status), 42);
        EXPECT_THROW(sandbox.run_in_namespace({"no-such-program-here"}), SetupError);
        EXPECT_THROW(sandbox.run_in_namespace({}), SetupError);
    });
}

INSTANTIATE_TEST_SUITE_P(Users, SandboxAs, ::testing::Values(false, true),
                         [](const auto& user) { return user.param ? "Nobody" : "Root"; });

TEST(Sandbox, ClosedTunIsReplacedAndSaysSo) {
    test::expect_passes_forked([] {
        test::become_nobody();
        const bool open = access("/dev/net/tun", R_OK | W_OK) == 0;
        Sandbox sandbox;
        EXPECT_EQ(sandbox.peer_interface(), open ? "tap0" : "peer0");
        EXPECT_EQ(sandbox.notice().empty(), open);
        if (!open) {
            EXPECT_EQ(
                sandbox.notice(),
                "cannot open /dev/net/tun: Permission denied: a veth pair and a packet socket "
                "take the TAP's place");
            EXPECT_EQ(sandbox.device().capabilities().max_super_frame, 65535U);
        }
    });
}

TEST(Sandbox, OpenTunServesAnOrdinaryUserToo) {
    if (geteuid() != 0) GTEST_SKIP() << "not root";
    test::expect_passes_forked([] {
        // A /dev/net of our own, in which the device is open to everybody.
        if (unshare(CLONE_NEWNS) != 0 ||
            mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
            mount("none", "/dev/net", "tmpfs", 0, nullptr) != 0 ||
            mknod("/dev/net/tun", S_IFCHR | 0666, makedev(10, 200)) != 0) {
            throw SetupError("no /dev/net of our own", errno);
        }
        chmod("/dev/net/tun", 0666);
        test::become_nobody();
        Sandbox sandbox;
        EXPECT_EQ(sandbox.notice(), "");
        EXPECT_EQ(sandbox.peer_interface(), "tap0");
        EXPECT_EQ(sandbox.device().capabilities().max_super_frame, 65535U);
        EXPECT_TRUE(check_named(check_host(), "tap offload").ok);
    });
}

TEST(Sandbox, MissingTunHasItsCommand) {
    if (geteuid() != 0) GTEST_SKIP() << "not root";
    test::expect_passes_forked([] {
        if (unshare(CLONE_NEWNS) != 0 ||
            mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
            mount("none", "/dev/net", "tmpfs", 0, nullptr) != 0) {
            throw SetupError("no /dev/net of our own", errno);
        }
        const auto checks = check_host();
        EXPECT_FALSE(check_named(checks, "tun device").ok);
        EXPECT_EQ(check_named(checks, "tun device").remedy, "sudo modprobe tun");
        EXPECT_EQ(check_named(checks, "sandbox").detail, "with a veth pair in the TAP's place");
        const Sandbox sandbox;
        EXPECT_EQ(sandbox.peer_interface(), "peer0");
        SandboxOptions options;
        options.cable = Cable::Tap;
        EXPECT_THROW(Sandbox{options}, SetupError) << "a TAP and nothing else was asked for";
    });
}

TEST(Sandbox, RootComesHome) {
    if (geteuid() != 0) GTEST_SKIP() << "not root";
    test::expect_passes_forked([] {
        const ino_t home = network();
        {
            const Sandbox sandbox;
            EXPECT_NE(network(), home);
        }
        EXPECT_EQ(network(), home);
        const Sandbox again;
        EXPECT_NE(network(), home);
    });
}

TEST(Sandbox, SaysWhichSettingForbidsIt) {
    test::expect_passes_forked([] {
        // A user namespace's root may lower the limits of those below it.
        test::become_nobody();
        const PrivateNamespace outer;
        std::ofstream("/proc/sys/user/max_net_namespaces") << "0";
        try {
            const Sandbox sandbox;
            ADD_FAILURE() << "made although forbidden";
        } catch (const SetupError& error) {
            EXPECT_STREQ(error.what(),
                         "cannot make a private network namespace: No space left on device; "
                         "\"sudo sysctl user.max_net_namespaces=10000\" allows them");
        }
    });
}

TEST(Sandbox, TwoThreadsAreTooManyForAnOrdinaryUser) {
    test::expect_passes_forked([] {
        test::become_nobody();
        std::atomic<bool> end = false;
        std::thread other([&] {
            while (!end) std::this_thread::yield();
        });
        std::string line;
        try {
            const PrivateNamespace home;
        } catch (const SetupError& error) {
            line = error.what();
        }
        end = true;
        other.join();
        EXPECT_NE(line.find("one thread only"), std::string::npos) << line;
    });
}

TEST(Netlink, RefusalsNameTheInterface) {
    test::expect_passes_forked([] {
        const PrivateNamespace home;
        Netlink netlink;
        EXPECT_THROW(netlink.set_up("nowhere0"), SetupError);
        EXPECT_THROW(netlink.create_veth("a/b", "c"), SetupError);
        netlink.create_veth("ve0", "ve1");
        try {
            netlink.create_veth("ve0", "ve2");
            ADD_FAILURE() << "made twice";
        } catch (const SetupError& error) {
            EXPECT_STREQ(error.what(), "cannot make the veth pair ve0, ve2: File exists");
        }
        netlink.add_address("ve0", {Ipv4Address(10, 1, 2, 3), 24});
        EXPECT_THROW(netlink.add_address("ve0", {Ipv4Address(10, 1, 2, 3), 24}), SetupError);
        EXPECT_THROW(netlink.add_default_route(Ipv4Address(10, 1, 2, 1)), SetupError)
            << "it is down";
        netlink.set_up("ve0");
        netlink.add_default_route(Ipv4Address(10, 1, 2, 1));
        EXPECT_THROW(netlink.set_mtu("ve0", 10), SetupError);
        netlink.set_mtu("ve0", 1280);
        netlink.delete_link("ve0");
        EXPECT_THROW(netlink.set_up("ve1"), SetupError) << "both ends go together";
    });
}

// ---- what doctor tells ------------------------------------------------------------------------

TEST(HostCheck, FindsWhatASandboxFinds) {
    test::expect_passes_forked([] {
        const ino_t home = network();
        const auto checks = check_host();
        EXPECT_EQ(network(), home) << "the caller stays where it is";
        const bool possible = test::run_forked([] { const Sandbox sandbox; }).passed;
        EXPECT_EQ(check_named(checks, "sandbox").ok, possible);
        for (const HostCheck& check : checks) {
            EXPECT_FALSE(check.detail.empty()) << check.name;
            EXPECT_TRUE(!check.ok || check.remedy.empty()) << check.name;
        }
    });
}

TEST(HostCheck, TunClosedToTheUserHasItsCommand) {
    test::expect_passes_forked([] {
        test::become_nobody();
        const auto checks = check_host();
        const HostCheck tun = check_named(checks, "tun device");
        EXPECT_EQ(tun.ok, access("/dev/net/tun", R_OK | W_OK) == 0);
        if (!tun.ok && access("/dev/net/tun", F_OK) == 0) {
            EXPECT_EQ(tun.remedy, "sudo chmod 666 /dev/net/tun");
            EXPECT_EQ(check_named(checks, "tap offload").remedy, tun.remedy);
        }
    });
}

TEST(HostCheck, ForbiddenNamespacesHaveTheirCommand) {
    test::expect_passes_forked([] {
        test::become_nobody();
        const PrivateNamespace outer;
        std::ofstream("/proc/sys/user/max_net_namespaces") << "0";
        const auto checks = check_host();
        for (const char* name : {"private network", "user namespaces", "sandbox"}) {
            EXPECT_FALSE(check_named(checks, name).ok) << name;
            EXPECT_EQ(check_named(checks, name).remedy, "sudo sysctl user.max_net_namespaces=10000")
                << name;
        }
    });
}

}  // namespace
}  // namespace tapestry

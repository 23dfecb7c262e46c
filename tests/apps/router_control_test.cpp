#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "apps/failure.h"
#include "apps/router/control_server.h"
#include "apps/router/flow_text.h"
#include "apps/router/iptables.h"
#include "stack/base/rng.h"
#include "tests/support/home_network.h"
#include "tests/support/temp_dir.h"

namespace tapestry {
namespace {

using test::HomeNetwork;
using test::TempDir;

FlowEvent some_event() {
    FlowEvent event;
    event.flow.id = 7;
    event.flow.original = {{{192, 168, 3, 10}, 40000}, {{198, 51, 100, 1}, 80}};
    event.flow.reply = {{{198, 51, 100, 1}, 80}, {{203, 0, 113, 5}, 40000}};
    event.flow.state = FlowState::SynSent;
    event.flow.remaining = 240s;
    return event;
}

TEST(FlowText, EventsAreWrittenAsConntrackDoes) {
    FlowEvent event = some_event();
    EXPECT_EQ(event_line(event),
              "    [NEW] tcp      6 240 SYN_SENT src=192.168.3.10 dst=198.51.100.1 sport=40000 "
              "dport=80 [UNREPLIED] src=198.51.100.1 dst=203.0.113.5 sport=80 dport=40000");
    event.kind = FlowEvent::Kind::Update;
    EXPECT_TRUE(event_line(event).starts_with(" [UPDATE] tcp      6 "));
    event.kind = FlowEvent::Kind::Destroy;
    EXPECT_TRUE(event_line(event).starts_with("[DESTROY] tcp      6 "));
    const auto json = nlohmann::json::parse(event_json(event));
    EXPECT_EQ(json["event"], "destroy");
    EXPECT_EQ(json["flow"]["original"]["source"], "192.168.3.10");
    EXPECT_EQ(json["flow"]["reply"]["destination_port"], 40000);
    EXPECT_EQ(json["flow"]["source_translated"], true);
}

/// All of an answer, and how many pieces it took.
std::string answer(std::string_view request, HomeNetwork& net) {
    const ControlAnswer answer = control_answer(request, net.router.stack(), net.world.now());
    std::string text = answer.first;
    while (answer.more) {
        const std::string piece = answer.more();
        if (piece.empty()) break;
        text += piece;
    }
    return text;
}

TEST(ControlAnswer, TellsWhatTheRouterKnows) {
    HomeNetwork net;
    net.masquerade();
    auto ping = net.laptop.stack().ping_socket();
    static_cast<void>(ping.send(HomeNetwork::kServer, 1, {}));
    net.world.run_for(1s);
    EXPECT_TRUE(answer("flows", net).starts_with("ok\nicmp     1 ")) << answer("flows", net);
    const auto flows = nlohmann::json::parse(answer("flows json", net).substr(3));
    ASSERT_EQ(flows["flows"].size(), 1U);
    EXPECT_EQ(flows["flows"][0]["original"]["type"], 8);
    EXPECT_NE(answer("mappings", net).find(" -> 203.0.113.5:"), std::string::npos);
    EXPECT_EQ(nlohmann::json::parse(answer("mappings json", net).substr(3))["mappings"].size(), 1U);
    EXPECT_NE(answer("rules", net).find("Chain FORWARD"), std::string::npos);
    EXPECT_EQ(answer("rules nat", net).find("Chain FORWARD"), std::string::npos);
    EXPECT_EQ(answer("rules filter", net).find("MASQUERADE"), std::string::npos);
    EXPECT_NE(answer("save", net).find("[1:28] -A POSTROUTING -o wan -j MASQUERADE"),
              std::string::npos)
        << answer("save", net);
    EXPECT_NE(answer("counters", net).find(" packets sent on, 1 flows"), std::string::npos);
    EXPECT_EQ(nlohmann::json::parse(answer("counters json", net).substr(3))["flows"], 1);
    for (const char* bad : {"", "what", "flows yaml", "save json", "rules json"}) {
        EXPECT_TRUE(answer(bad, net).starts_with("error: ")) << bad;
    }
}

TEST(ControlAnswer, AnEmptyListIsADocumentToo) {
    HomeNetwork net;
    EXPECT_EQ(answer("flows", net), "ok\n");
    EXPECT_EQ(nlohmann::json::parse(answer("flows json", net).substr(3))["flows"].size(), 0U);
}

/// A router without interfaces, and those who ask it.
class Control : public ::testing::Test {
protected:
    TempDir folder;
    std::string path = folder.file("control");
    SeededRng rng{1};
    Stack stack{StackConfig{}, rng};
    Loop loop{stack};
    ControlServer server{loop, path};

    void turns(int count = 20) {
        for (int i = 0; i < count; ++i) loop.run_once(1ms);
    }
    UniqueFd client(std::string_view request) {
        auto connected = connect_control(path);
        EXPECT_TRUE(connected);
        if (!connected) return {};
        UniqueFd fd = std::move(*connected);
        EXPECT_EQ(::send(fd.get(), request.data(), request.size(), MSG_NOSIGNAL),
                  static_cast<ssize_t>(request.size()));
        turns();
        return fd;
    }
    /// What has come, and whether the router has closed.
    static std::pair<std::string, bool> read(const UniqueFd& fd) {
        std::string text;
        char buffer[4096];
        while (true) {
            const ssize_t size = recv(fd.get(), buffer, sizeof buffer, MSG_DONTWAIT);
            if (size <= 0) return {text, size == 0 || errno == ECONNRESET};
            text.append(buffer, static_cast<std::size_t>(size));
        }
    }
};

TEST_F(Control, AnswersAndCloses) {
    struct stat status {};
    ASSERT_EQ(stat(path.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0600U);
    const auto [text, closed] = read(client("rules\n"));
    EXPECT_TRUE(text.starts_with("ok\nChain PREROUTING (policy ACCEPT 0 packets, 0 bytes)\n"));
    EXPECT_TRUE(closed);
    EXPECT_EQ(server.clients(), 0U);
    EXPECT_TRUE(read(client("nonsense\n")).first.starts_with("error: "));
}

TEST_F(Control, ARequestMayComeInPiecesButNotWithoutEnd) {
    const UniqueFd slow = client("fl");
    EXPECT_EQ(read(slow), std::pair(std::string(), false));
    EXPECT_EQ(::send(slow.get(), "ows\n", 4, MSG_NOSIGNAL), 4);
    turns();
    EXPECT_EQ(read(slow), std::pair(std::string("ok\n"), true));
    EXPECT_TRUE(read(client(std::string(1000, 'x'))).second);
    EXPECT_EQ(server.clients(), 0U);
}

TEST_F(Control, EventsGoToThoseWhoAskedUntilTheyGoAway) {
    UniqueFd follower = client("events\n");
    const UniqueFd other = client("");
    EXPECT_TRUE(server.followed());
    server.on_flow(some_event());
    turns();
    EXPECT_EQ(read(follower).first, "ok\n" + event_line(some_event()) + '\n');
    EXPECT_EQ(read(other).first, "");
    follower.reset();
    turns();
    EXPECT_FALSE(server.followed());
    EXPECT_EQ(server.clients(), 1U);
}

TEST_F(Control, AFollowerThatDoesNotReadIsDropped) {
    const UniqueFd follower = client("events json\n");
    for (int i = 0; i < 20000 && server.followed(); ++i) {
        server.on_flow(some_event());
        if (i % 100 == 0) turns(1);
    }
    EXPECT_FALSE(server.followed());
}

TEST_F(Control, TheOneThatWasSilentTheLongestMakesRoom) {
    std::vector<UniqueFd> idle;
    idle.reserve(ControlServer::kMaxClients);
    for (std::size_t i = 0; i < ControlServer::kMaxClients; ++i) idle.push_back(client(""));
    EXPECT_EQ(server.clients(), ControlServer::kMaxClients);
    const UniqueFd one_more = client("events\n");
    EXPECT_EQ(server.clients(), ControlServer::kMaxClients);
    EXPECT_TRUE(server.followed());
    EXPECT_TRUE(read(idle.front()).second);
    EXPECT_FALSE(read(idle.back()).second);
}

TEST_F(Control, ASocketInUseIsRefusedAStaleOneIsReplaced) {
    try {
        const ControlServer second(loop, path);
        FAIL();
    } catch (const Failure& failure) {
        EXPECT_EQ(failure.status(), kUsage);
        EXPECT_NE(std::string(failure.what()).find("another router listens there already"),
                  std::string::npos);
    }
    EXPECT_TRUE(read(client("flows\n")).first.starts_with("ok\n")) << "the first one is whole";

    const std::string file = folder.file("file");
    std::ofstream(file) << "precious";
    EXPECT_THROW(ControlServer(loop, file), Failure);
    EXPECT_THROW(ControlServer(loop, folder.file("none/control")), Failure);

    const std::string stale = folder.file("stale");
    {
        const UniqueFd left(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        stale.copy(address.sun_path, sizeof address.sun_path - 1);
        ASSERT_EQ(bind(left.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    }
    const ControlServer replacing(loop, stale);
    EXPECT_TRUE(connect_control(stale));
}

TEST(ControlEnd, TheSocketGoesWithTheRouter) {
    const TempDir folder;
    SeededRng rng(1);
    Stack stack({}, rng);
    Loop loop(stack);
    { const ControlServer server(loop, folder.file("control")); }
    EXPECT_NE(access(folder.file("control").c_str(), F_OK), 0);
}

}  // namespace
}  // namespace tapestry

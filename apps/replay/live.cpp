#include "apps/replay/live.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdio>

#include "apps/attachment.h"
#include "apps/child_process.h"
#include "apps/device_chain.h"
#include "apps/failure.h"
#include "apps/http/client.h"
#include "apps/inspect/show.h"
#include "apps/inspect/timeline_live.h"
#include "apps/inspect/trace_tee.h"
#include "apps/options.h"
#include "apps/replay/live_report.h"
#include "drivers/setup_error.h"

namespace tapestry {
namespace {

/// What the peer may say more than was recorded, bytes.
constexpr u64 kMostExtra = 64U << 20;
/// Without --max-time: so much longer than the recording it may take.
constexpr Duration kPatience = 60s;

[[noreturn]] void no_connection(HttpFailure code, const std::string& what) {
    const int status = static_cast<int>(code);
    throw Failure(status, "replay: (" + std::to_string(status) + ") " + what);
}

Duration seconds(double value) { return Duration(static_cast<i64>(value * 1e9)); }

Endpoint parse_peer(const std::string& text) {
    const std::size_t colon = text.rfind(':');
    const std::string host = text.substr(0, colon == std::string::npos ? 0 : colon);
    Endpoint peer;
    const char* const end = text.data() + text.size();
    const char* const port = colon == std::string::npos ? end : text.data() + colon + 1;
    const auto read = std::from_chars(port, end, peer.port);
    if (host.empty() || read.ec != std::errc() || read.ptr != end || peer.port == 0) {
        throw Failure(kUsage, "replay: --to: \"" + text + "\" is not HOST:PORT");
    }
    const auto address = Ipv4Address::parse(host);
    if (!address) {
        no_connection(HttpFailure::Resolve,
                      "could not resolve host: " + host +
                          " (there is no resolver here; use an IPv4 address)");
    }
    peer.address = *address;
    return peer;
}

class Live {
public:
    Live(const LiveReplay& options, const TimelineFiles& files)
        : options_(options), files_(files) {}

    int run() {
        check_options();
        dialogue_ = read_dialogue(options_.file, options_.stream);
        check_holes();
        if (!dialogue_.handshake) {
            std::fprintf(
                stderr,
                "tapestry: stream %zu: the capture has no handshake; played from the first "
                "byte that it has\n",
                dialogue_.stream);
        }
        const LiveResult result{options_.file, dialogue_, manner_.ours, play_and_keep()};
        show_.reset();
        const std::string text = options_.json
                                     ? live_json(result) + '\n'
                                     : live_report(result, Paint::for_descriptor(STDOUT_FILENO));
        std::fputs(text.c_str(), stdout);
        return result.count(LiveVerdict::Diverged) > 0 ? kNo : kDone;
    }

private:
    /// What is left behind tells of a failure, too.
    std::vector<LiveTurn> play_and_keep() {
        listen();
        net_ = attach(options_.net, listeners_.empty() ? nullptr : &listeners_);
        if (options_.max_time > 0) deadline_ = net_->now() + seconds(options_.max_time);
        const auto keep = [this] {
            net_.reset();
            if (timeline_) files_.write(timeline_->finish());
        };
        try {
            std::vector<LiveTurn> turns = play();
            keep();
            return turns;
        } catch (const Failure&) {
            keep();
            throw;
        }
    }

    /// Everybody who hears of what the stack does.
    void listen() {
        show_ = make_show(options_.net.show, STDERR_FILENO);
        listeners_.add(show_.get());
        if (!files_.wanted()) return;
        timeline_ = std::make_unique<TimelineLive>(
            Timeline::Source::Live, options_.file.substr(options_.file.rfind('/') + 1),
            interface_config(options_.net).address.to_string(),
            options_.listen != 0 ? "" : peer_.address.to_string());
        listeners_.add(&timeline_->ear());
    }

    void check_options() {
        if (options_.to.empty() == (options_.listen == 0)) {
            throw Failure(kUsage, "replay: --live wants --to HOST:PORT or --listen PORT");
        }
        const bool listens = options_.listen != 0;
        if (!listens) peer_ = parse_peer(options_.to);
        if (!listens && !options_.run.empty()) {
            throw Failure(kUsage, "replay: --run is for --listen");
        }
        if (listens && options_.net.kind == NetOptions::Kind::Memory) {
            throw Failure(kUsage,
                          "replay: --listen needs a real network: nobody calls in --net memory");
        }
        manner_.ours = listens ? Side::Server : Side::Client;
        manner_.allowed = LiveRules::chosen(options_.strict, options_.ignore);
        manner_.recorded_speed = options_.speed == "recorded";
        manner_.quiet_time = seconds(options_.quiet_time);
    }

    void check_holes() {
        const TurnPiece* hole = dialogue_.first_hole(manner_.ours);
        if (hole == nullptr) return;
        throw Failure(kUsage, "replay: " + options_.file + ": stream " +
                                  std::to_string(dialogue_.stream) + ": bytes " +
                                  std::to_string(hole->begin) + " to " +
                                  std::to_string(hole->end - 1) + " of the " +
                                  (manner_.ours == Side::Client ? "client" : "server") +
                                  " are not in the capture (frame " + std::to_string(hole->frame) +
                                  "), so they cannot be played");
    }

    std::vector<LiveTurn> play() {
        std::unique_ptr<ChildProcess> child;
        TcpSocket socket = options_.listen != 0 ? accept(child) : connect();
        const Duration whole = dialogue_.turns.back().last - dialogue_.opened + kPatience;
        const TimePoint deadline = deadline_ == kNever ? net_->now() + whole : deadline_;
        LiveConnection connection(*net_, std::move(socket),
                                  dialogue_.of(other(manner_.ours)).size() + kMostExtra, deadline);
        std::vector<LiveTurn> turns = LivePlayer(dialogue_, manner_, connection).play();
        connection.finish();
        // It may have to say something yet.
        if (child) net_->run_until([&] { return child->status().has_value(); }, net_->now() + 1s);
        return turns;
    }

    [[noreturn]] void give_up(const std::string& what) {
        if (const std::string why = net_->interruption(); !why.empty()) {
            throw Failure(kNo, "replay: " + why);
        }
        no_connection(HttpFailure::TimedOut, what);
    }

    TcpSocket connect() {
        const std::string what =
            "connection to " + peer_.address.to_string() + " port " + std::to_string(peer_.port);
        TcpSocket socket = net_->stack().tcp_socket();
        const auto refuse = [&](Errno error) {
            no_connection(error == Errno::TimedOut ? HttpFailure::TimedOut : HttpFailure::Connect,
                          what + ": " + std::string(text(error)));
        };
        if (const auto opened = socket.connect(peer_); !opened) refuse(opened.error());
        const auto settled = [&] {
            return socket.state() != TcpState::SynSent && socket.state() != TcpState::SynReceived;
        };
        if (!net_->run_until(settled, deadline_)) give_up(what + ": timed out");
        if (socket.state() == TcpState::Closed) refuse(socket.take_error());
        return socket;
    }

    TcpSocket accept(std::unique_ptr<ChildProcess>& child) {
        Listener listener = net_->stack().tcp_listener();
        if (const auto done = listener.listen({Ipv4Address(), options_.listen}, 1); !done) {
            throw Failure(kUsage, "replay: port " + std::to_string(options_.listen) + ": " +
                                      std::string(text(done.error())));
        }
        say_where();
        // stdout has our result and nothing else.
        if (!options_.run.empty()) {
            child = std::make_unique<ChildProcess>(*net_, "exec 1>&2\n" + options_.run);
        }
        const auto called = [&] { return listener.acceptable() || (child && child->status()); };
        if (!net_->run_until(called, deadline_)) give_up("nobody has called");
        auto socket = listener.accept();
        if (!socket) {
            no_connection(HttpFailure::Connect,
                          "nobody has called; the command ended with status " +
                              std::to_string(*child->status()));
        }
        return std::move(*socket);
    }

    void say_where() {
        const std::string address = net_->address().address.to_string();
        std::fprintf(stderr, "tapestry: playing the server on %s port %u\n", address.c_str(),
                     options_.listen);
        if (net_->sandbox() == nullptr || !options_.run.empty()) return;
        std::fprintf(stderr, "tapestry: from another terminal: %s curl http://%s:%u/\n",
                     net_->sandbox()->enter_command().c_str(), address.c_str(), options_.listen);
    }

    const LiveReplay& options_;
    const TimelineFiles& files_;
    Dialogue dialogue_;
    LiveManner manner_;
    Endpoint peer_;
    TimePoint deadline_ = kNever;  ///< of everything, if there is one
    std::unique_ptr<TraceSink> show_;
    std::unique_ptr<TimelineLive> timeline_;
    TraceTee listeners_;
    std::unique_ptr<Attachment> net_;
};

}  // namespace

void add_live_options(CommandLine& command, LiveReplay& options) {
    constexpr auto kGroup = "Against a live peer";
    command.flag("--live", options.live, "play one side to a live peer").group(kGroup);
    command.option("--to", options.to, "be the recorded client, to this server")
        .value("HOST:PORT")
        .group(kGroup);
    command.option("--listen", options.listen, "be the recorded server, to whoever calls")
        .value("PORT")
        .between(1, 65535)
        .group(kGroup);
    command
        .option("--run", options.run,
                "--listen: run a shell command at the other end, which is to call")
        .value("COMMAND")
        .group(kGroup);
    command.option("--speed", options.speed, "asap [default], or recorded: think as long as then")
        .value("WHEN")
        .one_of({"asap", "recorded"})
        .group(kGroup);
    command
        .option("--quiet-time", options.quiet_time,
                "an answer has ended so many seconds after its last byte [1]")
        .value("S")
        .between(0.001, 1e6)
        .group(kGroup);
    command
        .option("-m,--max-time", options.max_time,
                "give it so many seconds [60, and those of the recording]")
        .value("S")
        .between(0.001, 1e6)
        .group(kGroup);
    add_net_options(command, options.net);
}

int replay_live(const LiveReplay& options, const TimelineFiles& files) {
    try {
        return Live(options, files).run();
    } catch (const SetupError& error) {
        throw Failure(kUsage, error.what());
    }
}

}  // namespace tapestry

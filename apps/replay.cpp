#include <unistd.h>

#include <cstdio>

#include "apps/commands.h"
#include "apps/failure.h"
#include "apps/inspect/terminal/step_view.h"
#include "apps/inspect/timeline_live.h"
#include "apps/replay/live.h"
#include "apps/replay/live_rules.h"
#include "apps/replay/replay_report.h"
#include "apps/timeline_files.h"

namespace tapestry {
namespace {

struct ReplayOptions {
    LiveReplay live;  ///< what both ways of replaying have is in it
    std::string host;
    std::string out;
    std::string side = "client";
    bool summary_only = false;
    bool list_rules = false;
    bool step = false;
    std::string language;
    PlayOptions play;
    TimelineFiles files;
};

int print_rules() {
    for (std::size_t i = 0; i < static_cast<std::size_t>(Leeway::kCount); ++i) {
        const auto rule = static_cast<Leeway>(i);
        std::printf("%-16s %s (%s)\n", std::string(name(rule)).c_str(),
                    std::string(text(rule)).c_str(), std::string(rfc(rule)).c_str());
    }
    std::puts("with --live:");
    for (std::size_t i = 0; i < static_cast<std::size_t>(LiveRule::kCount); ++i) {
        const auto rule = static_cast<LiveRule>(i);
        std::printf("%-16s %s\n", std::string(name(rule)).c_str(), std::string(text(rule)).c_str());
    }
    return kDone;
}

LeewaySet allowed_rules(const ReplayOptions& options) {
    LeewaySet allowed = options.live.strict ? LeewaySet() : LeewaySet::all();
    for (const std::string& word : options.live.ignore) {
        const auto rule = leeway(word);
        if (!rule) {
            throw Failure(kUsage, "replay: there is no rule '" + word + "'; --rules lists them");
        }
        allowed.add(*rule);
    }
    return allowed;
}

Ipv4Address host_of(const ReplayOptions& options) {
    if (options.host.empty()) {
        throw Failure(kUsage,
                      "replay: whom shall the stack play? Give --as with one of the capture's IP "
                      "addresses, or --live");
    }
    const auto host = Ipv4Address::parse(options.host);
    if (!host) throw Failure(kUsage, "replay: --as: '" + options.host + "' is no IPv4 address");
    return *host;
}

bool has_stream(const Stage& stage, std::size_t stream) {
    return std::any_of(stage.scripts().begin(), stage.scripts().end(),
                       [&](const TcpScript& script) { return script.stream == stream; });
}

void keep_and_walk(const ReplayOptions& options, TimelineLive& live) {
    if (!options.files.wanted() && !options.step) return;
    Timeline timeline = live.finish();
    options.files.write(timeline);
    if (!options.step || options.live.json) return;
    step_through(std::move(timeline), {.run = nullptr, .refusal = Phrase::ReplayIsFixed},
                 language_of(options.language));
}

int run_recorded(const ReplayOptions& options) {
    const std::string& file = options.live.file;
    const std::optional<std::size_t> stream = options.live.stream;
    const LeewaySet allowed = allowed_rules(options);
    const Side side = options.side == "server" ? Side::Server : Side::Client;
    const Recording recording(file, host_of(options), side);
    PlayOptions play = options.play;
    play.keep_passed = !options.out.empty();
    TimelineLive timeline(Timeline::Source::Replay, file.substr(file.rfind('/') + 1),
                          recording.host().to_string(), "");
    if (options.files.wanted() || options.step) play.also = &timeline.ear();
    Stage stage(recording, play);
    if (stream && !has_stream(stage, *stream)) {
        throw Failure(kUsage, "replay: " + options.host + " has no part in a stream " +
                                  std::to_string(*stream) + " of " + file);
    }
    stage.run();
    const ReplayResult result = compare_all(recording, stage, allowed, stream);
    if (options.live.json) {
        std::puts(replay_json(result).c_str());
    } else if (!options.step) {
        print_replay(result, !options.summary_only, Paint::for_descriptor(STDOUT_FILENO),
                     [](const std::string& line) { std::puts(line.c_str()); });
    }
    if (!options.out.empty()) write_replay(result, stage, options.out);
    keep_and_walk(options, timeline);
    if (!recording.broken().empty()) throw Failure(kUsage, "replay: " + recording.broken());
    return result.diverged() ? kNo : kDone;
}

int run_replay(const ReplayOptions& options) {
    if (options.list_rules) return print_rules();
    if (options.live.file.empty()) throw Failure(kUsage, "replay: which capture? Give FILE");
    if (options.live.live && !options.host.empty()) {
        throw Failure(kUsage, "replay: --as plays in memory, --live to a peer: only one of them");
    }
    options.files.check(options.live.file);
    if (!options.live.live && (!options.live.to.empty() || options.live.listen != 0)) {
        throw Failure(kUsage, "replay: --to and --listen need --live");
    }
    if (options.live.live && options.step) throw Failure(kUsage, "replay: --step needs --as");
    return options.live.live ? replay_live(options.live, options.files) : run_recorded(options);
}

}  // namespace

void add_replay(CommandLine& program, Action& chosen) {
    auto options = std::make_shared<ReplayOptions>();
    CommandLine command =
        program.add("replay", "play a host of a capture with our TCP and compare what it sends");
    command.examples(
        "  tapestry replay FILE.pcap --as 192.168.3.10   frame by frame, in virtual time\n"
        "  tapestry replay FILE.pcap --as 192.168.3.1 --strict --ignore window\n"
        "  tapestry replay FILE.pcap --as 192.168.3.1 --out ours.pcapng\n"
        "  tapestry replay captures/http-get.client.pcap --live --to 192.168.3.1:80\n"
        "                             the recorded requests, to a server of today\n"
        "  tapestry replay captures/http-get.client.pcap --live --listen 80 \\\n"
        "      --run 'curl http://192.168.3.10/'   the recorded answers, to curl\n"
        "\n"
        "Exit status: 0 nothing has diverged, 1 something has, 2 wrong usage or a file that\n"
        "cannot be played; --live without a connection: 6, 7 and 28 as `get` has them.");
    command.option("FILE", options->live.file, "pcap or pcapng");
    command.option("--as", options->host, "the host that the stack plays").value("IP");
    command
        .option("--side", options->side,
                "--as 127.0.0.1, which talks to itself: client [default] or server")
        .value("SIDE")
        .one_of({"client", "server"});
    command
        .option("--stream", options->live.stream, "this conversation alone (tshark's tcp.stream)")
        .value("N")
        .between(0, 1 << 30);
    command.flag("--strict", options->live.strict, "nothing may differ but what --ignore names");
    command
        .option("--ignore", options->live.ignore,
                "a rule whose differences are allowed; may be repeated")
        .value("RULE")
        .repeated();
    command.flag("--rules", options->list_rules, "list the rules, and where they come from");
    command.option("--out", options->out, "--as: write what we said, differences as comments")
        .value("FILE");
    command.flag("--summary", options->summary_only, "--as: only the frames that diverge");
    command.flag("--write-ahead", options->play.write_ahead,
                 "--as: the program writes all at once, our TCP decides when it leaves");
    command.flag("--step", options->step,
                 "--as: our stack's steps one at a time, full screen: docs/step.md");
    add_language_option(command, options->language);
    command.flag("--json", options->live.json, "one JSON document");
    add_timeline_options(command, options->files);
    add_live_options(command, options->live);
    command.when_chosen(
        [options, &chosen] { chosen = [options] { return run_replay(*options); }; });
}

}  // namespace tapestry

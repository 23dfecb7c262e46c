#include "apps/replay/replay_report.h"

#include <unistd.h>

#include <cstdio>

#include "apps/commands.h"
#include "apps/failure.h"

namespace tapestry {
namespace {

struct ReplayOptions {
    std::string file;
    std::string host;
    std::optional<std::size_t> stream;
    std::vector<std::string> ignore;
    std::string out;
    bool strict = false;
    bool json = false;
    bool summary_only = false;
    bool list_rules = false;
    PlayOptions play;
};

int print_rules() {
    for (std::size_t i = 0; i < static_cast<std::size_t>(Leeway::kCount); ++i) {
        const auto rule = static_cast<Leeway>(i);
        std::printf("%-16s %s (%s)\n", std::string(name(rule)).c_str(),
                    std::string(text(rule)).c_str(), std::string(rfc(rule)).c_str());
    }
    return kDone;
}

LeewaySet allowed_rules(const ReplayOptions& options) {
    LeewaySet allowed = options.strict ? LeewaySet() : LeewaySet::all();
    for (const std::string& word : options.ignore) {
        const auto rule = leeway(word);
        if (!rule) {
            throw Failure(kUsage, "replay: there is no rule '" + word + "'; --rules lists them");
        }
        allowed.add(*rule);
    }
    return allowed;
}

int run_replay(const ReplayOptions& options) {
    if (options.list_rules) return print_rules();
    if (options.file.empty()) throw Failure(kUsage, "replay: which capture? Give FILE");
    if (options.host.empty()) {
        throw Failure(kUsage,
                      "replay: whom shall the stack play? Give --as with one of the capture's "
                      "IP addresses");
    }
    const auto host = Ipv4Address::parse(options.host);
    if (!host) throw Failure(kUsage, "replay: --as: '" + options.host + "' is no IPv4 address");
    const LeewaySet allowed = allowed_rules(options);
    const Recording recording(options.file, *host);
    Stage stage(recording, options.play);
    if (options.stream &&
        std::none_of(stage.scripts().begin(), stage.scripts().end(),
                     [&](const TcpScript& s) { return s.stream == *options.stream; })) {
        throw Failure(kUsage, "replay: " + options.host + " has no part in a stream " +
                                  std::to_string(*options.stream));
    }
    stage.run();
    const ReplayResult result = compare_all(recording, stage, allowed, options.stream);
    if (options.json) {
        std::puts(replay_json(result).c_str());
    } else {
        print_replay(result, !options.summary_only, Paint::for_descriptor(STDOUT_FILENO),
                     [](const std::string& line) { std::puts(line.c_str()); });
    }
    if (!options.out.empty()) write_replay(result, options.out);
    if (!recording.broken().empty()) throw Failure(kUsage, "replay: " + recording.broken());
    return result.diverged() ? kNo : kDone;
}

}  // namespace

void add_replay(CLI::App& program, Action& chosen) {
    auto options = std::make_shared<ReplayOptions>();
    CLI::App& command = *program.add_subcommand(
        "replay", "play a host of a capture with our TCP and compare what it sends");
    add_examples(
        command,
        "  tapestry replay FILE.pcap --as 192.168.3.10   frame by frame; exit 1: diverged\n"
        "  tapestry replay FILE.pcap --as 192.168.3.1 --strict --ignore window\n"
        "  tapestry replay FILE.pcap --as 192.168.3.1 --out ours.pcapng");
    command.add_option("FILE", options->file, "pcap or pcapng");
    command.add_option("--as", options->host, "the host that the stack plays")->type_name("IP");
    command.add_option("--stream", options->stream, "compare only this conversation (tcp.stream)")
        ->type_name("N")
        ->check(between<std::size_t>(0, 1U << 30));
    command.add_flag("--strict", options->strict, "nothing may differ but what --ignore names");
    command
        .add_option("--ignore", options->ignore,
                    "a rule by which frames may differ; again for more")
        ->type_name("RULE")
        ->allow_extra_args(false);
    command.add_flag("--rules", options->list_rules, "list the rules and their RFCs");
    command.add_option("--out", options->out, "write what we said, differences as comments")
        ->type_name("FILE");
    command.add_flag("--summary", options->summary_only, "no frames but those that diverge");
    command.add_flag("--write-ahead", options->play.write_ahead,
                     "the program writes all at once: windows and congestion control are ours");
    command.add_flag("--json", options->json, "one JSON document");
    add_log_option(command);
    command.callback([options, &chosen] { chosen = [options] { return run_replay(*options); }; });
}

}  // namespace tapestry

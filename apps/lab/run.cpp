#include "apps/lab/run.h"

#include <cstdio>

#include "apps/failure.h"
#include "apps/inspect/annotate.h"
#include "apps/inspect/story.h"
#include "apps/lab/echo_programs.h"
#include "apps/lab/flood.h"
#include "apps/lab/stream_programs.h"
#include "apps/lab/web_programs.h"
#include "apps/router/iptables.h"

/// How it works. The lines of the timeline are carried out one after the other: each starts a program
/// on its machine, or does something to the network, and the world then goes on until that is done.
/// Between two lines half a second passes, so that what the first has begun (a FIN, an ACK) is over.

namespace tapestry {
namespace {

constexpr Duration kBetween = 500ms;
/// No line takes longer; a lab cannot hang.
constexpr Duration kLongest = 2h;

class LabRun {
public:
    LabRun(const Scenario& scenario, Timeline& timeline, const LabOptions& options)
        : scenario_(scenario),
          seeds_(options.seed + 2),
          network_(scenario, timeline, options.seed),
          programs_(scenario.machines.size()),
          streams_(scenario.machines.size()) {
        network_.drop(options.drop);
        for (std::size_t m = 0; m < scenario.machines.size(); ++m) {
            network_.host(m).add_program([this, m] {
                for (const auto& program : programs_[m]) program->poll();
            });
        }
    }

    void run() {
        for (const ScenarioLine& line : scenario_.timeline) {
            line_ = &line;
            carry_out(line.command);
            if (leads_to_traffic(line.command)) network_.world().run_for(kBetween);
        }
        network_.world().run_for(kBetween);
        // The story is over. What the machines do while they are taken down is no part of it.
        for (std::size_t m = 0; m < programs_.size(); ++m) {
            network_.host(m).stack().set_trace(nullptr);
        }
        network_.recorder().finish();
    }

private:
    static bool leads_to_traffic(const Command& command) {
        switch (command.verb) {
            case Verb::Serve:
            case Verb::Echo:
            case Verb::Listen:
            case Verb::Iptables:
            case Verb::Table:
            case Verb::Cut:
            case Verb::Restore:
            case Verb::Lose:
            case Verb::Wait:
            case Verb::Say:
                return false;
            default:
                return !command.background;
        }
    }

    Seat seat(const Command& command) { return {network_, command.machine}; }

    template <typename P, typename... Args>
    P& start(const Command& command, Args&&... args) {
        auto program = std::make_unique<P>(seat(command), std::forward<Args>(args)...);
        P& started = *program;
        programs_[command.machine].push_back(std::move(program));
        return started;
    }

    void carry_out(const Command& command) {
        Program* program = start_program(command);
        if (program == nullptr) {
            act(command);
            return;
        }
        if (command.within) {
            network_.world().at(network_.world().now() + *command.within,
                                [program, time = *command.within] { program->give_up(time); });
        }
        if (command.background) return;
        network_.world().run_until([program] { return program->done(); },
                                   network_.world().now() + kLongest);
    }

    /// Null: the line is for the network, or is done at once.
    Program* start_program(const Command& command) {
        switch (command.verb) {
            case Verb::Serve:
                return &start<WebServer>(command, command.port);
            case Verb::Echo:
                return &start<EchoProgram>(command, command.port);
            case Verb::Listen:
                return &start<ListenProgram>(command, command);
            case Verb::Get:
                return &start<WebClient>(command, command);
            case Verb::Ping:
                return &start<PingProgram>(command, command);
            case Verb::Traceroute:
                return &start<TracerouteProgram>(command, command);
            case Verb::Flood:
                return &start<FloodProgram>(command, command, seeds_.next());
            case Verb::Connect: {
                Stream& stream = start<Stream>(command, command);
                streams_[command.machine] = &stream;
                return &stream;
            }
            case Verb::Send: {
                Stream& current = stream(command);
                current.send(command);
                return &current;
            }
            default:
                return nullptr;
        }
    }

    void act(const Command& command) {
        TimelineRecorder& recorder = network_.recorder();
        World& world = network_.world();
        switch (command.verb) {
            case Verb::Close:
                stream(command).close();
                break;
            case Verb::Pause:
            case Verb::Resume:
                listener(command).set_paused(command.verb == Verb::Pause);
                break;
            case Verb::Iptables:
                recorder.say(Timeline::Step::Kind::Network, static_cast<u32>(command.machine),
                             "iptables " + command.text);
                iptables(command);
                break;
            case Verb::Table:
                table(command);
                break;
            case Verb::Cut:
            case Verb::Restore:
                plug(command);
                break;
            case Verb::Lose: {
                const auto [link, end] = network_.link_of(command.machine, command.interface);
                network_.link(link).lose(end, command.kind, command.skip, command.count);
                break;
            }
            case Verb::Say:
                recorder.say(Timeline::Step::Kind::Note, 0, command.text, line_->chinese);
                break;
            case Verb::Wait:
                recorder.say(Timeline::Step::Kind::Network, 0,
                             "... wait " + duration_text(command.time) + " ...",
                             "…… 等待 " + duration_text(command.time) + " ……");
                world.run_for(command.time);
                break;
            default:
                break;
        }
    }

    void iptables(const Command& command) {
        Stack& stack = network_.host(command.machine).stack();
        const auto done = apply_iptables(command.text, stack.forwarder());
        if (done) return;
        throw Failure(kUsage, line_->source.place(command.text_column + done.error().column) +
                                  ": " + done.error().message);
    }

    /// The rows of a router's table, as they are now.
    void table(const Command& command) {
        const Seat at = seat(command);
        at.call("table");
        const auto rows = at.stack().forwarder().flows().snapshots(at.now());
        for (const FlowSnapshot& flow : rows) {
            const std::string state(name(flow.state));
            at.result(flow_row(flow) + (flow.state == FlowState::None ? "" : "  " + state));
        }
        if (rows.empty()) at.result("nothing in the table", "表是空的");
    }

    void plug(const Command& command) {
        const ScenarioLink& link = scenario_.links[command.link];
        const bool cut = command.verb == Verb::Cut;
        network_.link(command.link).set_plugged(!cut);
        network_.recorder().say(Timeline::Step::Kind::Network,
                                static_cast<u32>(link.ends.front().machine),
                                "link " + link.name + (cut ? " is cut" : " is whole again"),
                                "链路 " + link.name + (cut ? " 被切断" : " 恢复了"));
    }

    /// The connection that send and close on this machine are about.
    Stream& stream(const Command& command) {
        Stream* current = streams_[command.machine];
        for (const auto& program : programs_[command.machine]) {
            auto* listening = dynamic_cast<ListenProgram*>(program.get());
            if (current == nullptr && listening != nullptr) current = listening->latest();
        }
        if (current == nullptr) fail("there is no connection on this machine yet");
        return *current;
    }

    ListenProgram& listener(const Command& command) {
        for (const auto& program : programs_[command.machine]) {
            auto* listening = dynamic_cast<ListenProgram*>(program.get());
            if (listening != nullptr && listening->port() == command.port) return *listening;
        }
        fail("nobody listens on port " + std::to_string(command.port) + " yet");
    }

    [[noreturn]] void fail(const std::string& what) const {
        throw Failure(kUsage, line_->source.place() + ": " + what);
    }

    const Scenario& scenario_;
    SeededRng seeds_;
    LabNetwork network_;
    std::vector<std::vector<std::unique_ptr<Program>>> programs_;  ///< by machine
    std::vector<Stream*> streams_;        ///< by machine: what it has connected last
    const ScenarioLine* line_ = nullptr;  ///< that is being carried out
};

std::string rules_of(const TomlString& line) {
    return (line.text().starts_with("iptables") ? "" : "iptables ") + line.text();
}

/// "link wan  router.outside - server, 20 ms"
std::string link_line(const Scenario& scenario, const ScenarioLink& link) {
    std::string line = "link " + link.name + "  ";
    for (const ScenarioLink::End& end : link.ends) {
        const ScenarioMachine& machine = scenario.machines[end.machine];
        if (&end != &link.ends.front()) line += " - ";
        line += machine.name;
        if (machine.router) line += '.' + machine.interfaces[end.interface].name;
    }
    line += ", " + duration_text(link.config.delay);
    if (link.config.bytes_per_second != 0) {
        line += ", " + std::to_string(link.config.bytes_per_second * 8 / 1000) + " kbit/s";
    }
    if (link.config.mtu != LinkConfig().mtu) line += ", mtu " + std::to_string(link.config.mtu);
    char loss[32];
    std::snprintf(loss, sizeof loss, ", loses %g %%", link.loss);
    return link.loss > 0 ? line + loss : line;
}

void describe_scene(const Scenario& scenario, Timeline& timeline) {
    std::size_t width = 0;
    for (const ScenarioMachine& machine : scenario.machines) {
        width = std::max(width, machine.name.size());
    }
    for (const ScenarioMachine& machine : scenario.machines) {
        std::string line = machine.name;
        line.resize(width + 2, ' ');
        for (std::size_t i = 0; i < machine.interfaces.size(); ++i) {
            const ScenarioInterface& interface = machine.interfaces[i];
            if (i > 0) line += ", ";
            if (machine.interfaces.size() > 1) line += interface.name + ' ';
            line += interface.address.to_string();
        }
        timeline.scene.push_back(line);
        for (const TomlString& rule : machine.iptables) {
            timeline.scene.push_back(std::string(width + 4, ' ') + rules_of(rule));
        }
    }
    for (const ScenarioLink& link : scenario.links) {
        timeline.scene.push_back(link_line(scenario, link));
    }
}

}  // namespace

Timeline run_lab(const Scenario& scenario, const LabOptions& options) {
    Timeline timeline;
    timeline.name = scenario.name;
    timeline.title = scenario.title;
    timeline.watch = scenario.watch;
    timeline.summary = scenario.summary;
    timeline.chinese = scenario.chinese;
    timeline.seed = options.seed;
    timeline.source = Timeline::Source::Lab;
    describe_scene(scenario, timeline);
    LabRun(scenario, timeline, options).run();
    if (!options.pcap_folder.empty()) {
        save_annotated_links(timeline, options.pcap_folder, "--pcap");
    }
    for (const u32 number : options.drop) {
        if (number > 0 && number <= timeline.frames.size()) continue;
        throw Failure(kUsage, "there is no frame " + std::to_string(number) +
                                  " to drop; the run has " +
                                  std::to_string(timeline.frames.size()));
    }
    return timeline;
}

}  // namespace tapestry

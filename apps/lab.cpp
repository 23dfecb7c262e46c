#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "apps/commands.h"
#include "apps/failure.h"
#include "apps/inspect/story_build.h"
#include "apps/inspect/story_json.h"
#include "apps/inspect/story_page.h"
#include "apps/inspect/terminal/step_view.h"
#include "apps/lab/builtin_labs.h"
#include "apps/lab/run.h"
#include "apps/nearest.h"
#include "apps/timeline_files.h"

namespace tapestry {
namespace {

struct LabCommand {
    std::string name;
    LabOptions run;
    TimelineFiles files;
    bool json = false;
    bool step = false;
    std::string language;
    std::vector<std::string> drop;
};

Scenario read_builtin(const BuiltinLab& lab) {
    return read_scenario(parse_toml(std::string(lab.text), std::string(lab.name) + ".toml"),
                         std::string(lab.name));
}

/// In the order in which they are best looked at.
std::vector<Scenario> all_builtin() {
    std::vector<Scenario> labs;
    for (const BuiltinLab& lab : builtin_labs()) labs.push_back(read_builtin(lab));
    std::ranges::stable_sort(labs, {}, &Scenario::order);
    return labs;
}

int list(bool json, Language language) {
    const std::vector<Scenario> labs = all_builtin();
    if (json) {
        nlohmann::ordered_json document{{"labs", nlohmann::ordered_json::array()}};
        for (const Scenario& lab : labs) {
            document["labs"].push_back({{"name", lab.name}, {"title", lab.title}});
        }
        std::puts(document.dump(2).c_str());
        return kDone;
    }
    const bool english = language == Language::English;
    for (const Scenario& lab : labs) {
        const bool told = english || lab.chinese.title.empty();
        std::printf("%-27s %s\n", lab.name.c_str(), (told ? lab.title : lab.chinese.title).c_str());
    }
    std::puts(english ? "\ntapestry lab NAME runs one; tapestry lab --step NAME one step at a time"
                      : "\ntapestry lab NAME 运行一个实验；tapestry lab --step NAME 一步一步地看");
    return kDone;
}

/// A built-in lab, or a file: what has a '/' or ends in .toml is one.
Scenario find(const std::string& name) {
    if (name.find('/') != std::string::npos || name.ends_with(".toml")) {
        return read_scenario(read_toml(name), std::filesystem::path(name).stem().string());
    }
    std::vector<std::string_view> names;
    for (const BuiltinLab& lab : builtin_labs()) {
        if (lab.name == name) return read_builtin(lab);
        names.push_back(lab.name);
    }
    throw Failure(kUsage, "lab: there is no lab " + name + did_you_mean(name, names) +
                              "; tapestry lab lists them");
}

void print(const std::vector<std::string>& lines) {
    for (const std::string& line : lines) std::printf("%s\n", line.c_str());
}

/// --drop: the numbers of frames, as --step shows them.
std::set<u32> frames_to_drop(const std::vector<std::string>& words) {
    std::set<u32> frames;
    for (const std::string& word : words) {
        u32 number = 0;
        const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
        if (error != std::errc() || end != word.data() + word.size() || number == 0) {
            throw Failure(kUsage, "--drop: '" + word + "' is no number of a frame, from 1");
        }
        frames.insert(number);
    }
    return frames;
}

/// --step. A branch is the same run with frames that do not arrive; captures are of the first only.
void step(const Scenario& scenario, const LabOptions& options, Timeline timeline,
          Language language) {
    step_through(std::move(timeline),
                 {.run =
                      [&](const std::set<u32>& dropped) {
                          LabOptions again;
                          again.seed = options.seed;
                          again.drop = dropped;
                          return run_lab(scenario, again);
                      },
                  .refusal = Phrase::None,
                  .dropped = options.drop},
                 language);
}

int run(const LabCommand& command) {
    const Language language = language_of(command.language);
    if (command.name.empty()) return list(command.json, language);
    const Scenario scenario = find(command.name);
    if (!command.run.pcap_folder.empty() &&
        !std::filesystem::is_directory(command.run.pcap_folder)) {
        throw Failure(kUsage, "--pcap: " + command.run.pcap_folder + " is not a folder");
    }
    LabOptions options = command.run;
    options.drop = frames_to_drop(command.drop);
    Timeline timeline = run_lab(scenario, options);
    command.files.write(timeline);
    if (command.step && !command.json) {
        step(scenario, options, std::move(timeline), language);
        return kDone;
    }
    const Story story = story_of(timeline, command.json ? Language::English : language);
    if (command.json) {
        std::puts(story_json(story).c_str());
        return kDone;
    }
    const Paint paint = Paint::for_descriptor(STDOUT_FILENO);
    StoryPage page(story, paint);
    const auto steps = page.steps();
    print(page.beginning());
    for (const auto& lines : steps) print(lines);
    print(page.ending());
    return kDone;
}

}  // namespace

void add_lab(CommandLine& program, Action& chosen) {
    const auto options = std::make_shared<LabCommand>();
    CommandLine command = program.add("lab", "small networks in virtual time, drawn as a ladder");
    command.examples(
        "  tapestry lab                          the labs that there are\n"
        "  tapestry lab home-nat                 a private address reaches a web server\n"
        "  tapestry lab --step lost-syn          one step at a time, full screen\n"
        "  tapestry lab --drop 4 --step three-way-handshake   ... and frame 4 is lost\n"
        "  tapestry lab --pcap . port-forwarding for Wireshark, one file for each link\n"
        "  tapestry lab --save f.json lost-syn   keep it, for tapestry inspect f.json\n"
        "  tapestry lab --html f.html lost-syn   a page for the browser, step by step\n"
        "  tapestry lab ./mine.toml              a network of your own: docs/labs.md\n"
        "\n"
        "Nothing outside of the program is touched. The same lab and seed give the same "
        "output.");
    command.option("NAME", options->name, "a lab, or a file ending in .toml");
    command.flag("--step", options->step, "one step at a time, full screen: docs/step.md");
    command.option("--drop", options->drop, "frame N, as --step numbers it, does not arrive")
        .value("N")
        .repeated();
    add_language_option(command, options->language);
    command.flag("--json", options->json, "everything that happened, as JSON");
    command.option("--pcap", options->run.pcap_folder, "a folder for one pcapng of each link")
        .value("DIR");
    add_timeline_options(command, options->files);
    command.option("--seed", options->run.seed, "of all that chance decides [1]").value("N");
    command.when_chosen([options, &chosen] { chosen = [options] { return run(*options); }; });
}

}  // namespace tapestry

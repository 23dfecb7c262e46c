#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "apps/inspect/story_build.h"
#include "apps/inspect/story_page.h"
#include "apps/lab/builtin_labs.h"
#include "apps/lab/run.h"

namespace tapestry::test {

/// A built-in lab that has been run, and questions about what happened in it.
class LabStory {
public:
    explicit LabStory(const std::string& name, const LabOptions& options = {})
        : LabStory(read(name), options) {}
    LabStory(const Scenario& scenario, const LabOptions& options)
        : story(story_of(run_lab(scenario, options))) {}

    static Scenario read(const std::string& name) {
        for (const BuiltinLab& lab : builtin_labs()) {
            if (lab.name != name) continue;
            return read_scenario(parse_toml(std::string(lab.text), name + ".toml"), name);
        }
        throw std::runtime_error("no lab " + name);
    }
    static Scenario parse(const std::string& text) {
        return read_scenario(parse_toml(text, "my.toml"), "my");
    }

    const std::string& machine(const Step& step) const {
        return story.lifelines[step.from].machine;
    }
    /// What the applications of a machine had to say, in their order.
    std::vector<std::string> results(const std::string& of) const {
        std::vector<std::string> texts;
        for (const Step& step : story.steps) {
            if (step.kind == Step::Kind::Result && machine(step) == of) texts.push_back(step.text);
        }
        return texts;
    }
    /// The steps of one kind whose text has `part` in it.
    std::vector<Step> steps(Step::Kind kind, const std::string& part = "") const {
        std::vector<Step> found;
        for (const Step& step : story.steps) {
            if (step.kind == kind && step.text.find(part) != std::string::npos) {
                found.push_back(step);
            }
        }
        return found;
    }
    /// Frames on a link ("": all) but those of ARP.
    std::vector<Step> frames(const std::string& link = "") const {
        std::vector<Step> found;
        for (const Step& step : story.steps) {
            if (!step.frame || step.frame->kind == FrameFacts::Kind::ArpRequest ||
                step.frame->kind == FrameFacts::Kind::ArpReply) {
                continue;
            }
            if (link.empty() || step.frame->link == link) found.push_back(step);
        }
        return found;
    }
    std::vector<Step> with_role(const std::string& role, const std::string& link = "") const {
        std::vector<Step> found = frames(link);
        std::erase_if(found, [&](const Step& step) { return step.frame->role != role; });
        return found;
    }
    std::size_t drops(Drop drop, const std::string& at) const {
        return static_cast<std::size_t>(std::ranges::count_if(story.steps, [&](const Step& step) {
            return step.drop == drop && machine(step) == at;
        }));
    }
    /// Whether an address (or its beginning) is the source or destination of any frame on a link.
    bool seen(const std::string& address, const std::string& link) const {
        return std::ranges::any_of(frames(link), [&](const Step& step) {
            return step.frame->source.starts_with(address) ||
                   step.frame->destination.starts_with(address);
        });
    }

    Story story;
};

/// Whether any of the lines has `part` in it.
inline testing::AssertionResult has(const std::vector<std::string>& lines,
                                    const std::string& part) {
    std::string all;
    for (const std::string& line : lines) {
        if (line.find(part) != std::string::npos) return testing::AssertionSuccess();
        all += line + '\n';
    }
    return testing::AssertionFailure() << "no \"" << part << "\" in\n" << all;
}

/// All lines that a story is drawn with.
inline std::vector<std::string> lines_of(const Story& story) {
    StoryPage page(story, Paint(false));
    std::vector<std::string> lines = page.beginning();
    for (const auto& step : page.steps()) lines.insert(lines.end(), step.begin(), step.end());
    const auto end = page.ending();
    lines.insert(lines.end(), end.begin(), end.end());
    return lines;
}

}  // namespace tapestry::test

#include "apps/inspect/terminal/step_view.h"

#include <cstdio>

#include "apps/failure.h"
#include "apps/inspect/terminal/plain_steps.h"
#include "apps/inspect/terminal/terminal_ncurses.h"

namespace tapestry {
namespace {

/// What the frames of a branch are called holds up to the first that is dropped: dropping an earlier one
/// makes another run, in which the later numbers mean other frames.
std::set<u32> with(std::set<u32> dropped, u32 frame) {
    dropped.erase(dropped.lower_bound(frame), dropped.end());
    dropped.insert(frame);
    return dropped;
}

class StepView {
public:
    StepView(Timeline timeline, const Branching& branching, FullScreen& screen)
        : branching_(branching),
          screen_(screen),
          walk_(std::make_unique<Walk>(std::move(timeline))),
          dropped_(branching.dropped),
          browser_(*walk_, branching.run ? "" : branching.refusal) {
        browser_.follow(*walk_, dropped_, 0);
    }

    void run() {
        while (!screen_.ended()) {
            screen_.paint(
                draw(*walk_, browser_.view(screen_.width(), screen_.height(), screen_.glyphs())));
            const auto key = screen_.read();
            if (!key) continue;
            const Wish wish = browser_.press(*key);
            switch (wish.kind) {
                case Wish::Kind::Quit:
                    return;
                case Wish::Kind::Drop:
                    branch(with(dropped_, wish.frame), wish.frame);
                    break;
                case Wish::Kind::Undo:
                    branch({}, 0);
                    break;
                case Wish::Kind::Theme:
                    browser_.say(screen_.next_theme());
                    break;
                case Wish::Kind::Nothing:
                    break;
            }
        }
    }

private:
    void branch(const std::set<u32>& dropped, u32 frame) {
        try {
            auto walk = std::make_unique<Walk>(branching_.run(dropped));
            browser_.follow(*walk, dropped, frame);
            walk_ = std::move(walk);
            dropped_ = dropped;
            if (frame != 0)
                browser_.say("Frame " + std::to_string(frame) +
                             " is dropped here. Enter: what happens then; u: undo.");
        } catch (const Failure& failure) {
            browser_.say(failure.what());
        }
    }

    const Branching& branching_;
    FullScreen& screen_;
    std::unique_ptr<Walk> walk_;
    std::set<u32> dropped_;
    StepBrowser browser_;
};

}  // namespace

void step_through(Timeline timeline, const Branching& branching) {
    if (timeline.steps.empty()) throw Failure(kUsage, "--step: there are no steps to walk through");
    if (const auto screen = FullScreen::open()) {
        StepView(std::move(timeline), branching, *screen).run();
        return;
    }
    print_steps(Walk(std::move(timeline)), branch_text(branching.dropped),
                [](const std::string& line) { std::puts(line.c_str()); });
}

}  // namespace tapestry

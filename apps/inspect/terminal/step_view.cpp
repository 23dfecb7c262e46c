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
    StepView(Timeline timeline, const Branching& branching, Language language, FullScreen& screen)
        : branching_(branching),
          screen_(screen),
          walk_(std::make_unique<Walk>(std::move(timeline))),
          dropped_(branching.dropped),
          browser_(*walk_, branching.run ? Phrase::None : branching.refusal, language) {
        // What --drop has dropped is undone one by one, too.
        for (auto it = dropped_.begin(); it != dropped_.end(); ++it) {
            before_.emplace_back(dropped_.begin(), it);
        }
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
                    drop(wish.frame);
                    break;
                case Wish::Kind::Undo:
                    branch(std::exchange(before_.back(), {}), 0);
                    before_.pop_back();
                    break;
                case Wish::Kind::UndoAll:
                    branch({}, 0);
                    before_.clear();
                    break;
                case Wish::Kind::Theme:
                    browser_.say(screen_.next_theme());
                    break;
                case Wish::Kind::Language:
                    other_language();
                    break;
                case Wish::Kind::Nothing:
                    break;
            }
        }
    }

private:
    void drop(u32 frame) {
        const std::set<u32> before = dropped_;
        if (branch(with(dropped_, frame), frame)) before_.push_back(before);
    }

    void other_language() {
        if (screen_.glyphs() != Glyphs::Unicode) return browser_.say(Phrase::NoChinese);
        const bool english = browser_.language() == Language::English;
        browser_.set_language(english ? Language::Chinese : Language::English);
    }

    /// False: that run cannot be had, as the reader has been told.
    bool branch(const std::set<u32>& dropped, u32 frame) {
        try {
            auto walk = std::make_unique<Walk>(branching_.run(dropped));
            browser_.follow(*walk, dropped, frame);
            walk_ = std::move(walk);
            dropped_ = dropped;
            if (frame != 0) browser_.say(Phrase::DroppedHere, {std::to_string(frame)});
            return true;
        } catch (const Failure& failure) {
            browser_.say(std::string(failure.what()));
            return false;
        }
    }

    const Branching& branching_;
    FullScreen& screen_;
    std::unique_ptr<Walk> walk_;
    std::set<u32> dropped_;
    std::vector<std::set<u32>> before_;  ///< each drop: what `u` goes back to
    StepBrowser browser_;
};

}  // namespace

void step_through(Timeline timeline, const Branching& branching, Language language) {
    if (timeline.steps.empty()) throw Failure(kUsage, "--step: there are no steps to walk through");
    if (const auto screen = FullScreen::open()) {
        StepView(std::move(timeline), branching, language, *screen).run();
        return;
    }
    print_steps(Walk(std::move(timeline)), branch_text(branching.dropped, language), language,
                [](const std::string& line) { std::puts(line.c_str()); });
}

}  // namespace tapestry

#pragma once

#include <memory>
#include <optional>

#include "apps/inspect/terminal/step_browser.h"

namespace tapestry {

/// The terminal as a full screen, as long as this lives; then it is as it was before, also after an
/// exception. SIGINT, SIGTERM and SIGHUP end the reading of keys instead of the program; the destructor
/// then sends itself the signal again, so that whoever started us sees what ended us.
class FullScreen {
public:
    /// Null: standard input and output are no terminal, or one that cannot place its cursor.
    static std::unique_ptr<FullScreen> open();
    ~FullScreen();
    FullScreen(const FullScreen&) = delete;
    FullScreen& operator=(const FullScreen&) = delete;

    int width() const;
    int height() const;
    Glyphs glyphs() const { return glyphs_; }
    void paint(const Screen& screen);
    /// The next theme; what is to be said of it.
    Phrase next_theme();
    /// Waits for a key. Nothing: the size has changed, or ended().
    std::optional<Key> read();
    /// A signal wants the end.
    bool ended() const;

private:
    explicit FullScreen(Glyphs glyphs);
    void set_theme();

    Glyphs glyphs_;
    int theme_ = 0;
    bool colours_ = false;
};

}  // namespace tapestry

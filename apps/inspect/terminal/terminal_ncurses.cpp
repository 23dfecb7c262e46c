#include "apps/inspect/terminal/terminal_ncurses.h"

// Functions instead of macros, which would take names such as move() from everybody.
#define NCURSES_NOMACROS 1
#define NCURSES_WIDECHAR 1
#include <curses.h>
#include <signal.h>
#include <term.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <string_view>

namespace tapestry {
namespace {

constexpr std::array kSignals{SIGINT, SIGTERM, SIGHUP};
constexpr int kLooks = static_cast<int>(Look::Alarm) + 1;
/// A signal that comes just before a read is seen after this time.
constexpr int kReadMilliseconds = 200;

volatile sig_atomic_t ended_by = 0;
std::array<struct sigaction, kSignals.size()> before{};
SCREEN* terminal = nullptr;

void note_signal(int signal) { ended_by = signal; }

/// How a look is shown: without colours, and which colours where there are some (-1: as it is).
struct Style {
    attr_t attributes;
    short foreground;
    short background;
};
using Theme = std::array<Style, kLooks>;

struct NamedTheme {
    Phrase name;
    bool colours;
    Theme styles;
};

// In the order of Look: Plain, Dim, Bold, Bar, Now, Changed, Cursor, Alarm.
constexpr std::array kThemes{
    NamedTheme{Phrase::ThemeDark,
               true,
               {{{A_NORMAL, -1, -1},
                 {A_NORMAL, COLOR_BLUE, -1},
                 {A_BOLD, -1, -1},
                 {A_NORMAL, COLOR_BLACK, COLOR_CYAN},
                 {A_BOLD, COLOR_CYAN, -1},
                 {A_BOLD, COLOR_YELLOW, -1},
                 {A_NORMAL, COLOR_BLACK, COLOR_YELLOW},
                 {A_BOLD, COLOR_RED, -1}}}},
    NamedTheme{Phrase::ThemeLight,
               true,
               {{{A_NORMAL, COLOR_BLACK, COLOR_WHITE},
                 {A_NORMAL, COLOR_BLUE, COLOR_WHITE},
                 {A_BOLD, COLOR_BLACK, COLOR_WHITE},
                 {A_NORMAL, COLOR_WHITE, COLOR_BLUE},
                 {A_BOLD, COLOR_BLUE, COLOR_WHITE},
                 {A_BOLD, COLOR_MAGENTA, COLOR_WHITE},
                 {A_NORMAL, COLOR_WHITE, COLOR_MAGENTA},
                 {A_BOLD, COLOR_RED, COLOR_WHITE}}}},
    NamedTheme{Phrase::ThemePlain,
               false,
               {{{A_NORMAL, -1, -1},
                 {A_DIM, -1, -1},
                 {A_BOLD, -1, -1},
                 {A_REVERSE, -1, -1},
                 {A_BOLD, -1, -1},
                 {A_BOLD | A_UNDERLINE, -1, -1},
                 {A_REVERSE, -1, -1},
                 {A_BOLD, -1, -1}}}},
};

std::string_view environment(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? std::string_view() : std::string_view(value);
}

void catch_signals() {
    ended_by = 0;
    struct sigaction action {};
    action.sa_handler = note_signal;  // without SA_RESTART: a read that waits is interrupted
    sigemptyset(&action.sa_mask);
    for (std::size_t i = 0; i < kSignals.size(); ++i) sigaction(kSignals[i], &action, &before[i]);
}

void release_signals() {
    for (std::size_t i = 0; i < kSignals.size(); ++i) sigaction(kSignals[i], &before[i], nullptr);
}

/// ncurses' code for a key as ours.
std::optional<Key> key_of(wint_t code, bool special) {
    using enum Key::Kind;
    if (special) {
        switch (code) {
            case KEY_ENTER:
                return Key{Enter};
            case KEY_LEFT:
                return Key{Left};
            case KEY_RIGHT:
                return Key{Right};
            case KEY_UP:
                return Key{Up};
            case KEY_DOWN:
                return Key{Down};
            case KEY_HOME:
                return Key{Home};
            case KEY_END:
                return Key{End};
            case KEY_PPAGE:
                return Key{PageUp};
            case KEY_NPAGE:
                return Key{PageDown};
            case KEY_BTAB:
                return Key{BackTab};
            case KEY_BACKSPACE:
                return Key{Backspace};
            default:
                return std::nullopt;
        }
    }
    switch (code) {
        case L'\r':
        case L'\n':
            return Key{Enter};
        case L'\t':
            return Key{Tab};
        case 8:
        case 127:
            return Key{Backspace};
        case 27:
            return Key{Escape};
        default:
            return Key{Character, static_cast<char32_t>(code)};
    }
}

}  // namespace

std::unique_ptr<FullScreen> FullScreen::open() {
    const std::string_view name = environment("TERM");
    if (isatty(STDIN_FILENO) == 0 || isatty(STDOUT_FILENO) == 0) return nullptr;
    if (name.empty() || name == "dumb") return nullptr;
    const bool unicode = utf8_locale();
    // Before ncurses, which would catch them itself, and then end the program with a status of its own.
    catch_signals();
    terminal = newterm(nullptr, stdout, stdin);
    if (terminal == nullptr) {
        release_signals();
        return nullptr;
    }
    char address[] = "cup";
    const char* can = tigetstr(address);
    if (can == nullptr || can == reinterpret_cast<char*>(-1)) {
        endwin();
        delscreen(terminal);
        release_signals();
        return nullptr;
    }
    return std::unique_ptr<FullScreen>(new FullScreen(unicode ? Glyphs::Unicode : Glyphs::Ascii));
}

FullScreen::FullScreen(Glyphs glyphs) : glyphs_(glyphs) {
    cbreak();
    noecho();
    nonl();
    keypad(stdscr, TRUE);
    set_escdelay(50);
    wtimeout(stdscr, kReadMilliseconds);
    curs_set(0);
    colours_ = has_colors() && environment("NO_COLOR").empty();
    if (colours_) {
        start_color();
        use_default_colors();
    } else {
        theme_ = static_cast<int>(kThemes.size()) - 1;
    }
    set_theme();
}

FullScreen::~FullScreen() {
    endwin();
    delscreen(terminal);
    terminal = nullptr;
    release_signals();
    if (ended_by != 0) raise(ended_by);
}

int FullScreen::width() const { return getmaxx(stdscr); }
int FullScreen::height() const { return getmaxy(stdscr); }
bool FullScreen::ended() const { return ended_by != 0; }

void FullScreen::set_theme() {
    const NamedTheme& theme = kThemes[static_cast<std::size_t>(theme_)];
    for (int i = 0; colours_ && i < kLooks; ++i) {
        const Style& style = theme.styles[static_cast<std::size_t>(i)];
        init_pair(static_cast<short>(i + 1), style.foreground, style.background);
    }
}

Phrase FullScreen::next_theme() {
    if (!colours_) return Phrase::OneTheme;
    theme_ = (theme_ + 1) % static_cast<int>(kThemes.size());
    set_theme();
    return kThemes[static_cast<std::size_t>(theme_)].name;
}

void FullScreen::paint(const Screen& screen) {
    werase(stdscr);
    const NamedTheme& theme = kThemes[static_cast<std::size_t>(theme_)];
    for (int row = 0; row < screen.height(); ++row) {
        for (int column = 0; column < screen.width(); ++column) {
            const Screen::Cell& cell = screen.at(row, column);
            if (cell.glyph == U'\0') continue;
            const bool shown = glyphs_ == Glyphs::Unicode || cell.glyph < 0x80;
            const wchar_t text[2] = {shown ? static_cast<wchar_t>(cell.glyph) : L'?', L'\0'};
            const auto look = static_cast<int>(cell.look);
            cchar_t character;
            setcchar(&character, text, theme.styles[static_cast<std::size_t>(look)].attributes,
                     static_cast<short>(colours_ && theme.colours ? look + 1 : 0), nullptr);
            // The last cell cannot be written without the cursor leaving the screen, which is an error
            // that does not matter.
            mvwadd_wch(stdscr, row, column, &character);
        }
    }
    wrefresh(stdscr);
}

std::optional<Key> FullScreen::read() {
    while (!ended()) {
        wint_t code = 0;
        const int got = wget_wch(stdscr, &code);
        if (got == KEY_CODE_YES && code == KEY_RESIZE) return std::nullopt;
        if (got == ERR) {
            // Nothing was pressed in time, or the terminal has gone.
            if (isatty(STDIN_FILENO) == 0) ended_by = SIGHUP;
            continue;
        }
        if (const auto key = key_of(code, got == KEY_CODE_YES)) return key;
    }
    return std::nullopt;
}

}  // namespace tapestry

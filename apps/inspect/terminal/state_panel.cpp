#include <algorithm>
#include <array>

#include "apps/inspect/known_fields.h"
#include "apps/inspect/state_words.h"
#include "apps/inspect/terminal/phrases.h"
#include "apps/inspect/terminal/screen_parts.h"

namespace tapestry {
namespace {

constexpr u32 kNone = Timeline::kNone;

/// What is shown where there is room for little, the most important first.
constexpr std::array<std::string_view, 14> kEssential{
    "snd_una",        "snd_nxt", "rcv_nxt",  "snd_wnd",     "rcv_wnd",        "timer_rto",
    "cwnd",           "rto",     "ssthresh", "send_queued", "receive_queued", "timer_timewait",
    "duplicate_acks", "srtt"};

std::size_t importance(const StateField& field) {
    return static_cast<std::size_t>(std::ranges::find(kEssential, field.key) - kEssential.begin());
}

/// Names for a narrow column.
std::string short_name(const StateField& field, int width, Language language) {
    if (field.key == "timer_rto") return std::string(phrase(Phrase::RtoTimer, language));
    if (language == Language::Chinese) return name_in(field, language);
    if (field.kind == StateField::Kind::Deadline) {
        if (field.key == "timer_delack") return "delayed ACK";
        if (field.key == "timer_persist") return "probe timer";
    }
    if (width < 24 && field.key == "mss") return "MSS";
    if (width < 24 && field.key == "retransmissions") return "sent again";
    if (width < 24 && field.key == "snd_wind_shift") return "Snd.Shift";
    if (width < 24 && field.key == "rcv_wind_shift") return "Rcv.Shift";
    if (width < 24 && field.key == "sack_permitted") return "SACK";
    return std::string(field.name);
}

/// A timer that is off, a threshold that there is not yet.
bool says_nothing(const StateField& field, const TcpSnapshot& state) {
    const std::string text = field_text(field, state, {});
    return text == "off" || text == "unlimited";
}

bool is_number(const StateField& field) {
    return field.kind == StateField::Kind::SendNumber ||
           field.kind == StateField::Kind::ReceiveNumber;
}

struct Row {
    const StateField* field;
    bool changed;
};

/// Which variables are shown: those that have changed, then the essential ones, as many as fit, in the
/// order of the table.
std::vector<Row> choose(const TcpSnapshot& before, const TcpSnapshot& after,
                        Timeline::Source source, int rows) {
    std::vector<Row> all;
    for (const StateField& field : state_fields()) {
        if (field.kind == StateField::Kind::State || field.kind == StateField::Kind::Address)
            continue;
        if (!is_known(source, field, after)) continue;
        const bool change = changed(field, before, after);
        const bool essential = importance(field) < kEssential.size();
        if (!change && (!essential || says_nothing(field, after))) continue;
        all.push_back({&field, change});
    }
    std::vector<Row> ranked = all;
    std::ranges::stable_sort(ranked, [](const Row& a, const Row& b) {
        if (a.changed != b.changed) return a.changed;
        return importance(*a.field) < importance(*b.field);
    });
    if (static_cast<int>(ranked.size()) > rows) ranked.resize(static_cast<std::size_t>(rows));
    std::erase_if(all, [&](const Row& row) {
        return std::ranges::none_of(ranked, [&](const Row& r) { return r.field == row.field; });
    });
    return all;
}

std::string line_of(const Row& row, const TcpSnapshot& before, const TcpSnapshot& after,
                    TimePoint now, int width, Language language, Numbers numbers) {
    const std::string head =
        (row.changed ? "*" : " ") + short_name(*row.field, width, language) + ' ';
    std::string value = value_text(*row.field, after, now, numbers);
    if (value.starts_with("in ") && cells_of(head + value_in(value, language)) > width) {
        value.erase(0, 3);
    }
    value = value_in(value, language);
    if (!row.changed || row.field->kind == StateField::Kind::Deadline) return head + value;
    const std::string both = head + change_text(*row.field, before, after, now, language, numbers);
    return cells_of(both) <= width ? both : head + value;
}

}  // namespace

std::string value_text(const StateField& field, const TcpSnapshot& state, TimePoint now,
                       Numbers numbers) {
    const bool base = field.key == "iss" || field.key == "irs";
    std::string value = field_text(field, state, now, base ? Numbers::Absolute : numbers);
    if (const auto raw = window_field(field, state)) value += " (" + std::to_string(*raw) + ')';
    // What has never been set is far from everything.
    return is_number(field) && field.get(state) == 0 && value != "0" ? "-" : value;
}

std::string change_text(const StateField& field, const TcpSnapshot& before,
                        const TcpSnapshot& after, TimePoint now, Language language,
                        Numbers numbers) {
    const std::string value = value_in(value_text(field, after, now, numbers), language);
    if (field.kind == StateField::Kind::Deadline) return value;
    if (is_number(field) && field.get(before) == 0) return value;
    return value_in(value_text(field, before, now, numbers), language) + "->" + value;
}

Pair pair_at(const Walk& walk, std::size_t stop) {
    u32 end = kNone;
    for (std::size_t at = stop + 1; at-- > 0 && end == kNone;) end = walk.end(at);
    for (std::size_t at = stop; at < walk.stops().size() && end == kNone; ++at) end = walk.end(at);
    if (end == kNone) return {};
    const Timeline& timeline = walk.timeline();
    const auto line = [&](u32 host) {
        const auto& interfaces = timeline.hosts.at(host).interfaces;
        return interfaces.empty() ? 0U : interfaces.front().lifeline;
    };
    const u32 peer = timeline.ends[end].peer;
    const u32 mine = line(timeline.ends[end].host);
    if (peer == kNone) {
        return mine < timeline.lifelines.size() / 2 ? Pair{end, kNone} : Pair{kNone, end};
    }
    return mine <= line(timeline.ends[peer].host) ? Pair{end, peer} : Pair{peer, end};
}

std::vector<PanelLine> panel_lines(const Walk& walk, std::size_t stop, u32 end, int rows, int width,
                                   Language language, Numbers numbers) {
    if (end == kNone) return {};
    const TcpSnapshot* after = walk.after(end, stop);
    if (after == nullptr) {
        return {{std::string(phrase(Phrase::NoConnection, language)), false},
                {std::string(phrase(Phrase::Yet, language)), false}};
    }
    const TcpSnapshot* before = walk.before(end, stop);
    std::vector<PanelLine> lines;
    const bool turned = before->state != after->state;
    lines.push_back({(turned ? "*" : " ") + std::string(name(after->state)), turned});
    const TimePoint now = walk.timeline().start + walk.time(stop);
    for (const Row& row : choose(*before, *after, walk.timeline().source, rows - 1)) {
        lines.push_back(
            {line_of(row, *before, *after, now, width, language, numbers), row.changed});
    }
    return lines;
}

void draw_panel(const Walk& walk, const View& view, u32 end, const Area& area, Screen& screen) {
    if (area.width() < 8 || area.height() < 2) return;
    const Timeline& timeline = walk.timeline();
    if (end == kNone) {
        screen.put(area.top, area.left, phrase(Phrase::NoStateKnown, view.language), Look::Dim,
                   area.right);
        return;
    }
    const std::string title = timeline.hosts.at(timeline.ends[end].host).name + ":" +
                              std::to_string(timeline.ends[end].local.port);
    screen.put(area.top, area.left, ' ' + title, Look::Bold, area.right);
    int row = area.top + 1;
    for (const PanelLine& line : panel_lines(walk, view.stop, end, area.height() - 1, area.width(),
                                             view.language, view.numbers)) {
        if (row == area.bottom) break;
        screen.put(row, area.left, line.text, line.changed ? Look::Changed : Look::Plain,
                   area.right);
        ++row;
    }
}

}  // namespace tapestry

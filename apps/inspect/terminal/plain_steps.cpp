#include "apps/inspect/terminal/plain_steps.h"

#include "apps/inspect/known_fields.h"
#include "apps/inspect/state_words.h"
#include "apps/inspect/terminal/phrases.h"
#include "apps/inspect/terminal/screen_parts.h"

namespace tapestry {
namespace {

constexpr int kWidth = 74;
constexpr u32 kNone = Timeline::kNone;

/// "laptop CLOSED -> SYN-SENT, SND.NXT 0->1": what a step has changed.
std::string changes(const Walk& walk, std::size_t stop, u32 end, Language language) {
    const TcpSnapshot& before = *walk.before(end, stop);
    const TcpSnapshot& after = *walk.after(end, stop);
    const Timeline& timeline = walk.timeline();
    const TimePoint now = timeline.start + walk.time(stop);
    std::string line = timeline.hosts[timeline.ends[end].host].name;
    line += phrase(Phrase::Colon, language);
    if (before.state != after.state) line += std::string(name(before.state)) + " -> ";
    line += name(after.state);
    for (const StateField& field : state_fields()) {
        if (field.kind == StateField::Kind::State || field.kind == StateField::Kind::Address)
            continue;
        if (!changed(field, before, after) || !is_known(timeline.source, field, after)) continue;
        line += phrase(Phrase::Comma, language);
        line += name_in(field, language) + ' ' + change_text(field, before, after, now, language);
    }
    return line;
}

void print_bytes(const Walk& walk, std::size_t stop, const LineOut& out) {
    if (walk.main_step(stop).kind != Timeline::Step::Kind::Sent) return;
    const auto& bytes = walk.timeline().frames[walk.frame(stop)].bytes;
    for (std::size_t from = 0; from < bytes.size(); from += 16) {
        out("    " + hex_line(bytes, from, 16));
    }
}

}  // namespace

void print_steps(const Walk& walk, const std::string& branch, Language language,
                 const LineOut& out) {
    const std::size_t count = walk.stops().size();
    const std::string& name = walk.timeline().name;
    out(name + (branch.empty() ? "" : "  [" + branch + "]"));
    for (std::size_t stop = 0; stop < count; ++stop) {
        out("");
        out(phrase(Phrase::StepOf, language,
                   {std::to_string(stop + 1), std::to_string(count), time_text(walk.time(stop))}));
        const Words words = words_at(walk, stop, kWidth, language);
        for (std::size_t i = 0; i < words.lines.size(); ++i) {
            out((i < words.bold ? "  " : "    ") + words.lines[i]);
        }
        if (const u32 end = walk.end(stop); end != kNone) {
            for (const std::string& line : wrapped(changes(walk, stop, end, language), kWidth)) {
                out("    " + line);
            }
        }
        print_bytes(walk, stop, out);
    }
}

}  // namespace tapestry

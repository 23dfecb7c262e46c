#include "apps/replay/live_compare.h"

#include <algorithm>
#include <cstdio>

namespace tapestry {
namespace {

/// What an excerpt may have before and behind the place that it is about, bytes.
constexpr u64 kBefore = 40;
constexpr u64 kBehind = 40;

/// A range that is compared, or of a length only.
struct Part {
    u64 begin;
    u64 end;
    bool known;
};

/// The text without what the rules are about; holes apart from the rest.
std::vector<Part> parts_of(const LiveText& text, LiveRules allowed) {
    std::vector<Part> parts;
    u64 at = 0;
    const auto add = [&](u64 end) {
        for (const LiveRange& hole : text.holes) {
            const u64 begin = std::max(hole.begin, at);
            const u64 stop = std::min(hole.end, end);
            if (begin >= stop) continue;
            if (begin > at) parts.push_back({at, begin, true});
            parts.push_back({begin, stop, false});
            at = stop;
        }
        if (end > at) parts.push_back({at, end, true});
    };
    for (const LiveSpot& spot : text.spots) {
        if (!allowed.has(spot.rule)) continue;
        add(spot.begin);
        at = std::max(at, spot.end);
    }
    add(text.bytes.size());
    return parts;
}

/// Everything that a rule is about, one after the other.
std::vector<u8> about(const LiveText& text, LiveRule rule) {
    std::vector<u8> all;
    for (const LiveSpot& spot : text.spots) {
        if (spot.rule != rule) continue;
        const Bytes part = text.bytes.subspan(spot.begin, spot.end - spot.begin);
        all.insert(all.end(), part.begin(), part.end());
    }
    return all;
}

/// Walks through the parts of a text.
class Walk {
public:
    Walk(const LiveText& text, LiveRules allowed)
        : text_(text),
          parts_(parts_of(text, allowed)),
          at_(parts_.empty() ? end() : parts_[0].begin) {}

    bool done() const { return part_ == parts_.size(); }
    u64 left() const { return parts_[part_].end - at_; }
    bool known() const { return parts_[part_].known; }
    Bytes next(u64 n) const { return text_.bytes.subspan(at_, n); }
    u64 at() const { return at_; }
    void skip(u64 n) {
        at_ += n;
        if (at_ < parts_[part_].end) return;
        ++part_;
        at_ = done() ? end() : parts_[part_].begin;
    }

private:
    u64 end() const { return text_.bytes.size(); }

    const LiveText& text_;
    std::vector<Part> parts_;
    std::size_t part_ = 0;
    u64 at_ = 0;
};

bool same(const LiveText& recorded, const LiveText& live) {
    return recorded.holes.empty() && std::ranges::equal(recorded.bytes, live.bytes);
}

void append_escaped(std::string& out, u8 byte) {
    switch (byte) {
        case '\r':
            out += "\\r";
            return;
        case '\n':
            out += "\\n";
            return;
        case '\t':
            out += "\\t";
            return;
        case '\\':
            out += "\\\\";
            return;
        default:
            break;
    }
    if (byte >= ' ' && byte <= '~') {
        out += static_cast<char>(byte);
        return;
    }
    char code[8];
    std::snprintf(code, sizeof code, "\\x%02x", unsigned{byte});
    out += code;
}

}  // namespace

std::string_view name(LiveVerdict verdict) {
    switch (verdict) {
        case LiveVerdict::Sent:
            return "sent";
        case LiveVerdict::Equal:
            return "equal";
        case LiveVerdict::Allowed:
            return "allowed";
        case LiveVerdict::Diverged:
            return "diverged";
        case LiveVerdict::NotPlayed:
            return "not_played";
    }
    return "?";
}

LiveComparison compare_live(const LiveText& recorded, const LiveText& live, LiveRules allowed) {
    LiveComparison result;
    if (same(recorded, live)) return result;
    Walk ours(recorded, allowed);
    Walk theirs(live, allowed);
    while (!ours.done() && !theirs.done()) {
        const u64 n = std::min(ours.left(), theirs.left());
        if (ours.known()) {
            const Bytes a = ours.next(n);
            const u64 equal =
                static_cast<u64>(std::ranges::mismatch(a, theirs.next(n)).in1 - a.begin());
            if (equal < n) {
                return {LiveVerdict::Diverged, {}, ours.at() + equal, theirs.at() + equal};
            }
        }
        ours.skip(n);
        theirs.skip(n);
    }
    if (!ours.done() || !theirs.done()) {
        return {LiveVerdict::Diverged, {}, ours.at(), theirs.at()};
    }
    for (std::size_t i = 0; i < static_cast<std::size_t>(LiveRule::kCount); ++i) {
        const auto rule = static_cast<LiveRule>(i);
        if (allowed.has(rule) && about(recorded, rule) != about(live, rule)) result.rules.add(rule);
    }
    if (!result.rules.empty()) result.verdict = LiveVerdict::Allowed;
    return result;
}

std::string live_excerpt(Bytes bytes, u64 at) {
    if (at >= bytes.size()) return "";
    // From the line's beginning, if that is near, to its end.
    u64 begin = at;
    while (begin > 0 && at - begin < kBefore && bytes[begin - 1] != '\n') --begin;
    const u64 limit = std::min<u64>(bytes.size(), at + kBehind);
    u64 end = at;
    while (end < limit && (end == at || bytes[end - 1] != '\n')) ++end;
    std::string out;
    for (u64 i = begin; i < end; ++i) append_escaped(out, bytes[i]);
    return out;
}

}  // namespace tapestry

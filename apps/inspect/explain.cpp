#include "apps/inspect/explain.h"

#include <algorithm>
#include <array>

#include "apps/inspect/explain_tables.h"
#include "apps/inspect/known_fields.h"
#include "apps/inspect/state_fields.h"
#include "apps/inspect/timeline_events.h"

namespace tapestry {
namespace {

constexpr auto kVerdictCount = static_cast<std::size_t>(Verdict::kCount);

/// All rows of a language, by their keys. A key without a row has an empty one.
struct Table {
    std::array<Explanation, kVerdictCount> verdicts{};
    std::array<Explanation, kDropCount> drops{};

    void add(std::span<const VerdictText> rows) {
        for (const VerdictText& row : rows) verdicts[static_cast<std::size_t>(row.key)] = row.text;
    }
    void add(std::span<const DropText> rows) {
        for (const DropText& row : rows) drops[static_cast<std::size_t>(row.key)] = row.text;
    }
};

Table english_table() {
    Table table;
    table.add(english_calls());
    table.add(english_segments());
    table.add(english_acks());
    table.add(english_timers());
    table.add(english_lower_drops());
    table.add(english_middle_drops());
    table.add(english_tcp_drops());
    return table;
}

Table chinese_table() {
    Table table;
    table.add(chinese_calls());
    table.add(chinese_segments());
    table.add(chinese_acks());
    table.add(chinese_timers());
    table.add(chinese_lower_drops());
    table.add(chinese_middle_drops());
    table.add(chinese_tcp_drops());
    return table;
}

const Table& table_of(Language language) {
    static const Table english = english_table();
    static const Table chinese = chinese_table();
    return language == Language::English ? english : chinese;
}

/// What stands for a variable in the texts, and which it is.
struct Placeholder {
    std::string_view name;
    std::string_view key;  ///< StateField::key
};
constexpr auto kPlaceholders = std::to_array<Placeholder>({
    {"STATE", "state"},
    {"SND.UNA", "snd_una"},
    {"SND.NXT", "snd_nxt"},
    {"SND.WND", "snd_wnd"},
    {"RCV.NXT", "rcv_nxt"},
    {"RCV.WND", "rcv_wnd"},
    {"CWND", "cwnd"},
    {"SSTHRESH", "ssthresh"},
    {"PIPE", "pipe"},
    {"SACKED", "sacked"},
    {"MSS", "mss"},
    {"RTO", "rto"},
    {"TS.RECENT", "ts_recent"},
    {"DUPACKS", "duplicate_acks"},
    {"SEND.QUEUED", "send_queued"},
    {"RECEIVE.QUEUED", "receive_queued"},
    {"OUT.OF.ORDER", "receive_out_of_order"},
});

/// Finds the values of one step.
class Values {
public:
    Values(const Timeline& timeline, const Timeline::Step& step)
        : source_(timeline.source),
          packet_(packet_of(timeline, step)),
          now_(timeline.start + step.time) {
        sent_ = step.kind == Timeline::Step::Kind::Sent;
        if (step.end == Timeline::kNone) return;
        before_ = &timeline.states[step.before];
        after_ = &timeline.states[step.after];
    }

    /// "?" for what is not known.
    std::string value(std::string_view name) const {
        if (name == "WAS") return variable("STATE", before_);
        if (name.starts_with("WAS.")) return variable(name.substr(4), before_);
        if (name.starts_with("SEG.")) return segment(name.substr(4));
        return variable(name, after_);
    }

private:
    std::string variable(std::string_view name, const TcpSnapshot* state) const {
        if (state == nullptr) return "?";
        for (const Placeholder& placeholder : kPlaceholders) {
            if (placeholder.name != name) continue;
            for (const StateField& field : state_fields()) {
                if (field.key != placeholder.key) continue;
                return is_known(source_, field, *state) ? field_text(field, *state, now_) : "?";
            }
        }
        return "?";
    }

    /// Sequence numbers count from the initial ones, as far as they are known.
    std::string segment(std::string_view name) const {
        if (!packet_) return "?";
        const Segment& seg = packet_->segment;
        const SeqNum ours = after_ != nullptr ? after_->iss : SeqNum();
        const SeqNum theirs = after_ != nullptr ? after_->irs : SeqNum();
        const auto from = [](SeqNum n, SeqNum base) {
            return std::to_string(n.value() - base.value());
        };
        if (name == "SEQ") return from(seg.seq, sent_ ? ours : theirs);
        if (name == "ACK") return from(seg.ack, sent_ ? theirs : ours);
        if (name == "LEN") return std::to_string(packet_->length);
        if (name == "WND") return std::to_string(seg.wnd);
        return "?";
    }

    Timeline::Source source_;
    std::optional<ObservedPacket> packet_;
    TimePoint now_;
    bool sent_ = false;
    const TcpSnapshot* before_ = nullptr;
    const TcpSnapshot* after_ = nullptr;
};

std::string without_unknown(std::string_view text, const Values& values) {
    std::string kept;
    while (true) {
        const std::size_t open = text.find('[');
        kept += text.substr(0, open);
        const std::size_t close = text.find(']', open);
        if (open == std::string_view::npos || close == std::string_view::npos) return kept;
        const std::string_view part = text.substr(open + 1, close - open - 1);
        const bool known = std::ranges::none_of(placeholders_of(part), [&](std::string_view name) {
            return values.value(name) == "?";
        });
        if (known) kept += part;
        text.remove_prefix(close + 1);
    }
}

std::string fill(std::string_view text, const Values& values) {
    std::string filled;
    while (true) {
        const std::size_t open = text.find('{');
        filled += text.substr(0, open);
        if (open == std::string_view::npos) return filled;
        const std::size_t close = text.find('}', open);
        filled += values.value(text.substr(open + 1, close - open - 1));
        if (close == std::string_view::npos) return filled;
        text.remove_prefix(close + 1);
    }
}

/// A SYN that leaves, or is ready to, alone or with an ACK.
bool is_syn_sent(const Timeline& timeline, const Timeline::Step& step) {
    if (step.verdict != Verdict::FlushSent || step.kind != Timeline::Step::Kind::Sent) return false;
    const auto packet = packet_of(timeline, step);
    return packet && packet->segment.flags.syn();
}

/// The first SYN once more, to one whose answer was lost.
bool is_syn_again(const Timeline& timeline, const Timeline::Step& step) {
    if (step.verdict != Verdict::SequenceUnacceptable) return false;
    const TcpSnapshot& before = timeline.states[step.before];
    if (before.state != TcpState::SynReceived) return false;
    const auto packet = packet_of(timeline, step);
    return packet && packet->segment.flags.syn() && !packet->segment.flags.ack() &&
           packet->segment.seq == before.irs;
}

}  // namespace

const Explanation& explanation(Verdict verdict, Language language) {
    return table_of(language).verdicts.at(static_cast<std::size_t>(verdict));
}

const Explanation& explanation(Drop drop, Language language) {
    return table_of(language).drops.at(static_cast<std::size_t>(drop));
}

const Explanation* explanation_of(const Timeline& timeline, const Timeline::Step& step,
                                  Language language) {
    const bool decided = step.end != Timeline::kNone && step.verdict != Verdict::None;
    if (decided && is_syn_again(timeline, step)) {
        return language == Language::English ? &english_syn_again() : &chinese_syn_again();
    }
    if (decided && is_syn_sent(timeline, step)) {
        return language == Language::English ? &english_syn_sent() : &chinese_syn_sent();
    }
    if (decided) return &explanation(step.verdict, language);
    return step.drop ? &explanation(*step.drop, language) : nullptr;
}

std::string wording(const Timeline& timeline, const Timeline::Step& step, std::string_view text) {
    if (!text.contains('[')) return std::string(text);
    return without_unknown(text, Values(timeline, step));
}

std::string_view rule_of(const Timeline& timeline, const Timeline::Step& step) {
    const bool decided = step.end != Timeline::kNone && step.verdict != Verdict::None;
    if (decided && is_syn_sent(timeline, step)) return "RFC 9293 3.5";
    if (decided) return rfc(step.verdict);
    return step.drop ? rfc(*step.drop) : std::string_view();
}

std::vector<std::string_view> placeholders_of(std::string_view text) {
    std::vector<std::string_view> names;
    while (true) {
        const std::size_t open = text.find('{');
        const std::size_t close = text.find('}', open);
        if (open == std::string_view::npos || close == std::string_view::npos) return names;
        const std::string_view name = text.substr(open + 1, close - open - 1);
        if (std::ranges::find(names, name) == names.end()) names.push_back(name);
        text.remove_prefix(close + 1);
    }
}

std::vector<std::string> placeholder_values(const Timeline& timeline, const Timeline::Step& step,
                                            const std::vector<std::string_view>& placeholders) {
    const Values values(timeline, step);
    std::vector<std::string> texts;
    texts.reserve(placeholders.size());
    for (const std::string_view name : placeholders) texts.push_back(values.value(name));
    return texts;
}

std::string_view it_seems(Language language) {
    return language == Language::English ? "It seems: " : "看起来：";
}

StepText explain(const Timeline& timeline, const Timeline::Step& step, Language language) {
    const Explanation* row = explanation_of(timeline, step, language);
    if (row == nullptr) return {};
    const Values values(timeline, step);
    StepText text;
    text.what = fill(without_unknown(row->what, values), values);
    text.why = fill(without_unknown(row->why, values), values);
    text.mistake = fill(without_unknown(row->mistake, values), values);
    text.rule = rule_of(timeline, step);
    if (timeline.source == Timeline::Source::Capture) {
        text.what = std::string(it_seems(language)) + text.what;
    }
    return text;
}

}  // namespace tapestry

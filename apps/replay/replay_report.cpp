#include "apps/replay/replay_report.h"

#include <array>
#include <cstdio>
#include <unordered_map>

#include "apps/failure.h"
#include "drivers/pcapng_writer.h"
#include "stack/trace/notation.h"

namespace tapestry {
namespace {

std::string seconds(Duration d) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%11.6f", to_seconds(d));
    return text.data();
}

std::string padded(std::string text, std::size_t width) {
    text.resize(std::max(text.size(), width), ' ');
    return text;
}

/// "window 4, push 1".
std::string rule_counts(const CompareSum& sum) {
    std::string line;
    for (std::size_t i = 0; i < sum.rules.size(); ++i) {
        if (sum.rules[i] == 0) continue;
        line += (line.empty() ? "" : ", ") + std::string(name(static_cast<Leeway>(i))) + " " +
                std::to_string(sum.rules[i]);
    }
    return line;
}

std::string sum_line(const CompareSum& sum) {
    std::string line =
        std::to_string(sum.recorded) + " frames recorded, " + std::to_string(sum.sent) + " sent: ";
    for (std::size_t i = 0; i < sum.matches.size(); ++i) {
        line += (i == 0 ? "" : ", ") + std::to_string(sum.matches[i]) + " " +
                std::string(name(static_cast<Match>(i)));
    }
    const std::string rules = rule_counts(sum);
    return rules.empty() ? line : line + " (" + rules + ")";
}

std::string rule_names(LeewaySet rules) {
    std::string line;
    for (std::size_t i = 0; i < static_cast<std::size_t>(Leeway::kCount); ++i) {
        const auto rule = static_cast<Leeway>(i);
        if (rules.has(rule)) line += (line.empty() ? "" : " ") + std::string(name(rule));
    }
    return line;
}

std::string painted(Match match, const Paint& paint) {
    const std::string word = padded(std::string(name(match)), 9);
    switch (match) {
        case Match::Equal:
            return paint.green(word);
        case Match::Recut:
            return paint.cyan(word);
        case Match::Allowed:
            return paint.yellow(word);
        default:
            return paint.red(word);
    }
}

class Printer {
public:
    Printer(const ReplayResult& result, bool every_frame, Paint paint,
            const std::function<void(const std::string&)>& out)
        : result_(result), every_frame_(every_frame), paint_(paint), out_(out) {}

    void part(const ReplayedPart& part) {
        out_(paint_.bold(title(part)));
        if (part.script != nullptr) {
            for (const std::string& line : remarks(*part.script, *part.played)) out_("  " + line);
        }
        for (const CompareRow& r : part.rows) row(part, r);
        out_("  " + sum_line(part.sum));
        out_("");
    }

private:
    static std::string title(const ReplayedPart& part) {
        if (part.script == nullptr) return "ARP, ICMP and UDP";
        return "stream " + std::to_string(part.script->stream) + ": " + part.script->title() +
               (part.script->active ? ", opened by the host" : "");
    }

    void row(const ReplayedPart& part, const CompareRow& r) {
        const Match match = r.match(result_.allowed);
        if (!every_frame_ && match != Match::Diverged) return;
        const Duration when = r.time - result_.start;
        const std::string number =
            r.recorded != nullptr ? "#" + std::to_string(r.recorded->number) : "";
        std::string line = seconds(when) + "  " + padded(number, 7) + painted(match, paint_) + " ";
        line += r.recorded != nullptr ? row_line(r, true, part)
                                      : "only sent: " + row_line(r, false, part);
        if (const std::string rules = rule_names(r.rules); !rules.empty()) {
            line += "  " + paint_.dim("[" + rules + "]");
        }
        out_(line);
        if (match == Match::Diverged) explain(part, r);
    }

    void explain(const ReplayedPart& part, const CompareRow& r) {
        const std::string indent(21, ' ');
        if (r.wrong) {
            out_(indent + paint_.red(r.what) + " (" + std::string(r.rfc) + ")");
        } else {
            out_(indent + paint_.red("differs in " + rule_names(r.rules)) +
                 ", which is not allowed");
        }
        if (r.recorded != nullptr) out_(indent + "recorded: " + row_line(r, true, part));
        out_(indent + "we sent:  " + (r.sent != nullptr ? row_line(r, false, part) : "nothing"));
        if (part.script != nullptr) {
            out_(indent +
                 "we were:  " + r.state.text(part.script->our_isn, part.script->their_isn));
        }
        if (r.recorded != nullptr) {
            out_(indent + "record " + std::to_string(r.recorded->number) + ", at byte " +
                 std::to_string(r.recorded->offset) + " of the file");
        }
    }

    const ReplayResult& result_;
    bool every_frame_;
    Paint paint_;
    const std::function<void(const std::string&)>& out_;
};

}  // namespace

std::string row_line(const CompareRow& row, bool recorded, const ReplayedPart& part) {
    const std::vector<u8>& bytes = recorded ? row.recorded->bytes : row.sent->bytes;
    const auto& segment = recorded ? row.recorded->segment : row.sent->segment;
    if (!segment || part.script == nullptr) return describe_frame(bytes, bytes.size());
    return to_string(note_of(*segment, part.script->our_isn, part.script->their_isn));
}

ReplayResult compare_all(const Recording& recording, Stage& stage, LeewaySet allowed,
                         std::optional<std::size_t> stream) {
    ReplayResult result;
    result.recording = &recording;
    result.start = recording.frames().front()->time;
    result.allowed = allowed;
    const auto add = [&](ReplayedPart part) {
        for (const CompareRow& row : part.rows) part.sum.add(row, allowed);
        if (!part.rows.empty()) result.start = std::min(result.start, part.rows.front().time);
        result.sum.add(part.sum);
        result.parts.push_back(std::move(part));
    };
    for (std::size_t i = 0; i < stage.scripts().size(); ++i) {
        const TcpScript& script = stage.scripts()[i];
        if (stream && script.stream != *stream) continue;
        ReplayedPart part;
        part.script = &script;
        part.played = &stage.played(i);
        part.rows = compare_tcp(script, *part.played);
        add(std::move(part));
    }
    if (stream) return result;
    ReplayedPart rest;
    rest.rows = compare_datagrams(stage.datagrams());
    result.not_played = stage.datagrams().not_played;
    if (!rest.rows.empty()) add(std::move(rest));
    return result;
}

void print_replay(const ReplayResult& result, bool every_frame, Paint paint,
                  const std::function<void(const std::string&)>& out) {
    for (const std::string& line : remarks(*result.recording)) out(line);
    Printer printer(result, every_frame, paint, out);
    for (const ReplayedPart& part : result.parts) printer.part(part);
    for (const auto& [what, count] : result.not_played) {
        out("not played: " + std::to_string(count) + " frames of " + what +
            ", which the stack does not send");
    }
    out(result.recording->host().to_string() + " played, " + sum_line(result.sum));
}

namespace {

std::string comment_on(const CompareRow& row, const ReplayedPart& part, LeewaySet allowed) {
    const Match match = row.match(allowed);
    if (match == Match::Equal) return "";
    std::string comment = std::string(name(match)) + ": ";
    comment += row.wrong ? row.what + " (" + std::string(row.rfc) + ")" : rule_names(row.rules);
    if (row.recorded == nullptr) return comment + "; the recorded host sent nothing like it";
    return comment + "; recorded as frame " + std::to_string(row.recorded->number) + ": " +
           row_line(row, true, part);
}

}  // namespace

void write_replay(const ReplayResult& result, const Stage& stage, const std::string& path) {
    std::unordered_map<const SentFrame*, std::string> comments;
    for (const ReplayedPart& part : result.parts) {
        for (const CompareRow& row : part.rows) {
            if (row.sent != nullptr) comments[row.sent] = comment_on(row, part, result.allowed);
        }
    }
    auto writer = PcapngWriter::open(path);
    if (!writer) throw Failure(kUsage, "replay: " + writer.error());
    const u32 interface = writer->add_interface("replay");
    for (const PassedFrame& frame : stage.passed()) {
        const bool ours = frame.sent != nullptr;
        const auto comment = comments.find(frame.sent);
        writer->write(
            ours ? Bytes(frame.sent->bytes) : Bytes(frame.came),
            {.interface = interface,
             .time = frame.time,
             .way = ours ? PcapngWriter::Way::Outbound : PcapngWriter::Way::Inbound,
             .comment = comment == comments.end() ? std::string_view() : comment->second});
    }
    if (!writer->flush()) throw Failure(kUsage, "replay: " + writer->failure().value_or(path));
}

}  // namespace tapestry

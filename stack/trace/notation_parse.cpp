#include <charconv>
#include <limits>
#include <utility>

#include "stack/trace/notation.h"

/// Reading a note. The grammar, with white space between any two of its parts:
///
///     note    = flags number ":" number "(" number ")" *field [options]
///     flags   = "-" / 1*( "F" / "S" / "R" / "P" / "." / "U" / "E" / "W" )      each at most once
///     field   = "ack" number / "win" number / "urg" number                     each at most once
///     options = "<...>" / "<" option *( "," option ) ">"
///     option  = "mss" number / "wscale" number / "sackOK" / "nop" / "eol"
///             / "TS" "val" number "ecr" number / "sack" 1*4( number ":" number )

namespace tapestry {
namespace {

/// Goes through a line from left to right. Every method that returns false has noted where it stands
/// and what it wanted; the first such note is the one to report.
class NoteParser {
public:
    explicit NoteParser(std::string_view line) : line_(line) {}

    std::expected<TcpNote, NotationError> parse() {
        note_.options.emplace();
        if (!flags() || !range() || !fields() || !options()) return std::unexpected(error_);
        return note_;
    }

private:
    bool fail(std::size_t column, std::string expected) {
        error_ = {column, std::move(expected)};
        return false;
    }

    void skip_space() {
        while (at_ < line_.size() && (line_[at_] == ' ' || line_[at_] == '\t')) ++at_;
    }
    char peek() {
        skip_space();
        return at_ < line_.size() ? line_[at_] : '\0';
    }
    bool take(char c) {
        if (peek() != c) return fail(at_, std::string("'") + c + '\'');
        ++at_;
        return true;
    }
    static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
    /// The letters that come next; the position moves behind them.
    std::string_view word() {
        skip_space();
        const std::size_t start = at_;
        while (at_ < line_.size() && is_letter(line_[at_])) ++at_;
        return line_.substr(start, at_ - start);
    }

    template <typename Integer>
    bool number(Integer& value) {
        skip_space();
        const char* end = line_.data() + line_.size();
        const auto [stop, failure] = std::from_chars(line_.data() + at_, end, value);
        if (failure == std::errc::result_out_of_range) {
            return fail(at_,
                        "a number up to " + std::to_string(std::numeric_limits<Integer>::max()));
        }
        if (failure != std::errc()) return fail(at_, "a number");
        at_ = static_cast<std::size_t>(stop - line_.data());
        return true;
    }
    /// A number for a field that may be given once.
    template <typename Integer>
    bool number_once(std::optional<Integer>& value, std::size_t column, std::string_view name) {
        if (value) return fail(column, std::string(name) + " only once");
        return number(value.emplace());
    }

    bool flags();
    bool range();
    bool fields();
    bool options();
    bool option();
    bool timestamps(std::size_t column);
    bool sack(std::size_t column);

    std::string_view line_;
    std::size_t at_ = 0;
    TcpNote note_;
    NotationError error_;
};

bool NoteParser::flags() {
    static constexpr std::string_view kLetters = "FSRP.UEW";
    static constexpr std::array<u8, 8> kBits{TcpFlags::kFin, TcpFlags::kSyn, TcpFlags::kRst,
                                             TcpFlags::kPsh, TcpFlags::kAck, TcpFlags::kUrg,
                                             TcpFlags::kEce, TcpFlags::kCwr};
    const char first = peek();
    if (first == '-') {
        ++at_;
        return true;
    }
    for (; at_ < line_.size(); ++at_) {
        const std::size_t index = kLetters.find(line_[at_]);
        if (index == std::string_view::npos) break;
        if ((note_.flags.bits & kBits.at(index)) != 0) return fail(at_, "each flag only once");
        note_.flags.bits |= kBits.at(index);
    }
    if (note_.flags.bits == 0) return fail(at_, "a flag letter");
    return true;
}

bool NoteParser::range() {
    u32 end = 0;
    if (!number(note_.seq) || !take(':')) return false;
    skip_space();
    const std::size_t end_column = at_;
    if (!number(end) || !take('(') || !number(note_.length) || !take(')')) return false;
    if (end != note_.seq + note_.length) {
        return fail(end_column, "the sum of the first number and the length");
    }
    return true;
}

bool NoteParser::fields() {
    for (char c = peek(); c != '\0' && c != '<'; c = peek()) {
        const std::size_t column = at_;
        const std::string_view field = word();
        bool good = false;
        if (field == "ack") {
            good = number_once(note_.ack, column, field);
        } else if (field == "win") {
            good = number_once(note_.window, column, field);
        } else if (field == "urg") {
            good = number_once(note_.urgent, column, field);
        } else {
            return fail(column, "'ack', 'win', 'urg', '<' or the end of the line");
        }
        if (!good) return false;
    }
    return true;
}

bool NoteParser::options() {
    if (peek() == '\0') return true;
    if (!take('<')) return false;
    if (peek() == '.') {
        if (line_.substr(at_, 3) != "...") return fail(at_, "'...'");
        at_ += 3;
        note_.options.reset();
    } else {
        do {
            if (!option()) return false;
        } while (peek() == ',' && take(','));
    }
    if (peek() != '>') return fail(at_, note_.options ? "',' or '>'" : "'>'");
    ++at_;
    if (peek() != '\0') return fail(at_, "the end of the line");
    return true;
}

bool NoteParser::option() {
    skip_space();
    const std::size_t column = at_;
    const std::string_view name = word();
    if (name == "nop" || name == "eol") return true;
    if (name == "mss") return number_once(note_.options->mss, column, name);
    if (name == "wscale") return number_once(note_.options->window_scale, column, name);
    if (name == "TS") return timestamps(column);
    if (name == "sack") return sack(column);
    if (name == "sackOK") {
        if (note_.options->sack_permitted) return fail(column, "sackOK only once");
        note_.options->sack_permitted = true;
        return true;
    }
    return fail(column, "'mss', 'wscale', 'sackOK', 'TS', 'sack', 'nop' or 'eol'");
}

bool NoteParser::timestamps(std::size_t column) {
    if (note_.options->timestamps) return fail(column, "TS only once");
    TcpTimestamps& timestamps = note_.options->timestamps.emplace();
    skip_space();
    std::size_t word_column = at_;
    if (word() != "val") return fail(word_column, "'val'");
    if (!number(timestamps.value)) return false;
    skip_space();
    word_column = at_;
    if (word() != "ecr") return fail(word_column, "'ecr'");
    return number(timestamps.echo_reply);
}

bool NoteParser::sack(std::size_t column) {
    TcpOptions& options = *note_.options;
    if (options.sack_count > 0) return fail(column, "sack only once");
    do {
        if (options.sack_count == TcpOptions::kMaxSackBlocks) {
            return fail(at_, "at most four blocks");
        }
        u32 left = 0;
        u32 right = 0;
        if (!number(left) || !take(':') || !number(right)) return false;
        options.sack_blocks.at(options.sack_count++) = {SeqNum(left), SeqNum(right)};
    } while (peek() >= '0' && peek() <= '9');
    return true;
}

}  // namespace

std::expected<TcpNote, NotationError> parse_note(std::string_view line) {
    return NoteParser(line).parse();
}

}  // namespace tapestry

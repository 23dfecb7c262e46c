#include "tests/support/script_parser.h"

#include <array>
#include <utility>

namespace tapestry::test {
namespace {

/// Digits, with an optional fraction, as nanoseconds of the unit.
std::optional<Duration> scaled(std::string_view digits, i64 unit) {
    i64 value = 0;
    bool any = false;
    i64 place = 0;  // 0: before the point
    for (const char c : digits) {
        if (c == '.' && place == 0) {
            place = unit;
            continue;
        }
        if (c < '0' || c > '9' || value > i64{1} << 55) return std::nullopt;
        any = true;
        if (place == 0) {
            value = value * 10 + (c - '0') * unit;
        } else {
            place /= 10;
            value += (c - '0') * place;
        }
    }
    if (!any) return std::nullopt;
    return Duration(value);
}

std::string without_comments(std::string_view text) {
    std::string out(text);
    for (std::size_t at = out.find("/*"); at != std::string::npos; at = out.find("/*", at)) {
        const std::size_t end = out.find("*/", at + 2);
        if (end == std::string::npos) throw ScriptSyntaxError("a comment without its end \"*/\"");
        // New lines stay, so that the numbers of the lines stay right.
        for (std::size_t i = at; i < end + 2; ++i) {
            if (out[i] != '\n') out[i] = ' ';
        }
    }
    return out;
}

std::string_view without_line_comment(std::string_view line) {
    line = trimmed(line.substr(0, line.find("//")));
    return line.starts_with('#') ? std::string_view() : line;
}

bool starts_step(std::string_view line) {
    return line[0] == '+' || line[0] == '*' || line[0] == '.' || (line[0] >= '0' && line[0] <= '9');
}

Duration time_value(Cursor& cursor) {
    // "0...0.2" and "1.5...2": the dots in the middle belong to nobody.
    std::string_view word = cursor.starts_with("...") ? std::string_view() : cursor.word();
    const auto value = parse_duration(word);
    if (!value) cursor.fail("a time instead of \"" + std::string(word) + "\" before");
    return *value;
}

StepTime parse_time(std::string_view text) {
    StepTime time;
    if (text == "*") {
        time.kind = StepTime::Kind::Any;
        return time;
    }
    const std::size_t ellipsis = text.find("...");
    const std::size_t tilde = text.find('~');
    Cursor first(text.substr(0, std::min(ellipsis, tilde)));
    time.kind = first.take("+") ? StepTime::Kind::Relative : StepTime::Kind::Absolute;
    time.from = time.to = time_value(first);
    if (ellipsis != std::string_view::npos) {
        Cursor second(text.substr(ellipsis + 3));
        time.returns = time_value(second);
    } else if (tilde != std::string_view::npos) {
        Cursor second(text.substr(tilde + 1));
        if (time.kind == StepTime::Kind::Relative) second.need("+");
        time.to = time_value(second);
    }
    if (time.to < time.from || (time.returns && *time.returns < time.from)) {
        throw ScriptSyntaxError("the time range ends before it begins");
    }
    return time;
}

Ipv4Address address(Cursor& cursor) {
    const std::string_view word = cursor.word();
    const auto parsed = Ipv4Address::parse(word);
    if (!parsed) cursor.fail("an IPv4 address instead of \"" + std::string(word) + "\" before");
    return *parsed;
}

void parse_notes(Cursor& cursor, PacketNotes& notes) {
    do {
        const std::string name(cursor.word());
        if (name == "tos") {
            notes.tos = cursor.number<u8>();
        } else if (name == "noecn" || name == "ect0" || name == "ect1" || name == "ce") {
            // RFC 3168 section 5
            notes.ecn = name == "noecn" ? 0 : name == "ect1" ? 1 : name == "ect0" ? 2 : 3;
        } else if (name == "ttl") {
            notes.ttl = cursor.number<u8>();
        } else if (name == "from") {
            notes.from = address(cursor);
        } else if (name == "to") {
            notes.to = address(cursor);
        } else if (name == "from_port") {
            notes.from_port = cursor.number<u16>();
        } else if (name == "to_port") {
            notes.to_port = cursor.number<u16>();
        } else if (name == "bad_checksum") {
            notes.bad_checksum = true;
        } else if (name == "garbage") {
            notes.garbage = true;
        } else if (name == "broadcast") {
            notes.broadcast = true;
        } else {
            cursor.fail("something to say of a packet instead of \"" + name + "\" before");
        }
    } while (cursor.take(","));
    cursor.need("]");
}

/// The segment that an ICMP error is about: "1:1461(1460)".
void parse_quoted(Cursor& cursor, IcmpLine& icmp) {
    icmp.seq = cursor.number();
    cursor.need(":");
    cursor.number();
    cursor.need("(");
    icmp.length = cursor.number();
    cursor.need(")");
    cursor.need("]");
}

u8 unreachable_code(Cursor& cursor) {
    static constexpr std::array<std::pair<std::string_view, u8>, 7> kCodes{
        {{"net_unreachable", 0},
         {"host_unreachable", 1},
         {"protocol_unreachable", 2},
         {"port_unreachable", 3},
         {"frag_needed", 4},
         {"source_route_failed", 5},
         {"admin_prohibited", 13}}};
    const std::string_view word = cursor.word();
    for (const auto& [name, code] : kCodes) {
        if (name == word) return code;
    }
    cursor.fail("a code like host_unreachable instead of \"" + std::string(word) + "\" before");
}

void parse_icmp(Cursor& cursor, IcmpLine& icmp) {
    const std::string type(cursor.word());
    if (type == "unreachable") {
        icmp.type = 3;
        icmp.code = unreachable_code(cursor);
    } else if (type == "source_quench") {
        icmp.type = 4;
    } else if (type == "time_exceeded") {
        icmp.type = 11;
    } else if (type == "parameter_problem") {
        icmp.type = 12;
    } else {
        cursor.fail("an ICMP error instead of \"" + type + "\" before");
    }
    if (cursor.take("mtu")) icmp.mtu = cursor.number<u16>();
    if (cursor.take("[")) parse_quoted(cursor, icmp);
}

void parse_packet(Cursor& cursor, bool inbound, ScriptStep& step) {
    TcpLine tcp;
    tcp.inbound = inbound;
    IcmpLine icmp;
    if (cursor.peek() >= '1' && cursor.peek() <= '9') tcp.flow = icmp.flow = cursor.number();
    while (cursor.take("[")) {
        if (cursor.peek() >= '0' && cursor.peek() <= '9') {
            parse_quoted(cursor, icmp);
        } else {
            parse_notes(cursor, tcp.notes);
        }
    }
    if (cursor.take("icmp")) {
        if (!inbound) cursor.fail("'<': ICMP errors come in");
        parse_icmp(cursor, icmp);
        icmp.notes = tcp.notes;
        step.body = icmp;
    } else {
        const std::string_view all = cursor.rest();
        const std::size_t head_end = std::min(all.find('<'), all.size());
        const auto note = parse_note(all.substr(0, head_end));
        if (!note) {
            throw ScriptSyntaxError("wanted " + note.error().expected + " at \"" +
                                    std::string(all.substr(note.error().column)) + "\"");
        }
        tcp.note = *note;
        tcp.note.options.reset();
        cursor = Cursor(all.substr(head_end));
        if (cursor.take("<")) tcp.options = parse_options(cursor);
        if (tcp.note.flags.ack() != tcp.note.ack.has_value()) {
            throw ScriptSyntaxError("'.' and \"ack\" go together");
        }
        step.body = std::move(tcp);
    }
    if (!cursor.at_end()) cursor.fail("the end of the line");
}

/// The arguments, split at commas outside of brackets; behind the `(` to behind the `)`.
std::vector<std::string> parse_arguments(Cursor& cursor) {
    std::vector<std::string> arguments;
    std::string current;
    int depth = 0;
    std::string_view rest = cursor.rest();
    for (std::size_t i = 0; i < rest.size(); ++i) {
        const char c = rest[i];
        if (c == '(' || c == '[' || c == '{') ++depth;
        if (c == ')' && depth == 0) {
            if (!arguments.empty() || !trimmed(current).empty()) {
                arguments.emplace_back(trimmed(current));
            }
            cursor = Cursor(rest.substr(i + 1));
            return arguments;
        }
        if (c == ')' || c == ']' || c == '}') --depth;
        if (c == ',' && depth == 0) {
            arguments.emplace_back(trimmed(current));
            current.clear();
        } else {
            current += c;
        }
    }
    throw ScriptSyntaxError("a call without its ')'");
}

void parse_call(Cursor& cursor, ScriptStep& step) {
    CallLine call;
    call.name = cursor.word();
    if (call.name.empty()) cursor.fail("'<', '>', '%{' or a system call");
    cursor.need("(");
    call.args = parse_arguments(cursor);
    cursor.need("=");
    if (!cursor.take("?")) {
        call.result_given = true;
        call.result = cursor.take("-") ? -cursor.number<i64>() : cursor.number<i64>();
        if (cursor.peek() == 'E') call.error = cursor.word();
        if (cursor.take("(")) cursor.until(")");
        if ((call.result == -1) == call.error.empty()) cursor.fail("an error's name with -1");
    }
    if (!cursor.at_end()) cursor.fail("the end of the line");
    step.body = std::move(call);
}

void parse_checks(Cursor& cursor, ScriptStep& step) {
    ChecksLine line;
    const std::string inner(cursor.until("}%"));
    Cursor checks(inner);
    do {
        Check check;
        if (checks.take("[")) {
            check.flow = checks.number();
            checks.need("]");
        }
        check.name = checks.word();
        for (const char* relation : {"==", "!=", "<=", ">=", "<", ">"}) {
            if (checks.take(relation)) {
                check.relation = relation;
                break;
            }
        }
        if (check.name.empty() || check.relation.empty()) checks.fail("NAME == VALUE");
        check.value = checks.word();
        if (check.value.empty()) checks.fail("a value");
        line.checks.push_back(std::move(check));
    } while (checks.take(","));
    if (!checks.at_end()) checks.fail("',' or '}%'");
    step.body = std::move(line);
}

void parse_step(ScriptStep& step) {
    const std::string_view text = step.text;
    // A time, then blanks; but "+0 > ..." may also be written "+0> ...".
    const std::size_t time_end = std::min(text.find_first_of(" \t<>%"), text.size());
    step.time = parse_time(text.substr(0, time_end));
    Cursor cursor(text.substr(time_end));
    if (cursor.take("<")) {
        parse_packet(cursor, true, step);
    } else if (cursor.take(">")) {
        parse_packet(cursor, false, step);
    } else if (cursor.take("%{")) {
        parse_checks(cursor, step);
    } else {
        parse_call(cursor, step);
    }
    const auto* tcp = std::get_if<TcpLine>(&step.body);
    const bool out = tcp != nullptr && !tcp->inbound;
    if (!out && (step.time.kind == StepTime::Kind::Any || step.time.from != step.time.to)) {
        throw ScriptSyntaxError("only an outbound packet may come at any time of several");
    }
    if (step.time.returns && !std::holds_alternative<CallLine>(step.body)) {
        throw ScriptSyntaxError("only a call takes a while ('...')");
    }
}

/// `--mss=1000`, `--set tcp.min_rto=200ms`; underscores count as hyphens.
void parse_setting(std::string_view line, std::size_t number, Script& script) {
    Cursor cursor(line);
    while (cursor.take("--")) {
        std::string name(cursor.word());
        if (name == "set") {
            name = cursor.word();
        } else {
            for (char& c : name) c = c == '_' ? '-' : c;
        }
        if (!cursor.take("=") && cursor.at_end()) cursor.fail("a value");
        script.settings.push_back({number, std::move(name), std::string(cursor.word())});
    }
    if (!cursor.at_end()) cursor.fail("'--'");
}

void take_line(std::string_view line, std::size_t number, Script& script) {
    if (line.starts_with("--")) {
        if (!script.steps.empty()) throw ScriptSyntaxError("settings come before the first step");
        parse_setting(line, number, script);
    } else if (starts_step(line)) {
        script.steps.push_back({.line = number, .text = std::string(line), .time = {}, .body = {}});
    } else if (!script.steps.empty()) {
        script.steps.back().text += ' ' + std::string(line);  // a step goes on
    } else {
        throw ScriptSyntaxError("wanted a time: +0.1, 0.1, or *");
    }
}

}  // namespace

std::optional<Duration> parse_duration(std::string_view text) {
    for (const auto& [suffix, unit] : {std::pair<std::string_view, i64>{"ns", 1},
                                       {"us", 1'000},
                                       {"ms", 1'000'000},
                                       {"min", 60'000'000'000},
                                       {"s", 1'000'000'000},
                                       {"h", 3'600'000'000'000}}) {
        if (text.ends_with(suffix)) {
            return scaled(text.substr(0, text.size() - suffix.size()), unit);
        }
    }
    return scaled(text, 1'000'000'000);
}

std::expected<Script, std::string> parse_script(std::string name, std::string_view text) {
    Script script;
    script.name = std::move(name);
    std::size_t number = 0;
    try {
        const std::string clean = without_comments(text);
        for (std::string_view left = clean; !left.empty();) {
            ++number;
            const std::size_t end = std::min(left.find('\n'), left.size());
            const std::string_view line = without_line_comment(left.substr(0, end));
            left.remove_prefix(std::min(end + 1, left.size()));
            if (!line.empty()) take_line(line, number, script);
        }
        for (ScriptStep& step : script.steps) {
            number = step.line;
            parse_step(step);
        }
    } catch (const ScriptSyntaxError& error) {
        return std::unexpected(script.name + ':' + std::to_string(number) + ": " + error.what());
    }
    if (script.steps.empty()) return std::unexpected(script.name + ": there is no step in it");
    return script;
}

}  // namespace tapestry::test

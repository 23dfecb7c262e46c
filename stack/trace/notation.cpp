#include "stack/trace/notation.h"

#include <algorithm>
#include <utility>

/// Printing a note. Reading one is in notation_parse.cpp, whole frames are in describe_frame.cpp.

namespace tapestry {
namespace {

/// tcpdump's letters, in its order.
constexpr std::array<std::pair<u8, char>, 8> kFlagLetters{{{TcpFlags::kFin, 'F'},
                                                           {TcpFlags::kSyn, 'S'},
                                                           {TcpFlags::kRst, 'R'},
                                                           {TcpFlags::kPsh, 'P'},
                                                           {TcpFlags::kAck, '.'},
                                                           {TcpFlags::kUrg, 'U'},
                                                           {TcpFlags::kEce, 'E'},
                                                           {TcpFlags::kCwr, 'W'}}};

u32 distance(SeqNum from, SeqNum to) { return to.value() - from.value(); }

std::string sack_text(const TcpOptions& options, SeqNum base) {
    std::string text = "sack";
    const std::size_t count = std::min<std::size_t>(options.sack_count, options.sack_blocks.size());
    for (std::size_t i = 0; i < count; ++i) {
        const SackBlock& block = options.sack_blocks.at(i);
        text += ' ' + std::to_string(distance(base, block.left)) + ':' +
                std::to_string(distance(base, block.right));
    }
    return text;
}

std::string timestamps_text(const TcpTimestamps& timestamps) {
    return "TS val " + std::to_string(timestamps.value) + " ecr " +
           std::to_string(timestamps.echo_reply);
}

}  // namespace

TcpNote note_of(const Segment& segment, SeqNum seq_base, SeqNum ack_base) {
    TcpNote note;
    note.flags = segment.flags;
    note.seq = distance(seq_base, segment.seq);
    note.length = static_cast<u32>(segment.payload.size());
    if (segment.flags.ack()) note.ack = distance(ack_base, segment.ack);
    note.window = segment.wnd;
    if (segment.flags.urg()) note.urgent = segment.up;
    note.options = segment.options;
    // The blocks lie in the space of the acknowledgment number.
    for (SackBlock& block : note.options->sack_blocks) {
        if (&block - note.options->sack_blocks.data() >= segment.options.sack_count) break;
        block = {SeqNum(distance(ack_base, block.left)), SeqNum(distance(ack_base, block.right))};
    }
    return note;
}

std::string to_string(const TcpNote& note) {
    std::string text;
    for (const auto& [bit, letter] : kFlagLetters) {
        if ((note.flags.bits & bit) != 0) text += letter;
    }
    if (text.empty()) text += '-';
    text += ' ' + std::to_string(note.seq) + ':' + std::to_string(note.seq + note.length) + '(' +
            std::to_string(note.length) + ')';
    if (note.ack) text += " ack " + std::to_string(*note.ack);
    if (note.window) text += " win " + std::to_string(*note.window);
    if (note.urgent) text += " urg " + std::to_string(*note.urgent);
    const std::string options = note.options ? to_string(*note.options) : "<...>";
    if (!options.empty()) text += ' ' + options;
    return text;
}

std::string to_string(const TcpOptions& options, SeqNum sack_base) {
    std::string text;
    const auto add = [&text](const std::string& option) {
        text += text.empty() ? "<" : ",";
        text += option;
    };
    // The padding is printed where TcpOptions::write() puts it.
    if (options.mss) add("mss " + std::to_string(*options.mss));
    if (options.sack_permitted != options.timestamps.has_value()) add("nop,nop");
    if (options.sack_permitted) add("sackOK");
    if (options.timestamps) add(timestamps_text(*options.timestamps));
    if (options.window_scale) add("nop,wscale " + std::to_string(*options.window_scale));
    if (options.sack_count > 0) add("nop,nop," + sack_text(options, sack_base));
    if (!text.empty()) text += '>';
    return text;
}

}  // namespace tapestry

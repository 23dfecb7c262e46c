#include <algorithm>
#include <array>
#include <cstdio>

#include "apps/inspect/terminal/phrases.h"
#include "apps/inspect/terminal/screen_parts.h"

namespace tapestry {
namespace {

constexpr u32 kNone = Timeline::kNone;
/// Where a reader looks first.
constexpr std::array<std::string_view, 5> kFirst{"tcp.flags", "icmp.type", "udp.dstport",
                                                 "arp.opcode", "ip.proto"};

std::string name_of(const FrameField& field) {
    std::string line = field.name + ": " + field.label;
    if (!field.value.empty()) line += " = " + field.value;
    return line;
}

}  // namespace

std::vector<FrameField> fields_at(const Walk& walk, std::size_t stop) {
    const u32 frame = walk.frame(stop);
    if (frame == kNone) return {};
    const Timeline::Frame& of = walk.timeline().frames[frame];
    return frame_fields(of.bytes, of.offload);
}

int field_under(const FieldCursor& cursor, const std::vector<FrameField>& fields) {
    const auto find = [&](std::string_view name, std::size_t nth) {
        for (std::size_t i = 0; i < fields.size(); ++i) {
            if (fields[i].name == name && nth-- == 0) return static_cast<int>(i);
        }
        return -1;
    };
    if (!cursor.name.empty()) {
        if (const int at = find(cursor.name, cursor.nth); at >= 0) return at;
    }
    for (const std::string_view name : kFirst) {
        if (const int at = find(name, 0); at >= 0) return at;
    }
    return fields.empty() ? -1 : 0;
}

FieldCursor moved(const FieldCursor& cursor, int by, const std::vector<FrameField>& fields) {
    const int at = field_under(cursor, fields);
    if (at < 0) return cursor;
    const int to = std::clamp(at + by, 0, static_cast<int>(fields.size()) - 1);
    const std::string& name = fields[static_cast<std::size_t>(to)].name;
    const auto before = std::count_if(fields.begin(), fields.begin() + to,
                                      [&](const FrameField& f) { return f.name == name; });
    return {name, static_cast<std::size_t>(before)};
}

std::string field_line(const FrameField& field, Language language) {
    std::string line = name_of(field);
    if (field.length == 0) return line;
    const std::string first = std::to_string(field.offset);
    const std::string last = std::to_string(field.offset + field.length - 1);
    return line +
           phrase(field.length == 1 ? Phrase::AtByte : Phrase::AtBytes, language, {first, last});
}

std::string hex_line(const std::vector<u8>& bytes, std::size_t from, std::size_t count) {
    char part[16];
    std::snprintf(part, sizeof part, "%04zx ", from);
    std::string line = part;
    std::string text;
    for (std::size_t i = from; i < from + count; ++i) {
        if (i >= bytes.size()) {
            line += "   ";
            continue;
        }
        std::snprintf(part, sizeof part, " %02x", static_cast<unsigned>(bytes[i]));
        line += part;
        text += bytes[i] >= 0x20 && bytes[i] < 0x7f ? static_cast<char>(bytes[i]) : '.';
    }
    return line + "  " + text;
}

void draw_bytes(const Walk& walk, const View& view, const Area& area, Screen& screen) {
    const u32 frame = walk.frame(view.stop);
    if (frame == kNone || area.height() < 2) return;
    const Timeline::Frame& of = walk.timeline().frames[frame];
    const auto fields = fields_at(walk, view.stop);
    const int at = field_under(view.field, fields);
    const FrameField none;
    const FrameField& field = at < 0 ? none : fields[static_cast<std::size_t>(at)];
    std::string title =
        phrase(Phrase::BytesOfFrame, view.language, {std::to_string(walk.number(frame))});
    if (at >= 0) title += field_line(field, view.language);
    screen.put(area.top, area.left, title, Look::Bold, area.right);

    const std::size_t count = area.width() >= 71 ? 16 : 8;
    const auto rows = static_cast<std::size_t>(area.height() - 1);
    const std::size_t row_of_field = field.offset / count;
    // The field's row is in sight; from the beginning of the frame, as long as that is possible.
    const std::size_t first = row_of_field < rows ? 0 : row_of_field - rows + 1;
    for (std::size_t i = 0; i < rows && (first + i) * count < of.bytes.size(); ++i) {
        const std::size_t from = (first + i) * count;
        const int row = area.top + 1 + static_cast<int>(i);
        screen.put(row, area.left, hex_line(of.bytes, from, count), Look::Plain, area.right);
        for (std::size_t b = from; b < from + count && b < of.bytes.size(); ++b) {
            if (b < field.offset || b >= field.offset + field.length) continue;
            const int column = area.left + 6 + 3 * static_cast<int>(b - from);
            const bool more = b + 1 < field.offset + field.length && b + 1 < from + count;
            screen.paint(row, column, column + (more ? 3 : 2), Look::Cursor);
        }
    }
}

}  // namespace tapestry

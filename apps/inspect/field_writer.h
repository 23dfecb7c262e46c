#pragma once

#include <cstdio>
#include <optional>

#include "apps/inspect/frame_fields.h"
#include "stack/wire/endian.h"

namespace tapestry {

/// Writes the fields of one header after the other, and never reads behind the end of the frame.
class FieldWriter {
public:
    FieldWriter(Bytes frame, const Offload& offload) : frame_(frame), offload_(offload) {}

    Bytes frame() const { return frame_; }
    const Offload& offload() const { return offload_; }
    /// How many bytes there are from `offset` on.
    std::size_t left(std::size_t offset) const {
        return offset < frame_.size() ? frame_.size() - offset : 0;
    }
    u8 byte(std::size_t offset) const { return frame_[offset]; }
    u16 half(std::size_t offset) const { return load_be16(&frame_[offset]); }
    u32 word(std::size_t offset) const { return load_be32(&frame_[offset]); }

    void add(const char* name, const char* label, std::string value, std::size_t offset,
             std::size_t length, u8 level = 1, bool broken = false) {
        fields_.push_back({name, label, std::move(value), offset, length, level, broken});
    }
    void number(const char* name, const char* label, std::size_t offset, std::size_t length,
                u8 level = 1) {
        const u64 value = length == 1 ? byte(offset) : length == 2 ? half(offset) : word(offset);
        add(name, label, std::to_string(value), offset, length, level);
    }
    /// One bit of a byte.
    void bit(const char* name, const char* label, std::size_t offset, u8 mask) {
        add(name, label, (byte(offset) & mask) != 0 ? "1" : "0", offset, 1, 2);
    }
    /// Whether a header of that size is there; if not, what is left is one broken field.
    bool header(const char* name, const char* label, std::size_t offset, std::size_t size) {
        if (left(offset) >= size) return true;
        add(name, label,
            "cut short: " + std::to_string(left(offset)) + " of " + std::to_string(size) + " bytes",
            offset, left(offset), 0, true);
        return false;
    }
    void broken(const char* name, const char* label, const std::string& why, std::size_t offset,
                std::size_t length) {
        add(name, label, why, offset, length, 1, true);
    }
    static std::string hex(u32 value, int digits) {
        char text[16];
        std::snprintf(text, sizeof text, "0x%0*x", digits, value);
        return text;
    }
    void payload(std::size_t offset, std::size_t length, u8 level = 0) {
        if (length > 0) {
            add("data", "Data", std::to_string(length) + " bytes", offset, length, level);
        }
    }
    std::vector<FrameField> take() { return std::move(fields_); }

private:
    Bytes frame_;
    Offload offload_;
    std::vector<FrameField> fields_;
};

/// The TCP segment at `offset`, which has `size` bytes on the wire. `checksum`: computed over the
/// segment and its pseudo-header; nothing where not all of it is there.
void tcp_fields(FieldWriter& out, std::size_t offset, std::size_t size,
                std::optional<u16> checksum);
/// What a checksum field says: its value, and whether `computed`, over all it covers, is 0 as it should.
std::string checksum_text(const FieldWriter& out, u16 field, std::optional<u16> computed);

}  // namespace tapestry

#include "drivers/pcapng_index.h"

#include <bit>
#include <cstring>

#include "drivers/pcapng_blocks.h"

namespace tapestry {
namespace {

using namespace pcapng;

std::string text_of(Bytes bytes) {
    std::string text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    while (!text.empty() && text.back() == '\0') text.pop_back();
    return text;
}

}  // namespace

PcapngIndex::PcapngIndex(const std::string& path) : file_(path, std::ios::binary) {
    std::array<char, 4> first{};
    u32 type = 0;
    if (file_.read(first.data(), 4)) std::memcpy(&type, first.data(), 4);
    is_pcapng_ = type == kSectionHeader;
    file_.seekg(0);
}

std::optional<PcapngIndex::Note> PcapngIndex::next() {
    if (!is_pcapng_) return std::nullopt;
    u32 type = 0;
    std::vector<u8>& body = body_;
    while (true) {
        offset_ = next_offset_;
        if (!read_block(type, body)) break;
        next_offset_ = static_cast<u64>(file_.tellg());
        if (type == kSectionHeader) {
            names_.clear();
        } else if (type == kInterfaceDescription) {
            const auto name = option(body, 8, kInterfaceName);
            names_.push_back(name ? text_of(*name) : "");
        } else if (auto note = packet(type, body)) {
            return note;
        }
    }
    return std::nullopt;
}

std::optional<PcapngIndex::Note> PcapngIndex::packet(u32 type, Bytes body) const {
    Note note;
    // Interface, two words of time, captured and original length, packet data, options. The obsolete
    // block has 16 bits of interface and 16 bits of a drop count in the first word.
    if (type == kEnhancedPacket || type == kObsoletePacket) {
        if (body.size() < 20) return std::nullopt;
        note.interface = type == kEnhancedPacket ? get32(body.data()) : get16(body.data());
        const std::size_t captured = get32(&body[12]);
        const std::size_t options_at = 20 + (captured + 3) / 4 * 4;
        const auto flags = option(body, options_at, kPacketFlags);
        if (flags && flags->size() == 4) note.flags = get32(flags->data());
        const auto comment = option(body, options_at, kComment);
        if (comment) note.comment = text_of(*comment);
    } else if (type != kSimplePacket) {
        return std::nullopt;
    }
    if (note.interface < names_.size()) note.interface_name = names_[note.interface];
    return note;
}

/// Type, length, body, length again. A section header says the byte order of what follows.
bool PcapngIndex::read_block(u32& type, std::vector<u8>& body) {
    std::array<char, 12> head{};
    if (!file_.read(head.data(), 8)) return false;
    std::array<u8, 12> bytes{};
    std::memcpy(bytes.data(), head.data(), 8);
    std::memcpy(&type, bytes.data(), 4);
    std::size_t read = 8;
    if (type == kSectionHeader) {
        if (!file_.read(head.data(), 4)) return false;
        u32 magic = 0;
        std::memcpy(&magic, head.data(), 4);
        if (magic != kByteOrderMagic && std::byteswap(magic) != kByteOrderMagic) return false;
        swapped_ = magic != kByteOrderMagic;
        read = 12;
    } else {
        type = get32(bytes.data());
    }
    const u32 length = get32(&bytes[4]);
    if (length < read + 4 || length > kMaxBlock || length % 4 != 0) return false;
    std::vector<char> rest(length - read);
    if (!file_.read(rest.data(), static_cast<std::streamsize>(rest.size()))) return false;
    body.assign(rest.begin(), rest.end() - 4);
    return true;
}

std::optional<Bytes> PcapngIndex::option(Bytes body, std::size_t at, u16 code) const {
    while (at + 4 <= body.size()) {
        const u16 found = get16(&body[at]);
        const std::size_t length = get16(&body[at + 2]);
        at += 4;
        if (found == 0 || length > body.size() - at) return std::nullopt;
        if (found == code) return body.subspan(at, length);
        at += (length + 3) / 4 * 4;
    }
    return std::nullopt;
}

u32 PcapngIndex::get32(const u8* p) const {
    u32 value = 0;
    std::memcpy(&value, p, 4);
    return swapped_ ? std::byteswap(value) : value;
}

u16 PcapngIndex::get16(const u8* p) const {
    u16 value = 0;
    std::memcpy(&value, p, 2);
    return swapped_ ? std::byteswap(value) : value;
}

}  // namespace tapestry

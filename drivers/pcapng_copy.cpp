#include "drivers/pcapng_copy.h"

#include <array>
#include <bit>
#include <cstring>
#include <fstream>
#include <optional>

#include "drivers/pcapng_blocks.h"

namespace tapestry {
namespace {

constexpr std::size_t kBlockHeader = 8;  // type and length; the length stands again behind the body

std::size_t padded(std::size_t n) { return (n + 3) / 4 * 4; }

/// One section after the other, each in the byte order in which it was written.
class Copier {
public:
    Copier(const std::string& path, const PcapngChanges& changes,
           const std::function<void(const std::string&)>& out)
        : file_(path, std::ios::binary), changes_(changes), out_(out) {}

    void run() {
        while (read_block()) {
            if (type_ == pcapng::kSectionHeader) forget_section_length();
            const bool packet = type_ == pcapng::kEnhancedPacket ||
                                type_ == pcapng::kObsoletePacket || type_ == pcapng::kSimplePacket;
            if (packet) {
                ++number_;
                if (!changes_.keep(number_)) continue;
                if (type_ != pcapng::kSimplePacket) add_comment();
            }
            out_(block_);
        }
    }

private:
    u32 get32(std::size_t at) const {
        u32 value = 0;
        std::memcpy(&value, &block_[at], 4);
        return swapped_ ? std::byteswap(value) : value;
    }
    u16 get16(std::size_t at) const {
        u16 value = 0;
        std::memcpy(&value, &block_[at], 2);
        return swapped_ ? std::byteswap(value) : value;
    }
    std::string text32(u32 value) const {
        if (swapped_) value = std::byteswap(value);
        return {reinterpret_cast<const char*>(&value), 4};
    }
    std::string text16(std::size_t number) const {
        auto value = static_cast<u16>(number);
        if (swapped_) value = std::byteswap(value);
        return {reinterpret_cast<const char*>(&value), 2};
    }

    /// The next block, whole, in block_.
    bool read_block() {
        block_.resize(kBlockHeader + 4);
        if (!file_.read(block_.data(), static_cast<std::streamsize>(block_.size()))) return false;
        std::memcpy(&type_, block_.data(), 4);
        if (type_ == pcapng::kSectionHeader) {
            // Its type reads the same both ways; its first word tells the byte order.
            swapped_ = false;
            const u32 magic = get32(kBlockHeader);
            swapped_ = magic == std::byteswap(pcapng::kByteOrderMagic);
            if (!swapped_ && magic != pcapng::kByteOrderMagic) return false;
        }
        type_ = get32(0);
        const u32 length = get32(4);
        if (length < block_.size() || length > pcapng::kMaxBlock || length % 4 != 0) return false;
        const std::size_t read = block_.size();
        block_.resize(length);
        const auto rest = static_cast<std::streamsize>(length - read);
        return rest == 0 || bool(file_.read(&block_[read], rest));
    }

    /// Blocks get longer, so what it says of its length would be wrong: all ones say nothing.
    void forget_section_length() {
        constexpr std::size_t kLengthAt = kBlockHeader + 8;
        if (block_.size() >= kLengthAt + 8 + 4) block_.replace(kLengthAt, 8, 8, '\xff');
    }

    /// Where the options of a packet end: at the mark of their end, or where the block does. Nothing:
    /// they are broken.
    std::optional<std::size_t> end_of_options() const {
        constexpr std::size_t kCapturedAt = kBlockHeader + 12;
        constexpr std::size_t kDataAt = kBlockHeader + 20;
        const std::size_t end = block_.size() - 4;
        if (end < kDataAt) return std::nullopt;
        std::size_t at = kDataAt + padded(get32(kCapturedAt));
        while (at + 4 <= end && get16(at) != pcapng::kEndOfOptions) {
            at += 4 + padded(get16(at + 2));
        }
        return at <= end ? std::optional(at) : std::nullopt;
    }

    void add_comment() {
        constexpr std::size_t kMost = 65532;
        const std::string comment = changes_.comment(number_).substr(0, kMost);
        const auto at = comment.empty() ? std::nullopt : end_of_options();
        if (!at) return;
        std::string option = text16(pcapng::kComment) + text16(comment.size()) + comment;
        option.resize(padded(option.size()));
        block_.resize(block_.size() - 4);
        if (*at == block_.size()) option += std::string(4, '\0');
        block_.insert(*at, option);
        const std::string length = text32(static_cast<u32>(block_.size() + 4));
        block_.replace(4, 4, length);
        block_ += length;
    }

    std::ifstream file_;
    const PcapngChanges& changes_;
    const std::function<void(const std::string&)>& out_;
    std::string block_;
    u32 type_ = 0;
    bool swapped_ = false;  ///< the section was written in the other byte order
    u64 number_ = 0;
};

}  // namespace

void copy_pcapng(const std::string& path, const PcapngChanges& changes,
                 const std::function<void(const std::string&)>& out) {
    Copier(path, changes, out).run();
}

}  // namespace tapestry

#include "drivers/pcapng_copy.h"

#include <gtest/gtest.h>

#include <cstring>

#include "drivers/pcap_reader.h"
#include "drivers/pcapng_writer.h"
#include "tests/support/packet_builder.h"
#include "tests/support/temp_dir.h"

namespace tapestry {
namespace {

using test::read_file;
using test::run_command;
using test::TempDir;
using test::write_file;

/// A pcapng file made block by block, in either byte order.
class Blocks {
public:
    explicit Blocks(bool big_endian) : big_(big_endian) {}

    static std::vector<u8> text(const std::string& words) { return {words.begin(), words.end()}; }
    void block(u32 type, const std::vector<u8>& body) {
        const auto length = static_cast<u32>(body.size() + 12);
        put(bytes, type, 4);
        put(bytes, length, 4);
        bytes.insert(bytes.end(), body.begin(), body.end());
        put(bytes, length, 4);
    }
    std::vector<u8> option(u16 code, std::vector<u8> value) const {
        std::vector<u8> all;
        put(all, code, 2);
        put(all, static_cast<u32>(value.size()), 2);
        value.resize((value.size() + 3) / 4 * 4);
        all.insert(all.end(), value.begin(), value.end());
        return all;
    }
    /// A section with a length, and an interface whose clock counts seconds.
    void begin() {
        std::vector<u8> section;
        put(section, 0x1a2b3c4d, 4);
        put(section, 1, 2);
        put(section, 0, 2);
        put(section, big_ ? 0 : 400, 4);
        put(section, big_ ? 400 : 0, 4);
        block(0x0a0d0d0a, section);
        std::vector<u8> interface;
        put(interface, 1, 2);
        put(interface, 0, 2);
        put(interface, 262144, 4);
        append(interface, option(9, {0}));  // if_tsresol: 10^0
        append(interface, option(0, {}));
        block(1, interface);
    }
    void packet(const std::vector<u8>& frame, u32 seconds, const std::vector<u8>& options) {
        std::vector<u8> body;
        for (const u32 word : {0U, 0U, seconds, static_cast<u32>(frame.size()), 2000U}) {
            put(body, word, 4);
        }
        append(body, frame);
        body.resize((body.size() + 3) / 4 * 4);
        append(body, options);
        block(6, body);
    }
    static void append(std::vector<u8>& to, const std::vector<u8>& more) {
        to.insert(to.end(), more.begin(), more.end());
    }

    std::vector<u8> bytes;

private:
    void put(std::vector<u8>& to, u32 value, unsigned size) const {
        for (unsigned i = 0; i < size; ++i) {
            to.push_back(static_cast<u8>(value >> (8 * (big_ ? size - 1 - i : i))));
        }
    }
    bool big_;
};

std::vector<u8> frame(std::size_t payload) {
    test::PacketBuilder builder;
    builder.udp(1, 2).payload(test::pattern_bytes(payload));
    return builder.build();
}

std::string copy(const std::string& path, const PcapngChanges& changes) {
    std::string copied;
    copy_pcapng(path, changes, [&](const std::string& piece) { copied += piece; });
    return copied;
}

std::vector<u8> bytes_of(const std::string& text) { return {text.begin(), text.end()}; }

const PcapngChanges kNothing{[](u64) { return true; }, [](u64) { return ""; }};

/// A comment there already, one without options, one with other options and no mark of their end, a block
/// of another kind.
std::vector<u8> sample(bool big_endian) {
    Blocks blocks(big_endian);
    blocks.begin();
    std::vector<u8> options = blocks.option(1, Blocks::text("was there"));
    Blocks::append(options, blocks.option(1, Blocks::text("and so was I")));
    Blocks::append(options, blocks.option(0, {}));
    blocks.packet(frame(1), 1'700'000'000, options);
    blocks.block(4, {0, 0, 0, 0});  // name resolution
    blocks.packet(frame(2), 1'700'000'001, {});
    blocks.packet(frame(3), 1'700'000'002, blocks.option(1, Blocks::text("open end")));
    return blocks.bytes;
}

TEST(PcapngCopy, WithoutChangesAllBlocksStayAsTheyAre) {
    for (const bool big : {false, true}) {
        const TempDir dir;
        const auto original = sample(big);
        write_file(dir.file("a"), original);
        auto copied = bytes_of(copy(dir.file("a"), kNothing));
        // But what the section says of its own length.
        ASSERT_EQ(copied.size(), original.size());
        EXPECT_EQ(std::vector<u8>(copied.begin() + 16, copied.begin() + 24),
                  std::vector<u8>(8, 0xff));
        std::copy_n(original.begin() + 16, 8, copied.begin() + 16);
        EXPECT_EQ(copied, original);
    }
}

TEST(PcapngCopy, CommentsComeBehindThoseThatWereThere) {
    for (const bool big : {false, true}) {
        const TempDir dir;
        write_file(dir.file("a"), sample(big));
        const PcapngChanges changes{[](u64) { return true; },
                                    [](u64 n) { return "ours of " + std::to_string(n); }};
        const std::string copied = copy(dir.file("a"), changes);
        write_file(dir.file("b"), bytes_of(copied));
        EXPECT_LT(copied.find("and so was I"), copied.find("ours of 1"));
        EXPECT_LT(copied.find("open end"), copied.find("ours of 3"));
        auto reader = PcapReader::open(dir.file("b"));
        ASSERT_TRUE(reader) << reader.error().what;
        for (u32 i = 1; i <= 3; ++i) {
            const auto record = reader->next();
            ASSERT_TRUE(record && *record) << i;
            EXPECT_EQ((*record)->time, TimePoint(1'699'999'999s + std::chrono::seconds(i)));
            EXPECT_EQ((*record)->original_size, 2000U);
            EXPECT_EQ(std::vector<u8>((*record)->bytes.begin(), (*record)->bytes.end()), frame(i));
            EXPECT_EQ((*record)->note.comment, i == 1   ? "was there"
                                               : i == 2 ? "ours of 2"
                                                        : "open end");
        }
        if (run_command("tshark --version 2>/dev/null").status != 0) continue;
        EXPECT_EQ(
            run_command("tshark -r " + dir.file("b") + " -T fields -e frame.comment 2>/dev/null")
                .output,
            "was there,and so was I,ours of 1\nours of 2\nopen end,ours of 3\n");
    }
}

TEST(PcapngCopy, WhatIsNotKeptIsNotThere) {
    const TempDir dir;
    write_file(dir.file("a"), sample(false));
    const PcapngChanges second{[](u64 n) { return n == 2; }, [](u64) { return ""; }};
    write_file(dir.file("b"), bytes_of(copy(dir.file("a"), second)));
    auto reader = PcapReader::open(dir.file("b"));
    ASSERT_TRUE(reader);
    const auto record = reader->next();
    ASSERT_TRUE(record && *record);
    EXPECT_EQ((*record)->time, TimePoint(1'700'000'001s));
    EXPECT_FALSE(reader->next().value_or(PcapRecord{}));
}

TEST(PcapngCopy, ABrokenFileEndsWithItsLastWholeBlock) {
    const auto whole = sample(false);
    std::size_t most = 0;
    for (std::size_t size = 0; size < whole.size(); ++size) {
        const TempDir dir;
        write_file(dir.file("a"), {whole.begin(), whole.begin() + static_cast<long>(size)});
        const PcapngChanges changes{[](u64) { return true; }, [](u64) { return "more"; }};
        const std::string copied = copy(dir.file("a"), changes);
        EXPECT_GE(copied.size(), most) << size;
        most = copied.size();
        if (copied.empty()) continue;
        write_file(dir.file("b"), bytes_of(copied));
        auto reader = PcapReader::open(dir.file("b"));
        while (reader) {
            const auto record = reader->next();
            ASSERT_TRUE(record) << size << ' ' << record.error().what;
            if (!*record) break;
        }
    }
}

TEST(PcapngCopy, LengthsThatCannotBeDoNoHarm) {
    const auto whole = sample(false);
    for (std::size_t at = 0; at + 4 <= whole.size(); at += 4) {
        for (const u32 value : {0U, 3U, 0xffffU, 0x7fffffffU, 0xffffffffU}) {
            const TempDir dir;
            auto broken = whole;
            std::memcpy(&broken[at], &value, 4);
            write_file(dir.file("a"), broken);
            const PcapngChanges changes{[](u64) { return true; }, [](u64) { return "more"; }};
            EXPECT_LE(copy(dir.file("a"), changes).size(), whole.size() + 60);
        }
    }
}

TEST(Pcapng, InterfacesHaveTheirLinkTypeAndFramesTheirLength) {
    const TempDir dir;
    {
        auto writer = PcapngWriter::open(dir.file("a"));
        ASSERT_TRUE(writer);
        writer->add_interface({.name = "any", .description = "all of them", .link_type = 113});
        writer->write(frame(5), {.original_size = 900});
        writer->write(frame(5), {.original_size = 1});
    }
    auto reader = PcapReader::open(dir.file("a"));
    ASSERT_TRUE(reader);
    EXPECT_EQ(reader->link(), LinkType::LinuxCooked);
    EXPECT_EQ(reader->link_number(), 113);
    auto record = reader->next();
    ASSERT_TRUE(record && *record);
    EXPECT_EQ((*record)->original_size, 900U);
    EXPECT_EQ((*record)->note.interface_name, "any");
    record = reader->next();
    ASSERT_TRUE(record && *record);
    EXPECT_EQ((*record)->original_size, frame(5).size()) << "never less than what is there";
}

}  // namespace
}  // namespace tapestry

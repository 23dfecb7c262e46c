#include "stack/trace/notation.h"

#include <gtest/gtest.h>

#include "stack/base/rng.h"

namespace tapestry {

/// How GoogleTest shows a note.
void PrintTo(const TcpNote& note, std::ostream* out) { *out << to_string(note); }

namespace {

TcpNote note(std::string_view line) {
    const auto parsed = parse_note(line);
    EXPECT_TRUE(parsed) << line << ": column " << parsed.error().column << ", expected "
                        << parsed.error().expected;
    return parsed.value_or(TcpNote{});
}

TEST(Notation, PrintsAHandshakeAsItIsDrawn) {
    TcpNote syn;
    syn.flags.bits = TcpFlags::kSyn;
    syn.window = 64240;
    syn.options.emplace();
    syn.options->mss = 1460;
    syn.options->sack_permitted = true;
    syn.options->timestamps = TcpTimestamps{1, 0};
    syn.options->window_scale = 7;
    EXPECT_EQ(to_string(syn), "S 0:0(0) win 64240 <mss 1460,sackOK,TS val 1 ecr 0,nop,wscale 7>");

    TcpNote data;
    data.flags.bits = TcpFlags::kAck | TcpFlags::kPsh;
    data.seq = 1;
    data.length = 100;
    data.ack = 1;
    data.window = 502;
    data.options.emplace();
    EXPECT_EQ(to_string(data), "P. 1:101(100) ack 1 win 502");
    data.options.reset();
    data.window.reset();
    EXPECT_EQ(to_string(data), "P. 1:101(100) ack 1 <...>");
}

TEST(Notation, PrintsTheOptionsAsTheyAreWritten) {
    TcpOptions options;
    EXPECT_EQ(to_string(options), "");
    options.timestamps = TcpTimestamps{7, 9};
    EXPECT_EQ(to_string(options), "<nop,nop,TS val 7 ecr 9>");
    options.timestamps.reset();
    options.mss = 1460;
    options.sack_permitted = true;
    options.window_scale = 8;
    EXPECT_EQ(to_string(options), "<mss 1460,nop,nop,sackOK,nop,wscale 8>");
    options = {};
    options.sack_blocks[0] = {SeqNum(1001), SeqNum(2001)};
    options.sack_blocks[1] = {SeqNum(3001), SeqNum(4001)};
    options.sack_count = 2;
    EXPECT_EQ(to_string(options), "<nop,nop,sack 1001:2001 3001:4001>");
    EXPECT_EQ(to_string(options, SeqNum(1000)), "<nop,nop,sack 1:1001 2001:3001>");
}

TEST(Notation, FlagsAreTcpdumpsLetters) {
    EXPECT_EQ(to_string(note("- 0:0(0)")), "- 0:0(0)");
    EXPECT_EQ(to_string(note("WEU.PRSF 0:0(0)")), "FSRP.UEW 0:0(0)");
    EXPECT_EQ(note("F. 0:0(0)").flags.bits, TcpFlags::kFin | TcpFlags::kAck);
    EXPECT_EQ(note("R 0:0(0)").flags.bits, TcpFlags::kRst);
    EXPECT_EQ(note("SEW 0:0(0)").flags.bits, TcpFlags::kSyn | TcpFlags::kEce | TcpFlags::kCwr);
}

TEST(Notation, NumbersCountFromTheBases) {
    Segment segment;
    const std::array<u8, 10> payload{};
    segment.seq = SeqNum(5);
    segment.ack = SeqNum(0x80000010);
    segment.wnd = 77;
    segment.up = 3;
    segment.flags.bits = TcpFlags::kAck | TcpFlags::kUrg;
    segment.payload = payload;
    segment.options.sack_blocks[0] = {SeqNum(0x80000020), SeqNum(0x80000030)};
    segment.options.sack_count = 1;
    EXPECT_EQ(to_string(note_of(segment, SeqNum(0xfffffff6), SeqNum(0x80000000))),
              ".U 15:25(10) ack 16 win 77 urg 3 <nop,nop,sack 32:48>");
    segment.flags.bits = 0;
    segment.options = {};
    EXPECT_EQ(to_string(note_of(segment, SeqNum(6), SeqNum(0))), "- 4294967295:9(10) win 77")
        << "one before the base";
}

TEST(Notation, NoOptionsAndAnyOptionsAreTwoThings) {
    EXPECT_EQ(note(". 1:1(0) ack 1").options, TcpOptions{});
    EXPECT_EQ(note(". 1:1(0) ack 1 <...>").options, std::nullopt);
    EXPECT_EQ(note(". 1:1(0) ack 1").window, std::nullopt);
}

TEST(Notation, WhiteSpaceIsFree) {
    const TcpNote expected = note("P. 1:101(100) ack 1 win 502 <mss 10,TS val 1 ecr 2>");
    EXPECT_EQ(note("  P.  1 : 101 ( 100 )  ack  1\twin 502  < mss 10 , TS  val 1  ecr 2 >  "),
              expected);
    EXPECT_EQ(note("P.1:101(100)win 502 ack 1<TS val 1 ecr 2,nop,nop,mss 10,eol>"), expected);
}

TEST(Notation, SaysWhereAndWhyALineCannotBeRead) {
    struct Row {
        const char* line;
        std::size_t column;
        const char* expected;
    };
    for (const Row& row : std::initializer_list<Row>{
             {"", 0, "a flag letter"},
             {"   ", 3, "a flag letter"},
             {"X 0:0(0)", 0, "a flag letter"},
             {"0:0(0)", 0, "a flag letter"},
             {"SS 0:0(0)", 1, "each flag only once"},
             {"S", 1, "a number"},
             {"S x:0(0)", 2, "a number"},
             {"S -1:0(0)", 2, "a number"},
             {"S 4294967296:0(0)", 2, "a number up to 4294967295"},
             {"S 0 0(0)", 4, "':'"},
             {"S 0:(0)", 4, "a number"},
             {"S 0:0", 5, "'('"},
             {"S 0:0(", 6, "a number"},
             {"S 0:0(0", 7, "')'"},
             {"S 1:5(3)", 4, "the sum of the first number and the length"},
             {"S 0:0(0) foo", 9, "'ack', 'win', 'urg', '<' or the end of the line"},
             {"S 0:0(0) 5", 9, "'ack', 'win', 'urg', '<' or the end of the line"},
             {"S 0:0(0) ack", 12, "a number"},
             {"S 0:0(0) ack 1 ack 1", 15, "ack only once"},
             {"S 0:0(0) win 1 win 1", 15, "win only once"},
             {"S 0:0(0) urg 65536", 13, "a number up to 65535"},
             {"S 0:0(0) <", 10, "'mss', 'wscale', 'sackOK', 'TS', 'sack', 'nop' or 'eol'"},
             {"S 0:0(0) <>", 10, "'mss', 'wscale', 'sackOK', 'TS', 'sack', 'nop' or 'eol'"},
             {"S 0:0(0) <..>", 10, "'...'"},
             {"S 0:0(0) <...,nop>", 13, "'>'"},
             {"S 0:0(0) <bad>", 10, "'mss', 'wscale', 'sackOK', 'TS', 'sack', 'nop' or 'eol'"},
             {"S 0:0(0) <mss>", 13, "a number"},
             {"S 0:0(0) <mss 65536>", 14, "a number up to 65535"},
             {"S 0:0(0) <mss 1 nop>", 16, "',' or '>'"},
             {"S 0:0(0) <mss 1,mss 2>", 16, "mss only once"},
             {"S 0:0(0) <wscale 256>", 17, "a number up to 255"},
             {"S 0:0(0) <sackOK,sackOK>", 17, "sackOK only once"},
             {"S 0:0(0) <TS 1>", 13, "'val'"},
             {"S 0:0(0) <TS val 1>", 18, "'ecr'"},
             {"S 0:0(0) <TS val 1 ecr 2,TS val 1 ecr 2>", 25, "TS only once"},
             {"S 0:0(0) <sack 1>", 16, "':'"},
             {"S 0:0(0) <sack 1:2 3:4 5:6 7:8 9:10>", 31, "at most four blocks"},
             {"S 0:0(0) <nop> x", 15, "the end of the line"},
         }) {
        const auto parsed = parse_note(row.line);
        ASSERT_FALSE(parsed) << row.line;
        EXPECT_EQ(parsed.error().column, row.column) << row.line;
        EXPECT_EQ(parsed.error().expected, row.expected) << row.line;
    }
}

TcpOptions random_options(SeededRng& rng) {
    TcpOptions options;
    if (rng.below(2) != 0) options.mss = static_cast<u16>(rng.next());
    if (rng.below(2) != 0) options.window_scale = static_cast<u8>(rng.next());
    options.sack_permitted = rng.below(2) != 0;
    if (rng.below(2) != 0) {
        options.timestamps =
            TcpTimestamps{static_cast<u32>(rng.next()), static_cast<u32>(rng.next())};
    }
    options.sack_count = static_cast<u8>(rng.below(5));
    for (std::size_t i = 0; i < options.sack_count; ++i) {
        options.sack_blocks.at(i) = {SeqNum(static_cast<u32>(rng.next())),
                                     SeqNum(static_cast<u32>(rng.next()))};
    }
    return options;
}

TcpNote random_note(SeededRng& rng) {
    TcpNote result;
    result.flags.bits = static_cast<u8>(rng.next());
    result.seq = static_cast<u32>(rng.next());
    result.length = rng.below(2) == 0 ? 0 : rng.below(65536);
    if (rng.below(2) != 0) result.ack = static_cast<u32>(rng.next());
    if (rng.below(2) != 0) result.window = static_cast<u32>(rng.next());
    if (rng.below(2) != 0) result.urgent = static_cast<u16>(rng.next());
    if (rng.below(3) != 0) result.options = random_options(rng);
    return result;
}

TEST(Notation, WhatIsPrintedIsReadBack) {
    SeededRng rng(6);
    for (int round = 0; round < 20000; ++round) {
        const TcpNote original = random_note(rng);
        const std::string line = to_string(original);
        const auto parsed = parse_note(line);
        ASSERT_TRUE(parsed) << line << ": column " << parsed.error().column << ", expected "
                            << parsed.error().expected;
        ASSERT_EQ(*parsed, original) << line;
    }
}

TEST(Notation, DamagedLinesAreReadOrRefusedWithAColumnInsideThem) {
    SeededRng rng(7);
    static constexpr std::string_view kSome = "FSRP.UEW 0123456789:()<>,abcdenopstwxTSOK-\t";
    int refused = 0;
    for (int round = 0; round < 20000; ++round) {
        std::string line = to_string(random_note(rng));
        for (u32 i = 0; i <= rng.below(3); ++i) {
            const u32 at = rng.below(static_cast<u32>(line.size()));
            const char c = kSome.at(rng.below(kSome.size()));
            const u32 what = rng.below(3);
            if (what == 0) line[at] = c;
            if (what == 1) line.insert(at, 1, c);
            if (what == 2) line.resize(at + 1);
        }
        const auto parsed = parse_note(line);
        if (parsed) {
            ASSERT_EQ(parse_note(to_string(*parsed)), *parsed) << line;
        } else {
            ++refused;
            ASSERT_LE(parsed.error().column, line.size()) << line;
            ASSERT_FALSE(parsed.error().expected.empty()) << line;
        }
    }
    EXPECT_GT(refused, 10000);
}

}  // namespace

}  // namespace tapestry

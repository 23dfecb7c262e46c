#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>

#include "drivers/capture.h"
#include "drivers/pcap_reader.h"
#include "drivers/pcapng_writer.h"
#include "tests/support/fake_device.h"
#include "tests/support/temp_dir.h"

namespace tapestry {
namespace {

using test::frame_of;
using test::PacketBuilder;
using test::pattern_bytes;
using test::read_file;
using test::run_command;
using test::TempDir;
using test::write_file;
using Way = PcapngWriter::Way;

std::vector<u8> udp_frame(std::size_t payload, u16 port = 2) {
    PacketBuilder builder;
    builder.udp(1, port).payload(pattern_bytes(payload));
    return builder.build();
}

struct Read {
    std::vector<PcapRecord> records;
    std::vector<std::vector<u8>> bytes;
    std::optional<PcapError> error;
};

Read read_all(const std::string& path, const std::string& filter = "") {
    Read result;
    auto reader = PcapReader::open(path);
    if (!reader) {
        result.error = reader.error();
        return result;
    }
    if (const auto set = reader->set_filter(filter); !set) result.error = set.error();
    while (!result.error) {
        auto record = reader->next();
        if (!record) {
            result.error = record.error();
            EXPECT_FALSE(reader->next().value_or(PcapRecord{})) << "nothing comes after an error";
        } else if (!*record) {
            break;
        } else {
            result.bytes.emplace_back((*record)->bytes.begin(), (*record)->bytes.end());
            result.records.push_back(**record);
        }
    }
    return result;
}

/// Makes files of this process end at `bytes`, while it lives.
class FileSizeLimit {
public:
    explicit FileSizeLimit(std::size_t bytes) {
        ::getrlimit(RLIMIT_FSIZE, &before_);
        handler_ = std::signal(SIGXFSZ, SIG_IGN);
        const rlimit limit{bytes, before_.rlim_max};
        ::setrlimit(RLIMIT_FSIZE, &limit);
    }
    FileSizeLimit(const FileSizeLimit&) = delete;
    FileSizeLimit& operator=(const FileSizeLimit&) = delete;
    ~FileSizeLimit() {
        ::setrlimit(RLIMIT_FSIZE, &before_);
        std::signal(SIGXFSZ, handler_);
    }

private:
    rlimit before_{};
    void (*handler_)(int) = nullptr;
};

TEST(Pcapng, WhatIsWrittenIsRead) {
    const TempDir dir;
    const std::string path = dir.file("a.pcapng");
    std::vector<std::vector<u8>> frames;
    {
        auto writer = PcapngWriter::open(path);
        ASSERT_TRUE(writer) << writer.error();
        EXPECT_EQ(writer->add_interface("eth0"), 0U);
        EXPECT_EQ(writer->add_interface("wan"), 1U);
        for (std::size_t i = 0; i < 9; ++i) {
            frames.push_back(udp_frame(i));
            writer->write(frames.back(), {.interface = static_cast<u32>(i % 2),
                                          .time = TimePoint(1'700'000'000s + Duration(i)),
                                          .way = i % 3 == 0 ? Way::Inbound : Way::Outbound,
                                          .comment = i == 4 ? "five" : ""});
        }
    }
    const Read read = read_all(path);
    EXPECT_FALSE(read.error) << read.error->what;
    EXPECT_EQ(read.bytes, frames);
    ASSERT_EQ(read.records.size(), 9U);
    for (std::size_t i = 0; i < 9; ++i) {
        const PcapRecord& record = read.records[i];
        EXPECT_EQ(record.number, i + 1);
        EXPECT_EQ(record.time, TimePoint(1'700'000'000s + Duration(i)));
        EXPECT_EQ(record.original_size, frames[i].size());
        EXPECT_EQ(record.note.interface, i % 2);
        EXPECT_EQ(record.note.interface_name, i % 2 == 0 ? "eth0" : "wan");
        EXPECT_EQ(record.note.flags, i % 3 == 0 ? 1U : 2U);
        EXPECT_EQ(record.note.comment, i == 4 ? "five" : "");
    }
}

TEST(Pcapng, IsValidAfterEachFlush) {
    const TempDir dir;
    auto writer = PcapngWriter::open(dir.file("a.pcapng"));
    ASSERT_TRUE(writer);
    writer->add_interface("eth0");
    for (std::size_t i = 1; i <= 3; ++i) {
        writer->write(udp_frame(100), {.time = TimePoint(1s)});
        ASSERT_TRUE(writer->flush());
        const Read read = read_all(dir.file("a.pcapng"));
        EXPECT_FALSE(read.error);
        EXPECT_EQ(read.records.size(), i);
    }
}

TEST(Pcapng, GoesToTheFileByItselfWhenMuchHasGathered) {
    const TempDir dir;
    auto writer = PcapngWriter::open(dir.file("a.pcapng"));
    ASSERT_TRUE(writer);
    writer->add_interface("eth0");
    for (int i = 0; i < 1000; ++i) writer->write(udp_frame(1400), {});
    EXPECT_GT(std::filesystem::file_size(dir.file("a.pcapng")), 1'000'000U);
    EXPECT_FALSE(read_all(dir.file("a.pcapng")).error) << "whole blocks only";
}

TEST(Pcapng, InMemoryAndInAFileAreTheSame) {
    const TempDir dir;
    PcapngWriter memory = PcapngWriter::in_memory();
    auto file = PcapngWriter::open(dir.file("a.pcapng"));
    ASSERT_TRUE(file);
    for (PcapngWriter* writer : {&memory, &*file}) {
        writer->add_interface("eth0");
        writer->write(udp_frame(33), {.time = TimePoint(5ns), .way = Way::Inbound});
    }
    ASSERT_TRUE(file->flush());
    EXPECT_EQ(memory.bytes(), read_file(dir.file("a.pcapng")));
}

TEST(Pcapng, AFileThatCannotBeMadeIsAnError) {
    const auto writer = PcapngWriter::open("/nonexistent-directory/a.pcapng");
    ASSERT_FALSE(writer);
    EXPECT_NE(writer.error().find("/nonexistent-directory/a.pcapng"), std::string::npos);
}

TEST(Pcapng, AFullDiskAtTheStartIsAnError) {
    auto writer = PcapngWriter::open("/dev/full");
    ASSERT_FALSE(writer);
    EXPECT_NE(writer.error().find("No space left"), std::string::npos);
}

TEST(Pcapng, AFullDiskLaterIsToldOnceAndEndsNothing) {
    const TempDir dir;
    const std::string path = dir.file("a.pcapng");
    auto writer = PcapngWriter::open(path);
    ASSERT_TRUE(writer);
    std::vector<std::string> told;
    writer->on_failure([&](const std::string& what) { told.push_back(what); });
    writer->add_interface("eth0");
    writer->write(udp_frame(1000), {});
    ASSERT_TRUE(writer->flush());
    {
        // The limit lies within the next frame's block.
        const FileSizeLimit limit(std::filesystem::file_size(path) + 500);
        for (int i = 0; i < 3; ++i) {
            writer->write(udp_frame(1000), {});
            EXPECT_FALSE(writer->flush());
        }
    }
    ASSERT_EQ(told.size(), 1U);
    EXPECT_NE(told[0].find(path), std::string::npos);
    EXPECT_EQ(writer->failure(), told[0]);
    const Read read = read_all(path);
    EXPECT_FALSE(read.error) << "cut back to whole blocks";
    EXPECT_EQ(read.records.size(), 1U);
}

TEST(Pcapng, TsharkReadsIt) {
    if (run_command("tshark --version 2>/dev/null").status != 0) GTEST_SKIP() << "no tshark";
    const TempDir dir;
    const std::string path = dir.file("a.pcapng");
    {
        auto writer = PcapngWriter::open(path);
        ASSERT_TRUE(writer);
        writer->add_interface("lan");
        writer->add_interface("wan");
        writer->write(
            udp_frame(61, 4000),
            {.time = TimePoint(1'700'000'000s + 1ns), .way = Way::Outbound, .comment = "a remark"});
        writer->write(udp_frame(62, 4001), {.interface = 1, .time = TimePoint(1'700'000'001s)});
    }
    const auto result = run_command(
        "tshark -r " + path +
        " -o udp.check_checksum:TRUE -T fields -E separator=';' -e frame.interface_name"
        " -e frame.time_epoch -e frame.comment -e frame.packet_flags_direction -e udp.dstport"
        " -e udp.checksum.status 2>/dev/null");
    EXPECT_EQ(result.status, 0);
    EXPECT_EQ(result.output,
              "lan;1700000000.000000001;a remark;0x00000002;4000;1\n"
              "wan;1700000001.000000000;;;4001;1\n");
    const auto capinfos = run_command("capinfos " + path + " 2>/dev/null");
    EXPECT_NE(capinfos.output.find("tapestry"), std::string::npos) << capinfos.output;
}

TEST(Capture, WritesWhatAWireWouldHaveCarried) {
    const TempDir dir;
    const std::string path = dir.file("a.pcapng");
    test::FakeDevice device;
    PacketBuilder builder;
    builder.tcp(test::tcp_header(1)).payload(pattern_bytes(2500));
    const auto super = builder.build_partial();
    const Offload offload = builder.partial_offload(1000);
    {
        auto writer = PcapngWriter::open(path);
        ASSERT_TRUE(writer);
        TimePoint now(7s);
        Capture capture(device, *writer, writer->add_interface("eth0"), [&] { return now; });
        ASSERT_TRUE(capture.transmit(frame_of(super, 54, offload, 10)));
        EXPECT_EQ(device.sent.at(0).bytes, super) << "what passes is not changed";
        EXPECT_EQ(device.sent.at(0).offload, offload);
        device.room = 0;
        EXPECT_FALSE(capture.transmit(frame_of(super, 54, offload)));
        now += 1s;
        device.feed(super, offload);
        std::vector<Packet> batch(2);
        ASSERT_EQ(capture.receive(batch), 1U);
        EXPECT_EQ(batch[0].offload, offload);
        EXPECT_EQ(capture.receive(batch), 0U);
        EXPECT_EQ(read_all(path).records.size(), 6U) << "drained, so it has been flushed";
    }
    const Read read = read_all(path);
    ASSERT_EQ(read.records.size(), 6U);
    for (std::size_t i = 0; i < 6; ++i) {
        EXPECT_EQ(read.records[i].time, TimePoint(i < 3 ? 7s : 8s));
        EXPECT_EQ(read.records[i].note.flags, i < 3 ? 2U : 1U);
        const auto ip = Ipv4View::parse(Bytes(read.bytes[i]).subspan(14));
        ASSERT_TRUE(ip);
        const auto tcp = TcpView::parse(ip->payload());
        EXPECT_TRUE(tcp->checksum_ok(ip->source(), ip->destination()));
        EXPECT_EQ(tcp->sequence().value(), 1 + 1000 * (i % 3));
        EXPECT_EQ(tcp->payload().size(), i % 3 == 2 ? 500U : 1000U);
    }
}

TEST(PcapReader, AFilterLeavesRecordsOutButCountsThem) {
    const TempDir dir;
    {
        auto writer = PcapngWriter::open(dir.file("a.pcapng"));
        ASSERT_TRUE(writer);
        writer->add_interface("eth0");
        for (u16 port = 1; port <= 6; ++port) {
            writer->write(udp_frame(10, port), {.comment = std::to_string(port)});
        }
    }
    const Read read = read_all(dir.file("a.pcapng"), "udp dst port 2 or udp dst port 5");
    EXPECT_FALSE(read.error);
    ASSERT_EQ(read.records.size(), 2U);
    EXPECT_EQ(read.records[0].number, 2U);
    EXPECT_EQ(read.records[1].number, 5U);
    EXPECT_EQ(read.records[1].note.comment, "5") << "the notes keep step";
    const Read bad = read_all(dir.file("a.pcapng"), "udp dst prot 2");
    ASSERT_TRUE(bad.error);
    EXPECT_NE(bad.error->what.find("udp dst prot 2"), std::string::npos);
}

/// Numbers one after another, 32 bits each unless negative (then 16), in one byte order.
std::vector<u8> words(const std::vector<i64>& values, bool big_endian) {
    std::vector<u8> bytes;
    for (const i64 value : values) {
        const int size = value < 0 ? 2 : 4;
        const auto v = static_cast<u32>(value < 0 ? -value : value);
        for (int i = 0; i < size; ++i) {
            bytes.push_back(static_cast<u8>(v >> (8 * (big_endian ? size - 1 - i : i))));
        }
    }
    return bytes;
}

std::vector<u8> pcap_file(u32 magic, u32 link_type, u32 captured, bool big_endian,
                          const std::vector<u8>& data) {
    auto bytes = words({magic, -2, -4, 0, 0, 65535, link_type, 100, 5, captured, 1500}, big_endian);
    bytes.insert(bytes.end(), data.begin(), data.end());
    return bytes;
}

TEST(PcapReader, ReadsPcapOfBothByteOrdersAndPrecisions) {
    const TempDir dir;
    const auto data = udp_frame(20);
    const auto size = static_cast<u32>(data.size());
    for (const bool big_endian : {false, true}) {
        write_file(dir.file("us"), pcap_file(0xa1b2c3d4, 1, size, big_endian, data));
        const Read us = read_all(dir.file("us"));
        ASSERT_EQ(us.records.size(), 1U);
        EXPECT_EQ(us.records[0].time, TimePoint(100s + 5us));
        EXPECT_EQ(us.records[0].original_size, 1500U);
        EXPECT_EQ(us.bytes[0], data);
        write_file(dir.file("ns"), pcap_file(0xa1b23c4d, 1, size, big_endian, data));
        const Read ns = read_all(dir.file("ns"));
        ASSERT_EQ(ns.records.size(), 1U);
        EXPECT_EQ(ns.records[0].time, TimePoint(100s + 5ns));
    }
}

TEST(PcapReader, ReadsPcapngOfTheOtherByteOrder) {
    const TempDir dir;
    // Section header, interface description with the name "x", enhanced packet of four bytes.
    const auto bytes =
        words({0x0a0d0d0a, 28,        0x1a2b3c4d, 0x00010000, 0xffffffff, 0xffffffff, 28, 1,  32,
               0x00010000, 65535,     0x00020001, 0x78000000, 0,          32,         6,  36, 0,
               0,          7'000'000, 4,          60,         0x01020304, 36},
              true);
    write_file(dir.file("a"), bytes);
    const Read read = read_all(dir.file("a"));
    EXPECT_FALSE(read.error) << read.error->what;
    ASSERT_EQ(read.records.size(), 1U);
    EXPECT_EQ(read.records[0].time, TimePoint(7s));
    EXPECT_EQ(read.bytes[0], (std::vector<u8>{1, 2, 3, 4}));
    EXPECT_EQ(read.records[0].note.interface_name, "x");
}

TEST(PcapReader, NamesWhatItCannotRead) {
    const TempDir dir;
    const auto missing = read_all(dir.file("missing"));
    ASSERT_TRUE(missing.error);
    EXPECT_EQ(missing.error->record, 0U);
    EXPECT_NE(missing.error->what.find("missing"), std::string::npos);

    write_file(dir.file("text"), {'h', 'e', 'l', 'l', 'o', ' ', 'w', 'o', 'r', 'l', 'd'});
    const auto text = read_all(dir.file("text"));
    ASSERT_TRUE(text.error);
    EXPECT_NE(text.error->what.find("text"), std::string::npos);

    const auto data = udp_frame(20);
    const auto size = static_cast<u32>(data.size());
    constexpr u32 kNflog = 239;
    write_file(dir.file("nflog"), pcap_file(0xa1b2c3d4, kNflog, size, false, data));
    const auto nflog = read_all(dir.file("nflog"));
    ASSERT_TRUE(nflog.error);
    EXPECT_NE(nflog.error->what.find("NFLOG"), std::string::npos) << nflog.error->what;

    // Cut at every byte: whole, or an error that names the record, or (before the first record) the
    // file.
    const auto whole = pcap_file(0xa1b2c3d4, 1, size, false, data);
    for (std::size_t n = 0; n < whole.size(); ++n) {
        write_file(dir.file("cut"),
                   {whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(n)});
        const auto cut = read_all(dir.file("cut"));
        EXPECT_EQ(cut.records.size(), 0U);
        if (n == 24) {
            EXPECT_FALSE(cut.error) << "a file without records";
        } else {
            ASSERT_TRUE(cut.error) << n;
            EXPECT_EQ(cut.error->record, n < 24 ? 0U : 1U) << n;
        }
    }
}

TEST(PcapReader, SurvivesDamage) {
    const TempDir dir;
    PcapngWriter writer = PcapngWriter::in_memory();
    writer.add_interface("eth0");
    for (u16 port = 1; port <= 3; ++port) {
        writer.write(udp_frame(10, port), {.way = Way::Inbound, .comment = "remark"});
    }
    const std::vector<u8> good = writer.bytes();
    for (std::size_t at = 0; at < good.size(); ++at) {
        for (const u8 value : std::initializer_list<u8>{0x00, 0xff}) {
            auto bad = good;
            bad[at] = value;
            write_file(dir.file("bad"), bad);
            const Read read = read_all(dir.file("bad"));
            EXPECT_LE(read.records.size(), 3U);
        }
    }
}

}  // namespace
}  // namespace tapestry

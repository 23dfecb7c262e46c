#include "apps/inspect/annotate.h"

#include "apps/failure.h"
#include "apps/inspect/frame_comments.h"
#include "apps/timeline_files.h"
#include "drivers/pcapng_writer.h"
#include "stack/wire/ethernet.h"
#include "tests/inspect/timelines.h"
#include "tests/support/packet_builder.h"
#include "tests/support/temp_dir.h"

namespace tapestry::test {
namespace {

struct Annotated {
    std::vector<PcapRecord> records;
    std::vector<std::vector<u8>> bytes;
    LinkType link = LinkType::Ethernet;
    u16 link_number = 0;
};

Annotated read(const std::string& path) {
    auto reader = PcapReader::open(path);
    if (!reader) throw std::runtime_error(reader.error().what);
    Annotated all;
    all.link = reader->link();
    all.link_number = reader->link_number();
    while (true) {
        const auto record = reader->next();
        if (!record) throw std::runtime_error(record.error().what);
        if (!*record) return all;
        all.bytes.emplace_back((*record)->bytes.begin(), (*record)->bytes.end());
        all.records.push_back(**record);
    }
}

const std::function<bool(u64)> kAll = [](u64) { return true; };

/// A pcap file by hand: libpcap's own writer knows no numbers of other systems.
void write_pcap(const std::string& path, u32 link, const std::vector<std::vector<u8>>& packets,
                u32 lost_bytes = 0) {
    std::vector<u8> bytes;
    const auto put = [&bytes](std::initializer_list<u32> words) {
        for (const u32 word : words) {
            for (unsigned i = 0; i < 4; ++i) bytes.push_back(static_cast<u8>(word >> (8 * i)));
        }
    };
    put({0xa1b23c4d, 0x00040002, 0, 0, 65535, link});
    u32 nanoseconds = 1;
    for (const auto& packet : packets) {
        const auto size = static_cast<u32>(packet.size());
        put({1'700'000'000, nanoseconds++, size, size + lost_bytes});
        bytes.insert(bytes.end(), packet.begin(), packet.end());
    }
    write_file(path, bytes);
}

std::vector<u8> syn() {
    PacketBuilder builder;
    builder.tcp(tcp_header(1, TcpFlags::kSyn, 0));
    return builder.build();
}

/// The same packet behind another link's header.
std::vector<u8> behind(std::vector<u8> header) {
    const auto frame = syn();
    header.insert(header.end(), frame.begin() + EthernetView::kHeaderSize, frame.end());
    return header;
}

TEST(Annotate, ALabsFramesAreOnTheirLinksAndSayWhatHappened) {
    const TempDir dir;
    const Timeline lab = lab_timeline("home-nat");
    save_annotated(lab, dir.file("a"));
    const Annotated file = read(dir.file("a"));
    ASSERT_EQ(file.records.size(), lab.frames.size());
    std::set<std::string> links;
    std::size_t explained = 0;
    for (std::size_t i = 0; i < lab.frames.size(); ++i) {
        const PcapRecord& record = file.records[i];
        EXPECT_EQ(file.bytes[i], lab.frames[i].bytes) << i;
        EXPECT_EQ(record.time, lab.start + *lab.frames[i].sent) << i;
        EXPECT_EQ(record.note.interface_name, lab.links[lab.frames[i].link]) << i;
        links.insert(record.note.interface_name);
        explained += record.note.comment.contains("\nWhy: ") ? 1 : 0;
    }
    EXPECT_EQ(links, (std::set<std::string>{"lan", "wan"}));
    EXPECT_GE(explained, 12U);
    // The SYN had to wait for the neighbour's address, here and in the router.
    const std::string& syn = file.records.at(2).note.comment;
    EXPECT_TRUE(
        syn.starts_with("laptop sends because of frame 2 (CLOSED -> SYN-SENT). The "
                        "application opens a connection."))
        << syn;
    EXPECT_TRUE(syn.contains("\nRule: RFC 9293 3.10.1\nOften wrong: ")) << syn;
    EXPECT_TRUE(syn.contains("router passes it on, from inside to outside: src 192.168.3.10:"));
    const std::string& translated = file.records.at(5).note.comment;
    EXPECT_TRUE(translated.starts_with("router passes on frame 3: src 192.168.3.10:"))
        << translated;
    EXPECT_TRUE(translated.contains("\n\nserver gets it (LISTEN -> SYN-RECEIVED). A SYN comes"));
}

TEST(Annotate, WhatIsLostOrRefusedSaysSo) {
    const Timeline lost = lab_timeline("lost-syn");
    const FrameComments comments(lost, [](u32 frame) { return u64{frame} + 1; });
    EXPECT_TRUE(comments.of(2).starts_with("Lost on its way.\n\nlaptop sends")) << comments.of(2);
    EXPECT_TRUE(comments.of(3).contains("because a timer has gone off, what frame 3 had, again."))
        << comments.of(3);
    EXPECT_TRUE(comments.of(3).contains("No answer to the SYN")) << comments.of(3);
    const Timeline firewall = lab_timeline("firewall-blocks");
    const FrameComments drops(firewall);
    std::size_t refused = 0;
    for (u32 i = 0; i < firewall.frames.size(); ++i) {
        refused += drops.of(i).contains("router refuses it. A rule of the firewall drops") ? 1 : 0;
    }
    EXPECT_GT(refused, 0U);
}

TEST(Annotate, NoCommentHasAHoleOrAnEmptyEnd) {
    for (const BuiltinLab& lab : builtin_labs()) {
        const Timeline timeline = lab_timeline(std::string(lab.name));
        const FrameComments comments(timeline, [](u32 frame) { return u64{frame} + 1; });
        for (u32 i = 0; i < timeline.frames.size(); ++i) {
            const std::string text = comments.of(i);
            EXPECT_LT(text.size(), 3000U) << lab.name << ' ' << i;
            EXPECT_FALSE(text.ends_with(' ') || text.contains("  \n") || text.contains("frame 0"))
                << lab.name << ' ' << i << ' ' << text;
            EXPECT_EQ(text.find_first_of("{}[]"), std::string::npos) << text;
        }
    }
}

TEST(Annotate, ACapturesRecordsStayAsTheyAre) {
    const TempDir dir;
    const std::string original = capture_path("fast-retransmit.server.pcap");
    save_annotated_capture(file_timeline(original), original, kAll, dir.file("a"));
    const Annotated before = read(original);
    const Annotated after = read(dir.file("a"));
    ASSERT_EQ(after.records.size(), before.records.size());
    std::size_t spoken = 0;
    for (std::size_t i = 0; i < before.records.size(); ++i) {
        EXPECT_EQ(after.bytes[i], before.bytes[i]) << i;
        EXPECT_EQ(after.records[i].time, before.records[i].time) << i;
        EXPECT_EQ(after.records[i].original_size, before.records[i].original_size) << i;
        spoken += after.records[i].note.comment.contains(". It seems: ") ? 1 : 0;
    }
    EXPECT_GE(spoken, before.records.size() / 2);
}

TEST(Annotate, EveryLinkTypeStaysWhatItWas) {
    struct Case {
        u32 written;
        u16 read;
        std::vector<u8> packet;
    };
    const std::vector<u8> cooked{0, 0, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0, 8, 0};
    const std::vector<u8> cooked2{8, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0};
    for (const Case& one :
         {Case{1, 1, syn()}, Case{101, 101, behind({})}, Case{228, 228, behind({})},
          Case{113, 113, behind(cooked)}, Case{276, 276, behind(cooked2)},
          Case{0, 0, behind({2, 0, 0, 0})}, Case{108, 108, behind({0, 0, 0, 2})}}) {
        const TempDir dir;
        // Two that nobody can read stand around it.
        write_pcap(dir.file("a.pcap"), one.written, {{1, 2, 3}, one.packet, {9}}, 70);
        save_annotated_capture(file_timeline(dir.file("a.pcap")), dir.file("a.pcap"), kAll,
                               dir.file("b"));
        const Annotated file = read(dir.file("b"));
        EXPECT_EQ(file.link_number, one.read);
        ASSERT_EQ(file.records.size(), 3U) << one.written;
        EXPECT_EQ(file.bytes[1], one.packet) << one.written;
        EXPECT_EQ(file.records[1].original_size, one.packet.size() + 70) << one.written;
        EXPECT_EQ(file.records[1].time, TimePoint(1'700'000'000s + 2ns)) << one.written;
        EXPECT_TRUE(file.records[1].note.comment.contains("sends (CLOSED -> SYN-SENT). It seems: "))
            << one.written << ' ' << file.records[1].note.comment;
        EXPECT_EQ(file.records[0].note.comment + file.records[2].note.comment, "");
    }
}

TEST(Annotate, WhatWasSaidBeforeComesFirst) {
    const TempDir dir;
    {
        auto writer = PcapngWriter::open(dir.file("a"));
        ASSERT_TRUE(writer);
        writer->add_interface("wan");
        writer->write(syn(), {.time = TimePoint(5s), .comment = "seen at the office"});
    }
    save_annotated_capture(file_timeline(dir.file("a")), dir.file("a"), kAll, dir.file("b"));
    const Annotated file = read(dir.file("b"));
    ASSERT_EQ(file.records.size(), 1U);
    EXPECT_EQ(file.records[0].note.comment, "seen at the office");
    EXPECT_EQ(file.records[0].note.interface_name, "wan");
    const auto bytes = read_file(dir.file("b"));
    const std::string text(bytes.begin(), bytes.end());
    EXPECT_LT(text.find("seen at the office"), text.find("It seems: "));
    EXPECT_TRUE(text.contains("It seems: "));
}

TEST(Annotate, OnlyWhatIsChosenIsWrittenAndCounted) {
    const TempDir dir;
    const std::string original = capture_path("fast-retransmit.server.pcap");
    const Timeline timeline = file_timeline(original);
    save_annotated_capture(
        timeline, original, [](u64 n) { return n > 2; }, dir.file("a"));
    EXPECT_EQ(read(dir.file("a")).records.size(), read(original).records.size() - 2);
}

TEST(Annotate, SuperFramesAreCutAndSaidOnce) {
    const TempDir dir;
    PacketBuilder builder;
    builder.tcp(tcp_header(1)).payload(pattern_bytes(2500));
    Timeline timeline;
    timeline.source = Timeline::Source::Live;
    timeline.hosts = {{"us", false, true, {{"eth0", "10.0.0.1/24", 0, Timeline::kNone}}},
                      {"peer", false, false, {{"eth0", "", 1, Timeline::kNone}}}};
    Timeline::Frame frame;
    frame.bytes = builder.build_partial();
    frame.offload = builder.partial_offload(1000);
    frame.wire_size = static_cast<u32>(frame.bytes.size());
    frame.from = {0, 0};
    frame.to = {1, 0};
    frame.sent = 1s;
    Timeline::Step step;
    step.kind = Timeline::Step::Kind::Sent;
    step.host = 0;
    step.frame = 0;
    step.end = step.before = step.after = 0;
    step.verdict = Verdict::FlushSent;
    timeline.frames.push_back(frame);
    timeline.ends.push_back({0, {}, {}});
    timeline.states.emplace_back();
    timeline.steps.push_back(step);
    save_annotated(timeline, dir.file("a"));
    const Annotated file = read(dir.file("a"));
    ASSERT_EQ(file.records.size(), 3U);
    for (const auto& record : file.records) EXPECT_EQ(record.note.flags, 2U) << "outbound";
    EXPECT_TRUE(file.records[0].note.comment.starts_with("We send. TCP sends what it may send"));
    EXPECT_TRUE(file.records[2].note.comment.starts_with("A further part of the frame before"));
    // Where only the beginning of a frame was kept, that is what there is.
    timeline.frames[0].bytes.resize(128);
    save_annotated(timeline, dir.file("b"));
    const Annotated cut = read(dir.file("b"));
    ASSERT_EQ(cut.records.size(), 1U);
    EXPECT_EQ(cut.bytes[0].size(), 128U);
    EXPECT_EQ(cut.records[0].original_size, frame.wire_size);
}

TEST(Annotate, TheFileThatIsReadIsNeverWrittenOver) {
    const TempDir dir;
    write_pcap(dir.file("a"), 1, {syn()});
    std::filesystem::create_symlink(dir.file("a"), dir.file("also-a"));
    TimelineFiles files;
    files.annotate = dir.file("also-a");
    EXPECT_THROW(files.check(dir.file("a")), Failure);
    files.annotate = dir.file("b");
    EXPECT_NO_THROW(files.check(dir.file("a")));
}

TEST(Annotate, AFailureLeavesNoFile) {
    const TempDir dir;
    const std::string capture = capture_path("fast-retransmit.server.pcap");
    const Timeline timeline = file_timeline(capture);
    const auto broken = [](u64 number) {
        if (number == 5) throw std::runtime_error("no more");
        return true;
    };
    EXPECT_THROW(save_annotated_capture(timeline, capture, broken, dir.file("a")),
                 std::runtime_error);
    EXPECT_THROW(save_annotated(timeline, dir.file("no/such")), Failure);
    EXPECT_TRUE(std::filesystem::is_empty(std::filesystem::path(dir.file("a")).parent_path()));
}

}  // namespace
}  // namespace tapestry::test

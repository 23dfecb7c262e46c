#include "apps/inspect/frame_fields.h"

#include "tests/inspect/timelines.h"

namespace tapestry::test {
namespace {

/// The first frame of a lab whose notation has that beginning.
Timeline::Frame frame_of(const std::string& lab, const std::string& begin) {
    const Timeline timeline = lab_timeline(lab);
    const auto facts = frame_facts(timeline);
    for (std::size_t i = 0; i < facts.size(); ++i) {
        if (facts[i].notation.starts_with(begin)) return timeline.frames[i];
    }
    throw std::runtime_error("no such frame: " + begin);
}

std::string value(const std::vector<FrameField>& fields, const std::string& name) {
    for (const FrameField& field : fields) {
        if (field.name == name) return field.value;
    }
    return "not there";
}

bool broken(const std::vector<FrameField>& fields) {
    return std::ranges::any_of(fields, [](const FrameField& field) { return field.broken; });
}

TEST(FrameFields, OfASyn) {
    const Timeline::Frame frame = frame_of("three-way-handshake", "S 0:0(0)");
    const auto fields = frame_fields(frame.bytes);
    EXPECT_EQ(value(fields, "eth.src"), "02:00:00:00:01:01");
    EXPECT_EQ(value(fields, "eth.type"), "0x0800 (IPv4)");
    EXPECT_EQ(value(fields, "ip.version"), "4");
    EXPECT_EQ(value(fields, "ip.hdr_len"), "20 bytes");
    EXPECT_EQ(value(fields, "ip.len"), "48");
    EXPECT_EQ(value(fields, "ip.ttl"), "64");
    EXPECT_EQ(value(fields, "ip.flags.df"), "1");
    EXPECT_EQ(value(fields, "ip.src"), "192.168.3.10");
    EXPECT_EQ(value(fields, "ip.dst"), "192.168.3.20");
    EXPECT_TRUE(value(fields, "ip.checksum").ends_with("(right)"));
    EXPECT_EQ(value(fields, "tcp.srcport"), "56021");
    EXPECT_EQ(value(fields, "tcp.dstport"), "5000");
    EXPECT_EQ(value(fields, "tcp.seq"), "520405849");
    EXPECT_EQ(value(fields, "tcp.flags"), "SYN");
    EXPECT_EQ(value(fields, "tcp.flags.syn"), "1");
    EXPECT_EQ(value(fields, "tcp.flags.ack"), "0");
    EXPECT_EQ(value(fields, "tcp.window_size_value"), "65535");
    EXPECT_TRUE(value(fields, "tcp.checksum").ends_with("(right)"));
    EXPECT_EQ(value(fields, "tcp.options.mss_val"), "1460");
    EXPECT_EQ(value(fields, "tcp.options.sack_perm"), "kind 4, 2 bytes");
    EXPECT_FALSE(broken(fields));
}

TEST(FrameFields, EachByteHasItsField) {
    const Timeline::Frame frame = frame_of("three-way-handshake", "P. 1:6(5)");
    const auto fields = frame_fields(frame.bytes);
    for (std::size_t i = 0; i < frame.bytes.size(); ++i) EXPECT_GE(field_at(fields, i), 0) << i;
    const auto at = [&](std::size_t i) {
        return fields[static_cast<std::size_t>(field_at(fields, i))].name;
    };
    EXPECT_EQ(at(0), "eth.dst");
    EXPECT_EQ(at(13), "eth.type");
    EXPECT_EQ(at(22), "ip.ttl");
    EXPECT_EQ(at(38), "tcp.seq");
    EXPECT_EQ(at(47), "tcp.flags");
    EXPECT_EQ(at(54), "tcp.payload");
    EXPECT_EQ(field_at(fields, frame.bytes.size()), -1);
}

TEST(FrameFields, OfArpAndIcmp) {
    const auto arp = frame_fields(frame_of("three-way-handshake", "ARP who has").bytes);
    EXPECT_EQ(value(arp, "arp.opcode"), "1 (request)");
    EXPECT_EQ(value(arp, "arp.dst.proto_ipv4"), "192.168.3.20");
    const auto echo = frame_fields(frame_of("ping-through-nat", "ICMP echo request").bytes);
    EXPECT_EQ(value(echo, "icmp.type"), "8");
    EXPECT_NE(value(echo, "icmp.seq"), "not there");
    EXPECT_TRUE(value(echo, "icmp.checksum").ends_with("(right)"));
    // A router's answer quotes what it is about.
    const auto late = frame_fields(frame_of("traceroute", "ICMP time exceeded").bytes);
    EXPECT_EQ(std::ranges::count(late, "ip.src", &FrameField::name), 2);
    EXPECT_FALSE(broken(late));
}

TEST(FrameFields, BehindAVlanTag) {
    Timeline::Frame frame = frame_of("three-way-handshake", "S 0:0(0)");
    const std::vector<u8> tag{0x81, 0x00, 0x60, 0x2a};
    frame.bytes.insert(frame.bytes.begin() + 12, tag.begin(), tag.end());
    const auto fields = frame_fields(frame.bytes);
    EXPECT_EQ(value(fields, "vlan.id"), "42");
    EXPECT_EQ(value(fields, "vlan.priority"), "3");
    EXPECT_EQ(value(fields, "tcp.dstport"), "5000");
}

TEST(FrameFields, AWrongChecksumIsSaidUnlessADeviceCompletesIt) {
    Timeline::Frame frame = frame_of("three-way-handshake", "S 0:0(0)");
    frame.bytes[50] ^= 0xff;
    EXPECT_TRUE(value(frame_fields(frame.bytes), "tcp.checksum").ends_with("(wrong)"));
    Offload offload;
    offload.checksum = Offload::Checksum::Partial;
    const auto fields = frame_fields(frame.bytes, offload);
    EXPECT_TRUE(value(fields, "tcp.checksum").ends_with("(left to the device)"));
    EXPECT_FALSE(broken(fields));
}

TEST(FrameFields, OfABrokenOneAsFarAsThereIsSense) {
    const Timeline::Frame whole = frame_of("three-way-handshake", "S 0:0(0)");
    for (std::size_t size = 0; size < whole.bytes.size(); ++size) {
        // A copy of just that size: to read behind its end is found by the sanitizer.
        const std::vector<u8> cut(whole.bytes.begin(),
                                  whole.bytes.begin() + static_cast<std::ptrdiff_t>(size));
        const auto fields = frame_fields(cut);
        ASSERT_FALSE(fields.empty());
        for (const FrameField& field : fields) {
            EXPECT_LE(field.offset + field.length, size) << size << ' ' << field.name;
        }
    }
    for (std::size_t at = 12; at < whole.bytes.size(); ++at) {
        for (const u8 byte : {u8{0}, u8{0x0f}, u8{0xff}}) {
            std::vector<u8> wrong = whole.bytes;
            wrong[at] = byte;
            for (const FrameField& field : frame_fields(wrong)) {
                EXPECT_LE(field.offset + field.length, wrong.size()) << at << ' ' << field.name;
            }
        }
    }
    std::vector<u8> short_option = whole.bytes;
    short_option[55] = 0;  // the length of the first option
    EXPECT_TRUE(broken(frame_fields(short_option)));
}

}  // namespace
}  // namespace tapestry::test

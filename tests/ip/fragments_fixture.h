#pragma once

#include <algorithm>

#include "stack/ip/fragments.h"
#include "tests/support/ip_host.h"

namespace tapestry::test {

/// Fragments of UDP datagrams from the peer, straight into the reassembly.
class FragmentsTest : public testing::Test, private Fragments::Listener {
protected:
    explicit FragmentsTest(const StackConfig& config = IpHost::quiet())
        : link_(config), fragments_(link_.services, *this) {}

    LinkHost link_;
    Fragments fragments_;
    Ipv4Header header_ = ip_header(IpProtocol::Udp);
    std::vector<u8> data_ = pattern_bytes(65535);
    std::vector<std::vector<u8>> expired_;

    /// Bytes [from, from + size) of data_.
    std::expected<std::optional<std::vector<u8>>, Drop> piece(u32 from, u32 size, bool more) {
        return piece_of(data_, from, size, more);
    }
    std::expected<std::optional<std::vector<u8>>, Drop> piece_of(const std::vector<u8>& data,
                                                                 u32 from, u32 size, bool more) {
        Ipv4Header header = header_;
        header.fragment_offset = from;
        header.more_fragments = more;
        return add(ip_packet(header, Bytes(data).subspan(from, size)));
    }
    std::expected<std::optional<std::vector<u8>>, Drop> add(const std::vector<u8>& packet) {
        const auto view = Ipv4View::parse(packet);
        EXPECT_TRUE(view);
        const auto result = fragments_.add(*view, false, link_.now);
        if (!result) return std::unexpected(result.error());
        if (!*result) return std::nullopt;
        return copy_of(**result);
    }
    /// The datagram is whole and is the first `size` bytes of data_.
    testing::AssertionResult whole(
        const std::expected<std::optional<std::vector<u8>>, Drop>& result, u32 size) {
        if (!result) return testing::AssertionFailure() << "refused: " << name(result.error());
        if (!*result) return testing::AssertionFailure() << "not complete";
        const auto view = Ipv4View::parse(**result);
        if (!view) return testing::AssertionFailure() << "bad header: " << name(view.error());
        if (view->is_fragment()) return testing::AssertionFailure() << "still a fragment";
        if (!std::ranges::equal(view->payload(), Bytes(data_).first(size))) {
            return testing::AssertionFailure() << "other bytes";
        }
        return testing::AssertionSuccess();
    }
    static bool pending(const std::expected<std::optional<std::vector<u8>>, Drop>& result) {
        return result && !*result;
    }

private:
    void reassembly_expired(Bytes first, bool, TimePoint) override {
        expired_.push_back(copy_of(first));
    }
};

}  // namespace tapestry::test

#pragma once

#include <expected>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "stack/link/services.h"
#include "stack/wire/ipv4.h"

namespace tapestry {

/// Puts datagrams together again (RFC 791 section 3.2, RFC 815, RFC 1122 section 3.3.2).
///
/// Memory is bounded in total and per source; at a limit the oldest datagram goes, of the same
/// source if it is that source's limit. A datagram whose fragments contradict each other (they
/// overlap, or end in two places, or past 65535 bytes) is refused as a whole, and the rest of it is
/// ignored until its time is up. Exact duplicates do no harm.
class Fragments {
public:
    /// Who is told of datagrams that were never completed.
    class Listener {
    public:
        virtual ~Listener() = default;
        /// `first_fragment` is the packet with offset 0, as far as it was kept: header and data.
        virtual void reassembly_expired(Bytes first_fragment, bool link_broadcast,
                                        TimePoint now) = 0;
    };

    /// Both outlive it.
    Fragments(Services& services, Listener& listener);
    Fragments(const Fragments&) = delete;
    Fragments& operator=(const Fragments&) = delete;

    /// One fragment. When it completes its datagram, gives the whole packet with a new header
    /// (options of the first fragment included), good until the next call. Refuses:
    /// FragmentBadLength, FragmentTooLong, FragmentOverlap, FragmentNoMemory.
    std::expected<std::optional<MutableBytes>, Drop> add(const Ipv4View& fragment,
                                                         bool link_broadcast, TimePoint now);

    /// Datagrams under way, refused ones that are still remembered included.
    std::size_t datagrams() const { return table_.size(); }
    /// Bytes accounted for: data and the cost of keeping them.
    std::size_t memory() const { return memory_; }

    /// What a datagram and a fragment cost beside their data.
    static constexpr std::size_t kDatagramCost = 320;
    static constexpr std::size_t kFragmentCost = 112;

private:
    struct Key {
        Ipv4Address source;
        Ipv4Address destination;
        u8 protocol = 0;
        u16 identification = 0;
        friend auto operator<=>(const Key&, const Key&) = default;
    };
    struct Datagram {
        std::map<u32, std::vector<u8>> pieces;  ///< by offset; they never overlap
        std::vector<u8> header;                 ///< of the first fragment; empty before it comes
        std::optional<u32> end;                 ///< bytes of payload, known from the last fragment
        u32 have = 0;                           ///< bytes of payload that are there
        std::size_t memory = 0;
        u64 number = 0;  ///< in the order of arrival of the first piece
        TimePoint expires{};
        bool refused = false;
        bool link_broadcast = false;
    };
    using Table = std::map<Key, Datagram>;
    struct Ageing final : Timer {
        explicit Ageing(Fragments& f) : fragments(f) {}
        void on_timer(TimePoint now) override { fragments.expire(now); }
        Fragments& fragments;
    };

    Table::iterator open(const Key& key, TimePoint now);
    bool make_room(const Key& key, std::size_t needed, TimePoint now);
    std::expected<void, Drop> insert(Datagram& datagram, const Ipv4View& fragment);
    bool complete(const Datagram& datagram) const;
    std::expected<MutableBytes, Drop> assemble(const Datagram& datagram);
    void charge(Table::iterator place, std::size_t bytes);
    void refuse(Table::iterator place);
    void erase(Table::iterator place);
    void expire(TimePoint now);

    Services& services_;
    Listener& listener_;
    Table table_;
    std::map<u64, Table::iterator> by_age_;
    std::set<std::pair<Ipv4Address, u64>> by_source_;  ///< source and number
    std::map<Ipv4Address, std::size_t> memory_of_;
    std::size_t memory_ = 0;
    u64 next_number_ = 0;
    std::vector<u8> assembled_;
    Ageing ageing_{*this};
};

}  // namespace tapestry

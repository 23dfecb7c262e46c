#include "apps/inspect/seen_text.h"

#include <algorithm>

namespace tapestry {

u64 SeenText::position_of(u32 relative) const {
    const auto ahead = static_cast<i32>(relative - static_cast<u32>(contiguous_));
    const auto position = static_cast<i64>(contiguous_) + ahead;
    return position < 0 ? 0 : static_cast<u64>(position);
}

u64 SeenText::take(u64 position, u64 length) {
    u64 begin = std::max(position, contiguous_);
    u64 end = position + length;
    if (end <= begin) return 0;
    u64 fresh = end - begin;
    if (begin == contiguous_ && pieces_.empty()) {  // as nearly always
        contiguous_ = end;
        return fresh;
    }
    auto piece = pieces_.lower_bound(begin);
    if (piece != pieces_.begin() && std::prev(piece)->second >= begin) --piece;
    while (piece != pieces_.end() && piece->first <= end) {
        const u64 low = std::max({piece->first, position, contiguous_});
        const u64 high = std::min(piece->second, position + length);
        if (high > low) fresh -= high - low;
        begin = std::min(begin, piece->first);
        end = std::max(end, piece->second);
        piece = pieces_.erase(piece);
    }
    pieces_[begin] = end;
    if (pieces_.size() > kMaxPieces) {
        given_up_ += pieces_.begin()->first - contiguous_;
        contiguous_ = pieces_.begin()->first;
    }
    if (pieces_.begin()->first == contiguous_) {
        contiguous_ = pieces_.begin()->second;
        pieces_.erase(pieces_.begin());
    }
    return fresh;
}

u64 SeenText::missing_before(u64 position) const {
    if (position <= contiguous_) return given_up_;
    u64 missing = given_up_ + position - contiguous_;
    for (const auto& [begin, end] : pieces_) {
        if (begin >= position) break;
        missing -= std::min(end, position) - begin;
    }
    return missing;
}

}  // namespace tapestry

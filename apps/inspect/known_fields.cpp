#include "apps/inspect/known_fields.h"

#include <algorithm>
#include <array>

namespace tapestry {
namespace {

bool is_one_of(std::string_view key, std::span<const std::string_view> keys) {
    return std::ranges::find(keys, key) != keys.end();
}

// What a frame has to show before they are known: one that this end sent, one that it got, both SYNs.
constexpr auto kOfSent = std::to_array<std::string_view>({"iss", "snd_una", "snd_nxt", "rcv_wnd"});
constexpr auto kOfPeersWindow = std::to_array<std::string_view>({"snd_wnd", "snd_wl1", "snd_wl2"});
constexpr auto kOfNumbersGot = std::to_array<std::string_view>({"irs", "rcv_nxt"});
constexpr auto kAlways = std::to_array<std::string_view>(
    {"state", "local", "remote", "snd_wind_shift", "rcv_wind_shift", "timestamps", "sack_permitted",
     "sacked", "sack_count", "retransmissions"});

}  // namespace

bool is_known(Timeline::Source source, const StateField& field, const TcpSnapshot& state) {
    if (source != Timeline::Source::Capture) return true;
    const std::string_view key = field.key;
    if (is_one_of(key, kAlways)) return true;
    if (key.starts_with("sack_left_") || key.starts_with("sack_right_")) return true;
    if (is_one_of(key, kOfSent)) return state.iss.value() != 0 || state.snd_nxt.value() != 0;
    if (is_one_of(key, kOfNumbersGot)) return state.irs.value() != 0 || state.rcv_nxt.value() != 0;
    if (is_one_of(key, kOfPeersWindow)) {
        return state.snd_wnd != 0 || state.snd_wl1.value() != 0 || state.snd_wl2.value() != 0;
    }
    if (key == "mss") return state.mss != 0;
    return key == "ts_recent" && state.timestamps;
}

}  // namespace tapestry

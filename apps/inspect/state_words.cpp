#include "apps/inspect/state_words.h"

#include <array>
#include <string_view>
#include <utility>

namespace tapestry {
namespace {

using Pair = std::pair<std::string_view, std::string_view>;

/// By StateField::key. Who is not here has a name of the RFCs.
constexpr auto kNames = std::to_array<Pair>({
    {"state", "状态"},
    {"local", "本端"},
    {"remote", "对端"},
    {"error", "错误"},
    {"snd_urgent", "已发紧急数据"},
    {"send_queued", "发送缓冲区"},
    {"mss", "有效 MSS"},
    {"receive_queued", "待读取"},
    {"receive_out_of_order", "空洞之后"},
    {"urgent_ahead", "前方紧急数据"},
    {"timestamps", "时间戳"},
    {"in_recovery", "恢复中"},
    {"duplicate_acks", "重复 ACK 数"},
    {"sack_permitted", "允许 SACK"},
    {"sacked", "已 SACK"},
    {"lost", "算作丢失"},
    {"sack_count", "SACK 范围数"},
    {"sack_left_1", "范围 1 起"},
    {"sack_right_1", "范围 1 止"},
    {"sack_left_2", "范围 2 起"},
    {"sack_right_2", "范围 2 止"},
    {"sack_left_3", "范围 3 起"},
    {"sack_right_3", "范围 3 止"},
    {"sack_left_4", "范围 4 起"},
    {"sack_right_4", "范围 4 止"},
    {"retransmissions", "重传次数"},
    {"backoff", "RTO 加倍"},
    {"timer_probe", "丢失探测"},
    {"timer_reorder", "乱序等待"},
    {"timer_rto", "重传"},
    {"timer_persist", "零窗口探测"},
    {"timer_delack", "延迟 ACK"},
    {"timer_keepalive", "保活"},
    {"timer_timewait", "2 MSL"},
    {"timer_user", "用户超时"},
});
constexpr auto kValues = std::to_array<Pair>({
    {"off", "关"},
    {"unlimited", "无限"},
    {"yes", "是"},
    {"no", "否"},
    {"none", "无"},
});

std::string found(std::span<const Pair> table, std::string_view key, std::string_view otherwise) {
    for (const Pair& row : table) {
        if (row.first == key) return std::string(row.second);
    }
    return std::string(otherwise);
}

}  // namespace

std::string name_in(const StateField& field, Language language) {
    if (language == Language::English) return std::string(field.name);
    return found(kNames, field.key, field.name);
}

std::string value_in(const std::string& text, Language language) {
    if (language == Language::English) return text;
    if (text.starts_with("in ")) return text.substr(3) + " 后";
    return found(kValues, text, text);
}

}  // namespace tapestry

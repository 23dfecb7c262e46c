#include "apps/inspect/chinese_words.h"

#include <array>
#include <string_view>
#include <utility>

namespace tapestry {
namespace {

using Pair = std::pair<std::string_view, std::string_view>;

constexpr auto kRoles = std::to_array<Pair>({
    {"1 of 3", "握手 1/3"},
    {"2 of 3", "握手 2/3"},
    {"3 of 3", "握手 3/3"},
    {"FIN 1 of 2", "第 1 个 FIN"},
    {"FIN 2 of 2", "第 2 个 FIN"},
    {"ACK of FIN", "对 FIN 的确认"},
    {"FIN", "FIN"},
    {"again", "重传"},
    {"reset", "复位"},
    {"duplicate ACK", "重复 ACK"},
});
constexpr auto kRoutines = std::to_array<Pair>({
    {"segment", "报文段"},
    {"repeated SYN-ACK", "重传的 SYN-ACK"},
    {"changes of state", "状态变化"},
    {"rows of the table", "表项"},
});
constexpr auto kIcmp = std::to_array<Pair>({
    {"network unreachable", "网络不可达"},
    {"host unreachable", "主机不可达"},
    {"protocol unreachable", "协议不可达"},
    {"port unreachable", "端口不可达"},
    {"fragmentation needed", "需要分片"},
    {"prohibited", "被禁止"},
    {"time to live exceeded", "生存时间超过"},
    {"it cannot be delivered", "无法交付"},
});
constexpr auto kLosses = std::to_array<Pair>({
    {"lost", "丢失"},
    {"lost on the way", "在途中丢失"},
    {"the link is cut", "链路被切断"},
    {"the queue in front of the link is full", "链路前的队列已满"},
    {"dropped, to see what happens then", "故意丢弃，看看接下来会怎样"},
});

template <typename Table>
std::string found(const Table& table, const std::string& text) {
    for (const Pair& row : table) {
        if (row.first == text) return std::string(row.second);
    }
    return text;
}

}  // namespace

std::string role_in(const std::string& role, Language language) {
    if (language == Language::English) return role;
    constexpr std::string_view kAgain = " again";
    if (!role.ends_with(kAgain)) return found(kRoles, role);
    return found(kRoles, role.substr(0, role.size() - kAgain.size())) + "，重传";
}

std::string routine_in(const std::string& routine, Language language) {
    if (language == Language::English) return routine;
    constexpr std::string_view kDrops = "drops ";
    if (routine.starts_with(kDrops)) return "拒绝 " + routine.substr(kDrops.size());
    return found(kRoutines, routine);
}

std::string icmp_in(const std::string& error, Language language) {
    return language == Language::English ? error : found(kIcmp, error);
}

std::string loss_in(const std::string& lost, Language language) {
    return language == Language::English ? lost : found(kLosses, lost);
}

}  // namespace tapestry

#include "apps/lab/error_words.h"

#include <array>

namespace tapestry {
namespace {

// In the order of Errno.
constexpr auto kTexts = std::to_array<std::string_view>({
    "没有错误",       "资源暂时不可用", "操作正在进行", "参数无效",         "套接字已关闭",
    "地址已被占用",   "无法分配该地址", "套接字已连接", "套接字未连接",     "连接被拒绝",
    "连接被对方复位", "连接中止",       "连接超时",     "没有到主机的路由", "网络不可达",
    "协议选项不可用", "报文过长",       "管道破裂",     "没有缓冲区空间",   "权限不足",
});

}  // namespace

std::string chinese_text(Errno error) {
    return std::string(kTexts.at(static_cast<std::size_t>(error)));
}

}  // namespace tapestry

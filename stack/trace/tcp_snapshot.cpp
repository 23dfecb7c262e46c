#include "stack/trace/tcp_snapshot.h"

namespace tapestry {

std::string_view name(TcpState state) {
    static constexpr std::array<std::string_view, 11> kNames{
        "CLOSED",     "LISTEN",     "SYN-SENT", "SYN-RECEIVED", "ESTABLISHED", "FIN-WAIT-1",
        "FIN-WAIT-2", "CLOSE-WAIT", "CLOSING",  "LAST-ACK",     "TIME-WAIT"};
    return kNames.at(static_cast<std::size_t>(state));
}

std::string_view name(TcpTimer timer) {
    static constexpr std::array<std::string_view, kTcpTimerCount> kNames{
        "probe", "reorder", "rto", "persist", "delack", "keepalive", "timewait", "user-timeout"};
    return kNames.at(static_cast<std::size_t>(timer));
}

}  // namespace tapestry

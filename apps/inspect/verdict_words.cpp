#include "apps/inspect/verdict_words.h"

#include <array>

#include "apps/inspect/explain.h"

namespace tapestry {
namespace {

using enum Verdict;

struct Row {
    Verdict verdict;
    std::string_view text;
};

constexpr auto kChinese = std::to_array<Row>({
    {None, "没有要决定的"},
    {UserOpen, "OPEN 调用：发送 SYN"},
    {UserSend, "SEND 调用"},
    {UserReceive, "RECEIVE 调用"},
    {UserClose, "CLOSE 调用"},
    {UserShutdown, "半关闭：数据之后发送 FIN"},
    {UserAbort, "ABORT 调用：发送复位"},
    {ListenRst, "忽略发给监听者的复位"},
    {ListenAck, "对发给监听者的 ACK 回答复位"},
    {ListenSyn, "检查是否是 SYN"},
    {ListenCookie, "ACK 带回了 SYN cookie 保存的内容"},
    {SynSentBadAck, "ACK 不是针对我们的 SYN：复位"},
    {SynSentReset, "连接被拒绝"},
    {SynSentResetIgnored, "忽略没有正确 ACK 的复位"},
    {SynSentEstablished, "我们的 SYN 已被确认"},
    {SynSentSimultaneous, "双方同时打开"},
    {SynSentIgnored, "既没有 SYN 也没有 RST：丢弃"},
    {SequenceUnacceptable, "在窗口之外：用 ACK 回答"},
    {SequenceZeroWindow, "窗口已关闭：用 ACK 回答"},
    {Paws, "时间戳较旧：旧的重复报文段"},
    {ResetAccepted, "复位正好在 RCV.NXT"},
    {ResetChallenged, "复位在窗口中的别处：挑战 ACK"},
    {ResetRefused, "复位在窗口之外"},
    {ResetToListen, "忘掉这次尝试，监听继续"},
    {SynChallenged, "已同步状态下的 SYN：挑战 ACK"},
    {SynTimeWait, "新连接取代旧连接"},
    {NoAck, "没有 ACK 位：丢弃"},
    {AckEstablishes, "我们的 SYN 已被确认"},
    {AckOfNothingSent, "ACK 不是针对我们的 SYN：复位"},
    {AckChallenged, "确认了没有发送的东西，或者太旧：挑战 ACK"},
    {AckDuplicate, "重复 ACK"},
    {AckOld, "忽略旧的 ACK"},
    {AckAdvances, "ACK 使 SND.UNA 前进"},
    {AckWindowUpdate, "更新发送窗口"},
    {FinAcked, "我们的 FIN 已被确认"},
    {LastFinAcked, "我们的 FIN 已被确认：连接结束"},
    {TimeWaitRestart, "又收到 FIN：再确认，重新开始 2 MSL"},
    {DataInOrder, "数据正好在 RCV.NXT"},
    {DataOutOfOrder, "数据在空洞后面：保留，立即确认"},
    {DataDuplicate, "里面没有新东西"},
    {DataRefused, "数据的读者已经离开：复位"},
    {FinReceived, "对方发送完了"},
    {Accepted, "可以接受，没有新东西"},
    {FastRetransmit, "第三个重复 ACK：快重传"},
    {PartialAck, "部分 ACK：重传下一个空洞"},
    {AckSack, "重复 ACK：空洞后面又有数据到达"},
    {AckDuplicateSack, "D-SACK：我们的一个报文段到了两次"},
    {SackRecovery, "SACK 表明下一个报文段丢失：快重传"},
    {SackPartialAck, "继续恢复剩下的空洞"},
    {SackReneged, "接收方丢弃了它 SACK 过的数据：忘掉它的报告"},
    {RackRecovery, "后发送的已经到达，之前的就是丢失了：快重传"},
    {LossProbeRepaired, "丢失探测补上了丢失的报文段"},
    {SpuriousRecovery, "重传的其实只是迟到：恢复原来的窗口"},
    {TimerLossProbe, "两个往返时间没有 ACK：丢失探测"},
    {TimerReorder, "迟到的可能只是乱序：再看一次"},
    {TimerReorderLoss, "乱序窗口已过：算作丢失"},
    {TimerRetransmit, "重传超时"},
    {TimerSynRetransmit, "重发 SYN"},
    {TimerPersist, "零窗口探测"},
    {TimerDelayedAck, "延迟的 ACK 到时间了"},
    {TimerKeepAlive, "保活探测"},
    {TimerKeepAliveDead, "保活探测没有得到回答"},
    {TimerTimeWait, "2 MSL 已过"},
    {TimerFinWait2, "不再等待对方的 FIN"},
    {TimerUserTimeout, "用户超时"},
    {TimerGivenUp, "达到 R2：重传次数太多"},
    {TimerOverride, "避免糊涂窗口的强制发送定时器"},
    {IcmpHard, "网络报告硬错误"},
    {IcmpSoft, "网络报告软错误"},
    {IcmpFragmentationNeeded, "路径的 MTU 更小"},
    {FlushSent, "能发送的都已发送"},
    {FlushBlocked, "设备不能再接收"},
});

constexpr bool in_order() {
    for (std::size_t i = 0; i < kChinese.size(); ++i) {
        if (kChinese[i].verdict != static_cast<Verdict>(i)) return false;
    }
    return kChinese.size() == static_cast<std::size_t>(kCount);
}
static_assert(in_order(), "one row for each verdict, in the order of the enumeration");

}  // namespace

std::string_view text_in(Verdict verdict, Language language) {
    if (language == Language::English) return text(verdict);
    return kChinese.at(static_cast<std::size_t>(verdict)).text;
}

std::string text_in(Drop drop, Language language) {
    if (language == Language::English) return std::string(text(drop));
    const std::string_view what = explanation(drop, language).what;
    return std::string(what.substr(0, what.find("。")));
}

}  // namespace tapestry

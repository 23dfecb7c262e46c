#include <array>

#include "apps/inspect/explain_tables.h"

/// Acknowledgments, losses and how they are mended.

namespace tapestry {
namespace {

using enum Verdict;

constexpr auto kRows = std::to_array<VerdictText>({
    {AckDuplicate,
     {"又是同样的 ACK：{SEG.ACK}[，第 {DUPACKS} 个]。SND.UNA 不变。",
      "有东西离开了网络（否则不会有 ACK），但不是接收方等待的那一段。一两个可能是乱序；第三个就"
      "算作丢失。",
      "只有不带数据、号码相同、窗口相同，而且还有数据在路上的 ACK 才是重复 ACK。窗口更新不是。"}},
    {AckOld,
     {"ACK {SEG.ACK} 低于 SND.UNA {SND.UNA}，忽略。",
      "它在路上被后面的 ACK 超过了。确认是累积的，后来的已经说了前面所说的一切。",
      "绝不要让 SND.UNA 后退，也不要从旧报文段取窗口。"}},
    {AckAdvances,
     {"ACK 使 SND.UNA 从 {WAS.SND.UNA} 前进到 {SND.UNA}：对方收到了它以下的一切。这些字节离开发"
      "送缓冲区。",
      "确认是累积的。它停止或重启重传定时器，可能给出一次往返时间的测量，并让拥塞窗口增长["
      "（cwnd 现在是 {CWND}）]。",
      "如果全部被确认，定时器必须关闭；否则以完整的 RTO[ {RTO}] 重新开始。"}},
    {AckWindowUpdate,
     {"这个 ACK 只带来新的窗口：SND.WND 现在是 {SND.WND} 字节。",
      "接收方的应用程序读取了数据，或者接收方重新考虑了它的空间。SND.WL1 和 SND.WL2 记住窗口取"
      "自哪个报文段，这样更旧的报文段不能把它改回去。",
      "虽然 SEG.ACK 相同，这不是重复 ACK：不要把它当作丢失的迹象。"}},
    {FastRetransmit,
     {"第三个重复 ACK：SND.UNA {SND.UNA} 处的报文段被认为丢失，立即重发。[ssthresh 是 "
      "{SSTHRESH}，cwnd 是 {CWND}。]",
      "它后面的三个报文段已经到达；乱序到这种程度很少见。等定时器要花整整一个 RTO，而网络空闲着"
      "。丢失是拥塞的迹象，所以窗口也缩小，但不缩到一个报文段：ACK 还在流动。",
      "ssthresh 由正在路上的数据量算出，而不是由 cwnd；每个窗口的丢失只减小一次。"}},
    {PartialAck,
     {"恢复期间 ACK 使 SND.UNA 到达 {SND.UNA}，但没有到恢复点：立即重发下一个空洞。",
      "一个窗口里丢了几个报文段时，每个到达的重传露出下一个空洞。NewReno 每个往返时间补一个，不"
      "必等新的重复 ACK。",
      "只有恢复开始时在路上的一切都被确认，恢复才结束。"}},
    {AckSack,
     {"带 SACK 的重复 ACK：空洞后面又有数据到达（已知有 {SACKED} 字节在那里）。",
      "SACK 确切说明接收方有哪些范围，这样只需重发缺少的部分。",
      "SACK 只是建议：在累积 ACK 覆盖之前，发送方必须保留数据。"}},
    {AckDuplicateSack,
     {"D-SACK：第一个 SACK 块说明我们的一个报文段到了两次。",
      "所以至少有一次重传是不必要的，或者网络复制了报文段。发送方可以由此知道自己太急了。",
      "这个块在 ACK 之下，或者在下一个块之内；它不表示空洞后面的字节到达了。"}},
    {SackRecovery,
     {"由 SACK 的范围得出 {SND.UNA} 处的报文段丢失：恢复开始。[ssthresh 是 {SSTHRESH}，cwnd 是 "
      "{CWND}。]",
      "它后面已经有足够多的字节到达。发送方计算网络里真正有多少（pipe[，{PIPE} 字节]），用重传和"
      "新数据填满窗口。",
      "没有 SACK 就只能猜；有了它，一个往返时间可以补几个空洞。"}},
    {SackPartialAck,
     {"恢复继续：ACK 前进到 {SND.UNA}，还有空洞。",
      "记分板说明缺少哪些范围。只要 pipe[（{PIPE} 字节）]小于窗口，就发送下一个空洞或新数据。",
      "在这次恢复里已经重发过的报文段，不会因为同样的报告再发第三次。"}},
    {SackReneged,
     {"接收方丢弃了它曾经 SACK 过的数据：忘掉它的所有报告。",
      "内存用完时这是允许的，因为 SACK 只是建议。累积 ACK 没有覆盖的，就算没有送达。",
      "这就是 SACK 过的数据必须留在发送缓冲区里的原因。"}},
    {RackRecovery,
     {"后发出的报文段已经到达，而 {SND.UNA} 处的没有：RACK 认为它丢失。恢复开始[，ssthresh "
      "{SSTHRESH}，cwnd {CWND}]。",
      "RACK 看的是发送时间，而不是数重复 ACK：比已到达的早一点发出的，也应该到了。在此之前会给"
      "一个乱序窗口（往返时间的一部分）。",
      "它也能发现丢失的重传，数重复 ACK 做不到这一点。"}},
    {LossProbeRepaired,
     {"丢失探测补上了数据末尾丢失的报文段：窗口像任何丢失一样减小。",
      "探测悄悄修复了丢失，恢复根本没有开始。但丢失终究是拥塞的迹象。",
      "没有这一步，发送方会一再丢失最后的报文段而从不减速。"}},
    {SpuriousRecovery,
     {"重发的东西只是迟到了：重传是不必要的。拥塞窗口被还回来[（cwnd {CWND}）]。",
      "ACK 里回显的时间戳或 D-SACK 说明原来的报文段到了。所以没有丢失，也没有理由减速。",
      "仅凭对重传数据的 ACK，不能知道它确认的是两份中的哪一份。"}},
});

}  // namespace

std::span<const VerdictText> chinese_acks() { return kRows; }

}  // namespace tapestry

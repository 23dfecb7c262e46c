#include <array>

#include "apps/inspect/explain_tables.h"

/// The checks of a segment that comes in, its text and its FIN.

namespace tapestry {
namespace {

using enum Verdict;

constexpr auto kRows = std::to_array<VerdictText>({
    {SequenceUnacceptable,
     {"报文段（{SEG.SEQ}，{SEG.LEN} 字节）在接收窗口之外，窗口从 RCV.NXT {RCV.NXT} 开始。什么也"
      "不收下；用一个 ACK 告诉发送者我们到了哪里。",
      "每个报文段首先必须至少有一个号码在窗口之内。其他的是旧的重复、保活探测或伪造的。这个 "
      "ACK 帮助迷路的诚实对方，也回答探测。",
      "不要默默丢弃（对方可能正在等这个 ACK），也绝不要在这里回答复位。"}},
    {SequenceZeroWindow,
     {"我们的窗口关闭时收到带数据的报文段。数据不收；用 ACK 重复 RCV.NXT {RCV.NXT} 和窗口。",
      "对方在探测是否又有空间，因为打开窗口的报文段可能丢失。这个回答让它继续等待。",
      "即使窗口是零，也必须处理 ACK、复位和紧急指针：被拒绝的只有数据。"}},
    {Paws,
     {"时间戳比上次接受的[（{TS.RECENT}）]旧：这是旧的重复报文段。丢弃它，并发出确认。",
      "在很快的路径上，32 位序号几秒钟就会绕回，旧报文段可能碰巧落在窗口里。只增不减的时间戳"
      "能区分新旧（PAWS）。",
      "复位不受这项检查；超过 24 天的 TS.Recent 不能再用。"}},
    {ResetAccepted,
     {"收到序号正好等于 RCV.NXT 的复位：连接立即结束，状态从 {WAS} 变为 {STATE}。应用程序得到"
      "一个错误。",
      "对方不知道这个连接，或者已经放弃了它。号码正好是下一个，说明它来自对方，或来自能看到流量"
      "的人。",
      "复位不被确认，也没有 TIME-WAIT。等待发送的数据被丢弃。"}},
    {ResetChallenged,
     {"复位在窗口之内（{SEG.SEQ}），但不正好在 RCV.NXT {RCV.NXT}：发出挑战 ACK，连接保留。",
      "看不到流量的伪造者很容易命中窗口，但很难命中确切的号码。真正没有连接的对方会用号码正确的"
      "复位回答挑战 ACK。",
      "像 RFC 793 那样相信窗口内的每个复位，会让陌生人切断连接。"}},
    {ResetRefused,
     {"收到号码在窗口之外的复位：丢弃。", "发送者不知道连接到了哪里，所以它是旧的或伪造的。",
      "不作回答：回答复位会引起无尽的来往。"}},
    {ResetToListen,
     {"监听者接受的连接正在等第三个报文段时收到复位：忘掉这次尝试，监听继续。",
      "对方改变了主意，或者从来不在那里（有人伪造了它的地址，我们的 SYN-ACK 使它意外）。应用程"
      "序还不知道这个连接，所以也不必知道它结束。",
      "结束的只是这次尝试，绝不是监听者。"}},
    {SynChallenged,
     {"在已有的连接里收到 SYN：发出挑战 ACK，什么也不改变。",
      "它可能是伪造的，目的是让我们结束连接。如果对方真的重启了，这个 ACK 与它的预期不符，它会"
      "发出号码正确的复位，下一个 SYN 就会被接受。",
      "RFC 793 用复位回答它；那样陌生人猜一次就能切断连接。"}},
    {SynTimeWait,
     {"在 TIME-WAIT 收到的 SYN 只可能是新的：它的号码（或时间戳）超过旧连接的一切。旧连接让位。",
      "TIME-WAIT 是为了捕捉旧的重复报文段。号码在所有旧号码之后的 SYN 不可能是旧的，所以同一对"
      "端口可以立即再用。",
      "新的 ISS 也必须超过旧连接的 SND.NXT。"}},
    {NoAck,
     {"报文段没有 ACK 位，丢弃。",
      "第一个 SYN 之后，每个报文段都带确认。没有确认的是坏的或伪造的。",
      "ACK 位没有设置时，不管 SEG.ACK 字段里写着什么，都没有意义。"}},
    {AckEstablishes,
     {"第三个报文段：它的 ACK {SEG.ACK} 确认了我们的 SYN。连接建立，状态从 {WAS} 变为 {STATE}。",
      "现在这一方也知道自己发出的东西能到达，而且对方的地址不是伪造的。应用程序可以接受这个连接"
      "。",
      "如果这个 ACK 丢失，第一个数据报文段起同样的作用，因为它带着同样的 ACK。"}},
    {AckOfNothingSent,
     {"在 SYN-RECEIVED 收到不是针对我们 SYN 的 ACK（{SEG.ACK}）：用复位回答。",
      "对方确认的是另一个 SYN，也许是旧的一次尝试的。复位的号码取自 SEG.ACK，这样对方会接受。",
      "这里的尝试并不因此结束：正确的 ACK 还可能会来。"}},
    {AckChallenged,
     {"ACK {SEG.ACK} 确认了从未发送的东西，或者比对方曾经提供的最大窗口还要旧：发出挑战 ACK，丢"
      "弃报文段。",
      "能看到流量的人清楚地知道 SND.UNA 和 SND.NXT。离它们很远的号码是想混入数据的人猜的。",
      "可接受的范围是从 SND.UNA 减去见过的最大窗口到 SND.NXT，而不是 SND.NXT 以下的任何号码。"}},
    {TimeWaitRestart,
     {"在 TIME-WAIT 又收到对方的 FIN：再确认一次，2 MSL 的等待重新开始。",
      "对方没有收到我们最后的 ACK。这就是先关闭的一方必须等待的原因：否则没有人能重发那个 ACK。",
      "在这一分钟里重启的服务器会发现端口被占用；这是 TIME-WAIT 在起作用，不是错误。"}},
    {DataInOrder,
     {"数据正好从 RCV.NXT 开始，RCV.NXT 前进到 {RCV.NXT}。应用程序可以读取[（有 "
      "{RECEIVE.QUEUED} 字节在等）]。",
      "接收方收下按顺序的下一段，用下一个 ACK 说明它接着期待什么。ACK 可以等一会儿：等第二个报"
      "文段，或者等可以搭载它的我方数据。",
      "RCV.NXT 确认它以下的所有字节。对于空洞后面的字节，它什么也没说。"}},
    {DataOutOfOrder,
     {"数据从 {SEG.SEQ} 开始，在空洞后面：RCV.NXT 保持 {RCV.NXT}。数据被保留[（{OUT.OF.ORDER} 字"
      "节）]，并立即发出 ACK。",
      "前面的一个报文段丢失或迟到了。重复 ACK（有 SACK 时还带着已到的范围）远早于定时器把这件事"
      "告诉发送者。",
      "这个 ACK 不能延迟：三个这样的 ACK 会使发送者重传。"}},
    {DataDuplicate,
     {"报文段里的一切以前都收到过：丢弃它，并立即确认。",
      "发送者重复是因为我们的 ACK 丢失或迟到了。只有再发一个 ACK 才能让它停下来。",
      "不要把这些字节再次交给应用程序，也不要沉默。"}},
    {DataRefused,
     {"数据发给一个已经关闭、不再读取的应用程序：连接被复位。",
      "这些字节永远不会有人读。确认它们会让对方相信它们已经送达。",
      "因此，还有未读数据或还有数据要来时的关闭，以复位而不是 FIN 结束。"}},
    {FinReceived,
     {"对方的 FIN 按顺序到达：它发送完了。RCV.NXT 越过它，发出 ACK，状态从 {WAS} 变为 {STATE}。"
      "应用程序读到文件结束。",
      "FIN 只结束一个方向：我们可以继续发送。接着是哪个状态，取决于我们自己是否发过 FIN，以及它"
      "是否已被确认。",
      "在缺失的数据之前到达的 FIN 必须等待：它按顺序在自己的位置生效。"}},
    {Accepted,
     {"报文段可以接受，但里面没有新东西。", "它的 ACK 和窗口同以前一样，也不带有用的数据。",
      "重复 ACK 的空报文段不被回答：ACK 是不被确认的。"}},
    {FinAcked,
     {"我们的 FIN 已被确认：状态从 {WAS} 变为 {STATE}。",
      "对方收到了我们发送的一切。现在是等它的 FIN（FIN-WAIT-2），还是只等旧的重复报文段消失（"
      "TIME-WAIT），取决于它的 FIN 是否已经到了。",
      "只有 ACK 超过 FIN 自己的号码，才算确认了 FIN。"}},
    {LastFinAcked,
     {"我们的 FIN 是两个中的后一个，已被确认：状态从 {WAS} 变为 {STATE}。连接结束。",
      "对方先关闭，并且收到了我们发送的一切，所以没有事可做了。TIME-WAIT 由对方承担，因为最后的"
      " ACK 是它发的。",
      "后关闭的一方不进入 TIME-WAIT。"}},
});

constexpr Explanation kSynAgain{
    "打开这个连接的 SYN 又来了：对方没有收到我们的 SYN 和 ACK。重发它们；RCV.NXT 保持 {RCV.NXT}。",
    "这个 SYN 的号码在 RCV.NXT 之前，所以报文段里没有新东西，和旧的重复报文段一样。对它的回答终于"
    "能把我们的号码告诉对方。",
    "这是同一个连接，不是第二个：ISS 和状态都不变。"};

constexpr Explanation kSynSent{
    "SYN 发出；如果是回答对方的 SYN，就同时带 ACK。它占用一个序号：SND.NXT 是 {SND.NXT}。",
    "没有窗口能挡住它，因为双方还不知道对方的窗口。重传定时器正在运行：如果[ {RTO} 之内] SYN "
    "没有得到确认，就重发。",
    "SYN 里的窗口以字节为单位；窗口扩大从它之后才开始。"};

}  // namespace

const Explanation& chinese_syn_again() { return kSynAgain; }
const Explanation& chinese_syn_sent() { return kSynSent; }

std::span<const VerdictText> chinese_segments() { return kRows; }

}  // namespace tapestry

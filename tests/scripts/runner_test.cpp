#include <gtest/gtest.h>

#include "tests/support/script.h"

// The runner itself: a script that is wrong in one place must fail, and say where and why.

namespace tapestry::test {
namespace {

const std::string kConnected = R"(+0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0...0.1 connect(3, ..., ...) = 0
+0 > S 0:0(0) win 65535 <...>
+.1 < S. 0:0(0) ack 1 win 5000 <mss 1000,TS val 7 ecr 0>
+0 > . 1:1(0) ack 1 <nop,nop,TS val 100 ecr 7>
)";

ScriptResult play(const std::string& text, const ScriptNumbers& numbers = {}) {
    const auto script = parse_script("s.pkt", text);
    if (!script) return {false, script.error()};
    return run_script(*script, numbers);
}

testing::AssertionResult fails_with(const std::string& text, const std::string& what) {
    const ScriptResult result = play(text);
    if (result.passed) return testing::AssertionFailure() << "the script passes";
    if (result.report.find(what) == std::string::npos) {
        return testing::AssertionFailure() << "the report does not say \"" << what << "\":\n"
                                           << result.report;
    }
    return testing::AssertionSuccess();
}

TEST(ScriptRunner, PassesWhatIsRight) {
    const ScriptResult result = play(kConnected + R"(
/* a comment
   over two lines */
+0 write(3, ..., 1500) = 1500   // a step
+0 > . 1:989(988) ack 1
   <nop,nop,TS val 100 ecr 7>
+0 fcntl(3, F_SETFL, O_RDWR|O_NONBLOCK) = 0
+0 read(3, ..., 10) = -1 EAGAIN (Resource temporarily unavailable)
+0.1 < P. 1:11(10) ack 989 win 5000 <nop,nop,TS val 8 ecr 100>
+0~+.1 > P. 989:1501(512) ack 11 <nop,nop,TS val 200 ecr 8>
+0 read(3, ..., 10) = 10
+0 %{ state == ESTABLISHED, snd_nxt == 1501, snd_una == 989, rcv_nxt == 11, timer.rto > 0 }%
)");
    EXPECT_TRUE(result.passed) << result.report;
}

TEST(ScriptRunner, SaysWhichPacketWasNotExpected) {
    EXPECT_TRUE(
        fails_with(kConnected + "+0 write(3, ..., 5) = 5\n",
                   "at the end a packet is left that nobody expected:\n    > P. 1:6(5) ack"));
    EXPECT_TRUE(fails_with(kConnected + "+0 write(3, ..., 5) = 5\n+1 close(3) = 0\n",
                           "a packet that nobody expected:\n    > P. 1:6(5) ack 1"));
}

TEST(ScriptRunner, SaysWhatIsDifferentInAPacket) {
    const std::string wrote = kConnected + "+0 write(3, ..., 5) = 5\n";
    const std::string right = "<nop,nop,TS val 100 ecr 7>\n";
    EXPECT_TRUE(fails_with(wrote + "+0 > . 1:6(5) ack 1 " + right, "(the flags)"));
    EXPECT_TRUE(fails_with(wrote + "+0 > P. 2:7(5) ack 1 " + right, "(the sequence number)"));
    EXPECT_TRUE(fails_with(wrote + "+0 > P. 1:7(6) ack 1 " + right, "(the length)"));
    EXPECT_TRUE(fails_with(wrote + "+0 > P. 1:6(5) ack 2 " + right, "(the acknowledgment)"));
    EXPECT_TRUE(fails_with(wrote + "+0 > P. 1:6(5) ack 1 win 4 " + right, "(the window)"));
    EXPECT_TRUE(
        fails_with(wrote + "+0 > P. 1:6(5) ack 1 <nop,nop,TS val 101 ecr 7>\n", "(the options)"));
    EXPECT_TRUE(
        fails_with(wrote + "+0 > P. 1:6(5) ack 1 <TS val 100 ecr 7,nop,nop>\n", "(the options)"));
    EXPECT_TRUE(fails_with(wrote + "+0 > [ttl 5] P. 1:6(5) ack 1 " + right, "(the TTL)"));
    EXPECT_TRUE(fails_with(wrote + "+0 >2 P. 1:6(5) ack 1 " + right, "(the flow)"));
    EXPECT_TRUE(fails_with(wrote + "+.1 > P. 1:6(5) ack 1 " + right, "should come at 0.200000"));
    EXPECT_TRUE(fails_with(kConnected + "+0 > P. 1:6(5) ack 1\n", "no packet came until"));
}

TEST(ScriptRunner, SaysWhatACallGave) {
    EXPECT_TRUE(fails_with(kConnected + "+0 write(3, ..., 5) = 4\n",
                           "s.pkt:6: write() should give 4 \n    and gave 5"));
    EXPECT_TRUE(fails_with(kConnected + "+0 read(3, ..., 5) = 5\n", "read(): it blocks"));
    EXPECT_TRUE(fails_with(kConnected + "+0 bind(3, ..., ...) = -1 EADDRINUSE (x)\n",
                           "and gave -1 EINVAL"));
    EXPECT_TRUE(fails_with(kConnected + R"(+0...0.3 read(3, ..., 5) = 5
+.1 < P. 1:6(5) ack 1 win 5000 <nop,nop,TS val 8 ecr 100>
+.1 > . 1:1(0) ack 6 <...>
)",
                           "read() should come back at 0.400000 and came back at 0.200000"));
    EXPECT_TRUE(fails_with(kConnected + "+0...1 read(3, ..., 5) = 5\n",
                           "at the end a call still blocks: line 6"));
}

TEST(ScriptRunner, SaysWhichBytesAreWrong) {
    EXPECT_TRUE(fails_with(kConnected + R"(
+0 < [garbage] P. 1:6(5) ack 1 win 5000 <nop,nop,TS val 8 ecr 100>
+0 read(3, ..., 5) = 5
)",
                           "byte 0 is not the one that was sent"));
}

TEST(ScriptRunner, SaysWhichCheckFails) {
    EXPECT_TRUE(
        fails_with(kConnected + "+0 %{ mss == 988, state == CLOSED }%\n",
                   "s.pkt:6: +0 %{ mss == 988, state == CLOSED }%\n  state is ESTABLISHED"));
    EXPECT_TRUE(fails_with(kConnected + "+0 %{ [2] state == CLOSED }%\n", "no connection to ask"));
    EXPECT_TRUE(fails_with(kConnected + "+0 %{ timer.rto < 5s }%\n", "timer.rto is off"));
}

TEST(ScriptRunner, PrintsHistoryAndState) {
    EXPECT_TRUE(fails_with(kConnected + "+0 %{ rto == 5s }%\n",
                           "0.000000  > S 0:0(0) win 65535 <mss 1460"));
    EXPECT_TRUE(fails_with(kConnected + "+0 %{ rto == 5s }%\n",
                           "flow 1: ESTABLISHED  snd.una 1 snd.nxt 1 snd.wnd 5000  rcv.nxt 1"));
}

TEST(ScriptRunner, ForcesTheInitialNumbers) {
    const std::string text = "--iss=0xfffffff0\n--peer-iss=0xffffffff\n" + kConnected +
                             "+0 %{ snd_nxt == 1, rcv_nxt == 1 }%\n+0 %{ mss == 1 }%\n";
    EXPECT_TRUE(fails_with(text, "mss is 988"));  // the check before it has passed
    // A reset is told by its number on the wire: SEQ=SEG.ACK of a segment for nobody.
    EXPECT_TRUE(play("+0 < . 1:1(0) ack 77 win 1000\n+0 > R 77:77(0)\n").passed);
    EXPECT_FALSE(play("+0 < . 1:1(0) ack 77 win 1000\n+0 > R 78:78(0)\n").passed);
}

TEST(ScriptRunner, SaysWhyAScriptCannotBeRead) {
    EXPECT_TRUE(fails_with("", "there is no step in it"));
    EXPECT_TRUE(fails_with("\n\nread(3) = 1\n", "s.pkt:3: wanted a time"));
    EXPECT_TRUE(fails_with("+0 < S 0:1(0) win 5\n", "s.pkt:1: wanted the sum of"));
    EXPECT_TRUE(fails_with("+0 < . 0:0(0) win 5\n", "'.' and \"ack\" go together"));
    EXPECT_TRUE(fails_with("+0 < S 0:0(0) win 5 <mss>\n", "wanted a number"));
    EXPECT_TRUE(fails_with("+0 < S 0:0(0) win 5 <nss 1>\n", "instead of \"nss\""));
    EXPECT_TRUE(fails_with("+0~+1 < S 0:0(0) win 5\n", "only an outbound packet"));
    EXPECT_TRUE(fails_with("+0 read(3, ..., 1) = -1\n", "an error's name with -1"));
    EXPECT_TRUE(fails_with("+0 read(3, ..., 1\n", "a call without its ')'"));
    EXPECT_TRUE(fails_with("+0 read(3, ..., 1) = 1\n", "descriptor 3 is not open"));
    EXPECT_TRUE(fails_with("+0 frobnicate(3) = 1\n", "descriptor 3 is not open"));
    EXPECT_TRUE(fails_with("/* no end\n+0 read(3, ..., 1) = 1\n", "a comment without its end"));
    EXPECT_TRUE(fails_with("--mtu=x\n+0 < S 0:0(0) win 5\n", "s.pkt:1: mtu: wanted a number"));
    EXPECT_TRUE(fails_with("--set tcp.x=1\n+0 < S 0:0(0) win 5\n", "no setting is called"));
    EXPECT_TRUE(fails_with("+0 < S 0:0(0) win 5\n--mtu=1\n", "s.pkt:2: settings come before"));
    EXPECT_TRUE(fails_with(kConnected + "+0 %{ nonsense == 1 }%\n", "nothing is called"));
}

}  // namespace
}  // namespace tapestry::test

// To be preloaded into packetdrill: its %{ }% blocks ask the kernel for TCP_INFO. For descriptors of the
// stack's the shared object answers; everything else goes to the kernel.

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>

namespace {

using Answer = int (*)(int fd, void* value, socklen_t* length);
std::atomic<Answer> the_answer{nullptr};

}  // namespace

extern "C" {

__attribute__((visibility("default"))) void tapestry_answers_tcp_info(Answer answer) {
    the_answer = answer;
}

__attribute__((visibility("default"))) int getsockopt(int fd, int level, int name, void* value,
                                                      socklen_t* length) noexcept {
    const Answer answer = the_answer;
    if (level == IPPROTO_TCP && name == TCP_INFO && answer != nullptr &&
        answer(fd, value, length) == 1) {
        return 0;
    }
    return static_cast<int>(syscall(SYS_getsockopt, fd, level, name, value, length));
}
}

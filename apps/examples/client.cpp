// The client of every tutorial, on our own TCP: connect, send a request, print what comes back.
#include <array>
#include <cstdio>
#include <string>

#include "apps/attachment.h"
#include "drivers/socket.h"

using namespace tapestry;

int main() {
    const auto net = attach({}, nullptr);  // a private network: we are 192.168.3.10, Linux is .1

    Socket socket(net->runner(), SocketType::Stream);
    const auto connected = socket.connect({Ipv4Address(192, 168, 3, 1), 80});
    if (!connected) {
        std::fprintf(stderr, "connect: %s\n", std::string(text(connected.error())).c_str());
        return 1;
    }
    const auto sent =
        socket.send("GET / HTTP/1.1\r\nHost: 192.168.3.1\r\nConnection: close\r\n\r\n");
    std::array<u8, 4096> buffer;
    while (const auto n = socket.recv(buffer).value_or(0)) {
        std::fwrite(buffer.data(), 1, n, stdout);
    }
    socket.close();
    return sent ? 0 : 1;
}

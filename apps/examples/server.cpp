// The server of every tutorial, on our own TCP: bind, listen, and accept, which makes a new socket for
// each client. Each is greeted and let go.
#include <cstdio>
#include <cstdlib>

#include "apps/attachment.h"
#include "drivers/socket.h"

using namespace tapestry;

int main(int argc, char** argv) {
    const auto net = attach({}, nullptr);  // a private network: we are 192.168.3.10, Linux is .1

    Socket listener(net->runner(), SocketType::Stream);
    if (!listener.bind({Ipv4Address(), 1234}) || !listener.listen()) return 1;
    std::printf("%s nc 192.168.3.10 1234\n", net->sandbox()->enter_command().c_str());
    std::fflush(stdout);

    for (int clients = argc > 1 ? std::atoi(argv[1]) : 1; clients > 0; --clients) {
        auto client = listener.accept();
        if (!client) return 1;
        const std::string who = client->remote().to_string();
        if (client->send("Hello, " + who + "!\n")) std::printf("greeted %s\n", who.c_str());
        client->close();
    }
}

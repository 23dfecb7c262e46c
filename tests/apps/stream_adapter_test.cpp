#include "apps/http/stream_adapter.h"

#include <gtest/gtest.h>

#include <boost/asio/read.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket.hpp>
#include <list>

#include "tests/support/packet_builder.h"
#include "tests/support/two_hosts.h"

namespace tapestry {
namespace {

namespace beast = boost::beast;
namespace http = beast::http;
namespace websocket = beast::websocket;
using test::TwoHosts;

struct StreamAdapterTest : testing::Test {
    TwoHosts net{{.delay = 1ms}};
    Socket listener{net.server, SocketType::Stream};

    void SetUp() override {
        ASSERT_TRUE(listener.bind({{}, 80}));
        ASSERT_TRUE(listener.listen());
    }
    SocketStream connected() {
        Socket socket(net.client, SocketType::Stream);
        EXPECT_TRUE(socket.connect({TwoHosts::kServer, 80}));
        return SocketStream(std::move(socket));
    }
    SocketStream accepted() {
        auto socket = listener.accept();
        EXPECT_TRUE(socket);
        return SocketStream(std::move(*socket));
    }
};

TEST_F(StreamAdapterTest, IsAStreamForBeast) {
    static_assert(beast::is_sync_stream<SocketStream>::value);
}

TEST_F(StreamAdapterTest, CarriesHttp) {
    SocketStream client = connected();
    SocketStream server = accepted();

    http::request<http::empty_body> request(http::verb::get, "/page", 11);
    request.set(http::field::host, "10.0.0.2");
    http::write(client, request);

    beast::flat_buffer server_buffer;
    http::request<http::string_body> received;
    http::read(server, server_buffer, received);
    EXPECT_EQ(received.target(), "/page");
    EXPECT_EQ(received[http::field::host], "10.0.0.2");

    http::response<http::string_body> response(http::status::ok, 11);
    response.body() = std::string(100'000, 'x') + "end";
    response.keep_alive(false);
    response.prepare_payload();
    http::write(server, response);
    server.socket().close();

    beast::flat_buffer client_buffer;
    http::response<http::string_body> answer;
    http::read(client, client_buffer, answer);
    EXPECT_EQ(answer.result_int(), 200U);
    EXPECT_EQ(answer.body(), response.body());

    boost::system::error_code error;
    http::response<http::string_body> nothing;
    http::read(client, client_buffer, nothing, error);
    EXPECT_EQ(error, http::error::end_of_stream);
}

TEST_F(StreamAdapterTest, HeaderAndBodyShareASegment) {
    SocketStream client = connected();
    const SocketStream server = accepted();
    const u64 before = net.link.counters(0).sent;
    const std::string header(100, 'h');
    const std::string body(200, 'b');
    const std::array<boost::asio::const_buffer, 2> buffers{boost::asio::buffer(header),
                                                           boost::asio::buffer(body)};
    EXPECT_EQ(client.write_some(buffers), 300U);
    EXPECT_EQ(net.link.counters(0).sent, before + 1);
}

TEST_F(StreamAdapterTest, LargeAndSmallBuffersKeepTheirOrder) {
    SocketStream client = connected();
    SocketStream server = accepted();
    const std::vector<std::string> parts{std::string(10, 'a'), std::string(40'000, 'b'), "",
                                         std::string(16'000, 'c'), std::string(16'000, 'd')};
    std::vector<boost::asio::const_buffer> buffers;
    std::string all;
    for (const auto& part : parts) {
        buffers.push_back(boost::asio::buffer(part));
        all += part;
    }
    EXPECT_EQ(client.write_some(buffers), all.size());
    std::string read(all.size(), '\0');
    EXPECT_EQ(boost::asio::read(server, boost::asio::buffer(read)), all.size());
    EXPECT_TRUE(read == all);
}

TEST_F(StreamAdapterTest, ErrorsAreTheSystems) {
    SocketStream client = connected();
    SocketStream server = accepted();
    std::array<char, 10> buffer{};
    boost::system::error_code error;

    client.socket().set_receive_timeout(10ms);
    client.read_some(boost::asio::buffer(buffer), error);
    EXPECT_EQ(error, boost::asio::error::would_block);
    EXPECT_EQ(client.read_some(boost::asio::mutable_buffer(), error), 0U);
    EXPECT_FALSE(error) << "nothing to read into is no error";

    server.socket().tcp()->abort();
    EXPECT_THROW(client.read_some(boost::asio::buffer(buffer)), boost::system::system_error);
    client.read_some(boost::asio::buffer(buffer), error);
    EXPECT_EQ(error, boost::asio::error::eof);
    EXPECT_EQ(client.write_some(boost::asio::buffer(buffer), error), 0U);
    EXPECT_EQ(error, boost::asio::error::broken_pipe);
    for (u8 e = 1; e <= static_cast<u8>(Errno::AccessDenied); ++e) {
        EXPECT_NE(system_errno(static_cast<Errno>(e)), 0);
    }
}

/// The server's side of the handshake as a program of its host: the client blocks meanwhile.
TEST_F(StreamAdapterTest, CarriesAWebSocket) {
    std::list<TcpSocket> connections;
    std::string request;
    net.server.add_program([&] {
        while (auto socket = listener.listener()->accept()) {
            connections.push_back(std::move(*socket));
        }
        for (TcpSocket& socket : connections) {
            std::array<u8, 2000> block;
            while (const auto n = socket.read(block).value_or(0)) {
                request.append(block.begin(), block.begin() + n);
            }
            const auto at = request.find("Sec-WebSocket-Key: ");
            if (at == std::string::npos || !request.ends_with("\r\n\r\n")) continue;
            const std::string key = request.substr(at + 19, 24);
            request.clear();
            websocket::detail::sec_ws_accept_type accept;
            websocket::detail::make_sec_ws_accept(accept, key);
            const std::string answer =
                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                "Sec-WebSocket-Accept: " +
                std::string(accept.data(), accept.size()) + "\r\n\r\n\x81\x05hello";
            EXPECT_EQ(socket.write({reinterpret_cast<const u8*>(answer.data()), answer.size()}),
                      answer.size());
        }
    });
    websocket::stream<SocketStream> client(connected());
    client.handshake("10.0.0.2", "/chat");
    beast::flat_buffer buffer;
    client.read(buffer);
    EXPECT_EQ(beast::buffers_to_string(buffer.data()), "hello");
}

TEST_F(StreamAdapterTest, BeastsWebSocketServerAnswersAndCloses) {
    SocketStream client = connected();
    websocket::stream<SocketStream> server(accepted());
    ASSERT_TRUE(client.socket().send(
        "GET /chat HTTP/1.1\r\nHost: 10.0.0.2\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"));
    server.accept();
    std::vector<u8> answer(2000);
    const auto n = client.socket().recv(answer);
    ASSERT_TRUE(n);
    const std::string text(answer.begin(), answer.begin() + static_cast<std::ptrdiff_t>(*n));
    EXPECT_NE(text.find("101"), std::string::npos);
    // The example of RFC 6455 section 1.3.
    EXPECT_NE(text.find("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), std::string::npos) << text;

    server.text(true);
    server.write(boost::asio::buffer(std::string_view("hi")));
    ASSERT_EQ(client.socket().recv(answer), 4U);
    EXPECT_EQ(answer[0], 0x81);
    EXPECT_EQ(answer[3], 'i');

    // A masked close frame, code 1000; the server answers it and tears the connection down.
    ASSERT_TRUE(client.socket().send(std::string_view("\x88\x82\0\0\0\0\x03\xe8", 8)));
    ASSERT_TRUE(client.socket().shutdown(Shutdown::Send));
    beast::flat_buffer buffer;
    boost::system::error_code error;
    server.read(buffer, error);
    EXPECT_EQ(error, websocket::error::closed);
    ASSERT_EQ(client.socket().recv(answer), 4U);
    EXPECT_EQ(answer[0], 0x88);
    EXPECT_EQ(client.socket().recv(answer), 0U);
}

}  // namespace
}  // namespace tapestry

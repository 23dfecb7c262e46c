#pragma once

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/beast/core/role.hpp>
#include <boost/system/system_error.hpp>

#include <array>
#include <vector>

#include "drivers/socket.h"
#include "drivers/system_errno.h"

namespace tapestry {

inline boost::system::error_code to_error_code(Errno e) {
    return {system_errno(e), boost::system::system_category()};
}

/// A connected Socket as a SyncReadStream and SyncWriteStream of Boost.Asio, so that Boost.Beast can
/// speak HTTP and WebSocket over it. The end of the stream is asio::error::eof; other errors are the
/// system's, so that comparing with asio::error::connection_reset works. A timeout of the socket is
/// asio::error::would_block.
class SocketStream {
public:
    /// Asked for by Beast, which makes a timer of it. Nothing ever runs on it.
    using executor_type = boost::asio::io_context::executor_type;

    explicit SocketStream(Socket socket) : socket_(std::move(socket)) {}

    Socket& socket() { return socket_; }
    executor_type get_executor() {
        static boost::asio::io_context idle;
        return idle.get_executor();
    }

    /// Reads into the first buffer that has room.
    template <typename Buffers>
    std::size_t read_some(const Buffers& buffers, boost::system::error_code& error) {
        error = {};
        for (auto it = boost::asio::buffer_sequence_begin(buffers);
             it != boost::asio::buffer_sequence_end(buffers); ++it) {
            const boost::asio::mutable_buffer buffer(*it);
            if (buffer.size() == 0) continue;
            const auto n = socket_.recv({static_cast<u8*>(buffer.data()), buffer.size()});
            if (!n) {
                error = to_error_code(n.error());
                return 0;
            }
            if (*n == 0) error = boost::asio::error::eof;
            return *n;
        }
        return 0;
    }
    template <typename Buffers>
    std::size_t read_some(const Buffers& buffers) {
        return checked([&](auto& error) { return read_some(buffers, error); });
    }

    /// Writes all buffers. Small ones go together, so that a header and its body share a segment.
    template <typename Buffers>
    std::size_t write_some(const Buffers& buffers, boost::system::error_code& error) {
        error = {};
        std::size_t sent = 0;
        gathered_.clear();
        for (auto it = boost::asio::buffer_sequence_begin(buffers);
             it != boost::asio::buffer_sequence_end(buffers) && !error; ++it) {
            const boost::asio::const_buffer buffer(*it);
            const Bytes bytes(static_cast<const u8*>(buffer.data()), buffer.size());
            if (gathered_.size() + bytes.size() > kGather) {
                sent += send(gathered_, error);
                gathered_.clear();
            }
            if (bytes.size() > kGather) {
                if (!error) sent += send(bytes, error);
            } else {
                gathered_.insert(gathered_.end(), bytes.begin(), bytes.end());
            }
        }
        if (!error) sent += send(gathered_, error);
        return sent;
    }
    template <typename Buffers>
    std::size_t write_some(const Buffers& buffers) {
        return checked([&](auto& error) { return write_some(buffers, error); });
    }

private:
    static constexpr std::size_t kGather = 16384;

    std::size_t send(Bytes bytes, boost::system::error_code& error) {
        if (bytes.empty()) return 0;
        const auto n = socket_.send(bytes);
        if (!n) {
            error = to_error_code(n.error());
        } else if (*n < bytes.size()) {
            const Errno why = socket_.take_error();
            error = to_error_code(why == Errno::None ? Errno::Again : why);
        }
        return n.value_or(0);
    }

    template <typename Call>
    std::size_t checked(Call call) {
        boost::system::error_code error;
        const std::size_t n = call(error);
        if (error) throw boost::system::system_error(error);
        return n;
    }

    Socket socket_;
    std::vector<u8> gathered_;
};

/// How Beast's WebSocket ends the connection below it (found by its argument): we say that we are done,
/// and wait for the peer to say so too.
inline void teardown(boost::beast::role_type /*role*/, SocketStream& stream,
                     boost::system::error_code& error) {
    error = {};
    Socket& socket = stream.socket();
    if (const auto shut = socket.shutdown(Shutdown::Send); !shut) {
        error = to_error_code(shut.error());
        return;
    }
    std::array<u8, 4096> rest;
    while (const auto n = socket.recv(rest)) {
        if (*n == 0) return;
    }
    error = boost::asio::error::eof;
}

}  // namespace tapestry

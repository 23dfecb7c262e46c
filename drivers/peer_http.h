#pragma once

#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "stack/base/time.h"

namespace tapestry {

/// The HTTP side of one connection to the sandbox's peer: what the client says goes in, what it is to
/// be told comes out, and the time is an argument. It is a test peer with three resources, not a web
/// server:
///   /        a short page
///   /1M.bin  peer_megabyte()
///   /slow    silence for two seconds, then a text in five pieces, one every 100 ms
/// HTTP/1.1 (RFC 9112) with keep-alive, pipelining and HEAD; whatever is malformed gets a 4xx or 5xx
/// and the end of the connection.
class PeerHttp {
public:
    /// The largest request head, bytes.
    static constexpr std::size_t kMaxHead = 8192;
    /// Bytes of output after which the rest waits: many pipelined requests must not eat the memory.
    static constexpr std::size_t kEnough = 65536;

    /// Bytes from the client.
    void input(std::string_view bytes, TimePoint now);
    /// The client will say no more.
    void end_of_input(TimePoint now);
    /// Moves what is due at `now` to the end of `out`, until that is kEnough long.
    void take_output(std::string& out, TimePoint now);
    /// When more becomes due.
    std::optional<TimePoint> next_output() const;
    /// Everything has been said: close the connection once the output has left.
    bool finished() const { return closing_ && pieces_.empty(); }
    /// Bytes that wait for an earlier answer.
    std::size_t waiting() const { return input_.size(); }

private:
    struct Piece {
        TimePoint due;
        std::string bytes;
    };

    void answer_requests(TimePoint now);
    void answer(std::string_view head, TimePoint now);
    void respond(std::string_view status, std::string_view type, std::string_view body,
                 bool head_only, TimePoint now);
    void respond_slowly(bool head_only, TimePoint now);
    void refuse(std::string_view status, TimePoint now);

    std::string input_;
    std::deque<Piece> pieces_;
    bool ended_ = false;
    bool closing_ = false;
};

/// The content of /1M.bin: 1 MiB, the upper byte of each step of x' = 1664525 x + 1013904223 modulo
/// 2^32 from x = 1 on, beginning with that of the first x'. Its SHA-256:
/// 8ffdf7e6cfde155ab118e1f70435db9efd0e96745e674854895edd173fc591ca
const std::string& peer_megabyte();

}  // namespace tapestry

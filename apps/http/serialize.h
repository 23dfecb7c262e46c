#pragma once

#include <boost/asio/buffer.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/http/serializer.hpp>
#include <string>

namespace tapestry {

/// The head of a message as it stands on the wire, the empty line included; Beast writes it.
template <bool isRequest, typename Body>
std::string serialize_head(boost::beast::http::message<isRequest, Body>& message) {
    boost::beast::http::serializer<isRequest, Body> serializer(message);
    serializer.split(true);  // the head by itself
    std::string text;
    boost::system::error_code error;
    while (!error && !serializer.is_header_done()) {
        serializer.next(error, [&](boost::system::error_code&, const auto& buffers) {
            text += boost::beast::buffers_to_string(buffers);
            serializer.consume(boost::asio::buffer_size(buffers));
        });
    }
    return text;
}

}  // namespace tapestry

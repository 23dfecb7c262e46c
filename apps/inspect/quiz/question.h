#pragma once

#include <optional>

#include "apps/inspect/quiz/answer.h"

namespace tapestry {

/// One question on a capture. Its answer comes from the capture's own bytes.
struct Question {
    std::string id;  ///< "client_port": the same question of another capture has the same
    std::optional<std::size_t> stream;  ///< the conversation that it is about; nothing: a router
    Bilingual text;
    Answer answer;
    Bilingual why;       ///< how the capture shows it
    Bilingual hint;      ///< where to look
    std::string filter;  ///< for Wireshark and tshark -Y: shows the frames in question; or ""
};

}  // namespace tapestry

#include <algorithm>
#include <map>

#include "apps/inspect/frame_fields.h"
#include "apps/inspect/page/page_data.h"

namespace tapestry {
namespace {

using Json = nlohmann::ordered_json;

std::string hex(Bytes bytes) {
    static constexpr std::string_view kDigits = "0123456789abcdef";
    std::string text;
    text.reserve(bytes.size() * 2);
    for (const u8 byte : bytes) {
        text += kDigits[byte >> 4U];
        text += kDigits[byte & 15U];
    }
    return text;
}

/// Frames of one kind have the same fields at the same places ("shape"), and mostly even the same values.
class Details {
public:
    void add(const Timeline::Frame& frame, std::size_t& room) {
        const std::vector<FrameField> fields = frame_fields(frame.bytes, frame.offload);
        Json shape = Json::array();
        Json one = Json::array({0});
        for (const FrameField& f : fields) {
            shape.push_back({f.name, f.label, f.offset, f.length, f.level, f.broken ? 1 : 0});
            one.push_back(once(f.value, values_, all_values_));
        }
        const std::string key = shape.dump(-1, ' ', false, Json::error_handler_t::replace);
        const auto [at, is_new] = shapes_.try_emplace(key, shapes_.size());
        if (is_new) all_shapes_.push_back(std::move(shape));
        one[0] = at->second;
        frames_.push_back(std::move(one));
        const std::size_t kept = std::min(frame.bytes.size(), std::max(room, kPageBytesOfEach));
        room -= std::min(room, kept);
        bytes_.push_back(hex(Bytes(frame.bytes).first(kept)));
    }
    Json take() {
        return {{"shapes", std::move(all_shapes_)},
                {"values", std::move(all_values_)},
                {"frames", std::move(frames_)},
                {"bytes", std::move(bytes_)}};
    }

private:
    static std::size_t once(const std::string& text, std::map<std::string, std::size_t>& known,
                            Json& all) {
        const auto [at, is_new] = known.try_emplace(text, known.size());
        if (is_new) all.push_back(text);
        return at->second;
    }

    std::map<std::string, std::size_t> shapes_;
    std::map<std::string, std::size_t> values_;
    Json all_shapes_ = Json::array();
    Json all_values_ = Json::array();
    Json frames_ = Json::array();
    Json bytes_ = Json::array();
};

}  // namespace

Json page_details(const Timeline& timeline, std::size_t from, std::size_t to, std::size_t& room) {
    Details details;
    for (std::size_t i = from; i < to; ++i) details.add(timeline.frames[i], room);
    return details.take();
}

}  // namespace tapestry

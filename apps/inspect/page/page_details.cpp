#include <algorithm>
#include <unordered_map>

#include "apps/inspect/frame_fields.h"
#include "apps/inspect/hex_text.h"
#include "apps/inspect/page/page_data.h"

namespace tapestry {
namespace {

using Json = nlohmann::ordered_json;

/// Frames of one kind have the same fields at the same places ("shape"), and mostly even the same values.
class Details {
public:
    void add(const Timeline::Frame& frame, std::size_t& room) {
        const std::vector<FrameField> fields = frame_fields(frame.bytes, frame.offload);
        std::string
            shape;  // a text that is the same for the same shape: quicker than to compare fields
        for (const FrameField& f : fields) {
            shape += f.name + '\n' + f.label + '\n' + std::to_string(f.offset) + ' ' +
                     std::to_string(f.length) + ' ' + std::to_string(f.level) +
                     (f.broken ? '!' : '\n');
        }
        const auto [at, is_new] = shapes_.try_emplace(std::move(shape), shapes_.size());
        if (is_new) all_shapes_.push_back(shape_json(fields));
        Json one = Json::array({at->second});
        for (const FrameField& f : fields) one.push_back(once(f.value));
        frames_.push_back(std::move(one));
        const std::size_t kept = std::min(frame.bytes.size(), std::max(room, kPageBytesOfEach));
        room -= std::min(room, kept);
        bytes_.push_back(hex_text(Bytes(frame.bytes).first(kept)));
    }
    Json take() {
        return {{"shapes", std::move(all_shapes_)},
                {"values", std::move(all_values_)},
                {"frames", std::move(frames_)},
                {"bytes", std::move(bytes_)}};
    }

private:
    static Json shape_json(const std::vector<FrameField>& fields) {
        Json shape = Json::array();
        for (const FrameField& f : fields) {
            shape.push_back({f.name, f.label, f.offset, f.length, f.level, f.broken ? 1 : 0});
        }
        return shape;
    }
    std::size_t once(const std::string& value) {
        const auto [at, is_new] = values_.try_emplace(value, values_.size());
        if (is_new) all_values_.push_back(value);
        return at->second;
    }

    std::unordered_map<std::string, std::size_t> shapes_;
    std::unordered_map<std::string, std::size_t> values_;
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

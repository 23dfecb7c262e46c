#include "apps/inspect/quiz/quiz_json.h"

#include <nlohmann/json.hpp>

namespace tapestry {
namespace {

using Json = nlohmann::ordered_json;

Json text_json(const Bilingual& text) { return {{"en", text.english}, {"zh", text.chinese}}; }

/// What its kind has besides the words that are shown.
void add_value(const Answer& answer, Json& json) {
    if (const auto* number = std::get_if<NumberAnswer>(&answer)) json["value"] = number->value;
    if (const auto* time = std::get_if<TimeAnswer>(&answer)) {
        json["value"] = to_seconds(time->value) * 1e3;
    }
    if (const auto* rate = std::get_if<RateAnswer>(&answer)) {
        json["value"] = rate->bits_per_second / 1e3;
    }
    if (const auto* words = std::get_if<WordsAnswer>(&answer)) json["accepted"] = words->accepted;
    if (const auto* frames = std::get_if<FramesAnswer>(&answer)) json["frames"] = frames->frames;
    const auto* choice = std::get_if<ChoiceAnswer>(&answer);
    if (choice == nullptr) return;
    json["several"] = choice->several;
    json["choices"] = Json::array();
    for (const Bilingual& text : choice->choices) json["choices"].push_back(text_json(text));
    json["right"] = choice->right;
}

}  // namespace

std::string quiz_json(const std::string& file, const Questions& questions) {
    Json list = Json::array();
    for (const Question& question : questions) {
        Json answer{{"kind", kind_of(question.answer)},
                    {"text", shown(question.answer, Language::English)}};
        add_value(question.answer, answer);
        list.push_back({{"id", question.id},
                        {"stream", question.stream ? Json(*question.stream) : Json(nullptr)},
                        {"question", text_json(question.text)},
                        {"answer", answer},
                        {"why", text_json(question.why)},
                        {"hint", text_json(question.hint)},
                        {"display_filter", question.filter}});
    }
    return Json{{"file", file}, {"questions", list}}.dump(1, ' ', false,
                                                          Json::error_handler_t::replace);
}

}  // namespace tapestry

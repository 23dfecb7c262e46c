#include "apps/inspect/terminal/condition.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>

#include "apps/inspect/state_fields.h"
#include "apps/inspect/terminal/condition_words.h"
#include "apps/inspect/terminal/phrases.h"
#include "apps/nearest.h"

namespace tapestry {

/// A condition as a tree.
struct Condition::Node {
    enum class Kind : u8 { Or, And, Not, Word, Compare };
    enum class Operator : u8 { Equal, Unequal, Less, LessEqual, More, MoreEqual };
    Kind kind = Kind::Word;
    std::shared_ptr<const Node> left;
    std::shared_ptr<const Node> right;
    const StopWord* word = nullptr;
    const StopValue* value = nullptr;   ///< of a comparison: this ...
    const StateField* field = nullptr;  ///< ... or this, of
    std::string machine;                ///< an end of this machine; "": of the step's
    Operator op = Operator::Equal;
    std::string operand;

    bool holds(const Walk& walk, std::size_t stop) const;

private:
    std::optional<std::string> left_value(const Walk& walk, std::size_t stop) const;
};

namespace {

using Node = Condition::Node;
using NodePointer = std::shared_ptr<const Node>;
using Parsed = std::expected<NodePointer, ConditionError>;

std::optional<double> number(const std::string& text) {
    char* end = nullptr;
    const double value = std::strtod(text.c_str(), &end);
    if (end == text.c_str() || *end != '\0') return std::nullopt;
    return value;
}

std::string lower(std::string text) {
    std::ranges::transform(text, text.begin(),
                           [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return text;
}

bool compare(const std::string& left, Node::Operator op, const std::string& right) {
    using enum Node::Operator;
    const auto a = number(left);
    const auto b = number(right);
    if (a && b) {
        switch (op) {
            case Equal:
                return *a == *b;
            case Unequal:
                return *a != *b;
            case Less:
                return *a < *b;
            case LessEqual:
                return *a <= *b;
            case More:
                return *a > *b;
            case MoreEqual:
                return *a >= *b;
        }
    }
    const bool same = lower(left) == lower(right);
    return op == Equal ? same : op == Unequal && !same;
}

/// Recursive descent: or > and > not > what stands alone.
class Parser {
public:
    Parser(std::string_view text, Language language) : text_(text), language_(language) {}

    Parsed parse() {
        Parsed root = any();
        if (!root) return root;
        blanks();
        if (at_ < text_.size()) return refuse(say(Phrase::JoinMissing));
        return root;
    }

private:
    void blanks() {
        while (at_ < text_.size() && text_[at_] == ' ') ++at_;
    }
    bool take(std::string_view token) {
        blanks();
        if (!text_.substr(at_).starts_with(token)) return false;
        at_ += token.size();
        return true;
    }
    std::string say(Phrase key, const std::string& what = "") const {
        return phrase(key, language_, {what});
    }
    /// "there is no word retransmision (did you mean retransmission?)"
    std::string unknown(Phrase key, const std::string& what, const std::string& word,
                        std::span<const std::string_view> names) const {
        const std::string_view near = nearest(word, names);
        return say(key, what) + (near.empty() ? "" : say(Phrase::DidYouMean, std::string(near)));
    }
    std::unexpected<ConditionError> refuse(const std::string& what) const {
        return refuse(what, at_);
    }
    static std::unexpected<ConditionError> refuse(const std::string& what, std::size_t column) {
        return std::unexpected(ConditionError{what, column});
    }
    static NodePointer join(Node::Kind kind, NodePointer left, NodePointer right) {
        Node node;
        node.kind = kind;
        node.left = std::move(left);
        node.right = std::move(right);
        return std::make_shared<const Node>(std::move(node));
    }

    Parsed any() {
        Parsed left = all();
        while (left && take("||")) {
            Parsed right = all();
            if (!right) return right;
            left = join(Node::Kind::Or, *left, *right);
        }
        return left;
    }

    Parsed all() {
        Parsed left = single();
        while (left && take("&&")) {
            Parsed right = single();
            if (!right) return right;
            left = join(Node::Kind::And, *left, *right);
        }
        return left;
    }

    Parsed single() {
        // Parentheses and "!" nest; what a person types does not nest deeper.
        constexpr int kDeepest = 64;
        if (depth_ > kDeepest) return refuse(say(Phrase::TooDeep));
        if (take("!")) {
            ++depth_;
            Parsed inner = single();
            --depth_;
            return inner ? Parsed(join(Node::Kind::Not, *inner, nullptr)) : inner;
        }
        if (take("(")) {
            ++depth_;
            Parsed inner = any();
            --depth_;
            if (inner && !take(")")) return refuse(say(Phrase::ParenthesisMissing));
            return inner;
        }
        return leaf();
    }

    std::string name() {
        blanks();
        const std::size_t begin = at_;
        while (at_ < text_.size() &&
               (std::isalnum(static_cast<unsigned char>(text_[at_])) != 0 || text_[at_] == '_' ||
                text_[at_] == '-' || text_[at_] == '.')) {
            ++at_;
        }
        return std::string(text_.substr(begin, at_ - begin));
    }

    std::optional<Node::Operator> operation() {
        using enum Node::Operator;
        for (const auto& [token, op] :
             {std::pair{"==", Equal}, std::pair{"!=", Unequal}, std::pair{"<=", LessEqual},
              std::pair{">=", MoreEqual}, std::pair{"<", Less}, std::pair{">", More},
              std::pair{"=", Equal}}) {
            if (take(token)) return op;
        }
        return std::nullopt;
    }

    Parsed leaf() {
        blanks();
        const std::size_t begin = at_;
        const std::string what = name();
        if (what.empty()) return refuse(say(Phrase::NameMissing));
        Node node;
        const auto op = operation();
        if (!op) return word(what, begin);
        node.kind = Node::Kind::Compare;
        node.op = *op;
        if (const auto wrong = resolve(what, node)) return refuse(*wrong, begin);
        blanks();
        const std::size_t operand = at_;
        node.operand = name();
        if (node.operand.empty()) return refuse(say(Phrase::ValueMissing));
        if (const auto wrong = check_operand(node)) return refuse(*wrong, operand);
        return std::make_shared<const Node>(std::move(node));
    }

    Parsed word(const std::string& what, std::size_t begin) {
        std::vector<std::string_view> names;
        for (const StopWord& candidate : stop_words()) {
            names.push_back(candidate.name);
            if (candidate.name != lower(what)) continue;
            Node node;
            node.word = &candidate;
            return std::make_shared<const Node>(std::move(node));
        }
        Node variable;
        if (!resolve(what, variable)) {
            return refuse(say(Phrase::HasAValue, what), begin);
        }
        return refuse(unknown(Phrase::NoWord, what, what, names), begin);
    }

    /// What a name stands for; else why nothing.
    std::optional<std::string> resolve(const std::string& what, Node& node) const {
        std::vector<std::string_view> names;
        for (const StopValue& value : stop_values()) {
            names.push_back(value.name);
            if (value.name != what) continue;
            node.value = &value;
            return std::nullopt;
        }
        const std::size_t dot = what.rfind('.');
        const std::string key = dot == std::string::npos ? what : what.substr(dot + 1);
        for (const StateField& field : state_fields()) {
            names.push_back(field.key);
            if (field.key != key) continue;
            node.field = &field;
            node.machine = dot == std::string::npos ? "" : what.substr(0, dot);
            return std::nullopt;
        }
        return unknown(Phrase::NoValue, what, key, names);
    }

    std::optional<std::string> check_operand(const Node& node) const {
        if (node.field == nullptr || node.field->kind != StateField::Kind::State)
            return std::nullopt;
        std::vector<std::string_view> names;
        for (int i = 0; i <= static_cast<int>(TcpState::TimeWait); ++i) {
            names.push_back(tapestry::name(static_cast<TcpState>(i)));
            if (lower(std::string(names.back())) == lower(node.operand)) return std::nullopt;
        }
        return unknown(Phrase::NoState, node.operand, node.operand, names);
    }

    std::string_view text_;
    Language language_;
    std::size_t at_ = 0;
    int depth_ = 0;
};

/// A variable as a number where it is one; times in seconds.
std::string value_of(const StateField& field, const TcpSnapshot& state, TimePoint now) {
    switch (field.kind) {
        case StateField::Kind::Size:
            return std::to_string(field.get(state));
        case StateField::Kind::Flag:
            return field.get(state) != 0 ? "1" : "0";
        case StateField::Kind::Time:
            return std::to_string(to_seconds(Duration(static_cast<i64>(field.get(state)))));
        default:
            return field_text(field, state, now);
    }
}

}  // namespace

std::optional<std::string> Condition::Node::left_value(const Walk& walk, std::size_t stop) const {
    if (value != nullptr) return value->get(walk, stop);
    const u32 end = walk.end(stop);
    if (end == Timeline::kNone) return std::nullopt;
    if (!machine.empty() && walk.timeline().hosts[walk.timeline().ends[end].host].name != machine) {
        return std::nullopt;
    }
    const TcpSnapshot* state = walk.after(end, stop);
    if (state == nullptr) return std::nullopt;
    return value_of(*field, *state, walk.timeline().start + walk.time(stop));
}

bool Condition::Node::holds(const Walk& walk, std::size_t stop) const {
    switch (kind) {
        case Kind::Or:
            return left->holds(walk, stop) || right->holds(walk, stop);
        case Kind::And:
            return left->holds(walk, stop) && right->holds(walk, stop);
        case Kind::Not:
            return !left->holds(walk, stop);
        case Kind::Word:
            return word->holds(walk, stop);
        case Kind::Compare: {
            const auto is = left_value(walk, stop);
            return is && compare(*is, op, operand);
        }
    }
    return false;
}

std::expected<Condition, ConditionError> Condition::parse(std::string_view text,
                                                          Language language) {
    auto root = Parser(text, language).parse();
    if (!root) return std::unexpected(root.error());
    Condition condition;
    condition.text_ = text;
    condition.root_ = *root;
    return condition;
}

bool Condition::holds(const Walk& walk, std::size_t stop) const { return root_->holds(walk, stop); }

}  // namespace tapestry

#pragma once

#include "apps/inspect/canvas.h"
#include "apps/inspect/story.h"

namespace tapestry {

/// Where the lifelines of a story stand on a page of 120 columns, behind the time. Neighbours between
/// which frames go have most of the room; the two sides of a router stand close together.
class StoryLayout {
public:
    static constexpr std::size_t kWidth = 120;

    explicit StoryLayout(const Story& story);

    std::size_t column(std::size_t lifeline) const { return columns_.at(lifeline); }
    std::size_t count() const { return columns_.size(); }
    /// The other side of a router that has two; nothing: there is none.
    std::optional<std::size_t> other_side(std::size_t lifeline) const;
    /// A line with nothing but the lifelines.
    Canvas empty_line() const;
    /// Names, sides and addresses.
    std::vector<Canvas> heading() const;

    /// Where a text about a lifeline stands: beside it, or across both sides of a router.
    struct Place {
        std::size_t column = 0;
        std::size_t room = 0;
        enum class Align : u8 { Left, Right, Centre } align = Align::Left;
    };
    Place place(std::size_t lifeline) const;
    /// Where a text of that size begins that should have its middle at a column.
    static std::size_t centred(std::size_t middle, std::size_t size);

private:
    std::size_t label_width(std::size_t lifeline) const;
    void put_label(Canvas& line, std::size_t lifeline, const std::string& text,
                   Canvas::Style style) const;

    static constexpr std::size_t kFirst = 10;
    static constexpr std::size_t kWidest = 72;     ///< of a gap: arrows need no more
    static constexpr std::size_t kRouterGap = 13;  ///< between the sides of a router

    const Story& story_;
    std::vector<std::size_t> columns_;
};

}  // namespace tapestry

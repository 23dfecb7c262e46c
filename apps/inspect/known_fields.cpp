#include "apps/inspect/known_fields.h"

namespace tapestry {

bool is_known(const StateField& field, Timeline::Source source) {
    if (source != Timeline::Source::Capture) return true;
    switch (field.group) {
        case StateField::Group::Connection:
            return field.key != "error";
        case StateField::Group::Send:
            return field.key != "send_queued" && field.key != "snd_up" && field.key != "snd_urgent";
        case StateField::Group::Receive:
            return field.key != "receive_queued" && field.key != "receive_out_of_order" &&
                   field.key != "urgent_ahead";
        case StateField::Group::Recovery:
            return field.key.starts_with("sack") || field.key == "retransmissions";
        default:
            return false;
    }
}

}  // namespace tapestry

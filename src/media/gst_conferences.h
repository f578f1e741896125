// Which sessions are in conferences with each other. On the media thread.
#pragma once

#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "media/gst_conference.h"
#include "media/types.h"

namespace holdfast::media::gst {

class Conferences {
public:
    // Gives a session its place (null: none any more), and says at which rate it has its sound
    // (0: it has none yet, or is not there).
    struct Sessions {
        std::function<std::uint32_t(SessionId)> rate_of;
        std::function<void(SessionId, std::shared_ptr<Party>)> seat;
    };
    explicit Conferences(Sessions sessions) : sessions_(std::move(sessions)) {}

    // `session` leaves where it is and joins `with`; who is there now, in order. Or why not, in
    // words.
    std::expected<std::vector<SessionId>, std::string> join(SessionId session, SessionId with);
    // The others go on, if there are two of them. False: it was in none.
    bool leave(SessionId session);

private:
    struct Group {
        std::vector<SessionId> members;
        std::unique_ptr<Conference> conference;
    };

    std::size_t group_of(SessionId session) const;  // groups_.size(): none
    std::string seat(Group& group);

    Sessions sessions_;
    std::vector<Group> groups_;
};

}  // namespace holdfast::media::gst

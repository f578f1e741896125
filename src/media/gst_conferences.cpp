#include "media/gst_conferences.h"

#include <algorithm>
#include <utility>

#include "media/limits.h"

namespace holdfast::media::gst {

std::size_t Conferences::group_of(SessionId session) const {
    const auto found = std::ranges::find_if(groups_, [&](const Group& group) {
        return std::ranges::find(group.members, session) != group.members.end();
    });
    return static_cast<std::size_t>(found - groups_.begin());
}

// A new mixer for these members: who comes or goes is heard as a short gap.
std::string Conferences::seat(Group& group) {
    group.conference.reset();
    std::vector<std::shared_ptr<Party>> parties;
    parties.reserve(group.members.size());
    for (const auto id : group.members)
        parties.push_back(std::make_shared<Party>(sessions_.rate_of(id)));
    auto made = Conference::make(parties);
    if (!made) return std::move(made.error());
    group.conference = std::move(*made);
    for (std::size_t n = 0; n < parties.size(); ++n) sessions_.seat(group.members[n], parties[n]);
    return {};
}

std::expected<std::vector<SessionId>, std::string> Conferences::join(SessionId session,
                                                                     SessionId with) {
    for (const auto id : {session, with}) {
        if (sessions_.rate_of(id) == 0)
            return std::unexpected("no conference with a call that has no sound yet");
    }
    if (session == with) return std::unexpected("no conference of a call with itself");
    auto there = group_of(with);
    if (there == group_of(session) && there < groups_.size()) return groups_[there].members;
    if (there < groups_.size() && groups_[there].members.size() >= limits::parties)
        return std::unexpected("no conference of more than " + std::to_string(limits::parties) +
                               " calls");
    leave(session);
    there = group_of(with);
    if (there == groups_.size()) groups_.push_back(Group{.members = {with}, .conference = {}});
    groups_[there].members.push_back(session);
    if (auto error = seat(groups_[there]); !error.empty()) {
        for (const auto id : groups_[there].members) sessions_.seat(id, nullptr);
        groups_.erase(groups_.begin() + static_cast<std::ptrdiff_t>(there));
        return std::unexpected(std::move(error));
    }
    return groups_[there].members;
}

bool Conferences::leave(SessionId session) {
    const auto at = group_of(session);
    if (at == groups_.size()) return false;
    auto& group = groups_[at];
    std::erase(group.members, session);
    sessions_.seat(session, nullptr);
    if (group.members.size() > 1 && seat(group).empty()) return true;
    for (const auto id : group.members) sessions_.seat(id, nullptr);
    groups_.erase(groups_.begin() + static_cast<std::ptrdiff_t>(at));
    return true;
}

}  // namespace holdfast::media::gst

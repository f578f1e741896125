// Messages waiting (RFC 3842): the body of a NOTIFY message-summary, in words for a person.
#pragma once

#include <string>
#include <string_view>

namespace holdfast::engine {

// "2 new and 8 old voice messages", "messages are waiting", "no messages are waiting".
std::string messages_waiting_in_words(std::string_view body);

}  // namespace holdfast::engine

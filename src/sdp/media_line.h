// One m-line: written for an offer, answered, and read back from an answer (RFC 3264 §5, §6, §7).
// Negotiation puts them in their places.
#pragma once

#include <expected>
#include <string>

#include "sdp/description.h"
#include "sdp/stream.h"

namespace holdfast::sdp {

struct AnswerStyle {
    bool offerers_order = false;
    bool one_codec = false;
    const AgreedDtls* dtls_before = nullptr;  // of this stream until now; null: none
};

// All codecs of the stream are numbered.
Media offer_media(const LocalStream& stream);

struct AnsweredMedia {
    Media media;
    AgreedStream agreed;
};
// What is said about a stream that is refused: port 0, and why, in words.
std::expected<AnsweredMedia, std::string> answer_media(const Description& offer,
                                                       const Media& offered,
                                                       const LocalStream& stream,
                                                       const AnswerStyle& style);
Media refused_media(const Media& offered);

// The stream as it was offered, all codecs numbered; the answer's m-line in the same place.
std::expected<AgreedStream, std::string> read_answer(const LocalStream& offered,
                                                     const Description& answer,
                                                     const Media& answered);

}  // namespace holdfast::sdp

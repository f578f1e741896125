// The words of a recording for calls: what an application has for sound, and what was agreed.
#pragma once

#include <string>
#include <vector>

#include "base/outbox.h"
#include "engine/input.h"
#include "engine/recording_fields.h"
#include "sdp/stream.h"

namespace holdfast::recording {

// Text where it is UTF-8, else base64.
Json bytes_json(std::string_view bytes);

// Keys become letters A, as many as they had (sip/redaction.h).
Json streams_json(const std::vector<sdp::LocalStream>& streams);
Json dial_json(const in::Dial& dial);
Json reject_json(const in::Reject& reject);
Json press_json(const in::Press& press);
Json transfer_json(const in::Transfer& transfer);
Json media_json(const out::Media& media);

std::vector<sdp::LocalStream> read_streams(Reader& r);
in::Dial read_dial(Reader& r);
in::Reject read_reject(Reader& r);
in::Press read_press(Reader& r);
in::Transfer read_transfer(Reader& r);

}  // namespace holdfast::recording

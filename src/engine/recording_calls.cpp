#include "engine/recording_calls.h"

#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "sdp/agreement.h"
#include "sip/digit_info.h"

namespace holdfast::recording {

namespace {

using sdp::Direction;
using sdp::MediaKind;
using sdp::Setup;
using sdp::Srtp;

constexpr std::array<std::string_view, 4> directions{"inactive", "recvonly", "sendonly",
                                                     "sendrecv"};
constexpr std::array<std::string_view, 3> kinds{"audio", "video", "other"};
constexpr std::array<std::string_view, 3> srtp_modes{"off", "optional", "required"};
constexpr std::array<std::string_view, 4> setups{"active", "passive", "actpass", "holdconn"};
constexpr std::array<std::string_view, 3> redirects{"follow", "same_domain", "refuse"};
constexpr std::array<std::string_view, 5> diversions{"deflection", "unconditional", "user_busy",
                                                     "no_answer", "do_not_disturb"};
constexpr std::array<std::string_view, 2> numbers{"shown", "withheld"};
constexpr std::array<std::string_view, 2> reports{"wanted", "unwanted"};
constexpr std::array<std::string_view, 2> digit_forms{"relay", "plain"};
constexpr std::array<std::string_view, 3> reliables{"off", "supported", "required"};

// Enumerators without names of their own: by position.
template <std::size_t Size, class Enum>
std::string_view word(const std::array<std::string_view, Size>& words, Enum value) {
    return words.at(static_cast<std::size_t>(value));
}
template <class Enum, std::size_t Size>
Enum read_word(Reader& r, const char* key, const std::array<std::string_view, Size>& words) {
    const auto found = std::ranges::find(words, r.text(key));
    if (found != words.end()) return static_cast<Enum>(found - words.begin());
    r.fault();
    return Enum{};
}

std::string masked(const Redacted<std::string>& key) {
    return std::string(key.reveal().size(), 'A');
}

Json codecs_json(const std::vector<sdp::Codec>& codecs) {
    Json list = Json::array();
    for (const auto& codec : codecs) {
        Json json{{"name", bytes_json(codec.name)},
                  {"clock_rate", codec.clock_rate},
                  {"channels", codec.channels},
                  {"fmtp", bytes_json(codec.fmtp)}};
        if (codec.payload_type) json["payload_type"] = *codec.payload_type;
        list.push_back(std::move(json));
    }
    return list;
}

Json key_json(const sdp::CryptoKey& key) {
    return {{"tag", key.tag},
            {"suite", bytes_json(key.suite)},
            {"key", masked(key.key)},
            {"lifetime_and_mki", bytes_json(key.lifetime_and_mki)},
            {"session_parameters", bytes_json(key.session_parameters)}};
}

Json ice_json(const sdp::IceCredentials& ice) {
    return {{"ufrag", bytes_json(ice.ufrag)}, {"pwd", masked(ice.pwd)}};
}

Json texts_json(const std::vector<std::string>& texts) {
    Json list = Json::array();
    for (const auto& text : texts) list.push_back(bytes_json(text));
    return list;
}

Json stream_json(const sdp::LocalStream& stream) {
    Json json{{"kind", word(kinds, stream.kind)},
              {"codecs", codecs_json(stream.codecs)},
              {"rtp", stream.rtp.to_string()},
              {"rtcp_mux", stream.rtcp_mux},
              {"direction", word(directions, stream.direction)},
              {"srtp", word(srtp_modes, stream.srtp)},
              {"setup", word(setups, stream.setup)},
              {"ice_lite", stream.ice_lite},
              {"candidates", texts_json(stream.candidates)},
              {"feedback", texts_json(stream.feedback)}};
    if (stream.rtcp) json["rtcp"] = stream.rtcp->to_string();
    if (stream.ptime) json["ptime"] = *stream.ptime;
    if (stream.maxptime) json["maxptime"] = *stream.maxptime;
    if (stream.bandwidth_kbps) json["bandwidth_kbps"] = *stream.bandwidth_kbps;
    json["crypto"] = Json::array();
    for (const auto& key : stream.crypto) json["crypto"].push_back(key_json(key));
    if (stream.fingerprint)
        json["fingerprint"] = {{"hash", stream.fingerprint->hash},
                               {"hex", stream.fingerprint->hex}};
    if (stream.ice) json["ice"] = ice_json(*stream.ice);
    if (stream.source)
        json["source"] = {{"ssrc", stream.source->ssrc},
                          {"cname", bytes_json(stream.source->cname)}};
    return json;
}

Json agreed_json(const sdp::AgreedStream& stream) {
    Json json{{"index", stream.index},
              {"kind", word(kinds, stream.kind)},
              {"rejected", stream.rejected},
              {"direction", word(directions, stream.direction)},
              {"held_by_peer", stream.held_by_peer},
              {"remote_rtp", stream.remote_rtp.to_string()},
              {"send", codecs_json(stream.send)},
              {"receive", codecs_json(stream.receive)},
              {"rtcp_mux", stream.rtcp_mux},
              {"ice_mismatch", stream.ice_mismatch},
              {"feedback", texts_json(stream.feedback)}};
    if (stream.remote_rtcp) json["remote_rtcp"] = stream.remote_rtcp->to_string();
    if (stream.dtmf_send) json["dtmf_send"] = *stream.dtmf_send;
    if (stream.dtmf_receive) json["dtmf_receive"] = *stream.dtmf_receive;
    if (stream.ptime) json["ptime"] = *stream.ptime;
    if (stream.maxptime) json["maxptime"] = *stream.maxptime;
    if (stream.bandwidth_kbps) json["bandwidth_kbps"] = *stream.bandwidth_kbps;
    if (stream.crypto)
        json["crypto"] = {{"local", key_json(stream.crypto->local)},
                          {"remote", key_json(stream.crypto->remote)}};
    if (stream.dtls) {
        json["dtls"] = {{"we_are_active", stream.dtls->we_are_active}};
        for (const auto& fingerprint : stream.dtls->fingerprints)
            json["dtls"]["fingerprints"].push_back(bytes_json(fingerprint.hex));
    }
    if (stream.ice)
        json["ice"] = {{"remote", ice_json(stream.ice->remote)},
                       {"candidates", texts_json(stream.ice->candidates)},
                       {"remote_lite", stream.ice->remote_lite},
                       {"end_of_candidates", stream.ice->end_of_candidates},
                       {"restarted", stream.ice->restarted},
                       {"controlling", stream.ice->controlling}};
    if (stream.source)
        json["source"] = {{"ssrc", stream.source->ssrc},
                          {"cname", bytes_json(stream.source->cname)}};
    return json;
}

// The elements of a list of objects, each read by `read`.
template <class Value, class Read>
std::vector<Value> read_list(Reader& r, const char* key, Read read) {
    std::vector<Value> values;
    for (const auto& json : r.list(key)) {
        Reader element{json};
        values.push_back(read(element));
        if (!element.sound()) r.fault();
    }
    return values;
}

template <class Number>
std::optional<Number> read_optional(Reader& r, const char* key) {
    if (!r.has(key)) return std::nullopt;
    return r.number<Number>(key);
}

std::vector<std::string> read_texts(Reader& r, const char* key) {
    return read_list<std::string>(r, key, [](Reader& bytes) {
        return bytes.has("text") ? bytes.text("text")
                                 : bytes.required(from_base64(bytes.text("base64")));
    });
}

sdp::Codec read_codec(Reader& r) {
    return {.name = r.bytes("name"),
            .clock_rate = r.number<std::uint32_t>("clock_rate"),
            .channels = r.number<std::uint8_t>("channels"),
            .fmtp = r.bytes("fmtp"),
            .payload_type = read_optional<std::uint8_t>(r, "payload_type")};
}

sdp::CryptoKey read_key(Reader& r) {
    return {.tag = r.number<std::uint32_t>("tag"),
            .suite = r.bytes("suite"),
            .key = Redacted{r.text("key")},
            .lifetime_and_mki = r.bytes("lifetime_and_mki"),
            .session_parameters = r.bytes("session_parameters")};
}

sdp::LocalStream read_stream(Reader& r) {
    sdp::LocalStream stream{.kind = read_word<MediaKind>(r, "kind", kinds),
                            .codecs = read_list<sdp::Codec>(r, "codecs", read_codec),
                            .rtp = r.endpoint("rtp"),
                            .rtcp = {},
                            .rtcp_mux = r.flag("rtcp_mux"),
                            .direction = read_word<Direction>(r, "direction", directions),
                            .ptime = read_optional<std::uint16_t>(r, "ptime"),
                            .maxptime = read_optional<std::uint16_t>(r, "maxptime"),
                            .bandwidth_kbps = read_optional<std::uint32_t>(r, "bandwidth_kbps"),
                            .srtp = read_word<Srtp>(r, "srtp", srtp_modes),
                            .crypto = read_list<sdp::CryptoKey>(r, "crypto", read_key),
                            .fingerprint = {},
                            .setup = read_word<Setup>(r, "setup", setups),
                            .ice = {},
                            .candidates = read_texts(r, "candidates"),
                            .ice_lite = r.flag("ice_lite"),
                            .feedback = read_texts(r, "feedback"),
                            .source = {}};
    if (r.has("rtcp")) stream.rtcp = r.endpoint("rtcp");
    if (r.has("fingerprint")) {
        Reader fingerprint{r.member("fingerprint")};
        stream.fingerprint = {fingerprint.text("hash"), fingerprint.text("hex")};
        if (!fingerprint.sound()) r.fault();
    }
    if (r.has("ice")) {
        Reader ice{r.member("ice")};
        stream.ice = {ice.bytes("ufrag"), Redacted{ice.text("pwd")}};
        if (!ice.sound()) r.fault();
    }
    if (r.has("source")) {
        Reader source{r.member("source")};
        stream.source = {source.number<std::uint32_t>("ssrc"), source.bytes("cname")};
        if (!source.sound()) r.fault();
    }
    return stream;
}

}  // namespace

Json bytes_json(std::string_view bytes) {
    if (is_utf8(bytes)) return {{"text", bytes}};
    return {{"base64", to_base64(bytes)}};
}

Json streams_json(const std::vector<sdp::LocalStream>& streams) {
    Json list = Json::array();
    for (const auto& stream : streams) list.push_back(stream_json(stream));
    return list;
}

Json dial_json(const in::Dial& dial) {
    const auto& options = dial.options;
    Json json{{"in", "dial"},
              {"account", dial.account.value},
              {"call", dial.call.value},
              {"uri", bytes_json(dial.uri)},
              {"streams", streams_json(dial.streams)},
              {"redirects", word(redirects, options.redirects)},
              {"reliable", word(reliables, options.reliable)},
              {"session_interval", options.session_interval},
              {"least_interval", options.least_interval},
              {"no_answer_us", options.no_answer.count()},
              {"headers", bytes_json(options.headers)}};
    if (options.number != call::Number::shown) json["number"] = word(numbers, options.number);
    if (dial.referred_by) json["referred_by"] = dial.referred_by.value;
    return json;
}

Json reject_json(const in::Reject& reject) {
    Json json{{"in", "reject"}, {"call", reject.call.value}, {"status", reject.status}};
    if (reject.forward_to.empty()) return json;
    json["forward_to"] = bytes_json(reject.forward_to);
    json["why"] = word(diversions, reject.why);
    return json;
}

Json press_json(const in::Press& press) {
    return {{"in", "press"},
            {"call", press.call.value},
            {"digits", sip::masked_digits(press.digits)},
            {"form", word(digit_forms, press.form)},
            {"length_us", press.length.count()}};
}

Json transfer_json(const in::Transfer& transfer) {
    return {{"in", "transfer"},
            {"call", transfer.call.value},
            {"target", bytes_json(transfer.target)},
            {"reports", word(reports, transfer.reports)}};
}

Json media_json(const out::Media& media) {
    Json json{{"out", "media"}, {"call", media.call.value}};
    if (!media.agreed) return json;
    if (media.takes_info) json["takes_info"] = true;
    json["streams"] = Json::array();
    for (const auto& stream : media.agreed->streams) json["streams"].push_back(agreed_json(stream));
    return json;
}

std::vector<sdp::LocalStream> read_streams(Reader& r) {
    return read_list<sdp::LocalStream>(r, "streams", read_stream);
}

in::Dial read_dial(Reader& r) {
    return {.account = r.id<AccountId>("account"),
            .call = r.id<CallRef>("call"),
            .uri = r.bytes("uri"),
            .streams = read_streams(r),
            .options = {.redirects = read_word<call::Redirects>(r, "redirects", redirects),
                        .reliable = read_word<call::Reliable>(r, "reliable", reliables),
                        .session_interval = r.number<std::uint32_t>("session_interval"),
                        .least_interval = r.number<std::uint32_t>("least_interval"),
                        .no_answer = r.duration("no_answer_us"),
                        .number = r.has("number") ? read_word<call::Number>(r, "number", numbers)
                                                  : call::Number::shown,
                        .headers = r.bytes("headers")},
            .referred_by = r.has("referred_by") ? r.id<CallRef>("referred_by") : CallRef{}};
}

in::Reject read_reject(Reader& r) {
    in::Reject reject{.call = r.id<CallRef>("call"), .status = r.number<int>("status")};
    if (!r.has("forward_to")) return reject;
    reject.forward_to = r.bytes("forward_to");
    reject.why = read_word<call::Diverted>(r, "why", diversions);
    return reject;
}

in::Press read_press(Reader& r) {
    return {.call = r.id<CallRef>("call"),
            .digits = r.text("digits"),
            .form = read_word<sip::DigitForm>(r, "form", digit_forms),
            .length = r.duration("length_us")};
}

in::Transfer read_transfer(Reader& r) {
    return {.call = r.id<CallRef>("call"),
            .target = r.bytes("target"),
            .reports = read_word<call::Reports>(r, "reports", reports)};
}

}  // namespace holdfast::recording

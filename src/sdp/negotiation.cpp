#include "sdp/negotiation.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/check.h"
#include "base/text.h"
#include "sdp/attributes.h"
#include "sdp/formats.h"
#include "sdp/media_line.h"

namespace holdfast::sdp {
namespace {

std::string_view kind_text(MediaKind kind) {
    if (kind == MediaKind::video) return "video";
    return kind == MediaKind::audio ? "audio" : "application";
}

std::string rtp_address(std::span<const LocalStream> streams) {
    return streams.empty() ? "0.0.0.0" : streams.front().rtp.address.to_string();
}

// What DTLS this m-line has, if it carries the same stream of ours as before.
const AgreedDtls* dtls_of(const std::optional<Agreement>& agreement, std::size_t at,
                          std::optional<std::size_t> local) {
    if (!agreement || at >= agreement->streams.size()) return nullptr;
    const auto& stream = agreement->streams[at];
    return stream.dtls && stream.local == local ? &*stream.dtls : nullptr;
}

}  // namespace

std::string Negotiation::key_of(const Codec& codec) {
    return lower_case(rtpmap(codec)) + " " + codec.fmtp;
}

std::uint8_t Negotiation::payload_type_for(const Codec& codec) {
    const auto key = key_of(codec);
    if (const auto known = payload_types_.find(key); known != payload_types_.end())
        return known->second;
    const auto is_free = [&](std::uint8_t number) {
        return std::ranges::none_of(payload_types_,
                                    [&](const auto& used) { return used.second == number; });
    };
    auto number = static_payload_type(codec);
    if (!number && codec.payload_type && is_free(*codec.payload_type)) number = codec.payload_type;
    for (std::uint8_t next = first_dynamic; !number && next <= last_dynamic; ++next)
        if (is_free(next)) number = next;
    CHECK(number);  // 32 dynamic formats of our own in one call
    payload_types_.emplace(key, *number);
    return *number;
}

void Negotiation::number(LocalStream& stream) {
    for (auto& codec : stream.codecs) codec.payload_type = payload_type_for(codec);
    std::uint32_t tag = 0;
    for (auto& key : stream.crypto) key.tag = ++tag;  // RFC 4568 §9.1: unique in the m-line
}

// Each stream keeps its place; a new one takes a place that is free and of its kind, else a new
// one.
void Negotiation::place(std::vector<Slot>& slots, std::span<const LocalStream> streams) const {
    std::set<std::size_t> placed;
    for (auto& slot : slots) {
        if (slot.stream && *slot.stream < streams.size() &&
            kind_text(streams[*slot.stream].kind) == slot.kind)
            placed.insert(*slot.stream);
        else
            slot.stream.reset();
    }
    for (std::size_t i = 0; i < streams.size(); ++i) {
        if (placed.contains(i)) continue;
        const auto kind = kind_text(streams[i].kind);
        const auto free = std::ranges::find_if(
            slots, [&](const Slot& slot) { return !slot.stream && slot.kind == kind; });
        if (free != slots.end())
            free->stream = i;
        else
            slots.push_back({i, std::string(kind), {}, {}});
    }
}

Description Negotiation::begin(std::span<const LocalStream> streams) const {
    Description description;
    description.origin.user = options_.user;
    description.origin.session_id = options_.session_id;
    description.origin.address = rtp_address(streams);
    if (description.origin.address.contains(':')) description.origin.address_type = "IP6";
    description.name = options_.name;
    return description;
}

std::string Negotiation::finish(Description description) {
    description.origin.version = std::to_string(version_);
    auto text = print(description);
    if (text == last_) return text;
    description.origin.version = std::to_string(++version_);
    last_ = print(description);
    return last_;
}

std::string Negotiation::make_offer(std::span<const LocalStream> streams) {
    if (!offered_) offered_ = Offered{{}, slots_, last_, version_, payload_types_};
    offered_->streams.assign(streams.begin(), streams.end());
    for (auto& stream : offered_->streams) number(stream);
    place(slots_, offered_->streams);
    auto description = begin(streams);
    for (auto& slot : slots_) {
        if (slot.stream) {
            auto media = offer_media(offered_->streams[*slot.stream]);
            slot.protocol = media.protocol;
            slot.formats = media.formats;
            description.media.push_back(std::move(media));
        } else {
            description.media.push_back(refused_media(
                {.kind = slot.kind, .protocol = slot.protocol, .formats = slot.formats}));
        }
    }
    return finish(std::move(description));
}

std::expected<void, Problem> Negotiation::on_answer(std::string_view text) {
    CHECK(offered_);
    const auto answer = parse(text);
    if (!answer)
        return std::unexpected(Problem{400, "the answer's session description cannot be read: " +
                                                std::string(answer.error().reason)});
    if (answer->media.size() != slots_.size())  // RFC 3264 §6
        return std::unexpected(
            Problem{488, "the answer has " + std::to_string(answer->media.size()) +
                             " streams, the offer has " + std::to_string(slots_.size())});
    Agreement agreement;
    std::string words;
    bool any = false;
    for (std::size_t i = 0; i < slots_.size(); ++i) {
        const auto& slot = slots_[i];
        AgreedStream agreed;
        agreed.rejected = true;
        if (slot.stream && answer->media[i].port != 0) {
            auto read = read_answer(offered_->streams[*slot.stream], *answer, answer->media[i]);
            if (read)
                agreed = std::move(*read);
            else
                words = read.error();
        }
        agreed.index = i;
        agreed.local = slot.stream;
        any = any || !agreed.rejected;
        agreement.streams.push_back(std::move(agreed));
    }
    // A stream that the answer takes but spoils is no stream; if it is the only one, no call.
    if (!any && !words.empty()) return std::unexpected(Problem{488, words});
    note_restarts(agreement);
    agreement_ = std::move(agreement);
    offered_.reset();
    return {};
}

std::expected<std::string, Problem> Negotiation::on_offer(std::string_view text,
                                                          std::span<const LocalStream> streams) {
    const auto offer = parse(text);
    if (!offer)
        return std::unexpected(Problem{400, "the offer's session description cannot be read: " +
                                                std::string(offer.error().reason)});
    // RFC 3264 §8: m-lines are never fewer than before.
    if (offer->media.size() < slots_.size())
        return std::unexpected(Problem{488, "the offer has fewer streams than the one before"});
    if (offer->media.empty()) return std::unexpected(Problem{488, "the offer has no stream"});
    std::vector<Slot> slots;
    std::vector<bool> used(streams.size());
    Agreement agreement;
    auto description = begin(streams);
    std::string words = "the other side offers no stream of a kind that is wanted here";
    bool any = false;
    bool wanted = false;
    for (std::size_t i = 0; i < offer->media.size(); ++i) {
        const auto& media = offer->media[i];
        AgreedStream agreed;
        agreed.rejected = true;
        auto answer = refused_media(media);
        // The stream that had this place, else the first of this kind.
        std::optional<std::size_t> local;
        if (i < slots_.size() && slots_[i].stream && *slots_[i].stream < streams.size())
            local = slots_[i].stream;
        for (std::size_t s = 0; !local && s < streams.size(); ++s)
            if (!used[s] &&
                std::ranges::none_of(slots_, [&](const Slot& slot) { return slot.stream == s; }))
                local = s;
        if (local && (used[*local] || kind_text(streams[*local].kind) != media.kind)) local.reset();
        wanted = wanted || media.port != 0;
        if (local && media.port != 0) {
            auto made = answer_media(
                *offer, media, streams[*local],
                {options_.offerers_order, options_.one_codec, dtls_of(agreement_, i, local)});
            if (made) {
                used[*local] = true;
                agreed = std::move(made->agreed);
                answer = std::move(made->media);
                any = true;
            } else {
                words = made.error();
            }
        }
        agreed.index = i;
        if (!agreed.rejected) agreed.local = local;
        slots.push_back({agreed.local, media.kind, answer.protocol, answer.formats});
        description.media.push_back(std::move(answer));
        agreement.streams.push_back(std::move(agreed));
    }
    if (!any && (wanted || !agreement_)) return std::unexpected(Problem{488, words});
    // What the offer numbers is ours from now on (§8.3.2); a number is never given to another
    // format.
    for (const auto& stream : agreement.streams) {
        for (const auto& codec : stream.receive) {
            std::erase_if(payload_types_,
                          [&](const auto& one) { return one.second == codec.payload_type; });
            payload_types_[key_of(codec)] = *codec.payload_type;
        }
    }
    slots_ = std::move(slots);
    note_restarts(agreement);
    agreement_ = std::move(agreement);
    return finish(std::move(description));
}

// RFC 8839 §4.4.1: changed credentials.
void Negotiation::note_restarts(Agreement& agreement) const {
    if (!agreement_) return;
    for (std::size_t i = 0; i < std::min(agreement.streams.size(), agreement_->streams.size());
         ++i) {
        const auto& before = agreement_->streams[i].ice;
        auto& now = agreement.streams[i];
        if (before && now.ice) now.ice->restarted = before->remote != now.ice->remote;
    }
}

void Negotiation::withdraw() {
    if (!offered_) return;
    slots_ = std::move(offered_->slots);
    payload_types_ = std::move(offered_->payload_types);
    // RFC 3264 §8: o= had been seen already: the next text that differs takes a higher version.
    last_ = std::move(offered_->text);
    offered_.reset();
}

}  // namespace holdfast::sdp

// The session of a call, as offers and answers make it (RFC 3264): what we have, what was offered,
// what was agreed, and who holds.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "sdp/agreement.h"

namespace holdfast::call {

class Session {
public:
    void set_streams(std::vector<sdp::LocalStream> streams);
    [[nodiscard]] bool has_streams() const { return !streams_.empty(); }
    // RFC 3264 §8.4: from the next offer or answer on we do not receive.
    void set_held(bool held) { held_ = held; }
    [[nodiscard]] bool is_held() const { return held_; }

    // The text of a new offer of what we have now; open until on_answer() or withdraw().
    std::string offer(Random& random);
    // The error is a sentence for a person; the offer is still open then.
    std::expected<void, std::string> on_answer(std::string_view answer);
    // The text of our answer. The error is a sentence; all stays as it was then (RFC 3261 §14.2).
    std::expected<std::string, std::string> on_offer(std::string_view offer, Random& random);
    // Our offer was refused: what was agreed before stays.
    void withdraw() { offering_ = false; }

    [[nodiscard]] static bool can_read(std::string_view sdp);
    [[nodiscard]] bool is_offering() const { return offering_; }
    [[nodiscard]] bool is_agreed() const { return agreement_ != nullptr; }
    [[nodiscard]] bool is_held_by_peer() const;
    [[nodiscard]] const std::shared_ptr<const sdp::Agreement>& agreement() const {
        return agreement_;
    }

private:
    std::string text(Random& random, const std::vector<sdp::AgreedStream>* answered);
    std::vector<sdp::LocalStream> streams_;
    std::shared_ptr<const sdp::Agreement> agreement_;
    std::uint64_t id_ = 0;
    std::uint64_t version_ = 0;
    bool offering_ = false;
    bool held_ = false;
};

}  // namespace holdfast::call

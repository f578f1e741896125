// A secret that no log, trace or recording can print by accident.
#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace holdfast {

template <class T>
class Redacted {
public:
    Redacted() = default;
    explicit Redacted(T secret) : secret_(std::move(secret)) {}
    // The only way to the secret, easy to find in a review.
    [[nodiscard]] const T& reveal() const { return secret_; }
    [[nodiscard]] static constexpr std::string_view to_string() { return "<redacted>"; }
    friend bool operator==(const Redacted&, const Redacted&) = default;

private:
    T secret_{};
};

}  // namespace holdfast

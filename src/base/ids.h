// Identities that must not be confused with one another or with plain numbers.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>

namespace holdfast {

template <class Tag, class Rep = std::uint32_t>
struct Id {
    Rep value{};
    friend constexpr auto operator<=>(Id, Id) = default;
    constexpr explicit operator bool() const { return value != Rep{}; }  // 0 is nobody
};

using AccountId = Id<struct AccountTag>;
using FlowId = Id<struct FlowTag>;    // one flow (RFC 5626 §3): our socket and one target
using QueryId = Id<struct QueryTag>;  // one DNS question
using CallRef = Id<struct CallTag>;   // one call, as a person has it
using TransactionId = Id<struct TransactionTag>;

}  // namespace holdfast

template <class Tag, class Rep>
struct std::hash<holdfast::Id<Tag, Rep>> {
    std::size_t operator()(holdfast::Id<Tag, Rep> id) const noexcept {
        return std::hash<Rep>{}(id.value);
    }
};

// What an examination may cost others, at most: it never hammers.
#pragma once

#include <cstddef>

#include "base/time.h"

namespace holdfast::doctor::limits {

using namespace std::chrono_literals;

constexpr std::size_t servers = 12;           // targets that are looked at; more are counted
constexpr std::size_t addresses = 6;          // of them, those that are asked as registrars
constexpr std::size_t requests = 150;         // of one examination, answers to challenges included
constexpr int challenge_rounds = 3;           // of one request
constexpr Duration between_requests = 100ms;  // as probes are (F9)
constexpr Duration between_requests_to_one = 250ms;  // to one address
constexpr Duration answer_patience = 4s;
constexpr Duration fork_patience = 33s;  // a proxy waits for stale bindings (Timer B and F)
constexpr Duration connect_patience = 5s;
constexpr int dns_rounds = 3;  // each question is asked so often
constexpr Duration between_dns_rounds = 400ms;
constexpr Duration second_look = 2s;  // at a location service that may copy with a delay
constexpr int removals = 3;           // REGISTERs that remove our own binding
constexpr Duration whole = 150s;      // then what is there is told
constexpr std::size_t strangers = 8;  // flows opened to answer requests from elsewhere

}  // namespace holdfast::doctor::limits

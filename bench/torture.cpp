#include "bench/torture.h"

#include <array>

#include "bench/traffic.h"

namespace holdfast::bench {

namespace {

// RFC 4475 §3.1.1, §3.4.1, then those of §3.2 and §3.3 whose syntax is sound.
constexpr std::array<std::string_view, 27> to_take = {
    "wsinv",     "intmeth", "esc01",      "escnull",  "esc02",    "lwsdisp",  "longreq",
    "dblreq",    "semiuri", "transports", "mpart01",  "unreason", "noreason", "inv2543",
    "badbranch", "unkscm",  "novelsc",    "unksm2",   "bext01",   "invut",    "regaut01",
    "bcast",     "zeromf",  "cparam01",   "cparam02", "regescrt", "sdp01"};

// RFC 4475 §3.1.2, then those of §3.3 that lack a header or have it twice.
constexpr std::array<std::string_view, 12> to_refuse = {
    "badinv01",   "clerr",      "ncl",     "scalar02", "scalarlg", "quotbal",
    "mismatch01", "mismatch02", "bigcode", "insuf",    "multi01",  "mcl01"};

}  // namespace

TortureCount count_torture(const std::function<bool(std::string_view)>& takes) {
    TortureCount count;
    for (const auto name : to_take)
        if (takes(read_torture(name)))
            ++count.taken;
        else
            count.wrong.emplace_back(name);
    for (const auto name : to_refuse)
        if (!takes(read_torture(name)))
            ++count.refused;
        else
            count.wrong.emplace_back(name);
    return count;
}

}  // namespace holdfast::bench

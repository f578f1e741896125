// CPU time of this thread, user and system, in laps: what is done between two of them is not
// counted. Reading the clock is a system call; what an empty lap costs is measured and taken off.
#pragma once

#include <ctime>
#include <utility>

namespace holdfast::bench {

class CpuMeter {
public:
    CpuMeter() {
        constexpr int empty_laps = 10'000;
        for (int i = 0; i < empty_laps; ++i) const Lap lap(*this);
        empty_ = std::exchange(seconds_, 0) / empty_laps;
        laps_ = 0;
    }

    // One lap.
    template <class Work>
    auto count(Work work) {
        const Lap lap(*this);
        return work();
    }

    [[nodiscard]] double seconds() const { return seconds_ - empty_ * laps_; }

private:
    class Lap {
    public:
        explicit Lap(CpuMeter& meter) : meter_(meter), begin_(now()) {}
        Lap(const Lap&) = delete;
        Lap& operator=(const Lap&) = delete;
        ~Lap() {
            meter_.seconds_ += now() - begin_;
            ++meter_.laps_;
        }

    private:
        CpuMeter& meter_;
        double begin_;
    };
    static double now() {
        timespec time{};
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
        return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
    }

    double seconds_ = 0;
    double empty_ = 0;
    int laps_ = 0;
};

}  // namespace holdfast::bench

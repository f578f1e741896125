// A value that is nearly always the default one, T{}: it costs a pointer until it becomes another.
// For what few of a hundred thousand accounts have, and what they have for a short while.
#pragma once

#include <memory>
#include <utility>

namespace holdfast {

template <class T>
class Rare {
public:
    Rare() = default;
    explicit Rare(T value) { *this = std::move(value); }
    Rare(const Rare& other) : value_(other.value_ ? std::make_unique<T>(*other.value_) : nullptr) {}
    Rare(Rare&&) noexcept = default;
    Rare& operator=(const Rare& other) {
        *this = Rare(other);
        return *this;
    }
    Rare& operator=(Rare&&) noexcept = default;
    Rare& operator=(T value) {
        change() = std::move(value);
        return *this;
    }
    ~Rare() = default;

    [[nodiscard]] const T& operator*() const { return value_ ? *value_ : usual(); }
    [[nodiscard]] const T* operator->() const { return &**this; }
    // To be written to. What was read before may be another object.
    [[nodiscard]] T& change() {
        if (!value_) value_ = std::make_unique<T>();
        return *value_;
    }
    void reset() { value_.reset(); }  // the default value again
    [[nodiscard]] bool is_held() const { return value_ != nullptr; }

private:
    static const T& usual() {
        static const T value{};
        return value;
    }
    std::unique_ptr<T> value_;
};

}  // namespace holdfast

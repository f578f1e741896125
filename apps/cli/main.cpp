// The command `holdfast`.
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "apps/cli/commands.h"
#include "apps/cli/typed_secrets.h"

int main(int count, char** arguments) {
    const std::vector<std::string> words{arguments + 1, arguments + count};
    holdfast::cli::hide_typed_digits(
        std::span<char* const>{arguments + 1, static_cast<std::size_t>(count) - 1});
    return holdfast::cli::number_of(holdfast::cli::run(words));
}

// The command `holdfast`.
#include "apps/cli/commands.h"

int main(int count, char** arguments) {
    return holdfast::cli::number_of(holdfast::cli::run({arguments + 1, arguments + count}));
}

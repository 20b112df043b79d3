#!/usr/bin/env bash
# Instructions of each stage of the way, a message, beside those of another commit: callgrind counts them, so that it does not
# matter who else uses the machine. What is in the working tree against COMMIT (its parent), both built here.
#
#     benches/istruzioni.sh [COMMIT]
#
# A release build without link-time optimisation: figures to compare, not to quote. The program that is counted is today's
# (examples/istruzioni.rs) over the library of either commit. Builds go to $CARGO_TARGET_DIR, or target/istruzioni; crates that
# both have are built once. Digests count as the machine does them: valgrind knows no SHA extensions.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
commit=$(git rev-parse --short "${1:-HEAD~1}")
times=200
stages=(envelope validation authority rules cutting item)
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/target/istruzioni}
export CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16
dir=$(mktemp -d)
trap 'git worktree remove --force "$dir/before" 2>/dev/null || true; rm -rf "$dir"' EXIT
git worktree add -q --detach "$dir/before" "$commit"
mkdir -p "$dir/before/benches/comune"
cp benches/comune/mod.rs "$dir/before/benches/comune/"
cp examples/istruzioni.rs "$dir/before/examples/"

# The program over the library in a folder.
build() {
    (cd "$1" && cargo build --release --quiet --example istruzioni)
    cp "$CARGO_TARGET_DIR/release/examples/istruzioni" "$2"
}
build "$dir/before" "$dir/before.program"
build . "$dir/now.program"

# Instructions of a stage, a message: PROGRAM STAGE.
each() {
    local all
    all=$(valgrind --tool=callgrind --callgrind-out-file=/dev/null --toggle-collect='*conta_la_fase*' "$1" "$2" "$times" 2>&1 |
        awk '/Collected/ { print $NF }')
    echo $((all / times))
}
printf '%-12s %12s %12s %8s\n' stage "$commit" now difference
for stage in "${stages[@]}"; do
    before=$(each "$dir/before.program" "$stage")
    now=$(each "$dir/now.program" "$stage")
    awk -v s="$stage" -v b="$before" -v n="$now" 'BEGIN { printf "%-12s %12d %12d %+7.2f %%\n", s, b, n, (n - b) * 100 / b }'
done

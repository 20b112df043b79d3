# Everyday recipes: `just` lists them.

default:
    @just --list

# A gateway with certificates, store and a first receipt, on 127.0.0.1:8443.
demo *ARGS:
    cargo run --release -- demo {{ ARGS }}

# What the compiler and clippy think.
check:
    cargo clippy --all-targets -- -D warnings

# Every test, or those whose name holds NAME.
test *NAME:
    cargo test {{ NAME }}

# Formats the sources.
fmt:
    cargo fmt

# Rewrites docs/errori.md from the catalogue.
bless:
    BLESS=1 cargo test --test tidy

# zeep, node-soap and PHP against the release build.
clients:
    tests/clients/run.sh

# Load against a running demo, in text and JSON.
load *ARGS:
    cargo run --release --example load -- {{ ARGS }}

# Benches of envelope, validation, rules and register.
bench *NAME:
    cargo bench {{ NAME }}

# Instructions of each stage, beside those of COMMIT (the parent).
instructions *COMMIT:
    benches/istruzioni.sh {{ COMMIT }}

# Licences, bans, sources and advisories.
deny:
    cargo deny check

# What CI runs.
ci:
    bash .ci/run

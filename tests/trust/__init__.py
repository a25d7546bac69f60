"""The promises that can be counted, and what counts them.

Each experiment is a module with one function `run(trial, place)`. `./dev test` runs each with a small count;
`./dev test --full` runs them with the counts that are promised, and writes `docs/trust.md`.
"""

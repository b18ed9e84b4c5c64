"""The bench: equality first, then timing against the peers users would pick instead.

Every arrow points down:

    run  report  instructions   the commands: to time, to tell, to count instructions
    equivalence  targets        what may be timed; what is owed against what was reached
    measures/*                  one question each: the jobs, and the sample a job takes
    works  callgrind            the fixed work that is counted, and what counts it
    harness                     fresh pinned processes, interleaved rounds, medians
    peers                       one adapter per tokenizer, all with the same four calls
    corpora  vocabularies       the texts and the vocabularies, from the shared test data
"""

"""The bench: equality first, then timing against the peers users would pick instead.

Every arrow points down:

    report  run  instructions    the commands: to tell, to time, to count instructions
    tables  plot                 what a run found, as Markdown and as a picture
    contests  targets            who is first; what is owed against what was reached
    equivalence                  what may be timed
    measures/*  works            one question each, its jobs and samples; the work that is counted
    plan  book                   who is measured at how much; the results, and how to ask them
    harness  callgrind           fresh pinned processes in interleaved rounds; counted instructions
    peers                        one adapter per tokenizer, all with the same calls
    corpora  vocabularies        the texts and the vocabularies, from the shared test data
"""

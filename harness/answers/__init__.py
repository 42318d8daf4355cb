"""What the records say, in words: sentences and tables that notebooks in analysis/ show,
made from frames of `harness.results`.

One module a study, and `words`, which all speak with. A sentence is computed, its numbers and its conclusion
both: what it says is so by the interval in it, or it says that this is not decided. Pure functions of frames,
but for `provenance`.
"""

"""The pages of a study, for a browser: what it asks and what came of it, and a page for each of its cells.

    <study>/index.html          question, answers in sentences, the command, a table to sort, the figures
    <study>/cells/<id>.html     of each cell: its command, outcomes, curves, weights, cost and settings;
                                of none where there are more than a thousand

They need no network and no server, and work without JavaScript and on paper. The same study gives the same
bytes. Whatever a person has named or typed is escaped where it is put into a page (`markup.py`).
"""

from harness.pages.study import Study, write

__all__ = ["Study", "write"]

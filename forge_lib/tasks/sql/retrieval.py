"""Retrieve and fill: the queries of the most similar training questions with this schema's names, the best that runs.

No model and no training: a look-up that can be right, and so a floor under what a fine-tune has learnt.
"""

from __future__ import annotations

import functools

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer

from forge_lib.tasks.sql.dataset import DataSet
from forge_lib.tasks.sql.filling import Filling, Template, fill, template_of
from forge_lib.tasks.sql.mentions import Lexicon, Mentions
from forge_lib.tasks.sql.pairs import Pair
from forge_lib.tasks.sql.rows import has_value
from forge_lib.tasks.sql.sandbox import shared_sandbox
from forge_lib.tasks.sql.synthesis.profiling import profile_database

_RETRIEVED = 40  # training queries that are filled
_EXECUTED = 8  # fillings that are run, best first
# Set by hand before anything was measured; no grid was run.
_SIMILARITY, _OWN = 1.0, 0.1  # what similar wording counts beside a filling's match; what the same database adds


class LookUp:
    """Answers questions about the databases of `data` by its training pairs; those on a database without rows tell nothing."""

    def __init__(self, data: DataSet):
        self.data = data
        self.lexicon = functools.cache(self._lexicon)
        self.template = functools.cache(self._template)
        self.train = [p for p in data.train if self.lexicon(p.db_id)]
        self.vectorizer = TfidfVectorizer(ngram_range=(1, 3), sublinear_tf=True, token_pattern=r"\S+")
        masked = [self.mentions(p).masked() for p in self.train]
        self.known = self.vectorizer.fit_transform(masked) if masked else None

    def _lexicon(self, db_id: str) -> Lexicon | None:
        try:
            return Lexicon(profile_database(self.data.database(db_id)))
        except (ValueError, OSError):  # no rows, or no file any more
            return None

    def mentions(self, pair: Pair) -> Mentions:
        """What its question says of its database."""
        return Mentions(self.lexicon(pair.db_id), pair.asked)

    def _template(self, at: int) -> Template | None:
        return template_of(self.train[at].sql, self.mentions(self.train[at]))

    def candidates(self, pair: Pair) -> list[Filling]:
        """Fillings of the most similar training queries, best first."""
        if self.known is None or self.lexicon(pair.db_id) is None:
            return []
        asked = self.mentions(pair)
        likeness = (self.known @ self.vectorizer.transform([asked.masked()]).T).toarray().ravel()
        likeness += _OWN * np.array([p.db_id == pair.db_id for p in self.train])
        found: dict[str, float] = {}
        for at in np.argsort(-likeness, kind="stable")[:_RETRIEVED]:
            template = self.template(int(at))
            for filling in fill(template, asked) if template and template.tables else ():
                total = _SIMILARITY * likeness[at] + filling.match
                found[filling.sql] = max(total, found.get(filling.sql, -1.0))
        return [Filling(sql, total) for sql, total in sorted(found.items(), key=lambda f: -f[1])]

    def answer(self, pair: Pair) -> str | None:
        """The first of the candidates that runs and finds something, else the best of them; None where there is none."""
        candidates = [c.sql for c in self.candidates(pair)[:_EXECUTED]]
        for sql in candidates:
            rows = shared_sandbox().rows(self.data.database(pair.db_id), sql)
            if rows is not None and has_value(rows):
                return sql
        return candidates[0] if candidates else None

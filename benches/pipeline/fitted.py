"""The pipeline: fitted in scikit-learn with a seed, exported to a repository, and its requests."""

from __future__ import annotations

import shutil
import struct
from pathlib import Path

import numpy as np
import pandas as pd
from quiver_features import export
from quiver_features.proto import feature_service_pb2 as pb
from sklearn.compose import ColumnTransformer
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import KBinsDiscretizer, OneHotEncoder, QuantileTransformer, StandardScaler

NAME = "pipeline"

SCALED = [f"scaled_{number:02}" for number in range(20)]
MARKED = [f"marked_{number:02}" for number in range(20)]
PLACED = [f"placed_{number:02}" for number in range(10)]
BINNED = [f"binned_{number:02}" for number in range(10)]
NUMBERS = SCALED + MARKED + PLACED + BINNED

# 400 together.
CATEGORIES = [3] * 15 + [4] * 6 + [5] * 3 + [6, 6, 7, 8, 9, 10, 11, 13, 15, 18, 21, 25, 30, 36, 45, 56]
TEXTS = [f"text_{number:02}" for number in range(len(CATEGORIES))]

KNOTS, BINS = 1000, 10
MISSING, UNKNOWN = 0.05, 0.02
FITTED_ROWS = 20_000

REQUESTS = {1: 200, 100: 40, 500: 20, 1000: 20}
"""Different requests by their rows, so that no cache flatters the figures."""

OUTPUT = "dense"


class Source:
    """Rows like those of an ads log: skewed numbers, and words of 2 to 20 letters of which few are frequent."""

    def __init__(self) -> None:
        random = np.random.default_rng(20261124)
        self.middles = random.normal(0, 3, len(NUMBERS))
        self.spreads = random.uniform(0.2, 2, len(NUMBERS))
        self.words = [_words(random, count) for count in CATEGORIES]
        self.random = random

    def rows(self, count: int, missing_texts: bool = True) -> pd.DataFrame:
        """Rows; numbers are such as float32 holds, so that no side has to round them."""
        random = self.random
        normal = random.normal(self.middles, self.spreads, (count, len(NUMBERS)))
        skewed = np.where(np.arange(len(NUMBERS)) % 2 == 0, normal, np.exp(normal))
        numbers = skewed.astype(np.float32).astype(np.float64)
        numbers[random.random(numbers.shape) < MISSING] = np.nan
        texts = np.empty((count, len(TEXTS)), dtype=object)
        for column, words in enumerate(self.words):
            weights = 1 / np.arange(1, len(words) + 1)
            texts[:, column] = random.choice(np.array(words, dtype=object), count, p=weights / weights.sum())
        if missing_texts:
            kinds = random.random(texts.shape)
            for row, column in np.argwhere(kinds < UNKNOWN):
                texts[row, column] = _word(random) + "?"
            texts[(kinds >= UNKNOWN) & (kinds < UNKNOWN + MISSING)] = None
        both = (pd.DataFrame(numbers, columns=NUMBERS), pd.DataFrame(texts, columns=TEXTS, dtype=object))
        return pd.concat(both, axis=1)


def _words(random: np.random.Generator, count: int) -> list[str]:
    words: dict[str, None] = {}
    while len(words) < count:
        words[_word(random)] = None
    return list(words)


def _word(random: np.random.Generator) -> str:
    letters = random.choice(list("abcdefghijklmnopqrstuvwxyz"), int(2 + random.poisson(6)))
    return "".join(letters[:20])


def fit(source: Source) -> ColumnTransformer:
    """100 raw columns to 480."""
    rows = source.rows(FITTED_ROWS, missing_texts=False)
    # Every category is there once.
    for column, words in zip(TEXTS, source.words, strict=True):
        rows.loc[: len(words) - 1, column] = words

    def filled(step: object) -> Pipeline:
        return Pipeline([("impute", SimpleImputer(strategy="median")), ("then", step)])

    quantiles = QuantileTransformer(n_quantiles=KNOTS, subsample=None)
    bins = KBinsDiscretizer(BINS, encode="ordinal", strategy="quantile", quantile_method="averaged_inverted_cdf")
    pipeline = ColumnTransformer(
        [
            ("scaled", filled(StandardScaler()), SCALED + MARKED),
            ("missing", MissingIndicator(features="all"), MARKED),
            ("placed", filled(quantiles), PLACED),
            ("binned", filled(bins), BINNED),
            ("texts", OneHotEncoder(handle_unknown="ignore", sparse_output=False), TEXTS),
        ]
    )
    pipeline.fit(rows)
    return pipeline


def publish(pipeline: ColumnTransformer, source: Source, folder: Path) -> None:
    """Writes the repository anew."""
    repository = folder / "repository"
    shutil.rmtree(repository, ignore_errors=True)
    export(pipeline, repository, NAME, sample=source.rows(300), output=OUTPUT, golden_rows=40)


def request(rows: pd.DataFrame, dictionaries: bool) -> bytes:
    """A request as a client sends it: nulls given by their positions, strings plain or as dictionaries."""
    columns = []
    for name in rows.columns:
        values = rows[name]
        null = values.isna().to_numpy()
        column = pb.Column(name=name, nulls=np.flatnonzero(null).tolist())
        if name in NUMBERS:
            column.doubles.values.extend(np.where(null, 0.0, values.to_numpy()).tolist())
        elif dictionaries:
            codes, distinct = pd.factorize(values)
            column.dictionary.dictionary.extend(list(distinct) or [""])
            column.dictionary.indices.extend(np.maximum(codes, 0).tolist())
        else:
            column.strings.values.extend(
                ["" if is_null else value for value, is_null in zip(values, null, strict=True)]
            )
        columns.append(column)
    wanted = [pb.OutputSelection(name=OUTPUT)]
    return pb.GetFeaturesRequest(feature_set=NAME, columns=columns, outputs=wanted).SerializeToString()


def write_messages(path: Path, messages: list[bytes]) -> None:
    """Each with its length before it."""
    path.write_bytes(b"".join(struct.pack("<I", len(message)) + message for message in messages))

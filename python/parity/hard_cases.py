"""The twenty hard cases of feature transforms, each by name, as far as scikit-learn can express them.

What belongs to other libraries alone (Spark's hash of NULL and of short tails, Keras's crosses) is held to those
libraries' fixtures by tests/it/hashes.rs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from cases import DOCUMENTS, Case
from sklearn.feature_extraction import FeatureHasher
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer, TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    Binarizer,
    KBinsDiscretizer,
    MaxAbsScaler,
    MinMaxScaler,
    Normalizer,
    OneHotEncoder,
    OrdinalEncoder,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
    TargetEncoder,
)
from trials import Trial, group_of

NAN = float("nan")
FLOATS = (np.float64, np.float32)


def trials() -> list[Trial]:
    """All of them."""
    found = []
    for number, (title, make) in enumerate(_NUMBERED, 1):
        for detail, trial in make().items():
            trial.name = f"hard case {number}, {title}: {detail}" if detail else f"hard case {number}, {title}"
            found.append(trial)
    return found


def elsewhere() -> list[str]:
    """The cases that scikit-learn can't express, with where they are held."""
    return [
        "hard case 15, Spark's hash of short tails and NULL: tests/it/hashes.rs",
        "hard case 16, Keras's crosses of (1, 'b'), ('1', 'b') and swapped: tests/it/hashes.rs",
    ]


def _trial(estimator: Any, fit: Any, rows: Any, target: Any = None, expected: Any = None, **options: Any) -> Trial:
    case = Case(estimator, fit, fit, target, options)
    return Trial("", group_of(estimator), case, rows=rows, expected=expected)


def _name(kind: Any) -> str:
    return np.dtype(kind).name


def _neighbours(values: Sequence[float], kind: Any) -> np.ndarray:
    values = np.asarray(values, dtype=kind)
    low, high = np.nextafter(values, kind(-np.inf)), np.nextafter(values, kind(np.inf))
    return np.concatenate([low, values, high]).reshape(-1, 1)


def _column(values: Sequence[Any], dtype: Any = object) -> pd.DataFrame:
    return pd.DataFrame({"c": pd.Series(list(values), dtype=dtype)})


def _random(*shape: int) -> np.ndarray:
    return np.random.default_rng(4).normal(50, 20, shape)


def _standard_by_version() -> dict[str, Trial]:
    values = _random(5000, 2)
    return {_name(kind): _trial(StandardScaler(), values.astype(kind), values.astype(kind)) for kind in FLOATS}


def _near_the_mean() -> dict[str, Trial]:
    found = {}
    for kind in FLOATS:
        values = _random(1000, 1).astype(kind)
        scaler = StandardScaler().fit(values)
        near = (scaler.mean_[0] * (1 + np.linspace(-1e-6, 1e-6, 2001))).astype(kind).reshape(-1, 1)
        found[_name(kind)] = _trial(StandardScaler(), values, near)
    return found


def _constant_columns() -> dict[str, Trial]:
    found = {}
    for kind in FLOATS:
        fit = np.tile(np.asarray([3.7, 0.0, -1e-9, 1e9], dtype=kind), (50, 1))
        rows = np.concatenate([fit[:2], fit[:2] + kind(1), -fit[:2], np.full((1, 4), NAN, kind)])
        for estimator in (StandardScaler(), MinMaxScaler(), MaxAbsScaler(), RobustScaler()):
            found[f"{type(estimator).__name__}, {_name(kind)}"] = _trial(estimator, fit, rows)
    return found


def _edges() -> dict[str, Trial]:
    found = {}
    for kind in FLOATS:
        fit = np.linspace(0, 1, 101).astype(kind).reshape(-1, 1)
        edges = np.arange(-1, 12) / 10
        rows = _neighbours([*edges, *edges.astype(np.float32)], kind)
        for encode in ("ordinal", "onehot"):
            bins = KBinsDiscretizer(10, encode=encode, strategy="uniform", subsample=None)
            found[f"{encode}, {_name(kind)}"] = _trial(bins, fit, rows)
        for threshold in (0.3, 0.6, 0.9):
            found[f"Binarizer at {threshold}, {_name(kind)}"] = _trial(Binarizer(threshold=threshold), fit, rows)
    return found


def _negative_zero() -> dict[str, Trial]:
    found = {}
    for kind in FLOATS:
        fit = np.asarray([[-1.0], [0.0], [-0.0], [1.0]] * 5, dtype=kind)
        rows = np.asarray([[-0.0], [0.0], [-1.0], [1.0]], dtype=kind)
        rows = np.concatenate([rows, _neighbours([0.0], kind)])
        bins = KBinsDiscretizer(2, encode="ordinal", strategy="uniform", subsample=None)
        found[f"bins, {_name(kind)}"] = _trial(bins, fit, rows)
        found[f"Binarizer, {_name(kind)}"] = _trial(Binarizer(), fit, rows)
        found[f"category, {_name(kind)}"] = _trial(OneHotEncoder(handle_unknown="ignore"), fit, rows)
        found[f"scaled, {_name(kind)}"] = _trial(StandardScaler(with_mean=False), fit, rows)
    return found


def _missing_into_bins() -> dict[str, Trial]:
    found = {}
    for kind in FLOATS:
        fit = np.linspace(0, 1, 101).astype(kind).reshape(-1, 1)
        rows = np.asarray([[NAN], [0.5], [NAN]], dtype=kind)
        bins = KBinsDiscretizer(4, encode="ordinal", strategy="uniform", subsample=None)
        # scikit-learn raises; the default is served.
        found[f"default, {_name(kind)}"] = _trial(bins, fit, rows, expected=[[-1], [2], [-1]], default=-1.0)
        with_nan = np.concatenate([fit, [[NAN]]]).astype(kind)
        imputed = make_pipeline(SimpleImputer(), KBinsDiscretizer(4, strategy="uniform", subsample=None))
        found[f"imputed, {_name(kind)}"] = _trial(imputed, with_nan, rows)
    return found


def _knots() -> dict[str, Trial]:
    found = {}
    values = np.random.default_rng(5).integers(0, 60, (500, 1)) / 7
    for kind in FLOATS:
        fit = values.astype(kind)
        rows = _neighbours([*np.unique(fit), -5.0, 100.0, float(fit.min()) + 1e-8, float(fit.max()) - 1e-8], kind)
        found[f"uniform, {_name(kind)}"] = _trial(QuantileTransformer(n_quantiles=200), fit, rows)
        normal = QuantileTransformer(n_quantiles=200, output_distribution="normal")
        found[f"normal, {_name(kind)}"] = _trial(normal, fit, rows)
    return found


def _normal_bounds() -> dict[str, Trial]:
    normal = QuantileTransformer(n_quantiles=100, output_distribution="normal")
    rows = np.asarray([[1e9], [-1e9], [1e300], [-1e300]])
    return {"": _trial(normal, _random(500, 1), rows)}


def _unknown_and_dropped() -> dict[str, Trial]:
    fit = _column(["a", "b", "b", "c", "c", "c"] * 4)
    rows = _column(["a", "b", "c", "unknown", "", None])
    rows = rows[rows["c"].notna()]
    encoders = {
        "drop first": OneHotEncoder(drop="first", handle_unknown="ignore"),
        "infrequent_if_exist without infrequent": OneHotEncoder(handle_unknown="infrequent_if_exist"),
        "infrequent_if_exist": OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=6),
        "infrequent and drop first": OneHotEncoder(
            drop="first", handle_unknown="infrequent_if_exist", max_categories=2
        ),
    }
    return {name: _trial(encoder, fit, rows) for name, encoder in encoders.items()}


def _kinds_of_missing() -> dict[str, Trial]:
    encoders = {
        "OneHotEncoder": OneHotEncoder(handle_unknown="ignore"),
        "OrdinalEncoder": OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1),
    }
    found = {}
    for name, encoder in encoders.items():
        for missing in (None, NAN):
            fit = _column(["a", "", "nan", "None", missing] * 4)
            found[f"{name} with {missing}"] = _trial(encoder, fit, _column(["nan", "", missing, "None", "NaN", "a"]))
        fit = pd.DataFrame({"c": pd.Series(["a", "", "nan", None] * 4, dtype="str")})
        found[f"{name} of pandas' str"] = _trial(encoder, fit, fit)
        fit = _column(["a", "", "nan", "None"] * 4)
        found[f"{name} without missing"] = _trial(encoder, fit, _column(["nan", "", "None", "unknown"]))
    return found


def _kinds_of_one() -> dict[str, Trial]:
    encoder = OneHotEncoder(handle_unknown="ignore")
    nullable = pd.DataFrame({"c": pd.Series([1, 2, None, 3] * 4, dtype="Int64")})
    kinds = {
        "strings": (_column(["1", "1.0", "True", "01"] * 3), _column(["1", "1.0", "True", "01", "2"])),
        "integers": (_column([1, 0, 7] * 3, "int64"), _column([1, 0, 7, 2], "int64")),
        "floats": (_column([1.0, 0.0, 2.5] * 3, "float64"), _column([1.0, 2.5, -0.0, 1.5], "float64")),
        "booleans": (_column([True, False] * 3, "bool"), _column([True, False], "bool")),
        "nullable integers": (nullable, nullable),
    }
    return {name: _trial(encoder, *both) for name, both in kinds.items()}


def _large_identifiers() -> dict[str, Trial]:
    identifiers = [2**53, 2**53 + 1, 2**53 + 2, -(2**53) - 1, 2**63 - 1, -(2**63), 0]
    rows = _column([*identifiers, 2**53 + 3, 1], "int64")
    ordinal = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1, dtype=np.float64)
    fit = _column(identifiers * 2, "int64")
    unsigned = _column([2**64 - 1, 2**63, 2**53 + 1] * 2, "uint64")
    return {
        "one-hot": _trial(OneHotEncoder(handle_unknown="ignore"), fit, rows),
        "ordinal": _trial(ordinal, fit, rows),
        "unsigned": _trial(OneHotEncoder(handle_unknown="ignore"), unsigned, unsigned),
    }


UNICODE = ["\u00e9", "e\u0301", "\uffff", "\U00010000", "a\0b", "a", "", "\u0130", "i\u0307", "\ud7ff", "\ue000"]


def _code_points() -> dict[str, Trial]:
    fit, rows = _column(UNICODE * 2), _column([*UNICODE, "E\u0301", "a\0", "\0"])
    ordinal = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    texts = [" ".join(UNICODE), *UNICODE]
    characters = CountVectorizer(analyzer="char", lowercase=False)
    return {
        "one-hot": _trial(OneHotEncoder(handle_unknown="ignore"), fit, rows),
        "ordinal": _trial(ordinal, fit, rows),
        "characters": _trial(characters, texts, texts),
        "hashed": _trial(HashingVectorizer(n_features=64, analyzer="char", norm=None), texts, texts),
    }


LOWEST_HASH = "aaaiTBFZ"
"""MurmurHash3 makes -2^31 of it, whose absolute value no int32 holds."""


def _lowest_hash() -> dict[str, Trial]:
    lists = [[LOWEST_HASH], [""], ["abc"], ["\u00e9"], [LOWEST_HASH, LOWEST_HASH, "abc"], []]
    found = {}
    for width in (7, 16, 1000):
        for sign in (True, False):
            hasher = FeatureHasher(n_features=width, input_type="string", alternate_sign=sign)
            found[f"{width} buckets, {'signed' if sign else 'unsigned'}"] = _trial(hasher, lists, lists)
    pairs = [{LOWEST_HASH: 2.5, "abc": -1.0}, {"": 3.0}, {"abc": 0}, {"a": "b", "a=b": 1}]
    found["pairs"] = _trial(FeatureHasher(n_features=13), pairs, pairs)
    return found


def _empty_columns() -> dict[str, Trial]:
    found = {}
    for kind in FLOATS:
        fit = _random(40, 3).astype(kind)
        fit[:, 1] = NAN
        fit[::5, 0] = NAN
        rows = np.asarray([[NAN, NAN, NAN], [1, 2, NAN], [1, NAN, 3]], dtype=kind)
        for keep in (False, True):
            imputer = SimpleImputer(add_indicator=True, keep_empty_features=keep)
            # Column 2 was never missing when it was fitted: filled, without an indicator.
            found[f"keep_empty_features={keep}, {_name(kind)}"] = _trial(imputer, fit, rows)
    return found


def _power_of_small_numbers() -> dict[str, Trial]:
    found = {}
    fit = _random(200, 1)
    rows = np.asarray([[1e-10], [-1e-10], [0.0], [-0.0], [1.0], [-1.0], [1e6], [-1e6], [NAN], [1e-300]])
    for power in (0.0, 1e-17, 1e-9, 0.5, 1.0, 2.0, 2 - 1e-9, 2 + 1e-15, -1.5):
        for standardize in (False, True):
            trial = _trial(PowerTransformer(standardize=standardize), fit, rows)
            trial.fitted = PowerTransformer(standardize=standardize).fit(fit)
            trial.fitted.lambdas_ = np.asarray([power])
            found[f"lambda {power}, {'standardized' if standardize else 'plain'}"] = trial
    return found


def _default_before_and_after() -> dict[str, Trial]:
    fit = _random(60, 1)
    fit[::7] = NAN
    rows = np.asarray([[NAN], [50.0], [0.01]])
    before = make_pipeline(SimpleImputer(strategy="constant", fill_value=0.01), StandardScaler())
    after = make_pipeline(StandardScaler(), SimpleImputer(strategy="constant", fill_value=0.01))
    words = make_pipeline(
        SimpleImputer(strategy="constant", fill_value="b"),
        OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1),
    )
    strings = _column(["a", "b", NAN, "c"] * 5)
    return {
        "through the scaler": _trial(before, fit, rows),
        "past the scaler": _trial(after, fit, rows),
        "in the vocabulary": _trial(words, strings, _column([NAN, "b", "d"])),
        "empty list": _trial(FeatureHasher(8, input_type="string"), [["a"], []], [[], ["a"], [""]]),
    }


HARD_TEXT = "x\u00b2  \u00bd \u0130 \u203f e\u0307 don't e-mail _under_ \u0661\u0662 \u65e5\u672c\u8a9e \u200d\u00df"


def _tokens() -> dict[str, Trial]:
    texts = [HARD_TEXT, HARD_TEXT.upper(), *DOCUMENTS[:6], ""]
    vectorizers = {
        "words": CountVectorizer(),
        "words from one letter": CountVectorizer(token_pattern=r"(?u)\b\w+\b"),
        "without accents": CountVectorizer(strip_accents="unicode"),
        "hashed": HashingVectorizer(n_features=32, norm=None),
        "tf-idf": TfidfVectorizer(analyzer="char_wb", ngram_range=(1, 3)),
    }
    found = {name: _trial(vectorizer, texts, texts) for name, vectorizer in vectorizers.items()}
    cities = _column(["a", "b", "c", "a", "b", "a"] * 20)
    clicks = np.random.default_rng(6).integers(0, 2, 120)
    target = _trial(TargetEncoder(random_state=0), cities, _column(["a", "b", "c", "d"]), clicks)
    # fit_transform crosses its folds; what is served is transform.
    target.fitted = TargetEncoder(random_state=0)
    target.fitted.fit_transform(cities, clicks)
    found["TargetEncoder after fit_transform"] = target
    return found


def _others() -> dict[str, Trial]:
    found = {}
    for kind in FLOATS:
        rows = np.asarray([[-4, 2], [0, 0], [1e-30, -1e-30], [3, -4]], dtype=kind)
        found[f"max norm of negatives, {_name(kind)}"] = _trial(Normalizer("max"), rows, rows)
        tied = np.asarray([[2.0], [1.0], [2.0], [1.0], [NAN]], dtype=kind)
        found[f"ties of the mode, {_name(kind)}"] = _trial(SimpleImputer(strategy="most_frequent"), tied, tied)
    scaled = np.asarray([[1.0], [2.0], [4.0]])
    infinite = np.asarray([[np.inf], [-np.inf], [2.0]])
    expected = [[np.inf], [-np.inf], [2.0 / 4.0]]
    # scikit-learn raises; IEEE arithmetic goes on.
    found["infinities"] = _trial(MaxAbsScaler(), scaled, infinite, expected=expected)
    return found


_NUMBERED = [
    ("StandardScaler by version", _standard_by_version),
    ("near the mean", _near_the_mean),
    ("constant columns", _constant_columns),
    ("edges of bins", _edges),
    ("negative zero", _negative_zero),
    ("NaN into bins", _missing_into_bins),
    ("repeated knots and the range's ends", _knots),
    ("far out of the normal quantile's range", _normal_bounds),
    ("unknown and dropped categories", _unknown_and_dropped),
    ("None, NaN, '' and 'nan'", _kinds_of_missing),
    ("'1', 1, 1.0 and True", _kinds_of_one),
    ("identifiers beyond 2^53", _large_identifiers),
    ("Unicode's forms and order", _code_points),
    ("MurmurHash3's lowest value", _lowest_hash),
    ("Spark's hash", dict),
    ("Keras's crosses", dict),
    ("columns missing throughout", _empty_columns),
    ("Yeo-Johnson of small numbers", _power_of_small_numbers),
    ("a default before and after a step", _default_before_and_after),
    ("tokens, and fit_transform", _tokens),
    ("others", _others),
]

"""Fitted estimators of every kind with samples: what the exporter's tests run over."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.decomposition import PCA, IncrementalPCA, TruncatedSVD
from sklearn.feature_extraction import DictVectorizer, FeatureHasher
from sklearn.feature_extraction.text import (
    CountVectorizer,
    HashingVectorizer,
    TfidfTransformer,
    TfidfVectorizer,
)
from sklearn.feature_selection import SelectKBest, VarianceThreshold, f_classif
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import (
    Binarizer,
    FunctionTransformer,
    KBinsDiscretizer,
    LabelBinarizer,
    LabelEncoder,
    MaxAbsScaler,
    MinMaxScaler,
    MultiLabelBinarizer,
    Normalizer,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    SplineTransformer,
    StandardScaler,
    TargetEncoder,
)

from quiver_features import FeatureCross

ROWS = 300
NAN = float("nan")


class Case(NamedTuple):
    """An estimator to fit and export.

    ``estimator`` is not fitted; ``fit`` and ``sample`` are what it is fitted to and exported with; ``options`` are
    the exporter's.
    """

    estimator: Any
    fit: Any
    sample: Any
    target: Any = None
    options: dict[str, Any] = {}  # noqa: RUF012

    def fitted(self) -> Any:
        return self.estimator.fit(self.fit) if self.target is None else self.estimator.fit(self.fit, self.target)


def knows(estimator: Any, parameter: str) -> bool:
    """Whether the installed scikit-learn has a parameter."""
    return parameter in estimator().get_params()


def _random() -> np.random.Generator:
    return np.random.default_rng(20)


def numbers(dtype: str = "float64", *, missing: bool = True, positive: bool = False) -> np.ndarray:
    """[ROWS, 4]: normal, skewed, with many equal values, constant."""
    random = _random()
    columns = [
        random.normal(40, 12, ROWS),
        random.lognormal(1, 1, ROWS),
        random.integers(0, 4, ROWS) / 4 + (1 if positive else 0),
        np.full(ROWS, 3.5),
    ]
    values = np.abs(np.stack(columns, axis=1)) if positive else np.stack(columns, axis=1)
    if missing:
        values[random.random(values.shape) < 0.1] = NAN
    return values.astype(dtype)


def frame(**changes: Any) -> pd.DataFrame:
    """A mixed frame: floats, integers, booleans, strings with None."""
    random = _random()
    cities = random.choice(["oslo", "rome", "são paulo", "a.b/c"], ROWS, p=[0.5, 0.3, 0.15, 0.05]).astype(object)
    cities[::17] = None
    columns = {
        "age": numbers()[:, 0],
        "price": numbers("float32", missing=False)[:, 1],
        "clicks": random.integers(0, 60, ROWS),
        "active": random.random(ROWS) < 0.3,
        "city": cities,
        "device": random.choice(["phone", "tablet", "tv"], ROWS),
    }
    of_objects = {"city": object}
    return pd.DataFrame(
        {name: pd.Series(values, dtype=of_objects.get(name)) for name, values in {**columns, **changes}.items()}
    )


def target(kind: str) -> np.ndarray:
    random = _random()
    if kind == "continuous":
        return random.normal(size=ROWS)
    return random.integers(0, 2 if kind == "binary" else 3, ROWS)


DOCUMENTS = [
    "The quick brown fox jumps over the lazy dog",
    "Cheap shoes, CHEAP shoes! Buy 2 get 1 free",
    "Café Zürich serves crème brûlée",
    "naïve users don't click ads",
    "日本語 のテキスト and some English",
    "x² + y² = z²  ½ cup",
    "",
    "a b c d",
    "shoes for running, shoes for walking",
] * 3

PAIRS = [
    {"city": "oslo", "clicks": 3, "price": 2.5},
    {"city": "rome", "clicks": 0},
    {"tags": ["a", "b"], "price": -1.25},
    {"city": "oslo", "vip": True},
    {},
]
PLAIN_PAIRS = [{key: value for key, value in one.items() if key != "tags"} for one in PAIRS]
LISTS = [["sports", "news"], ["news"], [], ["music", "music", "sports"]] * 3


def _array(estimator: Any, dtype: str = "float64", **options: Any) -> Case:
    values = numbers(dtype, **options)
    return Case(estimator, values, values)


def _dense(estimator: Any, dtype: str = "float64", **options: Any) -> Case:
    return _array(estimator, dtype, missing=False, **options)


def _strings(estimator: Any, *columns: str, target_kind: str | None = None) -> Case:
    data = frame()[list(columns or ("city", "device"))]
    return Case(estimator, data, data, None if target_kind is None else target(target_kind))


def _scaling() -> dict[str, Case]:
    found = {}
    for dtype in ("float64", "float32"):
        scalers = {
            "standard": StandardScaler(),
            "standard without mean": StandardScaler(with_mean=False),
            "standard without std": StandardScaler(with_std=False),
            "standard without both": StandardScaler(with_mean=False, with_std=False),
            "min max": MinMaxScaler((-1, 2.5)),
            "min max clipped": MinMaxScaler((0.1, 0.7), clip=True),
            "max abs": MaxAbsScaler(),
            **({"max abs clipped": MaxAbsScaler(clip=True)} if knows(MaxAbsScaler, "clip") else {}),
            "robust": RobustScaler(),
            "robust without centering": RobustScaler(with_centering=False, unit_variance=True),
            "robust without scaling": RobustScaler(with_scaling=False),
        }
        found |= {f"{name}, {dtype}": _array(scaler, dtype) for name, scaler in scalers.items()}
        found[f"normalizer max, {dtype}"] = _dense(Normalizer("max"), dtype)
    found["normalizer l1"] = _dense(Normalizer("l1"))
    found["normalizer l2"] = _dense(Normalizer("l2"))
    sparse = make_pipeline(OneHotEncoder(handle_unknown="ignore"), StandardScaler(with_mean=False))
    found["standard of sparse"] = _strings(sparse)
    sparse = make_pipeline(OneHotEncoder(handle_unknown="ignore", dtype=np.float32), MaxAbsScaler())
    found["max abs of sparse, float32"] = _strings(sparse)
    sparse = make_pipeline(OneHotEncoder(handle_unknown="ignore"), RobustScaler(with_centering=False))
    found["robust of sparse"] = _strings(sparse)
    integers = frame()[["clicks", "active"]]
    found["standard of integers and booleans"] = Case(StandardScaler(), integers, integers)
    mixed = frame()[["age", "price", "clicks"]]
    found["min max of mixed types"] = Case(MinMaxScaler(), mixed, mixed)
    nullable = mixed.astype({"age": "Float64", "price": "Float32", "clicks": "Int64"})
    found["standard of nullable types"] = Case(StandardScaler(), nullable, nullable)
    return found


def _distribution() -> dict[str, Case]:
    return {
        "quantile uniform": _array(QuantileTransformer(n_quantiles=50)),
        "quantile uniform of many knots": _array(QuantileTransformer(n_quantiles=250)),
        "quantile uniform, float32": _array(QuantileTransformer(n_quantiles=50), "float32"),
        "quantile normal": _array(QuantileTransformer(n_quantiles=50, output_distribution="normal")),
        "quantile normal, float32": _array(
            QuantileTransformer(n_quantiles=50, output_distribution="normal"), "float32"
        ),
        "power yeo-johnson": Case(PowerTransformer(), numbers()[:, :3], numbers()[:, :3]),
        "power yeo-johnson plain": Case(PowerTransformer(standardize=False), numbers()[:, :3], numbers()[:, :3]),
        "power box-cox": Case(
            PowerTransformer("box-cox"), numbers(positive=True)[:, :3], numbers(positive=True)[:, :3]
        ),
    }


def _binning() -> dict[str, Case]:
    return {
        f"k bins {strategy} {encode} {dtype}": _dense(
            KBinsDiscretizer(5, encode=encode, strategy=strategy, subsample=None), dtype
        )
        for strategy, encode, dtype in (
            ("quantile", "ordinal", "float64"),
            ("uniform", "onehot", "float64"),
            ("kmeans", "onehot-dense", "float64"),
            ("uniform", "ordinal", "float32"),
        )
    } | {
        "k bins to float32": _dense(KBinsDiscretizer(5, encode="ordinal", strategy="uniform", dtype=np.float32)),
        "binarizer": _dense(Binarizer(threshold=0.3)),
        "binarizer, float32": _dense(Binarizer(threshold=0.1), "float32"),
    }


def _encoding() -> dict[str, Case]:
    found = {}
    for unknown in ("error", "ignore", "infrequent_if_exist", "warn"):
        for drop in (None, "first", "if_binary"):
            found[f"one-hot unknown {unknown} drop {drop}"] = _strings(OneHotEncoder(handle_unknown=unknown, drop=drop))
        infrequent = OneHotEncoder(handle_unknown=unknown, min_frequency=40)
        found[f"one-hot infrequent unknown {unknown}"] = _strings(infrequent)
        dropped = OneHotEncoder(handle_unknown=unknown, max_categories=3, drop="first")
        found[f"one-hot infrequent dropped unknown {unknown}"] = _strings(dropped)
    mixed = frame(clicks=_random().integers(0, 5, ROWS))[["clicks", "active", "age"]]
    mixed["age"] = (mixed["age"] // 20).astype("float64")
    found["one-hot of numbers"] = Case(OneHotEncoder(handle_unknown="ignore"), mixed, mixed)
    found["one-hot drop by value"] = _strings(OneHotEncoder(drop=["rome", "tv"], handle_unknown="ignore"))
    without = frame()[["device"]]
    found["one-hot without missing"] = Case(OneHotEncoder(handle_unknown="ignore"), without, without)
    floats = frame()[["city"]].fillna(np.nan).astype(object)
    found["one-hot with NaN"] = Case(OneHotEncoder(handle_unknown="ignore"), floats, floats)
    categorical = frame()[["device", "city"]].astype("category")
    found["one-hot of categoricals"] = Case(OneHotEncoder(handle_unknown="ignore"), categorical, categorical)
    large = pd.DataFrame({"id": _random().choice([2**53 + 1, 2**62, -7, 12], ROWS)})
    found["one-hot of large integers"] = Case(OneHotEncoder(handle_unknown="ignore"), large, large)
    objects = np.array([["a", 1], ["b", 2], ["a", 3]] * 20, dtype=object)
    found["one-hot of an object array"] = Case(OneHotEncoder(handle_unknown="ignore"), objects, objects)
    given = OneHotEncoder(categories=[["phone", "watch"]], handle_unknown="ignore")
    found["one-hot of given categories"] = Case(given, without, without)
    found["ordinal"] = _strings(OrdinalEncoder())
    found["ordinal with NaN"] = Case(OrdinalEncoder(encoded_missing_value=-2), floats, floats)
    found["ordinal missing encoded"] = _strings(OrdinalEncoder(encoded_missing_value=-2))
    unknown = {"handle_unknown": "use_encoded_value"}
    found["ordinal unknown"] = _strings(OrdinalEncoder(unknown_value=-1, **unknown))
    found["ordinal unknown NaN"] = _strings(OrdinalEncoder(unknown_value=np.nan, **unknown))
    found["ordinal infrequent"] = _strings(OrdinalEncoder(unknown_value=-1, min_frequency=40, **unknown))
    found["ordinal of numbers"] = Case(OrdinalEncoder(unknown_value=-1, **unknown), mixed, mixed)
    for kind in ("binary", "continuous", "multiclass"):
        found[f"target {kind}"] = _strings(TargetEncoder(target_type=kind, random_state=0), target_kind=kind)
    many = pd.DataFrame({"user": [f"user-{number % 1500}" for number in range(3000)]})
    clicked = _random().integers(0, 2, 3000)
    found["target of many"] = Case(TargetEncoder(random_state=0), many, many, clicked)
    found["one-hot of many"] = Case(OneHotEncoder(handle_unknown="ignore"), many, many, options={"golden_rows": 30})
    identifiers = pd.DataFrame({"id": np.arange(1200) * 7_919})
    ordinal = OrdinalEncoder(unknown_value=-1, **unknown)
    found["ordinal of many integers"] = Case(ordinal, identifiers, identifiers)
    return found


def _crosses() -> dict[str, Case]:
    """Crosses of two and three columns; the missing values of "city" make the whole text missing, or have a text."""
    data = frame()
    data["zone"] = (data["age"] // 20).astype("float64")
    data["group"] = data["clicks"] % 3
    of_numbers = ColumnTransformer(
        [
            ("bins", KBinsDiscretizer(3, encode="ordinal", strategy="uniform", subsample=None), ["clicks"]),
            ("root", FunctionTransformer(np.sqrt), ["group"]),
        ]
    )
    encoded = ColumnTransformer(
        [
            ("mean", make_pipeline(FeatureCross(), TargetEncoder(random_state=0)), ["city", "device"]),
            ("hot", make_pipeline(FeatureCross("", "?"), OneHotEncoder(handle_unknown="ignore")), ["city", "active"]),
            ("age", SimpleImputer(), ["age"]),
        ]
    )
    binary = target("binary")
    ordinal = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=-2)
    typed = data[["zone", "group", "active"]]
    return {
        "cross, then target": Case(
            make_pipeline(FeatureCross(), TargetEncoder(random_state=0)), data[["city", "device"]],
            data[["city", "device"]], binary,
        ),
        "cross with a text for missing values, then one-hot": _strings(
            make_pipeline(FeatureCross(" x ", "none"), OneHotEncoder(handle_unknown="ignore"))
        ),
        "cross of floats, integers and booleans, then ordinal": Case(
            make_pipeline(FeatureCross(), ordinal), typed, typed
        ),
        "cross of computed numbers, then one-hot": Case(
            make_pipeline(of_numbers, FeatureCross(), OneHotEncoder(handle_unknown="ignore")),
            data[["clicks", "group"]], data[["clicks", "group"]],
        ),
        "crosses beside other columns": Case(encoded, data, data, binary, {"scopes": {"city": "request"}}),
    }  # fmt: skip


def _labels() -> dict[str, Case]:
    labels = np.array(["cat", "dog", "bird", "cat", "dog"])
    two = np.array(["no", "yes", "no", "no"])
    return {
        "label encoder": Case(LabelEncoder(), labels, labels),
        "label encoder of integers": Case(LabelEncoder(), np.array([5, 3, 5, 9]), np.array([5, 3, 5, 9])),
        "label binarizer": Case(LabelBinarizer(), labels, labels),
        "label binarizer of two": Case(LabelBinarizer(neg_label=-1, pos_label=2), two, two),
        "label binarizer of one": Case(LabelBinarizer(neg_label=-1), np.array(["a", "a"]), np.array(["a", "a"])),
        "multi-label": Case(MultiLabelBinarizer(), LISTS, LISTS),
        "multi-label of integers": Case(MultiLabelBinarizer(), [[1, 2], [3], []], [[1, 2], [3], []]),
    }


def _missing() -> dict[str, Case]:
    with_empty = numbers()
    with_empty[:, 1] = NAN
    cities = frame()[["city"]].fillna(np.nan).astype(object)
    nones = frame()[["city", "device"]].astype(object)
    sentinel = np.where(np.isnan(numbers()), -999.0, numbers())
    integers = np.array([[1, -1], [2, 5], [-1, 5], [1, 7]] * 5)
    questions = np.array([["a"], ["?"], ["b"], ["a"]], dtype=object)
    return {
        "imputer": _array(SimpleImputer(add_indicator=True)),
        "imputer, float32": _array(SimpleImputer(strategy="median"), "float32"),
        "imputer most frequent": _array(SimpleImputer(strategy="most_frequent")),
        "imputer constant": _array(SimpleImputer(strategy="constant", fill_value=-1.5)),
        "imputer of an empty column": Case(SimpleImputer(add_indicator=True), with_empty, with_empty),
        "imputer keeping an empty column": Case(SimpleImputer(keep_empty_features=True), with_empty, with_empty),
        "imputer of strings": Case(
            make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder()), cities, cities
        ),
        "imputer of None": Case(
            make_pipeline(SimpleImputer(missing_values=None, strategy="constant", fill_value="-"), OrdinalEncoder()),
            nones,
            nones,
        ),
        "imputer of a sentinel": Case(SimpleImputer(missing_values=-999.0, add_indicator=True), sentinel, sentinel),
        "imputer of an integer sentinel": Case(
            SimpleImputer(missing_values=-1, strategy="most_frequent"), integers, integers
        ),
        "imputer of a string sentinel": Case(
            make_pipeline(SimpleImputer(missing_values="?", strategy="most_frequent"), OrdinalEncoder()),
            questions,
            questions,
        ),
        "missing indicator": _array(MissingIndicator(error_on_new=False)),
        "missing indicator of all": _array(MissingIndicator(features="all")),
    }


def _text() -> dict[str, Case]:
    vectorizers = {
        "count": CountVectorizer(),
        "count binary": CountVectorizer(binary=True, lowercase=False),
        "count of words from one letter": CountVectorizer(token_pattern=r"(?u)\b\w+\b", stop_words="english"),
        "count bigrams": CountVectorizer(ngram_range=(1, 2), strip_accents="unicode"),
        "count characters": CountVectorizer(analyzer="char", ngram_range=(1, 3), strip_accents="ascii"),
        "count characters in words": CountVectorizer(analyzer="char_wb", ngram_range=(2, 4)),
        "tf-idf": TfidfVectorizer(),
        "tf-idf sublinear": TfidfVectorizer(sublinear_tf=True, stop_words=["the", "for"], norm="l1"),
        "tf-idf without idf": TfidfVectorizer(use_idf=False, norm=None),
        "tf-idf binary sublinear": TfidfVectorizer(binary=True, sublinear_tf=True),
        "tf-idf, float32": TfidfVectorizer(dtype=np.float32),
        "count then tf-idf": make_pipeline(CountVectorizer(), TfidfTransformer(sublinear_tf=True)),
        "hashing": HashingVectorizer(n_features=64),
        "hashing without signs": HashingVectorizer(n_features=32, alternate_sign=False, norm=None),
        "hashing binary": HashingVectorizer(n_features=16, binary=True, norm=None),
        "hashing binary without signs": HashingVectorizer(n_features=16, binary=True, alternate_sign=False),
        "hashing of characters": HashingVectorizer(n_features=64, analyzer="char_wb", ngram_range=(2, 3), norm="l1"),
    }
    found = {name: Case(vectorizer, DOCUMENTS, DOCUMENTS) for name, vectorizer in vectorizers.items()}
    counts = _random().integers(0, 4, (40, 6)).astype(float)
    dense = TfidfTransformer(sublinear_tf=True)
    found["tf-idf of dense counts"] = Case(dense, counts, counts)
    return found


def _hashing() -> dict[str, Case]:
    tuples = [list(one.items()) for one in PLAIN_PAIRS]
    return {
        "feature hasher of dicts": Case(FeatureHasher(n_features=16), PLAIN_PAIRS, PLAIN_PAIRS),
        "feature hasher of pairs": Case(FeatureHasher(n_features=8, input_type="pair"), tuples, tuples),
        "feature hasher of strings": Case(
            FeatureHasher(n_features=8, input_type="string", alternate_sign=False), LISTS, LISTS
        ),
        "dict vectorizer": Case(DictVectorizer(), PAIRS, PAIRS),
        "dict vectorizer dense, float32": Case(DictVectorizer(dtype=np.float32, sparse=False), PAIRS, PAIRS),
    }


def _expansion() -> dict[str, Case]:
    found = {
        "polynomial": _dense(PolynomialFeatures()),
        "polynomial, float32": _dense(PolynomialFeatures(include_bias=False), "float32"),
        "polynomial interactions": _dense(PolynomialFeatures((2, 3), interaction_only=True, include_bias=False)),
        "polynomial of degree 4": _dense(PolynomialFeatures(4)),
    }
    for extrapolation in ("error", "constant", "linear", "continue", "periodic"):
        values = numbers(missing=False)[:, :2]
        spline = SplineTransformer(n_knots=6, degree=3, extrapolation=extrapolation)
        found[f"spline {extrapolation}"] = Case(spline, values, values)
    for extrapolation in ("constant", "linear", "periodic"):
        values = numbers("float32", missing=False)[:, :2]
        spline = SplineTransformer(n_knots=5, degree=2, extrapolation=extrapolation)
        found[f"spline {extrapolation}, float32"] = Case(spline, values, values)
    values = numbers(missing=False)[:, :1]
    found["spline of degree 1"] = Case(
        SplineTransformer(degree=1, extrapolation="linear", include_bias=False), values, values
    )
    values = numbers(missing=False)[:, :2]
    found["spline of degree 2 by quantiles"] = Case(
        SplineTransformer(degree=2, knots="quantile", extrapolation="constant"), values, values
    )
    missing = numbers()[:, :2]
    if knows(SplineTransformer, "handle_missing"):
        found["spline with missing values"] = Case(SplineTransformer(handle_missing="zeros"), missing, missing)
    return found


def _projection() -> dict[str, Case]:
    values = _random().normal(size=(ROWS, 7))
    return {
        "pca": Case(PCA(3), values, values),
        "pca whitened": Case(PCA(4, whiten=True), values, values),
        "incremental pca": Case(IncrementalPCA(2), values, values),
        "truncated svd": Case(TruncatedSVD(3, random_state=0), values, values),
        "svd of tf-idf": Case(make_pipeline(TfidfVectorizer(), TruncatedSVD(3, random_state=0)), DOCUMENTS, DOCUMENTS),
    }


def _selection() -> dict[str, Case]:
    values = numbers(missing=False)
    return {
        "variance threshold": _array(VarianceThreshold()),
        "select k best": Case(SelectKBest(f_classif, k=2), values, values, target("binary")),
        "selected categories": _strings(
            make_pipeline(OneHotEncoder(handle_unknown="ignore"), SelectKBest(f_classif, k=3)),
            target_kind="binary",
        ),
    }


def _functions() -> dict[str, Case]:
    found = {"identity": _array(FunctionTransformer())}
    exact = (
        np.abs,
        np.negative,
        np.sign,
        np.square,
        np.sqrt,
        np.floor,
        np.ceil,
        np.trunc,
        np.rint,
        np.round,
        np.reciprocal,
    )
    libm = (
        np.log1p,
        np.expm1,
        np.exp,
        np.log,
        np.log2,
        np.log10,
        np.cbrt,
        np.sin,
        np.cos,
        np.tanh,
        np.arcsinh,
    )
    for function in exact + libm:
        found[f"function {function.__name__}"] = _array(FunctionTransformer(function))
    for function in exact[:6]:
        found[f"function {function.__name__}, float32"] = _array(FunctionTransformer(function), "float32")
    narrow = frame()[["clicks", "price", "age"]].astype({"clicks": "int16"})
    found["function sqrt of narrow types"] = Case(FunctionTransformer(np.sqrt), narrow, narrow)
    found["function abs of integers"] = Case(FunctionTransformer(np.abs), narrow[["clicks"]], narrow[["clicks"]])
    found["function clip"] = _array(FunctionTransformer(np.clip, kw_args={"a_min": 0, "a_max": 30.5}))
    return found


def _composition() -> dict[str, Case]:
    data = frame()
    imputed = make_pipeline(SimpleImputer(add_indicator=True), StandardScaler())
    categories = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    mixed = ColumnTransformer(
        [
            ("num", imputed, ["age", "price"]),
            ("cat", categories, ["city", "device"]),
            ("log", FunctionTransformer(np.log1p), ["clicks"]),
            ("dropped", "drop", ["price"]),
        ],
        remainder="passthrough",
    )
    selected = ColumnTransformer(
        [
            ("num", "passthrough", make_column_selector(dtype_include="number")),
            ("cat", OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1), [4, 5]),
        ],
        remainder="drop",
        verbose_feature_names_out=False,
    )
    union = FeatureUnion(
        [
            ("scaled", StandardScaler()),
            ("bins", make_pipeline(SimpleImputer(), KBinsDiscretizer(4, encode="onehot"))),
            ("raw", "passthrough"),
            ("nothing", "drop"),
        ],
        transformer_weights={"scaled": 0.5},
    )
    nested = Pipeline(
        [
            ("columns", mixed),
            ("skipped", "passthrough"),
            ("select", VarianceThreshold(0.01)),
            ("more", FeatureUnion([("pca", PCA(3)), ("quantile", QuantileTransformer(n_quantiles=20))])),
        ]
    )
    texts = pd.DataFrame({"title": DOCUMENTS, "body": DOCUMENTS[::-1], "bid": np.arange(len(DOCUMENTS)) / 7})
    with_text = ColumnTransformer(
        [("title", TfidfVectorizer(), "title"), ("body", CountVectorizer(), "body")],
        remainder=StandardScaler(),
    )
    framed = make_pipeline(SimpleImputer(), StandardScaler()).set_output(transform="pandas")
    framed_columns = ColumnTransformer(
        [("first", MinMaxScaler(), ["age"]), ("rest", "passthrough", ["clicks"])]
    ).set_output(transform="pandas")
    chained = make_pipeline(framed_columns, ColumnTransformer([("again", RobustScaler(), ["first__age"])]))
    numeric = data[["age", "clicks"]]
    array = numbers()
    by_position = ColumnTransformer(
        [("a", SimpleImputer(), slice(0, 2)), ("b", "passthrough", [-1])], remainder=MinMaxScaler()
    )
    reordered = data[["device", "city", "age", "active", "clicks", "price"]].assign(unused=pd.Timestamp(0))
    twice = ColumnTransformer([("one", "passthrough", ["clicks"]), ("two", "passthrough", ["clicks"])])
    narrow = numbers("float32", missing=False)
    weighted = FeatureUnion([("a", MinMaxScaler()), ("b", MaxAbsScaler())], transformer_weights={"a": 0.1, "b": 3})
    numbered = pd.DataFrame(array[:, :2])
    weighted_columns = ColumnTransformer(
        [("a", MinMaxScaler(), ["age"]), ("b", categories, ["city"]), ("c", "passthrough", ["clicks"])],
        transformer_weights={"a": 0.1, "b": 3, "c": 2.0},
    )
    colliding = pd.DataFrame({"x": PLAIN_PAIRS, "x_keys": list("abcab"), "x_values_2": 1.5})
    collisions = ColumnTransformer(
        [("pairs", FeatureHasher(n_features=8), "x"), ("one", OneHotEncoder(), ["x_keys"])],
        remainder="passthrough",
    )
    return {
        "column transformer of weights": Case(weighted_columns, data, data),
        "pairs beside their names": Case(collisions, colliding, colliding),
        "union of weights, float32": Case(weighted, narrow, narrow),
        "columns with numbers for names": Case(StandardScaler(), numbered, numbered),
        "column transformer": Case(mixed, data, data, options={"scopes": {"age": "request", "city": "request"}}),
        "column transformer by selector": Case(selected, data, data),
        "column transformer by position": Case(by_position, array, array),
        "column transformer of reordered columns": Case(mixed, data, reordered),
        "column transformer of text": Case(with_text, texts, texts),
        "column twice": Case(twice, data, data),
        "union": Case(union, array[:, :3], array[:, :3]),
        "nested": Case(nested, data, data),
        "frames inside": Case(framed, numeric, numeric),
        "frames by name": Case(chained, numeric, numeric),
        "float64 output": Case(mixed, data, data, options={"dtype": "float64"}),
        "default of 0": _strings(OneHotEncoder())._replace(options={"default": 0.0}),
        "int64 output": _strings(OrdinalEncoder(), "device")._replace(options={"dtype": "int64", "default": -1}),
        "float16 output": _array(StandardScaler())._replace(options={"dtype": "float16"}),
    }


FAMILIES: list[Callable[[], dict[str, Case]]] = [
    _scaling,
    _distribution,
    _binning,
    _encoding,
    _crosses,
    _labels,
    _missing,
    _text,
    _hashing,
    _expansion,
    _projection,
    _selection,
    _functions,
    _composition,
]

CASES: dict[str, Case] = {name: case for family in FAMILIES for name, case in family().items()}

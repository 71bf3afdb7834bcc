"""Exports a fitted scikit-learn transformer as a version of a feature set."""

from __future__ import annotations

import copy
import os
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import sklearn
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from .. import __version__
from ..names import column_name
from . import estimators as _register_estimators  # noqa: F401
from . import golden
from .checking import Quiver, find_binary
from .columns import Column
from .document import FORMAT, Served, Writer, check, served, used_sources
from .expressions import Exactness
from .lookups import Lookup, defaults, join
from .models import features_of
from .own_functions import Formulas
from .problems import ExportError, ExportProblem
from .registry import Context
from .repository import check_name, write_version
from .samples import Sample, read_sample
from .sources import Row, Source
from .walk import Stopped, walk

_OUTPUT_TYPES = ("float32", "float16", "bfloat16", "float64", "int64")
_ROWS_TO_WALK = 200


def export(
    fitted: Any,
    repository: str | os.PathLike[str],
    name: str,
    *,
    sample: Any,
    version: int | None = None,
    scopes: Mapping[str, str] | None = None,
    optional: Collection[str] = (),
    input_names: Sequence[str] | None = None,
    output: str = "features",
    dtype: str = "float32",
    default: float = float("nan"),
    golden_rows: int | None = None,
    max_ulp: int | None = None,
    quiver: Quiver = None,
    expressions: Mapping[Any, Formulas] | None = None,
    lookups: Sequence[Lookup] = (),
    tables: Mapping[str, Any] | None = None,
) -> Path:
    """Writes ``<repository>/feature_sets/<name>/<version>/`` so that Quiver serves what ``fitted.transform`` gives.

    The folder is written aside and renamed into place: a server never sees half of it. It holds ``spec.json``,
    ``golden.json`` with rows computed by ``fitted.transform`` itself (Quiver rejects a version whose golden rows it
    can't reproduce), and Parquet files of lists longer than 1000.

    Args:
        fitted: A fitted Pipeline, ColumnTransformer, FeatureUnion or single transformer of scikit-learn. Of a model
            with steps before it (a Pipeline that predicts; a search, TransformedTargetRegressor or
            CalibratedClassifierCV around one) these steps are exported, with an ExportWarning.
        repository: The repository's folder; made if it is not there.
        name: The feature set's name.
        sample: Rows as ``fitted.transform`` takes them: a DataFrame or array ``[rows, columns]``, or for documents,
            labels, dictionaries and lists a Series, an array ``[rows]`` or a list with one element for each row.
            Its types determine those of the inputs, and whether scikit-learn computes in float32 or float64. Rows that
            ``transform`` rejects are passed over; of more than 20,000 rows every so many are read.
        version: The version's number; by default the highest one plus 1.
        scopes: "request" (one value for a request) or "row" for columns by name; those not named are "row".
        optional: Columns that a request may leave out; they are all null then.
        input_names: Names for the columns of an array or a list, by default "x0", "x1", ...
        output: The output tensor's name. Its shape is ``[rows, columns]`` with the columns of ``transform``.
        dtype: "float32", "float16", "bfloat16", "float64", or "int64" where all columns are integers.
        default: What is served where scikit-learn would give NaN for a missing value, or would raise. For int64 it
            must be an integer.
        golden_rows: The most golden rows; by default 120, or as many as it takes to pass through each fitted edge,
            knot and category of the column with the most of them.
        max_ulp: How far golden rows may lie from the served values, in units in the last place of ``dtype``. By
            default 0 where every step is exact and 1 (for float64 8192, about 2e-12) where sums or functions such as
            exp are involved. It must be given where scikit-learn itself computes such steps in float32, in which no
            tolerance is safe.
        quiver: The path of Quiver's binary, whose ``quiver check`` must find no problem before the version is
            published. By default the one that the environment variable QUIVER_BINARY names, else ``quiver`` on the
            PATH; where there is none, or with False, the server checks when it loads the version.
        lookups: The tables that the sample was joined with. Columns that a lookup brings are read from its table
            when they are served; all others, and the keys, are inputs.
        tables: Data of tables by name, as `write_table` takes it, which are written too; other tables must be in the
            repository.
        expressions: What the functions of FunctionTransformers compute, by the step's name or by the function:
            ``{"log2": "if(x > 2, floor(log(x) ** 2), x)"}``. A text is for every column, which it calls ``x``; a list
            has a text for each column of the result, as described at :func:`register`. Golden rows hold it to the
            function. A function of NumPy's operations alone needs none.

    Returns:
        The version's folder.

    Raises:
        ExportError: With every step that can't be expressed, each with its path; or with what is wrong with the
            sample or the target; or with the problems that ``quiver check`` found. Nothing is written then.

    A missing value (NaN, None) is null in a request. The names of inputs are the sample's labels, letter for
    letter, integers as text; those of features follow ``get_feature_names_out``. Vectors such as one-hot categories
    are one feature with a name for each lane.
    """
    fitted = features_of(fitted)
    _check_arguments(fitted, name, dtype, default, golden_rows)
    binary = find_binary(quiver)
    joined = None
    if lookups or (tables is not None and len(tables)):
        joined = join(fitted, sample, lookups, {} if tables is None else tables, Path(repository))
    # A transformer with a number of columns takes a list of rows.
    read = joined or read_sample(sample, input_names, rows_are_lists=hasattr(fitted, "n_features_in_"))
    oracle = golden.Oracle(fitted, read)
    base = _base_rows(oracle, fitted, read)
    context = _context(fitted, read, expressions)
    columns = _walked(fitted, read, base, context)
    _check_expressions(context)
    features = served(columns, dtype, default)
    check(features, dtype)
    writer = Writer(features, default, defaults(oracle, joined, features, base[0], default) if joined else None)
    sources = used_sources(read.sources, writer.used_inputs)
    inputs = read.requested(sources)
    scopes = {**(joined.scopes if joined else {}), **{column_name(label): one for label, one in (scopes or {}).items()}}
    optional = [column_name(label) for label in optional]
    request_scope = _request_scope(scopes, optional, read.sources if joined is None else inputs)
    exactness = _exactness(features, max_ulp)
    compared = golden.Output(output, dtype, len(columns), exactness, default, max_ulp)
    rows = golden.hard_rows(oracle, read, base, sources, context.hints, golden_rows, context.telling_rows)

    def differing(rows: Sequence[Row]) -> set[int]:
        once_more = _context(fitted, read, expressions)
        if rows and context.unsteady and not oracle.singly:
            _walked(fitted, read, rows, once_more)
        return once_more.differing

    spec = {
        **_head(name),
        "inputs": _inputs(inputs, request_scope, optional),
        **({"lookups": joined.document()} if joined else {}),
        "features": writer.features,
        "outputs": [{"name": output, "dtype": dtype, "features": [feature.name for feature in features]}],
    }
    cases = golden.document(oracle, read, rows, inputs, request_scope, compared, differing)
    if joined is None:
        return write_version(Path(repository), name, version, spec, cases, binary)
    cases["tables"] = joined.golden_tables()
    with joined.written_tables(Path(repository)):
        return write_version(Path(repository), name, version, spec, cases, binary)


def _base_rows(oracle: golden.Oracle, fitted: Any, read: Sample) -> list[Row]:
    """Rows of the sample that the estimator accepts.

    Rows are evaluated as often as there are hard values: a few of the sample's are enough to walk with.
    """
    step = max(1, len(read.rows) // _ROWS_TO_WALK)
    base = oracle.accepted(read.rows[::step]).rows
    if not base:
        why = golden.first_reason(fitted, read) if read.rows else "it has no rows"
        raise ExportError.of(f"the estimator accepts no row of the sample: {why}")
    return base


def _head(name: str) -> dict[str, Any]:
    """The spec's fields that don't depend on what was fitted."""
    producer = {
        "library": "scikit-learn",
        "version": sklearn.__version__,
        "exporter": f"quiver-features {__version__}",
    }
    return {"format": FORMAT, "name": name, "version": 0, "producer": producer}


def _check_arguments(fitted: Any, name: str, dtype: str, default: float, golden_rows: int | None) -> None:
    check_name(name)
    if dtype not in _OUTPUT_TYPES:
        raise ExportError.of(f"dtype is {dtype!r}, must be one of {', '.join(_OUTPUT_TYPES)}")
    if dtype == "int64" and not float(default).is_integer():
        raise ExportError.of(f"default is {default}; an int64 output needs an integer")
    if golden_rows is not None and golden_rows < 1:
        raise ExportError.of("golden_rows must be at least 1")
    if not hasattr(fitted, "transform"):
        raise ExportError.of(f"{type(fitted).__name__} has no transform")
    try:
        check_is_fitted(fitted)
    except NotFittedError as error:
        raise ExportError.of(f"{type(fitted).__name__} is not fitted; call fit first") from error


def _check_expressions(context: Context) -> None:
    """Rejects expressions for what is no step with a function."""
    unused = [key for key in context.expressions if key not in context.used]
    steps = ", ".join(sorted(context.functions)) or "none"
    problems = [f"{key!r} is no step with a function, and no step's function; these are: {steps}" for key in unused]
    if problems:
        raise ExportError([ExportProblem("expressions", problem) for problem in problems])


def _context(fitted: Any, read: Sample, expressions: Mapping[Any, Formulas] | None) -> Context:
    library = tuple(int(part) for part in sklearn.__version__.split(".")[:2])
    path = () if hasattr(fitted, "steps") or hasattr(fitted, "transformer_list") else (type(fitted).__name__,)
    sources = {source.expression: source for source in read.sources}
    return Context(path, library, sources=sources, expressions=expressions or {})


def _walked(fitted: Any, read: Sample, rows: Sequence[Row], context: Context) -> Sequence[Column]:
    """The columns of the result; or every problem at once."""
    # A KBinsDiscretizer, for one, changes its encoder for the time of a call.
    try:
        return walk(copy.deepcopy(fitted), read.matrix(rows), context).columns
    except Stopped:
        raise ExportError(context.problems) from None


def _exactness(features: Sequence[Served], max_ulp: int | None) -> np.ndarray[Any, np.dtype[np.int8]]:
    """For each column of the result; rejects what no tolerance is safe for."""
    rough = [feature.name for feature in features if feature.expression.exactness == Exactness.ROUGH]
    if rough and max_ulp is None:
        reason = (
            "scikit-learn computes sums or functions such as exp in float32 for these, whose last bits depend on the "
            "machine; cast the data to float64 before fitting, or give max_ulp"
        )
        raise ExportError([ExportProblem(f"column {name!r}", reason) for name in rough])
    exactness = np.zeros(sum(len(one.positions) for one in features), np.int8)
    for one in features:
        exactness[one.positions.start : one.positions.stop] = one.expression.exactness
    return exactness


def _request_scope(scopes: dict[str, str], optional: Collection[str], sources: Sequence[Source]) -> set[str]:
    known = {source.name for source in sources}
    problems = [
        ExportProblem(where, f"there is no column {column!r}; there are: {', '.join(sorted(known))}")
        for where, columns in (("scopes", scopes), ("optional", optional))
        for column in columns
        if column not in known
    ]
    problems += [
        ExportProblem("scopes", f'{column!r} has the scope {scope!r}; "request" and "row" are known')
        for column, scope in scopes.items()
        if scope not in {"request", "row"}
    ]
    if problems:
        raise ExportError(problems)
    return {column for column, scope in scopes.items() if scope == "request"}


def _inputs(sources: Sequence[Source], request_scope: set[str], optional: Collection[str]) -> list[dict[str, Any]]:
    return [
        one
        for source in sources
        for one in source.inputs("request" if source.name in request_scope else "row", source.name not in optional)
    ]

"""Containers of every kind give the columns of the inputs."""

from __future__ import annotations

from collections import namedtuple
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from inputs import columns_sent, described, values_sent
from scipy import sparse

from quiver_features import RequestError
from quiver_features.client.containers import settled
from quiver_features.client.request import Rows, Wanted, write_request
from quiver_features.proto import feature_service_pb2 as pb

ROWS = [("oslo", 1.5, 7), (None, 2.5, 7)]
EXPECTED = {"city": ["oslo", None], "bid": [1.5, 2.5], "user": [7]}
COLUMNS = {"city": ["oslo", None], "bid": [1.5, 2.5], "user": [7, 7], "more": ["a", "b"]}
INPUTS = described(city="string", bid="float64", user="request int64")

Row = namedtuple("Row", ["city", "bid", "user"])


def polars_frame() -> Any:
    return pytest.importorskip("polars").DataFrame(COLUMNS)


FRAMES = {
    "pandas": lambda: pd.DataFrame(COLUMNS),
    "pandas, another index": lambda: pd.DataFrame(COLUMNS, index=[5, 3]),
    "pandas of objects": lambda: pd.DataFrame(COLUMNS).astype(object),
    "pandas of nullable types": lambda: pd.DataFrame(COLUMNS).convert_dtypes(),
    "pandas of Arrow's types": lambda: pd.DataFrame(COLUMNS).convert_dtypes(dtype_backend="pyarrow"),
    "polars": polars_frame,
    "Arrow table": lambda: pa.table(COLUMNS),
    "Arrow table in chunks": lambda: pa.concat_tables([pa.table(COLUMNS).slice(0, 1), pa.table(COLUMNS).slice(1)]),
    "Arrow record batch": lambda: pa.RecordBatch.from_pydict(COLUMNS),
    "Arrow's stream": lambda: Streamed(pa.table(COLUMNS)),
    "structured array": lambda: np.array(ROWS, dtype=[("city", "O"), ("bid", "f8"), ("user", "i8")]),
    "recarray": lambda: np.array(ROWS, dtype=[("city", "O"), ("bid", "f4"), ("user", "i4")]).view(np.recarray),
    "dictionaries": lambda: pd.DataFrame(COLUMNS).to_dict("records"),
    "dictionaries that leave nulls out": lambda: [{"city": "oslo", "bid": 1.5, "user": 7}, {"bid": 2.5, "user": 7}],
    "an array of dictionaries": lambda: np.array(pd.DataFrame(COLUMNS).to_dict("records")),
    "named tuples": lambda: [Row(*row) for row in ROWS],
}


class Streamed:
    """Of a library that is known by Arrow's protocol alone."""

    def __init__(self, table: pa.Table) -> None:
        self._table = table

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self._table.__arrow_c_stream__(requested_schema)


@pytest.mark.parametrize("kind", FRAMES)
def test_frames(kind: str) -> None:
    columns = columns_sent(INPUTS, FRAMES[kind]())
    assert {name: values_sent(column) for name, column in columns.items()} == EXPECTED


@pytest.mark.parametrize("kind", FRAMES)
def test_a_frame_has_a_row_for_each_candidate(kind: str) -> None:
    only_user = described(user="request int64")
    request = pb.GetFeaturesRequest.FromString(write_request(only_user, Wanted("ads"), Rows.of(FRAMES[kind]())))
    assert request.rows == 2
    mapping = pb.GetFeaturesRequest.FromString(write_request(only_user, Wanted("ads"), Rows.of({"user": 7})))
    assert not mapping.HasField("rows")


@pytest.mark.parametrize("kind", FRAMES)
def test_a_request_scope_column_that_differs_is_refused(kind: str) -> None:
    with pytest.raises(RequestError, match="bid: differs between rows; it is of request scope"):
        columns_sent(described(bid="request float64"), FRAMES[kind]())


LISTS = {
    "lists": [[1.0], [100.0]],
    "lists of several lengths": [[1.0], [1.0, 1.0]],
    "a list and none": [[1.0], None],
    "arrays": [np.array([1.0]), np.array([100.0])],
    "one element": [[1.0, 2.0, 3.0], [1.0, 2.5, 3.0]],
    "null elements": [[1.0, None], [1.0, 2.0]],
}


@pytest.mark.parametrize("kind", LISTS)
def test_a_request_scope_list_that_differs_is_refused(kind: str) -> None:
    inputs = described(h="request list<float64>")
    polars = pytest.importorskip("polars")
    frames = [pd.DataFrame({"h": LISTS[kind]}), pa.table({"h": LISTS[kind]}), polars.DataFrame({"h": LISTS[kind]})]
    for frame in [*frames, [{"h": value} for value in LISTS[kind]]]:
        with pytest.raises(RequestError, match="h: differs between rows; it is of request scope"):
            columns_sent(inputs, frame)


@pytest.mark.parametrize("value", [[1.0, 2.0], [], None, [None, 2.0], [float("nan"), 1.0]])
def test_a_request_scope_list_that_repeats_is_sent_once(value: Any) -> None:
    frame = pd.DataFrame({"h": [value, value, value]})
    column = columns_sent(described(h="request list<float64>"), frame)["h"]
    assert repr(values_sent(column)) == repr([value])


def test_request_scope_columns_of_numbers() -> None:
    names = [f"u{at}" for at in range(12)]
    values = {name: [float("nan") if at == 5 else at + 0.5] * 3 for at, name in enumerate(names)}
    frame = pd.DataFrame(values)
    columns = columns_sent(described(dict.fromkeys(names, "request float64")), frame)
    assert {name: repr(values_sent(column)) for name, column in columns.items()} == {
        name: repr(of_name[:1]) for name, of_name in values.items()
    }
    with pytest.raises(RequestError, match=r"^INVALID_ARGUMENT: u7: differs between rows[^\n]*$"):
        columns_sent(described(dict.fromkeys(names, "request float64")), frame.assign(u7=[1.0, 1.0, 2.0]))


NUMBERS = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])

pytestmark = pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")

MATRICES = {
    "array": lambda: NUMBERS,
    "array in columns": lambda: np.asfortranarray(NUMBERS),
    "array of objects": lambda: NUMBERS.astype(object),
    "masked array": lambda: np.ma.masked_array(NUMBERS),
    "matrix": lambda: np.asmatrix(NUMBERS),
    "lists": lambda: NUMBERS.tolist(),
    "tuples": lambda: [tuple(row) for row in NUMBERS.tolist()],
    "arrays": lambda: list(NUMBERS),
    "csr": lambda: sparse.csr_matrix(NUMBERS),
    "csc array": lambda: sparse.csc_array(NUMBERS),
    "coo": lambda: sparse.coo_array(NUMBERS),
    "a frame of an array": lambda: pd.DataFrame(NUMBERS),
    "a frame with these names": lambda: pd.DataFrame(NUMBERS, columns=["x0", "x1", "x2"]),
}


@pytest.mark.parametrize("kind", MATRICES)
def test_matrices_have_columns_by_number(kind: str) -> None:
    columns = columns_sent(described(x2="float64", x0="float32"), MATRICES[kind]())
    assert {name: values_sent(column) for name, column in columns.items()} == {"x2": [3.0, 6.0], "x0": [1.0, 4.0]}


@pytest.mark.parametrize("kind", [kind for kind in MATRICES if "these names" not in kind])
def test_matrices_need_inputs_by_number(kind: str) -> None:
    with pytest.raises(RequestError, match="columns without names, but inputs have names: bid; send a frame"):
        columns_sent(described(x0="float64", bid="float64"), MATRICES[kind]())
    with pytest.raises(RequestError, match="are 3 columns; the inputs are columns up to number 3"):
        columns_sent(described(x0="float64", x3="float64"), MATRICES[kind]())


def test_what_a_sparse_matrix_does_not_hold_is_0() -> None:
    matrix = sparse.csr_matrix(([2.0], ([1], [1])), shape=(2, 2))
    columns = columns_sent(described(x0="float64", x1="float64"), matrix)
    assert {name: values_sent(column) for name, column in columns.items()} == {"x0": [0.0, 0.0], "x1": [0.0, 2.0]}


DOCUMENTS = ["a b", "b c"]


@pytest.mark.parametrize(
    "documents",
    [DOCUMENTS, tuple(DOCUMENTS), np.array(DOCUMENTS), pd.Series(DOCUMENTS), pa.array(DOCUMENTS), iter(DOCUMENTS)],
    ids=lambda one: type(one).__name__,
)
def test_one_column_is_that_of_the_only_input(documents: Any) -> None:
    column = columns_sent(described(x0="string"), settled(documents))
    assert values_sent(column["x0"]) == DOCUMENTS
    with pytest.raises(RequestError, match="one column alone, but there are the inputs x0, x1; send a frame"):
        columns_sent(described(x0="string", x1="string"), list(DOCUMENTS))


def test_dictionaries_are_rows_of_the_only_collection() -> None:
    columns = columns_sent(described(x0_keys="list<string>", x0_values="list<float64>"), [{"a": 1.0}, {"b": 2.0}, {}])
    assert values_sent(columns["x0_keys"]) == [["a"], ["b"], []]
    assert values_sent(columns["x0_values"]) == [[1.0], [2.0], []]


def test_lists_are_rows_of_the_only_list_input() -> None:
    assert values_sent(columns_sent(described(x0="list<string>"), [["a", "b"], []])["x0"]) == [["a", "b"], []]


def test_labels_that_are_no_strings_are_text() -> None:
    frame = pd.DataFrame([[1, 2]], columns=pd.MultiIndex.from_tuples([("ad", "price"), ("ad", 7)]))
    columns = columns_sent(described({"ad|price": "int64", "ad|7": "int64"}), frame)
    assert {name: values_sent(column) for name, column in columns.items()} == {"ad|price": [1], "ad|7": [2]}
    columns = columns_sent(described({"0": "int64", "1": "int64"}), pd.DataFrame([[1, 2]]))
    assert {name: values_sent(column) for name, column in columns.items()} == {"0": [1], "1": [2]}
    assert values_sent(columns_sent(described({"3": "int64"}), {3: [5]})["3"]) == [5]


def test_names_that_are_there_twice_are_refused() -> None:
    twice = pd.DataFrame([[1, 2, 3]], columns=["a", "a", "b"])
    with pytest.raises(RequestError, match=r"^INVALID_ARGUMENT: a: is there twice$"):
        columns_sent(described(a="int64", b="int64"), twice)
    assert values_sent(columns_sent(described(b="int64"), twice)["b"]) == [3]
    with pytest.raises(RequestError, match=r"^INVALID_ARGUMENT: 1: is there twice$"):
        columns_sent(described({"1": "int64"}), pd.DataFrame([[1, 2]], columns=[1, "1"]))


def test_frames_may_have_more_columns_and_mappings_may_not() -> None:
    assert list(columns_sent(described(bid="float64"), pd.DataFrame({"bid": [1.0], "bids": [2.0]}))) == ["bid"]
    with pytest.raises(RequestError, match="columns: have none of the inputs; available: bid"):
        columns_sent(described(bid="float64"), pd.DataFrame({"bids": [2.0]}))
    with pytest.raises(RequestError) as raised:
        columns_sent(described(bid="float64", ask="float64"), {"bid": [1.0], "bids": [2.0], "more": [1.0]})
    assert [str(violation) for violation in raised.value.violations] == [
        "bids: there is no such input; is 'bid' meant?; available: bid, ask",
        "more: there is no such input",
    ]


def test_values_that_can_be_read_once_are_kept() -> None:
    rows = Rows.of({"bid": (value for value in [1.0, 2.0])})
    feature_set = described(bid="float64")
    assert write_request(feature_set, Wanted("ads"), rows) == write_request(feature_set, Wanted("ads"), rows)
    assert list(columns_sent(feature_set, rows.columns)["bid"].doubles.values) == [1.0, 2.0]


class Broken:
    """A frame whose library fails."""

    ndim = 2

    def __array__(self, *_: object) -> np.ndarray:
        raise RuntimeError("no memory")


NO_COLUMNS = [
    (None, "are None; send a mapping"),
    (7, "are 7; send a mapping"),
    ("abc", "are 'abc'; send a mapping"),
    (b"abc", "are b'abc'; send a mapping"),
    (10**5000, "are a int that can't be shown"),
    ([], "one column alone"),
    ([1.0, [2.0]], "one column alone"),
    ([[1.0, 2.0], [3.0]], "rows of several lengths"),
    (np.zeros((2, 2, 2)), "one column alone|columns without names|dimensions"),
    (np.array(7), "are array\\(7\\)"),
    (pd.DataFrame(COLUMNS).iloc[0], "one column alone"),
    (pa.scalar(1), "send a mapping"),
    (Broken(), "can't be read: RuntimeError: no memory"),
    (object(), "send a mapping"),
]


@pytest.mark.parametrize(("columns", "message"), NO_COLUMNS, ids=lambda one: type(one).__name__)
def test_what_has_no_columns_is_refused(columns: Any, message: str) -> None:
    with pytest.raises(RequestError, match=message) as raised:
        columns_sent(described(x0="float64", x1="float64", bid="float64"), columns)
    assert [violation.field for violation in raised.value.violations] == ["columns"]


def test_a_lazy_frame_must_be_collected() -> None:
    with pytest.raises(RequestError, match="LazyFrame; send what collect\\(\\) gives"):
        columns_sent(INPUTS, polars_frame().lazy())


def test_a_frame_without_rows_has_no_request_scope_value() -> None:
    with pytest.raises(RequestError, match="user: is of request scope, and there is no row"):
        columns_sent(INPUTS, pd.DataFrame(COLUMNS).iloc[:0])
    columns = columns_sent(described(bid="float64"), pd.DataFrame(COLUMNS).iloc[:0])
    assert values_sent(columns["bid"]) == []


WRONG = [
    ({"version": -1}, "version: is -1, must be an integer from 0"),
    ({"version": 1.5}, "version: is 1.5"),
    ({"outputs": 7}, "outputs: are 7, must be outputs' names"),
    ({"outputs": [7]}, "outputs: is 7, must be a name"),
    ({"outputs": ["\ud800"]}, "outputs: is '.ud800', must be a name"),
    ({"outputs": {"a": "float"}}, "dtype: is 'float', must be one of"),
    ({"dtype": 1}, "dtype: is 1, must be one of"),
    ({"layout": []}, "layout: is \\[\\], must be one of"),
    ({"status": None}, "status: is None, must be one of"),
    ({"feature_set": 7}, "feature_set: is 7, must be a name"),
]


@pytest.mark.parametrize(("wanted", "message"), WRONG, ids=lambda one: repr(one)[:30])
def test_arguments_that_can_not_be_sent_are_refused(wanted: dict[str, Any], message: str) -> None:
    with pytest.raises(RequestError, match=message):
        write_request(described(x="int64"), Wanted(**{"feature_set": "ads", **wanted}), Rows.of({}))


@pytest.mark.parametrize("rows", [-1, 1.5, "3", 2**32, 10**400])
def test_a_number_of_rows_that_can_not_be_sent_is_refused(rows: Any) -> None:
    with pytest.raises(RequestError, match="rows: is"):
        write_request(described(x="int64"), Wanted("ads"), Rows.of({}, rows))

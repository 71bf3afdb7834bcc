"""Values of every kind become the columns that the proto states."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from inputs import columns_sent, described, sent

from quiver_features import RequestError

FLOATS = [
    ([1.5, None, 2.0], [1.5, 0.0, 2.0], [1]),
    (np.array([1, 2], dtype=np.int32), [1.0, 2.0], []),
    (np.array([1.5, np.inf]), [1.5, np.inf], []),
    (np.ma.masked_array([1.0, 2.0, 3.0], [False, True, False]), [1.0, 0.0, 3.0], [1]),
    (pd.Series([1.5, 2.5], index=[7, 3]), [1.5, 2.5], []),
    (pd.Series([1, None, 3], dtype="Int64"), [1.0, 0.0, 3.0], [1]),
    (pd.Series([None, 2.5], dtype=object), [0.0, 2.5], [0]),
    ((True, False), [1.0, 0.0], []),
    ([], [], []),
    ([None, None], [0.0, 0.0], [0, 1]),
    (np.arange(6.0)[::2], [0.0, 2.0, 4.0], []),
    (pd.Series([1.5, None, 1.5], dtype="category"), [1.5, 0.0, 1.5], [1]),
    (pd.Series([True, None], dtype="boolean"), [1.0, 0.0], [1]),
    (np.array([1.5, 2.5], ">f8"), [1.5, 2.5], []),
]


@pytest.mark.parametrize(("values", "expected", "nulls"), FLOATS)
def test_floats(values: Any, expected: list[float], nulls: list[int]) -> None:
    column = sent("float64", values)
    assert list(column.doubles.values) == expected
    assert list(column.nulls) == nulls
    assert list(sent("float32", values).floats.values) == expected


def test_nan_is_sent_as_it_is() -> None:
    column = sent("float64", [1.0, float("nan")])
    assert np.isnan(column.doubles.values[1])
    assert not column.nulls


def test_large_integers_that_are_floats() -> None:
    exact = [2**53, 2**60, -(2**62)]
    for values in (exact, np.array(exact), pd.Series(exact, dtype="Int64"), [0.5, *exact][1:]):
        assert list(sent("float64", values).doubles.values) == exact
    assert list(sent("request float64", 2**60).doubles.values) == [2**60]


INTEGERS = [
    ([1, None, -3], [1, 0, -3], [1]),
    (np.array([1, 2], dtype=np.uint8), [1, 2], []),
    (np.array([2**62 + 1]), [2**62 + 1], []),
    (pd.Series([1.0, float("nan"), 3.0]), [1, 0, 3], [1]),
    (pd.Series([4, pd.NA], dtype="Int64"), [4, 0], [1]),
    (pd.Series([1234567890123456781, None], dtype="Int64"), [1234567890123456781, 0], [1]),
    (pd.Series([7, None, 7, 8], dtype="category"), [7, 0, 7, 8], [1]),
    ([2.0**53 - 1, -(2.0**53) + 1], [2**53 - 1, -(2**53) + 1], []),
    (np.array([2**24 - 1], np.float32), [2**24 - 1], []),
]


@pytest.mark.parametrize(("values", "expected", "nulls"), INTEGERS)
def test_integers(values: Any, expected: list[int], nulls: list[int]) -> None:
    column = sent("int64", values)
    assert (list(column.int64s.values), list(column.nulls)) == (expected, nulls)


def test_unsigned_integers_and_booleans() -> None:
    assert list(sent("uint64", [2**64 - 1, 0]).uint64s.values) == [2**64 - 1, 0]
    column = sent("bool", [True, None, np.False_])
    assert (list(column.bools.values), list(column.nulls)) == ([True, False, False], [1])


def test_strings_that_repeat_are_a_dictionary() -> None:
    column = sent("string", ["a", "b", "a", None, "a", "b"])
    # A null row has a placeholder.
    assert list(column.dictionary.dictionary) == ["a", "b", ""]
    assert list(column.dictionary.indices) == [0, 1, 0, 2, 0, 1]
    assert list(column.nulls) == [3]
    column = sent("string", pd.Series(["x", "y", "x", "x", "y"], dtype="category"))
    assert list(column.dictionary.dictionary) == ["x", "y"]
    column = sent("string", [None] * 5)
    assert list(column.dictionary.dictionary) == [""]


def test_strings_that_do_not_repeat_are_strings() -> None:
    column = sent("string", np.array(["a", "b", "ü"]))
    assert list(column.strings.values) == ["a", "b", "ü"]
    column = sent("string", pd.Series(["a", None, "c"]))
    assert (list(column.strings.values), list(column.nulls)) == (["a", "", "c"], [1])


def test_lists() -> None:
    column = sent("list<string>", [["a", "b"], [], None, ["c", None]])
    assert list(column.strings.values) == ["a", "b", "c", ""]
    assert list(column.list.offsets) == [0, 2, 2, 2, 4]
    assert (list(column.nulls), list(column.null_elements)) == ([2], [3])
    column = sent("list<float64>", np.arange(6.0).reshape(2, 3))
    assert list(column.list.offsets) == [0, 3, 6]
    column = sent("list<int64>", [{5}, np.array([1, 2])])
    assert list(column.int64s.values) == [5, 1, 2]


def test_a_request_scope_column_takes_one_value() -> None:
    assert list(sent("request int64", 7).int64s.values) == [7]
    assert list(sent("request string", "abc").strings.values) == ["abc"]
    assert list(sent("request float64", None).nulls) == [0]
    assert list(sent("request float64", [2.5]).doubles.values) == [2.5]
    assert list(sent("request list<string>", ["a", "b"]).list.offsets) == [0, 2]
    assert list(sent("request list<string>", [["a", "b"]]).list.offsets) == [0, 2]
    assert list(sent("request list<string>", []).list.offsets) == [0, 0]
    assert list(sent("request list<string>", None).nulls) == [0]
    assert list(sent("request list<string>", [None]).nulls) == [0]
    assert list(sent("request list<float64>", np.array([1.0, 2.0])).doubles.values) == [1.0, 2.0]
    assert list(sent("request int64", np.array(7)).int64s.values) == [7]


def test_a_frame_gives_the_columns_that_are_inputs() -> None:
    feature_set = described(user="request int64", bid="float64")
    frame = pd.DataFrame({"user": [7, 7], "bid": [1.5, 2.5], "more": ["a", "b"]})
    columns = columns_sent(feature_set, frame)
    assert list(columns["user"].int64s.values) == [7]
    assert list(columns["bid"].doubles.values) == [1.5, 2.5]
    with pytest.raises(RequestError, match="user: differs between rows"):
        columns_sent(feature_set, frame.assign(user=[7, 8]))


def test_names_are_kept_as_they_are() -> None:
    frame = pd.DataFrame({"ad.price": [1], "ad_price": [2], 7: [3], ("a", "b|c"): [4]})
    names = {"ad.price": 1, "7": 3, "a|b\\|c": 4}
    columns = columns_sent(described(dict.fromkeys(names, "int64")), frame)
    assert {name: column.int64s.values[0] for name, column in columns.items()} == names


def test_dictionaries_become_keys_and_values() -> None:
    feature_set = described(x_keys="list<string>", x_values="list<float64>")
    sent = columns_sent(feature_set, {"x": [{"city": "oslo", "clicks": 3}, {}, None]})
    keys, values = sent.values()
    assert list(keys.strings.values) == ["city=oslo", "clicks"]
    assert list(values.doubles.values) == [1.0, 3.0]
    assert list(keys.nulls) == list(values.nulls) == [2]


def test_dictionaries_with_integers_as_keys() -> None:
    feature_set = described(x_keys="list<int64>", x_values="list<float64>")
    sent = columns_sent(feature_set, {"x": [{7: 0.5, 8: None}, {}, None, [(2**60, 1)]]})
    assert list(sent["x_keys"].int64s.values) == [7, 8, 2**60]
    assert list(sent["x_values"].doubles.values) == [0.5, 0.0, 1.0]
    assert list(sent["x_values"].null_elements) == [1]
    assert list(sent["x_keys"].nulls) == list(sent["x_values"].nulls) == [2]
    with pytest.raises(RequestError, match="x: row 0 holds 'a' at 0, must hold integers"):
        columns_sent(feature_set, {"x": [{"a": 1.0}]})
    with pytest.raises(RequestError, match="x: row 0 is 7, not a dictionary"):
        columns_sent(feature_set, {"x": [7]})


WRONG = [
    ("int64", [1.5], "holds 1.5 at 0"),
    ("int64", [2**63], "out of range"),
    ("int64", ["1"], "must hold integers"),
    ("uint64", [-1], "out of range"),
    ("bool", ["yes"], "must hold True and False"),
    ("string", [1], "must hold strings"),
    ("string", "abc", "not a column"),
    ("float64", ["a"], "must hold numbers"),
    ("float64", [2**53 + 1], "holds 9007199254740993 at 0, which a float would round"),
    ("float64", [0.5, -(2**53) - 1], "holds -9007199254740993 at 1, which a float would round"),
    ("float32", np.array([1, 2**62 + 1]), "at 1, which a float would round"),
    ("float64", np.array([2**64 - 1], dtype=np.uint64), "holds 18446744073709551615 at 0, which a float would round"),
    ("float64", pd.Series([2**53 + 1, None], dtype="Int64"), "at 0, which a float would round"),
    ("request float64", 2**53 + 1, "which a float would round"),
    ("float64", [10**400], "too large for float64"),
    ("float32", [1e300], "holds 1e.300 at 0, which is too large for float32"),
    ("int64", [2.0**53], "which may have been rounded: .* only below 2.53; send integers, .* nullable Int64 .* Arrow"),
    ("int64", np.array([np.nan, -(2.0**60)]), "at 1, which may have been rounded"),
    ("int64", np.array([2**24], np.float32), "holds 16777216.0 at 0, which may have been rounded: .* below 2.24"),
    ("int64", pd.Series([1234567890123456781, None]), "which may have been rounded"),
    ("uint64", [[1.5]], "holds .1.5. at 0, must hold integers"),
    ("list<int64>", [[1], [2, 2.0**53]], "row 1 holds 9007199254740992.0 at 1, which may have been rounded"),
    ("list<int64>", np.array([[1.0], [2.0**53]]), "row 1 holds 9007199254740992.0 at 0, which may have been rounded"),
    ("string", ["a", "\ud800"], "at 1, half of a surrogate pair"),
    ("string", pd.Series(["a", "\udfff"] * 3, dtype=object), "half of a surrogate pair"),
    ("string", [b"a"], "must hold strings; decode bytes"),
    ("string", np.array([1.5, 2.5]), "must hold strings"),
    ("string", pd.Series([1.0, None], dtype="category"), "must hold strings"),
    ("request int64", {"a": 1}, "must be one value"),
    ("request list<string>", "abc", "row 0 is 'abc', not a list"),
    ("request list<string>", [["a"], ["b"]], "has 2 values; it is of request scope and has one"),
    ("int64", {1, 2}, "is a set, whose values have no order"),
    ("int64", {0: 1}, "not a column of values"),
    ("float64", 1.5, "not a column"),
    ("float64", np.zeros((2, 2)), "a list in each row"),
    ("list<int64>", [1, 2], "row 0 is 1, not a list"),
    ("request int64", [1, 2], "has 2 values"),
]


@pytest.mark.parametrize(("dtype", "values", "message"), WRONG)
def test_what_does_not_fit_is_told(dtype: str, values: Any, message: str) -> None:
    with pytest.raises(RequestError, match=message) as raised:
        sent(dtype, values)
    assert [violation.field for violation in raised.value.violations] == ["x"]


def test_every_column_that_does_not_fit_is_told() -> None:
    with pytest.raises(RequestError) as raised:
        columns_sent(described(a="int64", b="bool"), {"a": ["?"], "b": [2], "c": []})
    assert {violation.field for violation in raised.value.violations} == {"a", "b", "c"}

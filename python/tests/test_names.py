"""Names of inputs: a frame's labels as text, and the two inputs of a column of collections."""

from __future__ import annotations

import pytest

from quiver_features.names import column_name
from quiver_features.pairs import find_pair, pair_names


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("ad.price", "ad.price"),
        (7, "7"),
        (("ad", "price"), "ad|price"),
        (("a|b", "c"), "a\\|b|c"),
        (("a", "b|c"), "a|b\\|c"),
        (("a\\", "b"), "a\\\\|b"),
        (("a", 1), "a|1"),
    ],
)
def test_labels_are_text(label: object, name: str) -> None:
    assert column_name(label) == name


@pytest.mark.parametrize(
    ("others", "names"),
    [
        ([], ("x_keys", "x_values")),
        (["x", "y_keys"], ("x_keys", "x_values")),
        (["x_keys"], ("x_keys_2", "x_values_2")),
        (["x_values"], ("x_keys_2", "x_values_2")),
        (["x_keys_7"], ("x_keys_8", "x_values_8")),
        (["x_keys_b"], ("x_keys", "x_values")),
    ],
)
def test_pairs_have_names_that_no_other_column_has(others: list[str], names: tuple[str, str]) -> None:
    assert pair_names("x", others) == names
    assert find_pair("x", [*others, *names]) == names


def test_two_columns_of_pairs_are_told_apart() -> None:
    inputs = ["x_keys_2", "x_values_2", "x_keys_keys", "x_keys_values"]
    assert find_pair("x", inputs) == ("x_keys_2", "x_values_2")
    assert find_pair("x_keys", inputs) == ("x_keys_keys", "x_keys_values")
    assert find_pair("y", inputs) is None

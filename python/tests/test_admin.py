"""AdminClient: policies as they are sent, and versions that change under a real server."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from server import Addresses, needs_server, started

from quiver_features import AdminClient, Client, RequestError, Traffic, aio, write_table
from quiver_features.client.administration.traffic import whole_weights
from quiver_features.client.errors import Violation

README = Path(__file__).resolve().parents[1] / "README.md"


@pytest.mark.parametrize(
    "weights, expected",
    [
        ({3: 99, 4: 1}, {3: 99, 4: 1}),
        ({3: 0.99, 4: 0.01}, {3: 99, 4: 1}),
        ({3: 1.0, 4: 0}, {3: 1, 4: 0}),
        ({3: 2, 4: 0.5}, {3: 4, 4: 1}),
        ({3: 1 / 3, 4: 2 / 3}, {3: 333_333, 4: 666_667}),
        ({3: 3_000_000, 4: 1_000_000}, {3: 750_000, 4: 250_000}),
    ],
)
def test_weights_are_sent_as_whole_numbers(weights: dict[int, float], expected: dict[int, int]) -> None:
    violations: list[Violation] = []
    assert whole_weights(weights, violations) == expected
    assert violations == []


@pytest.mark.parametrize(
    "traffic, problems",
    [
        (Traffic(), ["traffic: must be one of latest=True"]),
        (Traffic(latest=True, pinned=3), ["traffic: must be one of latest=True"]),
        (Traffic(weights={3: 1}), ["routing_key: is missing"]),
        (Traffic(weights={3: -1, 4: float("nan")}, routing_key="user"), ["version 3 has -1", "version 4 has nan"]),
        (Traffic(weights={3: 1, 4: 1e-9}, routing_key="user"), ["version 4 has less than a millionth"]),
        (Traffic(weights={3: 1}, routing_key="user", seed=-1), ["seed: is -1, must be an integer from 0"]),
        (Traffic(pinned=1, shadow={2: 0.5, 3: 0.5}), ["shadow: has 2 versions, must have one"]),
        (Traffic(pinned=-1), ["pinned: is -1, must be an integer"]),
        (Traffic(pinned=1, shadow={2: "all"}), ["shadow: has the share 'all', must be a number"]),  # type: ignore[dict-item]
    ],
    ids=str,
)
def test_policies_that_cannot_be_sent(traffic: Traffic, problems: list[str]) -> None:
    with pytest.raises(RequestError) as raised:
        traffic.message()
    assert len(raised.value.violations) == len(problems)
    for problem in problems:
        assert problem in str(raised.value)


@pytest.mark.parametrize(
    "traffic",
    [
        Traffic(latest=True, keep=3),
        Traffic(pinned=7, shadow={8: 0.5}),
        Traffic(weights={7: 99, 8: 1}, routing_key="user", seed=2**64 - 1),
    ],
    ids=str,
)
def test_a_policy_is_read_as_it_was_written(traffic: Traffic) -> None:
    assert Traffic.of_message(traffic.message()) == traffic


def test_a_call_is_about_one_thing() -> None:
    with AdminClient("127.0.0.1:1") as admin:
        for names in ({}, {"feature_set": "ads", "table": "ads"}):
            with pytest.raises(RequestError, match="must be a feature set's name, or table= a table's"):
                admin.rollback(**names)


def add_version(repository: Path, version: int, **changes: Any) -> None:
    """A version whose answers say which one they are of, and which version of the table they are made with."""
    steps = [{"op": "expr", "names": ["ad"], "expression": f"ad * 0 + {version}", "zero_division": "null"}]
    spec = {
        "format": "quiver.spec/1",
        "name": "ads",
        "version": version,
        "inputs": [
            {"name": "user", "dtype": "int64", "scope": "request", "required": True},
            {"name": "ad", "dtype": "int64", "scope": "row", "required": True},
        ],
        "lookups": [{"name": "price", "table": "prices", "key": "ad"}],
        "features": [
            {"name": "version", "inputs": ["ad"], "default": -1, "steps": steps},
            {"name": "price", "input": "price.value", "default": -1},
        ],
        "outputs": [{"name": "dense", "dtype": "float32", "features": ["version", "price"]}],
        **changes,
    }
    aside = repository / f"aside-{version}"
    aside.mkdir(parents=True)
    (aside / "spec.json").write_text(json.dumps(spec))
    target = repository / "feature_sets" / "ads" / str(version)
    target.parent.mkdir(parents=True, exist_ok=True)
    aside.rename(target)


def add_table(repository: Path, value: float) -> None:
    write_table(repository, "prices", {"ad": [1, 2], "value": [value, value]}, key="ad")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    add_table(tmp_path, 0.5)
    add_version(tmp_path, 1)
    return tmp_path


@pytest.fixture
def addresses(repository: Path) -> Iterator[Addresses]:
    with started(repository, "--watch", "off") as addresses:
        yield addresses


def answers(client: Client, users: range = range(1)) -> list[tuple[int, float]]:
    """Which version of the feature set, and which price, users get."""
    found = []
    for user in users:
        answer = client.get_features("ads", {"user": user, "ad": [1]})
        assert answer["dense"][0, 0] == answer.version
        found.append((answer.version, float(answer["dense"][0, 1])))
    return found


@needs_server
def test_versions_change_under_a_running_server(repository: Path, addresses: Addresses) -> None:
    with AdminClient(addresses.admin) as admin, Client(addresses.serving) as client:
        assert admin.reload().changes == ()
        assert answers(client) == [(1, 0.5)]
        add_version(repository, 2)
        add_table(repository, 1.5)
        changed = {(one.kind, one.name, one.version, one.change) for one in admin.reload().changes}
        assert {("feature_set", "ads", 2, "loaded"), ("table", "prices", 2, "loaded")} <= changed
        assert answers(client) == [(2, 1.5)]
        versions = admin.versions()
        ads, prices = versions.feature_sets["ads"], versions.tables["prices"]
        assert ads.traffic == Traffic(latest=True) and ads.default_version == 2
        assert ads.versions[2].state == "serving" and ads.versions[2].share == 1.0
        assert ads.versions[2].tables == {"prices": 2} and ads.versions[2].loaded_at is not None
        assert prices.versions[2].rows == 2 and ("ads", 2) in prices.versions[2].read_by
        frame = versions.to_frame()
        serving = frame[frame["is_default"]]
        assert serving[["kind", "name", "version"]].values.tolist() == [
            ["feature_set", "ads", 2],
            ["table", "prices", 2],
        ]


@needs_server
def test_traffic_is_pinned_split_and_rolled_back(repository: Path, addresses: Addresses) -> None:
    add_version(repository, 2)
    with AdminClient(addresses.admin) as admin, Client(addresses.serving) as client:
        admin.reload()
        assert admin.set_traffic("ads", pinned=1).default_version == 1
        assert answers(client) == [(1, 0.5)]
        done = admin.set_traffic("ads", weights={1: 0.5, 2: 0.5}, routing_key="user", shadow={2: 1.0})
        assert done.traffic == Traffic(weights={1: 1, 2: 1}, routing_key="user", shadow={2: 1.0})
        assert done.not_persisted is None and (repository / "feature_sets" / "ads" / "policy.json").exists()
        assert {version for version, _ in answers(client, range(100))} == {1, 2}
        state = admin.versions().feature_sets["ads"]
        assert state.versions[2].share == 0.5 and state.shadow is not None and state.shadow.version == 2
        admin.set_traffic("ads", latest=True)
        back = admin.rollback("ads")
        assert (back.version, back.rolled_back_version) == (1, 2)
        assert answers(client) == [(1, 0.5)]
        assert admin.versions().feature_sets["ads"].traffic.pinned == 1


@needs_server
def test_the_readme_does_what_it_says(repository: Path, addresses: Addresses) -> None:
    block = re.search(r"## Versions and traffic.*?```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    assert block is not None
    add_version(repository, 2)
    names: dict[str, Any] = {}
    exec(
        block[1].replace("127.0.0.1:9464", addresses.admin).replace("ads_ctr", "ads").replace("user_id", "user"), names
    )
    versions = names["versions"]
    assert versions[versions["is_default"] & (versions["kind"] == "feature_set")]["version"].tolist() == [1]


@needs_server
def test_what_fails_says_why(repository: Path, addresses: Addresses) -> None:
    with AdminClient(addresses.admin) as admin:
        add_version(repository, 2, outputs=[])
        (change,) = admin.reload().changes
        assert (change.change, change.version) == ("failed", 2) and "outputs" in change.problems[0]
        assert admin.versions().feature_sets["ads"].versions[2].state == "failed"
        for call, code in [
            (lambda: admin.set_traffic("ads", pinned=9), grpc.StatusCode.INVALID_ARGUMENT),
            (lambda: admin.set_traffic("none", pinned=1), grpc.StatusCode.NOT_FOUND),
            (lambda: admin.rollback(table="prices"), grpc.StatusCode.FAILED_PRECONDITION),
        ]:
            with pytest.raises(RequestError) as raised:
                call()
            assert raised.value.code == code


@needs_server
def test_the_asynchronous_client_does_the_same(repository: Path, addresses: Addresses) -> None:
    async def change() -> None:
        async with aio.AdminClient(addresses.admin) as admin:
            add_version(repository, 2)
            assert [one.version for one in (await admin.reload()).changes] == [2]
            assert (await admin.set_traffic("ads", pinned=1)).default_version == 1
            assert (await admin.rollback("ads")).version == 2
            assert (await admin.versions()).feature_sets["ads"].default_version == 2

    asyncio.run(change())

"""Both clients against real servers, while a new version with another input takes the place of the old one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from itertools import repeat
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pandas as pd
import pytest
from front import Front, fronting
from server import needs_server, serving
from sklearn.impute import SimpleImputer

from quiver_features import Client, Features, RequestError, aio, export

pytestmark = needs_server

FRAME = pd.DataFrame({"bid": [1.0, 2.0, 3.0], "age": [10.0, 20.0, 60.0]})
BOTH = FRAME.to_numpy()


def exported(folder: Path, columns: list[str]) -> Path:
    """A repository whose ads are these columns as they are, or their means."""
    sample = FRAME[columns]
    version = 1 if columns == ["bid"] else 2
    export(SimpleImputer().fit(sample), folder, "ads", sample=sample, optional=["age"][: version - 1], version=version)
    return folder


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    old = exported(tmp_path_factory.mktemp("old"), ["bid"])
    new = exported(exported(tmp_path_factory.mktemp("new"), ["bid"]), ["bid", "age"])
    with serving(old) as before, serving(new) as after:
        yield before, after


@pytest.fixture
def front(servers: tuple[str, str]) -> Iterator[Front]:
    with fronting(servers[0]) as front:
        yield front


def test_a_new_input_is_not_passed_over(front: Front, servers: tuple[str, str]) -> None:
    with Client(front.address) as client:
        assert client.get_features("ads", FRAME)["features"].shape == (3, 1)
        front.backend = servers[1]
        answer = client.get_features("ads", FRAME)
        np.testing.assert_array_equal(answer["features"], BOTH)
        assert answer.tensor("features").columns == ("bid", "age")
        front.calls.clear()
        client.get_features("ads", FRAME)
        assert front.calls == ["GetFeatures"]
        assert client.get_features("ads", FRAME, version=1)["features"].shape == (3, 1)


def test_a_new_input_is_not_passed_over_in_a_stream(front: Front, servers: tuple[str, str]) -> None:
    def requests() -> Iterator[pd.DataFrame]:
        for number in range(6):
            if number == 3:
                front.backend = servers[1]
            yield FRAME + number

    with Client(front.address) as client:
        client.describe("ads")
        answers = list(client.stream("ads", requests()))
    # How many answers the old server gave depends on how far ahead requests are taken.
    widths = [answer["features"].shape[1] for answer in answers]
    assert widths == sorted(widths) and widths[3:] == [2, 2, 2]
    for number, answer in enumerate(answers):
        np.testing.assert_array_equal(answer["features"], BOTH[:, : widths[number]] + number)


def test_a_stream_starts_with_what_is_served(front: Front, servers: tuple[str, str]) -> None:
    with Client(front.address) as client:
        client.get_features("ads", FRAME)
        front.backend = servers[1]
        answers = list(client.stream("ads", [{"bid": [1.0], "age": [2.0]}] * 2))
    assert [answer["features"].tolist() for answer in answers] == [[[1.0, 2.0]]] * 2


def test_the_asynchronous_client_gives_the_same(front: Front, servers: tuple[str, str]) -> None:
    async def calls() -> list[Features]:
        async with aio.Client(front.address) as client:
            listed = await client.list_feature_sets()
            assert [one.name for one in listed] == ["ads"]
            before = await client.get_features("ads", FRAME)
            front.backend = servers[1]
            after = await client.get_features("ads", FRAME)
            at_once = await asyncio.gather(*(client.get_features("ads", FRAME, dtype="float64") for _ in range(8)))
            assert (await client.describe("ads")).version == 2
            return [before, after, *at_once]

    before, after, *at_once = asyncio.run(calls())
    np.testing.assert_array_equal(before["features"], BOTH[:, :1])
    assert after.tensor("features").columns == ("bid", "age")
    for answer in [after, *at_once]:
        np.testing.assert_array_equal(answer["features"], BOTH)


@pytest.mark.parametrize("asynchronous", [False, True])
def test_the_asynchronous_client_streams(front: Front, servers: tuple[str, str], asynchronous: bool) -> None:
    frames = [FRAME + number for number in range(6)]

    async def requests() -> AsyncIterator[pd.DataFrame]:
        for number, frame in enumerate(frames):
            if number == 3:
                front.backend = servers[1]
            yield frame

    async def calls() -> list[Features]:
        async with aio.Client(front.address) as client:
            await client.describe("ads")
            return [answer async for answer in client.stream("ads", requests() if asynchronous else frames)]

    answers = asyncio.run(calls())
    for number, answer in enumerate(answers):
        values = answer["features"]
        np.testing.assert_array_equal(values, BOTH[:, : values.shape[1]] + number)
    assert {answer["features"].shape[1] for answer in answers[3:]} == ({2} if asynchronous else {1})


def test_the_asynchronous_client_reports_problems(front: Front) -> None:
    async def failing(columns: Any, stream: bool) -> list[Features]:
        async with aio.Client(front.address, timeout=10) as client:
            if stream:
                return [answer async for answer in client.stream("ads", [FRAME, columns])]
            return [await client.get_features("ads", columns)]

    for stream in (False, True):
        with pytest.raises(RequestError, match="bid: holds 'a' at 0, must hold numbers"):
            asyncio.run(failing({"bid": ["a"]}, stream))
        with pytest.raises(RequestError, match="required and missing") as raised:
            asyncio.run(failing({}, stream))
        assert raised.value.code == grpc.StatusCode.INVALID_ARGUMENT

    async def nowhere() -> None:
        async with aio.Client("127.0.0.1:1", timeout=2) as client:
            await client.list_feature_sets()

    with pytest.raises(RequestError) as raised:
        asyncio.run(nowhere())
    assert raised.value.code in {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED}


def test_polars_and_arrow_are_served_as_they_are(front: Front) -> None:
    polars = pytest.importorskip("polars")
    frame = polars.DataFrame({"bid": [1.0, None, 3.0], "other": ["a", "b", "c"]})
    with Client(front.address) as client:
        for columns in (frame, frame.to_arrow(), frame.to_pandas(), frame.to_dicts(), {"bid": frame["bid"]}):
            assert client.get_features("ads", columns)["features"].tolist() == [[1.0], [2.0], [3.0]]


def test_a_stream_may_be_left(front: Front) -> None:
    endless = repeat(FRAME)
    with Client(front.address) as client:
        for answer in client.stream("ads", endless):
            assert answer.rows == 3
            break
        assert client.get_features("ads", FRAME).rows == 3

    async def calls() -> None:
        async with aio.Client(front.address) as client:
            stream = client.stream("ads", endless)
            assert (await anext(stream)).rows == 3
            await stream.aclose()  # type: ignore[attr-defined]
            assert (await client.get_features("ads", FRAME)).rows == 3

    asyncio.run(asyncio.wait_for(calls(), 30))

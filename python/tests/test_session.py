"""The steps of a call: what is asked again when a feature set changes, without a server."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import grpc
import pandas as pd
import pytest
from google.rpc import status_pb2

from quiver_features import Features, RequestError
from quiver_features.client.exchange import Call, Exchange, Steps
from quiver_features.client.request import Rows, Wanted
from quiver_features.client.session import Session
from quiver_features.proto import feature_service_pb2 as pb

FRAME = pd.DataFrame({"bid": [1.0, 2.0], "age": [3.0, 4.0], "more": ["a", "b"]})


class Refused(grpc.RpcError):
    """What gRPC raises for a request that is rejected."""

    def __init__(self, code: grpc.StatusCode) -> None:
        self._code = code

    def code(self) -> grpc.StatusCode:
        return self._code

    def details(self) -> str:
        return "refused"

    def trailing_metadata(self) -> tuple[tuple[str, bytes], ...]:
        return (("grpc-status-details-bin", status_pb2.Status().SerializeToString()),)


class Served:
    """A server of versions, each with its inputs; all other columns of a request are rejected.

    Attributes:
        versions: The inputs of each version.
        default: The version that answers requests for 0.
        calls: The calls that were made.
    """

    def __init__(self, versions: dict[int, dict[str, bool]], default: int = 1) -> None:
        self.versions = versions
        self.default = default
        self.calls: list[str] = []
        self.before_answer: Callable[[], None] = lambda: None

    def answer(self, call: Call) -> bytes:
        if call.method == "GetFeatureSet":
            return self._describe(pb.GetFeatureSetRequest.FromString(call.message)).SerializeToString()
        assert call.method == "GetFeatures"
        return self._features(pb.GetFeaturesRequest.FromString(call.message)).SerializeToString()

    def _describe(self, request: pb.GetFeatureSetRequest) -> pb.GetFeatureSetResponse:
        version = self._version(request.version)
        self.calls.append(f"describe {request.version}")
        inputs = [
            pb.InputDescription(name=name, dtype=pb.INPUT_TYPE_FLOAT64, scope=pb.SCOPE_ROW, required=required)
            for name, required in self.versions[version].items()
        ]
        output = pb.OutputDescription(name="dense", dtype=pb.DATA_TYPE_FLOAT32, width=version)
        return pb.GetFeatureSetResponse(
            feature_set="ads", version=version, fingerprint=self._fingerprint(version), inputs=inputs, outputs=[output]
        )

    def _features(self, request: pb.GetFeaturesRequest) -> pb.GetFeaturesResponse:
        self.before_answer()
        version = self._version(request.version)
        sent = {column.name for column in request.columns}
        self.calls.append(f"features {request.version} of {', '.join(sorted(sent))}")
        required = {name for name, required in self.versions[version].items() if required}
        if not required <= sent <= self.versions[version].keys():
            raise Refused(grpc.StatusCode.INVALID_ARGUMENT)
        return pb.GetFeaturesResponse(version=version, fingerprint=self._fingerprint(version), rows=2)

    def _version(self, asked: int) -> int:
        version = asked or self.default
        if version not in self.versions:
            raise Refused(grpc.StatusCode.NOT_FOUND)
        return version

    def _fingerprint(self, version: int) -> str:
        return f"{version} {self.versions[version]}"

    def run(self, steps: Steps[Any]) -> Any:
        exchange = Exchange(steps, None)
        while exchange.call is not None:
            try:
                answer = self.answer(exchange.call)
            except grpc.RpcError as error:
                exchange.failed(error)
            else:
                exchange.answered(answer)
        return exchange.result

    def ask(self, session: Session, columns: Any = FRAME, version: int = 0) -> Features:
        self.calls.clear()
        return self.run(session.get_features(Wanted("ads", version), Rows.of(columns)))


ONE, TWO = {"bid": True}, {"bid": True, "age": False}


def test_a_feature_set_is_described_once() -> None:
    served, session = Served({1: ONE}), Session()
    served.ask(session)
    assert served.calls == ["describe 0", "features 0 of bid"]
    served.ask(session)
    assert served.calls == ["features 0 of bid"]


def test_a_column_that_a_new_version_takes_is_not_passed_over() -> None:
    served, session = Served({1: ONE, 2: TWO}), Session()
    served.ask(session)
    served.default = 2
    answer = served.ask(session)
    assert served.calls == ["features 0 of bid", "describe 2", "features 2 of age, bid"]
    assert (answer.version, answer.tensors) == (2, ())
    served.ask(session)
    assert served.calls == ["features 0 of age, bid"]


def test_a_new_version_that_takes_the_same_is_not_asked_again() -> None:
    served, session = Served({1: ONE, 2: TWO}), Session()
    columns = {"bid": [1.0, 2.0]}
    served.ask(session, columns)
    served.default = 2
    assert served.ask(session, columns).version == 2
    assert served.calls == ["features 0 of bid", "describe 2"]
    served.ask(session, FRAME)
    assert served.calls == ["features 0 of age, bid"]


def test_an_earlier_version_that_comes_back_is_known() -> None:
    served, session = Served({1: ONE, 2: ONE}), Session()
    for default in (1, 2, 1, 2):
        served.default = default
        assert served.ask(session).version == default
    assert served.calls == ["features 0 of bid"]


def test_a_version_that_is_replaced_in_its_place_is_described_again() -> None:
    served, session = Served({1: ONE}), Session()
    served.ask(session, version=1)
    served.versions[1] = TWO
    assert served.ask(session, version=1).version == 1
    assert served.calls == ["features 1 of bid", "describe 1", "features 1 of age, bid"]


def test_a_request_that_a_new_version_refuses_is_written_again() -> None:
    served, session = Served({1: TWO, 2: ONE}), Session()
    served.ask(session)
    served.default = 2
    assert served.ask(session).version == 2
    assert served.calls == ["features 0 of age, bid", "describe 0", "features 0 of bid"]


def test_a_mapping_is_written_for_the_version_that_knows_its_names() -> None:
    served, session = Served({1: ONE, 2: TWO}), Session()
    served.ask(session, {"bid": [1.0]})
    served.default = 2
    assert served.ask(session, {"bid": [1.0], "age": [2.0]}).version == 2
    assert served.calls == ["describe 0", "features 0 of age, bid"]


def test_values_that_can_be_read_once_are_sent_again() -> None:
    served, session = Served({1: TWO, 2: ONE}), Session()
    columns = {"bid": [1.0], "age": [1.0]}
    served.ask(session, columns)
    served.default = 2
    served.versions[2] = {"bid": True, "age": False, "city": False}
    answer = served.ask(session, {name: iter(values) for name, values in columns.items()})
    assert answer.version == 2
    assert served.calls == ["features 0 of age, bid", "describe 2"]


def test_a_refusal_of_what_is_served_is_reported() -> None:
    served, session = Served({1: ONE}), Session()
    with pytest.raises(RequestError, match="refused"):
        served.ask(session, {})
    assert served.calls == ["describe 0", "features 0 of "]
    with pytest.raises(RequestError, match="refused"):
        served.ask(session, {})
    assert served.calls == ["features 0 of ", "describe 0"]
    with pytest.raises(RequestError, match="age: there is no such input"):
        served.ask(session, {"age": [1.0]})


def test_a_version_that_is_gone_when_it_is_described() -> None:
    served, session = Served({1: ONE, 2: TWO, 3: TWO}), Session()
    served.ask(session)
    served.default = 2
    answers = served.answer

    def gone_after_the_answer(call: Call) -> bytes:
        raw = answers(call)
        if call.method == "GetFeatures" and served.versions.pop(2, None) is not None:
            served.default = 3
        return raw

    served.answer = gone_after_the_answer  # type: ignore[method-assign]
    assert served.ask(session).version == 3
    assert served.calls == ["features 0 of bid", "describe 0", "features 3 of age, bid"]


def test_a_feature_set_that_changes_with_each_answer_is_given_up() -> None:
    served, session = Served({1: ONE}), Session()
    frame = FRAME.assign(**{f"more {at}": 0.0 for at in range(9)})
    served.ask(session, frame)
    names = iter(frame.columns[3:])

    def change() -> None:
        served.versions[1] = {**served.versions[1], next(names): False}

    served.before_answer = change
    with pytest.raises(RequestError, match="'ads' changed with each of several answers") as raised:
        served.ask(session, frame)
    assert raised.value.code == grpc.StatusCode.ABORTED


def test_an_answer_of_something_else_is_reported() -> None:
    served, session = Served({1: ONE}), Session()
    served.ask(session)

    def features() -> Steps[Features]:
        return session.get_features(Wanted("ads"), Rows.of(FRAME))

    without_shape = pb.GetFeaturesResponse(outputs=[pb.Tensor()]).SerializeToString()
    for garbage, steps in [
        (b"\xff", session.list_feature_sets()),
        (b"\xff", session.describe("ads", 0)),
        (b"\xff", features()),
        (b"<html>", features()),
        (without_shape, features()),
    ]:
        served.answer = lambda call, garbage=garbage: garbage  # type: ignore[method-assign,misc]
        with pytest.raises(RequestError, match="the answer can't be read by this client") as raised:
            served.run(steps)
        assert raised.value.code == grpc.StatusCode.INTERNAL


def test_calls_share_the_time_that_is_given() -> None:
    exchange = Exchange(Session().describe("ads", 0), 10.0)
    left = exchange.timeout
    assert left is not None and 0.0 < left <= 10.0
    assert Exchange(Session().describe("ads", 0), None).timeout is None
    assert Exchange(Session().describe("ads", 0), -1.0).timeout == 0.0

"""What a client of features asks and what it makes of the answers, without any input or output."""

from __future__ import annotations

from dataclasses import dataclass

import grpc

from ..proto import feature_service_pb2 as pb
from .answers import Features, read_answer
from .descriptions import FeatureSet, FeatureSetVersions, feature_set, feature_set_versions
from .errors import RequestError
from .exchange import Call, Steps, parsed
from .request import Rows, Wanted, text, whole_number, write_request

SERVICE = "/quiver.v1.FeatureService/"
METHODS = ("GetFeatures", "ListFeatureSets", "GetFeatureSet")

_REFUSED = {grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.NOT_FOUND}
"""Codes of a request that may have been written for what is no longer served."""

_MOST_ROUNDS = 3
"""How often a request is asked again because the feature set has changed."""


@dataclass(frozen=True)
class Sent:
    """A request as it was written.

    Attributes:
        description: What it was written with.
        wanted: What is asked.
        rows: What it is about.
        message: Its bytes.
        is_fresh: Whether the description was fetched for this request.
    """

    description: FeatureSet
    wanted: Wanted
    rows: Rows
    message: bytes
    is_fresh: bool


class Session:
    """The descriptions that a client has seen, and the steps of its calls. May be used by several threads."""

    def __init__(self) -> None:
        self._by_version: dict[tuple[str, int], FeatureSet] = {}
        self._by_fingerprint: dict[tuple[str, str], FeatureSet] = {}

    def list_feature_sets(self) -> Steps[list[FeatureSetVersions]]:
        """Every feature set with its served versions."""
        raw = yield Call("ListFeatureSets", pb.ListFeatureSetsRequest().SerializeToString())
        answer = parsed(raw, pb.ListFeatureSetsResponse.FromString)
        return [feature_set_versions(one) for one in answer.feature_sets]

    def describe(self, name: str, version: int) -> Steps[FeatureSet]:
        """One version as it is now, which is kept."""
        key = (text("feature_set", name), whole_number("version", version))
        message = pb.GetFeatureSetRequest(feature_set=name, version=version)
        raw = yield Call("GetFeatureSet", message.SerializeToString())
        found = parsed(raw, lambda raw: feature_set(pb.GetFeatureSetResponse.FromString(raw)))
        self._keep(key, found)
        return found

    def get_features(self, wanted: Wanted, rows: Rows) -> Steps[Features]:
        """Asks for features, again where the feature set turns out to have changed."""
        sent = yield from self.write(wanted, rows)
        try:
            raw = yield Call("GetFeatures", sent.message)
        except RequestError as error:
            sent = yield from self._written_again(sent, error)
            raw = yield Call("GetFeatures", sent.message)
        return (yield from self.settle(sent, raw))

    def write(self, wanted: Wanted, rows: Rows) -> Steps[Sent]:
        """Writes a request with the description that is known; where it can't be, with the one of now."""
        known = self._by_version.get((wanted.feature_set, wanted.version))
        if known is None:
            now = yield from self.describe(wanted.feature_set, wanted.version)
            return _sent(now, wanted, rows)
        try:
            return Sent(known, wanted, rows, write_request(known, wanted, rows), is_fresh=False)
        except RequestError as error:
            now = yield from self.describe(wanted.feature_set, wanted.version)
            if now.fingerprint == known.fingerprint:
                raise error from None
            return _sent(now, wanted, rows)

    def settle(self, sent: Sent, raw: bytes) -> Steps[Features]:
        """Accepts the answer to a request, if it was written as the version that answered would have it.

        Another version may have inputs that the request's columns were passed over for: it is asked again then.
        """
        for _ in range(_MOST_ROUNDS):
            answer = self._read(sent, raw)
            if answer.fingerprint == sent.description.fingerprint:
                return answer
            now = yield from self._answering(sent, answer)
            if now.fingerprint == answer.fingerprint and write_request(now, sent.wanted, sent.rows) == sent.message:
                return answer
            sent = _sent(now, sent.wanted.of_version(now.version), sent.rows)
            raw = yield Call("GetFeatures", sent.message)
        raise RequestError(
            grpc.StatusCode.ABORTED, f"feature set {sent.wanted.feature_set!r} changed with each of several answers"
        )

    def _answering(self, sent: Sent, answer: Features) -> Steps[FeatureSet]:
        """The version that answered, or else the one served now; later requests are written for it."""
        name = sent.wanted.feature_set
        now = self._by_fingerprint.get((name, answer.fingerprint))
        if now is None:
            try:
                now = yield from self.describe(name, answer.version)
            except RequestError as error:
                if error.code != grpc.StatusCode.NOT_FOUND:
                    raise
                now = yield from self.describe(name, sent.wanted.version)
        self._keep((name, sent.wanted.version), now)
        return now

    def _written_again(self, sent: Sent, error: RequestError) -> Steps[Sent]:
        """A rejected request, where the feature set has changed since it was described."""
        if sent.is_fresh or error.code not in _REFUSED:
            raise error
        now = yield from self.describe(sent.wanted.feature_set, sent.wanted.version)
        if now.fingerprint == sent.description.fingerprint:
            raise error
        return _sent(now, sent.wanted, sent.rows)

    def _keep(self, key: tuple[str, int], description: FeatureSet) -> None:
        self._by_version[key] = description
        self._by_fingerprint[key[0], description.fingerprint] = description

    def _read(self, sent: Sent, raw: bytes) -> Features:
        name = sent.wanted.feature_set
        known = self._by_fingerprint
        return parsed(raw, lambda raw: read_answer(raw, name, lambda head: known[name, head.fingerprint]))


def _sent(description: FeatureSet, wanted: Wanted, rows: Rows) -> Sent:
    return Sent(description, wanted, rows, write_request(description, wanted, rows), is_fresh=True)

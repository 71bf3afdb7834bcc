"""docs/guide.md does what it says: its Python runs as it stands there, its commands against the built binary."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from server import BINARY, needs_server, serving
from sklearn.compose import make_column_transformer
from sklearn.impute import KNNImputer

from quiver_features import Client, ExportError, Lookup, RequestError, TableError, export, write_table

ROOT = Path(__file__).resolve().parents[2]
GUIDE = (ROOT / "docs" / "guide.md").read_text()
MOST_LINES = 40


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", GUIDE, re.DOTALL)


@pytest.fixture
def at_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


@pytest.fixture
def fitted(at_root: None) -> dict[str, Any]:
    """The names that the guide's first block binds."""
    names: dict[str, Any] = {}
    exec(blocks("python")[0], names)
    return names


def lookups() -> list[Lookup]:
    advertisers = Lookup("advertisers", key="ads.advertiser_id")
    return [Lookup("users", key="user_id", scope="request"), Lookup("ads", key="ad_id"), advertisers]


@needs_server
def test_every_block_and_command_of_the_guide_runs(
    tmp_path: Path, fitted: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    def here(text: str) -> str:
        return text.replace("target/release/quiver", BINARY).replace("target/guide", str(tmp_path))

    _, to_export, to_ask, to_prove = blocks("python")
    exec(here(to_export), fitted)
    commands = [command for block in blocks("sh") for command in block.splitlines()]
    with serving(tmp_path) as address:
        for command in map(here, commands):
            if command.startswith(BINARY) and " serve " not in command:
                words = shlex.split(command)
                server = ["--server", address] if words[1] == "get" else []
                subprocess.run([*words, *server], check=True, capture_output=True, timeout=60)
        exec(to_ask.replace("127.0.0.1:50051", address), fitted)
        assert fitted["answer"]["features"].shape == (3, 25)
        exec(to_prove, fitted)
        assert capsys.readouterr().out.strip() == "0 of 800 rows differ"
        fitted["client"].close()


def test_the_guide_is_short() -> None:
    lines = [line for block in blocks("python") for line in block.splitlines() if line.strip()]
    to_served = [line for block in blocks("python")[:2] for line in block.splitlines() if line.strip()]
    assert len(to_served) <= MOST_LINES
    assert len(lines) <= MOST_LINES + 20


@needs_server
def test_mistakes_on_the_way_are_answered_as_the_guide_shows(tmp_path: Path, fitted: dict[str, Any]) -> None:
    joined, pipeline = fitted["joined"], fitted["pipeline"]
    tables = {name: fitted[name] for name in ("users", "ads", "advertisers")}

    def refused(kind: type[Exception], call: Any) -> str:
        with pytest.raises(kind) as error:
            call()
        return str(error.value)

    def exported(repository: str, **changes: Any) -> Any:
        options = {"sample": joined, "lookups": lookups(), "tables": tables, **changes}
        return export(pipeline, tmp_path / repository, "clicks", **options)

    texts = {**tables, "users": tables["users"].astype({"user_id": str})}
    ages = [Lookup("users", key="user_id", scope="request", columns=["ages"]), *lookups()[1:]]
    nearest = make_column_transformer((KNNImputer(), ["bid"])).fit(joined)
    rounded = joined.assign(user_id=joined["user_id"] + 2.0**53)
    twice = pd.concat([tables["ads"], tables["ads"]])
    messages = [
        refused(ExportError, lambda: exported("texts", tables=texts)),
        refused(ExportError, lambda: exported("ages", lookups=ages)),
        refused(ExportError, lambda: export(nearest, tmp_path / "nearest", "nearest", sample=joined)),
        refused(ExportError, lambda: exported("rounded", sample=rounded)),
        refused(TableError, lambda: write_table(tmp_path, "ads", twice, key="ad_id")),
    ]
    exported("good")
    with serving(tmp_path / "good") as address, Client(address) as client:
        request = {"user_id": 10007, "ad_id": ["ad-001"], "bid": [0.4]}
        messages.append(refused(RequestError, lambda: client.get_features("clicks", request)))
    shown = re.findall(r"^\| .* \| `(.*)` \|$", GUIDE, re.MULTILINE)
    assert len(shown) == len(messages)
    for parts, message in zip(shown, messages, strict=True):
        for part in parts.split("..."):
            assert part.strip() in message

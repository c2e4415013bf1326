"""The ModelScope reader, with a small stand-in for the package `modelscope`.

The stand-in has the names, parameters and answers of modelscope 1.40.2, against which (and a
server on loopback) the reader was run when it was written, with `datasets` 4.8.4 and 5.2.0.
"""

import hashlib
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from cotdata.errors import SourceError
from cotdata.sources.hub.modelscope import ModelScopeReader, digest_of
from cotdata.sources.hub.modelscope_files import HubFile
from cotdata.sources.records import PLACE, REST, Wanted

CARD = b"""---
configs:
- config_name: en
  data_files: en.jsonl
- config_name: zh
  data_files: zh.jsonl
---
"""
FILES = {
    "README.md": CARD,
    "en.jsonl": b'{"q":"a","n":1}\n{"q":"b","n":2}\n{"q":"c","n":3}\n',
    "zh.jsonl": b'{"q":"z","n":1}\n',
    "docs/notes.txt": b"not data",
}


class NotExistError(Exception):
    """As `modelscope_hub.errors` names it."""

    status_code = 404


class FakeModelScope:
    """What the stand-in serves, and what it was asked."""

    def __init__(self) -> None:
        self.files = dict(FILES)
        self.kind = 4
        self.listings = 0
        self.downloads = 0
        self.spoiled: dict[str, bytes] = {}
        self.error: Exception | None = None

    def get_dataset_id_and_type(self, dataset_name: str, namespace: str) -> tuple[int, int]:
        if self.error is not None:
            raise self.error
        if (namespace, dataset_name) != ("own", "set"):
            message = "not found"
            raise NotExistError(message)
        return 77, self.kind

    def get_dataset_files(
        self,
        repo_id: str,
        *,
        revision: str,
        root_path: str,
        recursive: bool,
        page_number: int,
        page_size: int,
    ) -> list[dict[str, Any]]:
        assert (repo_id, root_path, recursive) == ("own/set", "/", True)
        if revision != "master":
            message = f"no revision {revision}"
            raise NotExistError(message)
        self.listings += 1
        entries: list[dict[str, Any]] = [{"Path": "docs", "Type": "tree", "Size": 0, "Sha256": ""}]
        entries += [
            {"Path": path, "Type": "blob", "Size": len(content), "Sha256": sha256(content)}
            for path, content in self.files.items()
        ]
        return entries[(page_number - 1) * page_size : page_number * page_size]

    def download(self, dataset_id: str, *, revision: str, local_dir: str) -> str:
        assert (dataset_id, revision) == ("own/set", "master")
        self.downloads += 1
        for path, content in {**self.files, "left-over.jsonl": b"{}", **self.spoiled}.items():
            target = Path(local_dir, path)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        sys.stderr.write("Downloading: 100%")
        return local_dir


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeModelScope:
    fake = FakeModelScope()
    api, snapshot = ModuleType("modelscope.hub.api"), ModuleType("modelscope.hub.snapshot_download")
    api.HubApi = lambda: fake  # type: ignore[attr-defined]
    snapshot.dataset_snapshot_download = fake.download  # type: ignore[attr-defined]
    for name in ("modelscope", "modelscope.hub"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    for module in (api, snapshot):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setenv("MODELSCOPE_CACHE", str(tmp_path))
    return fake


def questions(reader: ModelScopeReader, first: int = 0, stop: int | None = None) -> list[str]:
    batches = reader.batches(Wanted(text=("q",)), first, stop)
    return [text for batch in batches if batch.frame is not None for text in batch.frame["q"]]


@pytest.mark.parametrize("streaming", [None, True, False])
def test_records_come_with_their_place_and_the_rest(
    hub: FakeModelScope, streaming: bool | None
) -> None:
    reader = ModelScopeReader("own/set", "en", streaming=streaming)
    (batch,) = reader.batches(Wanted(text=("q",)), 0, None)
    assert batch.frame is not None
    assert batch.frame.select("q", PLACE, REST).rows() == [
        ("a", 1, '{"n":1}'),
        ("b", 2, '{"n":2}'),
        ("c", 3, '{"n":3}'),
    ]


@pytest.mark.parametrize("streaming", [True, False])
def test_a_slice_is_a_part_and_the_rest_is_counted(hub: FakeModelScope, streaming: bool) -> None:
    reader = ModelScopeReader("own/set", "en", streaming=streaming)
    assert questions(reader, 1, 2) == ["b"]
    assert sum(batch.records for batch in reader.batches(Wanted(), 1, 2)) == 3


def test_a_revision_is_resolved_to_the_state_of_the_files(hub: FakeModelScope) -> None:
    resolved = ModelScopeReader("own/set", "en").resolve()
    files = [HubFile(path, len(content), sha256(content)) for path, content in FILES.items()]
    assert resolved.revision == f"master+{digest_of(files)}"
    assert (resolved.dataset_id, resolved.config, resolved.split) == ("own/set", "en", "train")


def test_a_digest_is_what_sha256sum_would_give() -> None:
    files = [HubFile("b", 1, "2" * 64), HubFile("a", 1, "1" * 64), HubFile("ä", 7, "")]
    text = f"{'1' * 64}  a\n{'2' * 64}  b\n7  ä\n"
    assert digest_of(files) == sha256(text.encode())[:40]
    assert digest_of(files[::-1]) == digest_of(files)


def test_a_changed_branch_is_read_as_it_is_now(hub: FakeModelScope) -> None:
    before = ModelScopeReader("own/set", "en", streaming=False)
    assert questions(before) == ["a", "b", "c"]
    hub.files["en.jsonl"] = b'{"q":"new","n":1}\n'
    now = ModelScopeReader("own/set", "en", streaming=False)
    assert now.resolve().revision != before.resolve().revision
    assert questions(now) == ["new"]


def test_a_resolved_revision_that_was_fetched_needs_no_request(hub: FakeModelScope) -> None:
    first = ModelScopeReader("own/set", "en")
    resolved = first.resolve()
    assert questions(first) == ["a", "b", "c"]
    hub.files.clear()
    listings = hub.listings
    again = ModelScopeReader("own/set", "en", revision=resolved.revision)
    assert again.resolve() == resolved
    assert questions(again) == ["a", "b", "c"]
    assert (hub.listings, hub.downloads) == (listings, 1)


def test_a_resolved_revision_that_is_gone_is_refused(hub: FakeModelScope) -> None:
    revision = "master+" + "0" * 40
    with pytest.raises(SourceError, match="has changed: `master` is no longer") as caught:
        ModelScopeReader("own/set", "en", revision=revision).resolve()
    assert caught.value.fix == "set `revision: master` to read what is there now"


def test_all_pages_of_a_long_listing_are_read(hub: FakeModelScope) -> None:
    hub.files |= {f"docs/{index}.txt": b"%d" % index for index in range(500)}
    reader = ModelScopeReader("own/set", "zh")
    assert questions(reader) == ["z"]
    assert hub.listings == 3


def test_a_config_must_be_chosen_and_must_exist(hub: FakeModelScope) -> None:
    with pytest.raises(SourceError, match="`own/set` has several configs"):
        ModelScopeReader("own/set").resolve()
    with pytest.raises(SourceError, match="`own/set` has no config `zhh`") as caught:
        ModelScopeReader("own/set", "zhh").peek()
    assert caught.value.fix == "did you mean `zh`? choose one of en, zh"
    with pytest.raises(SourceError, match="`own/set` has no split `test`"):
        ModelScopeReader("own/set", "en", "test").peek()


def test_a_peek_shows_the_columns(hub: FakeModelScope) -> None:
    peek = ModelScopeReader("own/set", "zh").peek()
    assert peek.columns == {"q": frozenset({"string"}), "n": frozenset({"number"})}
    assert peek.examples == [{"q": "z", "n": 1}]


@pytest.mark.parametrize("spoiled", [b'{"q":"a","n":9}\n', FILES["en.jsonl"][:-9] + b'"n":99 }\n'])
def test_a_file_that_is_not_what_was_listed_is_refused(
    hub: FakeModelScope, spoiled: bytes, tmp_path: Path
) -> None:
    hub.spoiled = {"en.jsonl": spoiled}
    with pytest.raises(SourceError, match=r"`en\.jsonl` is not what ModelScope listed"):
        ModelScopeReader("own/set", "en").peek()
    assert not list(tmp_path.rglob("*.jsonl"))


def test_a_file_outside_of_the_data_set_is_refused(hub: FakeModelScope) -> None:
    hub.files["../../escaped.jsonl"] = b"{}"
    with pytest.raises(SourceError, match="has a file outside of its folder"):
        ModelScopeReader("own/set", "en").peek()


def test_what_was_not_listed_is_not_read(hub: FakeModelScope, tmp_path: Path) -> None:
    assert questions(ModelScopeReader("own/set", "en")) == ["a", "b", "c"]
    assert not list(tmp_path.rglob("left-over.jsonl"))


def test_a_data_set_of_an_old_kind_is_refused(hub: FakeModelScope) -> None:
    hub.kind = 1
    with pytest.raises(SourceError, match=r"is of an old kind \(type 1\)"):
        ModelScopeReader("own/set", "en").resolve()


@pytest.mark.parametrize(
    ("reader", "error"),
    [
        (ModelScopeReader("own/none", "en"), "ModelScope has no data set `own/none`"),
        (ModelScopeReader("own/set", "en", revision="v9"), "with revision `v9`, or it is private"),
        (ModelScopeReader("set", "en"), "its owner is missing"),
    ],
)
def test_what_is_not_there_is_refused(
    hub: FakeModelScope, reader: ModelScopeReader, error: str
) -> None:
    with pytest.raises(SourceError, match=error):
        reader.resolve()


def test_a_network_that_fails_names_the_ways_out(hub: FakeModelScope) -> None:
    hub.error = ConnectionError("refused")
    with pytest.raises(SourceError, match="ModelScope cannot be reached") as caught:
        ModelScopeReader("own/set", "en").resolve()
    assert "--source NAME=PATH" in str(caught.value.fix)


def test_access_that_is_refused_names_the_token(hub: FakeModelScope) -> None:
    hub.error = type("PermissionDeniedError", (Exception,), {"status_code": 403})("no")
    with pytest.raises(SourceError, match="ModelScope refuses access") as caught:
        ModelScopeReader("own/set", "en").resolve()
    assert "MODELSCOPE_API_TOKEN" in str(caught.value.fix)


def test_nothing_is_written_to_stderr(
    hub: FakeModelScope, capsys: pytest.CaptureFixture[str]
) -> None:
    questions(ModelScopeReader("own/set", "en", streaming=False))
    assert hub.downloads == 1
    assert capsys.readouterr().err == ""


def test_a_missing_package_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "modelscope", None)
    monkeypatch.setitem(sys.modules, "modelscope.hub.api", None)
    with pytest.raises(SourceError, match="needs the package `modelscope`") as caught:
        ModelScopeReader("own/set").resolve()
    assert caught.value.fix == "pip install 'cotdata[modelscope]'"

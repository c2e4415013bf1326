"""Where a model's tokenizer and template are found, and what is said when they are not."""

import hashlib
import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from cotdata.errors import RenderError
from cotdata.render.model_files import ModelFiles, open_model, sample_model
from tests.render.model_hub import COMMITS, ModelHub, ask, serving

WAY_OUT = "--set render.model=FOLDER"
TOKENIZER = (sample_model() / "tokenizer.json").read_bytes()


def folder(place: Path, **files: object) -> Path:
    """Write a model: `tokenizer_config` stands for tokenizer_config.json, `template` is Jinja."""
    model = place / "tiny"
    model.mkdir()
    (model / "tokenizer.json").write_bytes(TOKENIZER)
    for name, content in files.items():
        if name == "template":
            (model / "chat_template.jinja").write_bytes(str(content).encode())
        else:
            (model / f"{name}.json").write_text(json.dumps(content))
    return model


def opened(place: Path, **files: object) -> ModelFiles:
    folder(place, **files)
    return open_model("tiny", place)


def test_a_folder_is_relative_to_the_recipe_and_named_without_its_place(tmp_path: Path) -> None:
    model = opened(tmp_path, generation_config={"eos_token_id": 7})
    assert (model.name, model.revision, model.folder) == ("tiny", None, tmp_path / "tiny")
    assert model.generation == {"eos_token_id": 7}


def test_every_file_that_was_read_has_its_digest(tmp_path: Path) -> None:
    model = opened(tmp_path, tokenizer_config={}, config={"model_type": "x"})
    assert list(model.digests) == ["tokenizer.json", "tokenizer_config.json"]
    assert model.digests["tokenizer.json"] == hashlib.sha256(TOKENIZER).hexdigest()


def test_a_path_to_a_file_means_its_folder(tmp_path: Path) -> None:
    folder(tmp_path)
    assert open_model("tiny/tokenizer.json", tmp_path).name == "tiny"


def test_a_template_file_is_before_that_of_the_config(tmp_path: Path) -> None:
    model = opened(tmp_path, template="a\r\nb", tokenizer_config={"chat_template": "c"})
    assert model.template == "a\nb"


@pytest.mark.parametrize(
    ("config", "template"),
    [
        ({"chat_template": "one"}, "one"),
        ({"chat_template": [{"name": "rag", "template": "x"}]}, None),
        (
            {
                "chat_template": [
                    {"name": "rag", "template": "x"},
                    {"name": "default", "template": "y"},
                ]
            },
            "y",
        ),
        ({"chat_template": 7}, None),
        ({}, None),
    ],
)
def test_the_config_has_one_template_or_several_of_which_default_is_meant(
    tmp_path: Path, config: dict[str, Any], template: str | None
) -> None:
    assert opened(tmp_path, tokenizer_config=config).template == template


def test_a_processors_template_comes_last(tmp_path: Path) -> None:
    assert opened(tmp_path, chat_template={"chat_template": "p"}).template == "p"


def test_the_special_tokens_map_counts_where_the_config_lists_no_added_tokens(
    tmp_path: Path,
) -> None:
    special = {"eos_token": {"content": "<b>"}}
    config = {"eos_token": "<a>"}
    model = opened(
        tmp_path, tokenizer_config=config, special_tokens_map=special, added_tokens={"<b>": 5}
    )
    assert model.config["eos_token"] == {"content": "<b>"}
    assert model.config["added_tokens"] == {"<b>": 5}


def test_the_config_counts_where_it_lists_the_added_tokens(tmp_path: Path) -> None:
    config = {"eos_token": "<a>", "added_tokens_decoder": {}}
    model = opened(tmp_path, tokenizer_config=config, special_tokens_map={"eos_token": "<b>"})
    assert model.config["eos_token"] == "<a>"


def test_a_file_that_is_no_json_object_is_named(tmp_path: Path) -> None:
    folder(tmp_path, generation_config=[1])
    with pytest.raises(RenderError, match=r"generation_config\.json is not a JSON object"):
        open_model("tiny", tmp_path)
    (tmp_path / "tiny" / "generation_config.json").write_text("{")
    with pytest.raises(RenderError, match=r"generation_config\.json is not JSON"):
        open_model("tiny", tmp_path)


def test_a_template_that_is_not_utf8_is_named(tmp_path: Path) -> None:
    model = folder(tmp_path)
    (model / "chat_template.jinja").write_bytes(b"\xff")
    with pytest.raises(RenderError, match=r"chat_template\.jinja is not UTF-8"):
        open_model("tiny", tmp_path)


def test_a_pointer_of_git_lfs_is_no_tokenizer(tmp_path: Path) -> None:
    model = folder(tmp_path)
    (model / "tokenizer.json").write_text("version https://git-lfs.github.com/spec/v1\noid …\n")
    with pytest.raises(RenderError, match="pointer of git-lfs") as caught:
        open_model("tiny", tmp_path)
    assert caught.value.fix == "fetch the files with `git lfs pull`"


def test_a_folder_without_tokenizer_and_template_is_no_model(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(RenderError, match="neither tokenizer") as caught:
        open_model("empty", tmp_path)
    assert WAY_OUT in str(caught.value.fix)


def test_a_template_alone_is_enough_to_write_text(tmp_path: Path) -> None:
    model = folder(tmp_path, template="x")
    (model / "tokenizer.json").unlink()
    assert open_model("tiny", tmp_path).template == "x"


def test_other_vocabularies_are_hashed_with_what_they_are_converted_with(tmp_path: Path) -> None:
    model = folder(tmp_path, vocab={"a": 0}, config={})
    (model / "tokenizer.json").unlink()
    (model / "merges.txt").write_text("")
    assert list(open_model("tiny", tmp_path).digests) == ["config.json", "merges.txt", "vocab.json"]


def test_a_folder_has_no_revision(tmp_path: Path) -> None:
    folder(tmp_path)
    with pytest.raises(RenderError, match="is for a hub's model"):
        open_model("tiny", tmp_path, "main")


@pytest.mark.parametrize("name", ["nowhere", "a/b/c", "a--b/c", "../x", "a/b.git", "hf://a", ""])
def test_a_name_that_is_neither_folder_nor_model_says_so(tmp_path: Path, name: str) -> None:
    with pytest.raises(RenderError) as caught:
        open_model(name or "/", tmp_path / "nowhere")
    assert WAY_OUT in str(caught.value.fix)


def test_other_schemes_are_not_read(tmp_path: Path) -> None:
    with pytest.raises(RenderError, match="models are not read from s3://"):
        open_model("s3://a/b", tmp_path)


def test_the_sample_model_is_small_and_complete() -> None:
    model = open_model(str(sample_model()), Path())
    assert model.template is not None
    assert "generation_config.json" in model.digests
    assert sum(path.stat().st_size for path in sample_model().iterdir()) < 300_000


@pytest.fixture(scope="module")
def hub() -> Iterator[ModelHub]:
    files = {
        "tokenizer.json": TOKENIZER,
        "model.safetensors": b"weights",
        "chat_template.jinja": b"new",
        "generation_config.json": b'{"eos_token_id": 3}',
    }
    with serving(files) as hub:
        yield hub


def test_a_hubs_model_is_resolved_to_a_commit_without_its_weights(
    hub: ModelHub, tmp_path: Path
) -> None:
    hub.requests.clear()
    newest, tagged = ask(hub.url, tmp_path, ("own/model", None), ("hf://own/model", "v1"))
    assert (newest["ok"]["name"], newest["ok"]["revision"]) == ("own/model", COMMITS[1])
    assert newest["ok"]["generation"] == {"eos_token_id": 3}
    assert (tagged["ok"]["revision"], tagged["ok"]["generation"]) == (COMMITS[0], {})
    assert not any("safetensors" in path for path in hub.requests)


def test_what_was_fetched_is_there_without_the_hub(hub: ModelHub, tmp_path: Path) -> None:
    ask(hub.url, tmp_path, ("own/model", None), ("own/model", COMMITS[1]))
    nowhere = "http://127.0.0.1:9"
    pinned, branch = ask(nowhere, tmp_path, ("own/model", COMMITS[1]), ("own/model", None))
    assert pinned["ok"]["revision"] == COMMITS[1]
    assert "cannot be reached" in branch["error"]
    assert WAY_OUT in branch["fix"]
    offline, other = ask(
        nowhere, tmp_path, ("own/model", COMMITS[1]), ("own/other", None), HF_HUB_OFFLINE="1"
    )
    assert offline["ok"]["revision"] == COMMITS[1]
    assert "offline (HF_HUB_OFFLINE)" in other["error"]
    assert WAY_OUT in other["fix"]


@pytest.fixture
def client(hub: ModelHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModelHub:
    """Have the Hub's client of this process ask the hub on loopback."""
    from huggingface_hub import constants

    template = "{endpoint}/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(constants, "ENDPOINT", hub.url)
    monkeypatch.setattr(
        constants, "HUGGINGFACE_CO_URL_TEMPLATE", template.replace("{endpoint}", hub.url)
    )
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    hub.refused = {
        "own/gated": (403, "GatedRepo"),
        "own/secret": (401, ""),
        "own/many": (429, ""),
        "own/down": (503, ""),
    }
    return hub


def test_a_model_is_fetched_once(client: ModelHub, tmp_path: Path) -> None:
    model = open_model("own/model", tmp_path)
    assert model.revision == COMMITS[1]
    client.requests.clear()
    assert open_model("hf://own/model", tmp_path, COMMITS[1]) == model
    assert client.requests == []
    assert open_model("own/model", tmp_path, COMMITS[0]).generation == {}


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("own/gated", "is gated"),
        ("own/secret", "`own/secret`"),
        ("own/many", "refuses more requests"),
        ("own/down", "cannot be reached"),
        ("own/none", "has no model"),
    ],
)
def test_a_hub_that_refuses_says_why(
    client: ModelHub, tmp_path: Path, name: str, words: str
) -> None:
    with pytest.raises(RenderError, match=words) as caught:
        open_model(name, tmp_path)
    assert WAY_OUT in str(caught.value.fix)


def test_a_revision_that_is_not_there_is_named(client: ModelHub, tmp_path: Path) -> None:
    with pytest.raises(RenderError, match="`own/model` has no revision `v9`"):
        open_model("own/model", tmp_path, "v9")


def test_a_file_that_cannot_be_read_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    folder(tmp_path)
    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(RenderError, match="cannot be read: Permission denied"):
        open_model("tiny", tmp_path)


class FakeModelScope:
    """Stands in for `modelscope.hub.snapshot_download` (modelscope 1.40.2)."""

    def __init__(self) -> None:
        self.content = TOKENIZER
        self.error: Exception | None = None
        self.downloads = 0

    def snapshot_download(
        self, model_id: str, *, revision: str, local_dir: str, allow_patterns: list[str]
    ) -> str:
        assert (model_id, revision) == ("own/model", "master")
        assert "tokenizer.json" in allow_patterns
        if self.error is not None:
            raise self.error
        self.downloads += 1
        Path(local_dir).mkdir(parents=True)
        Path(local_dir, "tokenizer.json").write_bytes(self.content)
        Path(local_dir, "README.md").write_text("not asked for")
        sys.stderr.write("Downloading: 100%")
        return local_dir


@pytest.fixture
def modelscope(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeModelScope:
    fake = FakeModelScope()
    module = ModuleType("modelscope.hub.snapshot_download")
    module.snapshot_download = fake.snapshot_download  # type: ignore[attr-defined]
    for name in ("modelscope", "modelscope.hub"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setenv("MODELSCOPE_CACHE", str(tmp_path))
    return fake


def test_a_modelscope_model_is_identified_by_its_files(
    modelscope: FakeModelScope, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    model = open_model("modelscope://own/model", tmp_path)
    assert model.name == "own/model"
    assert model.revision is not None
    assert model.revision.startswith("master+")
    assert list(model.digests) == ["tokenizer.json"]
    pinned = open_model("modelscope://own/model", tmp_path, model.revision)
    assert pinned == model
    assert modelscope.downloads == 1
    assert capfd.readouterr().err == ""


def test_a_modelscope_model_that_changed_is_not_taken_for_the_old_one(
    modelscope: FakeModelScope, tmp_path: Path
) -> None:
    model = open_model("modelscope://own/model", tmp_path)
    shutil.rmtree(model.folder)
    modelscope.content += b"\n"
    with pytest.raises(RenderError, match="has changed"):
        open_model("modelscope://own/model", tmp_path, model.revision)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("NotExistError", "has no model"),
        ("AuthenticationError", "refuses access"),
        ("Timeout", "cannot be reached"),
    ],
)
def test_modelscope_says_why_it_refuses(
    modelscope: FakeModelScope, tmp_path: Path, kind: str, words: str
) -> None:
    modelscope.error = type(kind, (Exception,), {})("token ms-0123456789abcdef")
    with pytest.raises(RenderError, match=words) as caught:
        open_model("modelscope://own/model", tmp_path)
    assert WAY_OUT in str(caught.value.fix)
    assert "0123456789" not in str(caught.value)


def test_modelscope_needs_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODELSCOPE_CACHE", str(tmp_path))
    monkeypatch.setitem(sys.modules, "modelscope.hub.snapshot_download", None)
    with pytest.raises(RenderError, match="needs the package `modelscope`"):
        open_model("modelscope://own/model", tmp_path)

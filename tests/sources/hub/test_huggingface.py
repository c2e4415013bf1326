"""The Hub's reader, with the real clients against a hub on loopback."""

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.sources.hub.fake_hub import FakeHub, serving
from tests.sources.hub.hub_client import HubClient, client

EVERYTHING = {"first": 0, "stop": None}


def jsonl(*rows: dict[str, Any]) -> bytes:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def parquet(rows: list[dict[str, Any]]) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), out, row_group_size=3)
    return out.getvalue()


def questions(prefix: str, count: int) -> list[dict[str, Any]]:
    return [
        {
            "question": f"{prefix} {index} – 问",
            "score": index / 2,
            "is_new": index % 2 == 0,
            "turns": [{"role": "user", "content": "x" * index}] * (index % 3),
            "extra": {"level": index, "tag": None},
        }
        for index in range(count)
    ]


CARD = """---
configs:
- config_name: en
  data_files:
  - split: train
    path: en/train-*.parquet
  - split: test
    path: en/test.parquet
- config_name: zh
  data_files: zh.parquet
{info}---
# Questions
"""
INFO = """dataset_info:
- config_name: en
  splits:
  - name: train
    num_bytes: 1000
    num_examples: {rows}
"""


def two_configs(info: str = "") -> dict[str, bytes]:
    rows = questions("en", 11)
    return {
        "README.md": CARD.format(info=info).encode(),
        "en/train-0.parquet": parquet(rows[:7]),
        "en/train-1.parquet": parquet(rows[7:]),
        "en/test.parquet": parquet(questions("test", 2)),
        "zh.parquet": parquet(questions("zh", 4)),
    }


@dataclass
class Setting:
    hub: FakeHub
    client: HubClient
    folder: Path

    def ask(self, action: str, dataset_id: str, **settings: Any) -> dict[str, Any]:
        self.hub.requests.clear()
        return self.client.ask(action, reader={"dataset_id": dataset_id, **settings})

    def read(
        self, dataset_id: str, first: int = 0, stop: int | None = None, **settings: Any
    ) -> dict[str, Any]:
        wanted = settings.pop("wanted", {"text": ["question"], "json": ["turns"]})
        self.hub.requests.clear()
        reader = {"dataset_id": dataset_id, **settings}
        return self.client.ask("read", reader=reader, wanted=wanted, first=first, stop=stop)

    def downloads(self) -> list[str]:
        return [
            asked for asked in self.hub.requests if "/resolve/" in asked and ".parquet" in asked
        ]


@pytest.fixture(scope="module")
def setting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Setting]:
    folder = tmp_path_factory.mktemp("hub")
    with serving() as hub, client(hub.url, folder) as process:
        yield Setting(hub, process, folder)


@pytest.fixture(scope="module")
def commit(setting: Setting) -> str:
    return setting.hub.add("own/two-configs", two_configs())


def test_a_revision_left_out_is_the_newest_commit(setting: Setting) -> None:
    setting.hub.add("own/moving", {"train.jsonl": jsonl({"q": "old"})})
    newest = setting.hub.add("own/moving", {"train.jsonl": jsonl({"q": "new"})})
    assert setting.ask("resolve", "own/moving")["ok"] == {
        "dataset_id": "own/moving",
        "revision": newest,
        "config": "default",
        "split": "train",
    }


def test_a_tag_is_resolved_to_its_commit_and_that_commit_is_read(setting: Setting) -> None:
    old = setting.hub.add("own/tagged", {"train.jsonl": jsonl({"question": "old"})})
    setting.hub.add("own/tagged", {"train.jsonl": jsonl({"question": "new"})})
    setting.hub.datasets["own/tagged"].tags["v1"] = old
    assert setting.ask("resolve", "own/tagged", revision="v1")["ok"]["revision"] == old
    for streaming in (True, False):
        read = setting.read("own/tagged", revision="v1", streaming=streaming)["ok"]
        assert [row["question"] for row in read["rows"]] == ["old"]


def test_a_full_commit_with_a_config_needs_no_request(setting: Setting, commit: str) -> None:
    resolved = setting.ask("resolve", "own/two-configs", revision=commit, config="en")["ok"]
    assert resolved["revision"] == commit
    assert setting.hub.requests == []


def test_a_commit_that_is_not_there_is_refused(setting: Setting, commit: str) -> None:
    assert commit != "0" * 40
    found = setting.ask("peek", "own/two-configs", revision="0" * 40, config="en")
    assert found["error"] == f"`own/two-configs` has no revision `{'0' * 40}`"


def test_a_branch_that_is_not_there_is_refused(setting: Setting, commit: str) -> None:
    found = setting.ask("resolve", "own/two-configs", revision="mian")
    assert found["error"] == "`own/two-configs` has no revision `mian`"


def test_several_configs_must_be_chosen_from(setting: Setting, commit: str) -> None:
    found = setting.ask("resolve", "own/two-configs")
    assert found["error"] == "`own/two-configs` has several configs"
    assert found["fix"] == "set `config`: choose one of en, zh"


def test_an_unknown_config_names_the_nearest(setting: Setting, commit: str) -> None:
    found = setting.ask("peek", "own/two-configs", config="zhh", revision=commit)
    assert found["error"] == "`own/two-configs` has no config `zhh`"
    assert found["fix"] == "did you mean `zh`? choose one of en, zh"


def test_an_unknown_split_names_the_nearest(setting: Setting, commit: str) -> None:
    found = setting.ask("resolve", "own/two-configs", config="en", split="tset")
    assert found["error"] == "`own/two-configs` has no split `tset`"
    assert found["fix"] == "did you mean `test`? choose one of test, train"


def test_a_slice_of_a_split_is_no_split(setting: Setting, commit: str) -> None:
    found = setting.ask("resolve", "own/two-configs", config="en", split="train[:2]")
    assert found["error"] == "`own/two-configs` has no split `train[:2]`"


@pytest.mark.parametrize("streaming", [True, False])
def test_records_come_in_the_order_of_the_files(
    setting: Setting, commit: str, streaming: bool
) -> None:
    rows = setting.read("own/two-configs", config="en", streaming=streaming)["ok"]["rows"]
    expected = questions("en", 11)
    assert [row["question"] for row in rows] == [row["question"] for row in expected]
    assert [json.loads(row["turns"]) for row in rows] == [row["turns"] for row in expected]
    assert [row["__place__"] for row in rows] == list(range(1, 12))
    rest = [json.loads(row["__rest__"]) for row in rows]
    assert rest == [{key: row[key] for key in ("score", "is_new", "extra")} for row in expected]
    assert all(row["__reason__"] is None for row in rows)


@pytest.mark.parametrize(("first", "stop"), [(0, 3), (2, 9), (5, None), (7, 7), (10, 50), (40, 50)])
def test_a_slice_is_a_part_of_the_whole_and_the_rest_is_counted(
    setting: Setting, commit: str, first: int, stop: int | None
) -> None:
    whole = setting.read("own/two-configs", config="en")["ok"]["rows"]
    for streaming in (True, False):
        part = setting.read("own/two-configs", first, stop, config="en", streaming=streaming)["ok"]
        assert part == {"records": 11, "rows": whole[first:stop]}


def test_another_split_is_read(setting: Setting, commit: str) -> None:
    read = setting.read("own/two-configs", config="en", split="test")["ok"]
    assert [row["question"] for row in read["rows"]] == ["test 0 – 问", "test 1 – 问"]


def test_what_lies_behind_a_streamed_slice_is_counted_by_the_card(setting: Setting) -> None:
    setting.hub.add("own/counted", two_configs(INFO.format(rows=11)))
    read = setting.read("own/counted", 0, 2, config="en", streaming=True)["ok"]
    assert (read["records"], len(read["rows"])) == (11, 2)
    assert not any("train-1" in asked for asked in setting.downloads())


def test_a_card_with_too_few_rows_is_not_believed(setting: Setting) -> None:
    setting.hub.add("own/stale", two_configs(INFO.format(rows=2)))
    for streaming in (True, False):
        part = setting.read("own/stale", 0, 4, config="en", streaming=streaming)["ok"]
        assert (part["records"], len(part["rows"])) == (11, 4)
        whole = setting.read("own/stale", config="en", streaming=streaming)["ok"]
        assert (whole["records"], len(whole["rows"])) == (11, 11)


def test_a_large_data_set_is_streamed_and_a_small_one_kept(setting: Setting) -> None:
    for name, size in (("small", 1 << 20), ("large", (2 << 30) + 1)):
        setting.hub.add(f"own/{name}", {"train.parquet": parquet(questions(name, 3))})
        setting.hub.sizes["train.parquet"] = size
        assert setting.read(f"own/{name}")["ok"]["records"] == 3
    setting.hub.sizes.clear()
    kept = [path.name for path in (setting.folder / "hf" / "datasets").glob("own___*")]
    assert "own___small" in kept
    assert not list((setting.folder / "hf" / "datasets").glob("own___large/default/*/*/*.arrow"))


def test_a_second_read_downloads_nothing(setting: Setting, commit: str) -> None:
    first = setting.read("own/two-configs", config="zh", revision=commit)["ok"]
    assert setting.read("own/two-configs", config="zh", revision=commit)["ok"] == first
    assert setting.downloads() == []


def test_peek_says_which_kinds_of_values_there_are(setting: Setting, commit: str) -> None:
    peek = setting.ask("peek", "own/two-configs", config="en")["ok"]
    assert peek["columns"] == {
        "question": ["string"],
        "score": ["number"],
        "is_new": ["boolean"],
        "turns": ["array"],
        "extra": ["object"],
    }
    assert peek["examples"] == questions("en", 11)


@pytest.mark.parametrize("streaming", [True, False])
def test_a_column_of_mixed_types_keeps_each_records_own(setting: Setting, streaming: bool) -> None:
    values: list[Any] = ["five", 5, None, {"a": [1, "x"]}, 'say "6" ', True]
    rows = [{"question": f"q{index}", "answer": value} for index, value in enumerate(values)]
    setting.hub.add("own/mixed", {"train.jsonl": jsonl(*rows)})
    read = setting.read("own/mixed", streaming=streaming, wanted={"text": ["question"]})["ok"]
    assert [json.loads(row["__rest__"])["answer"] for row in read["rows"]] == values
    asked = setting.read("own/mixed", streaming=streaming, wanted={"scalar": ["answer"]})["ok"]
    assert [row["answer"] for row in asked["rows"]] == [
        "five",
        "5",
        None,
        None,
        'say "6" ',
        "true",
    ]
    evidence = {"column": "answer", "found": "object"}
    assert json.loads(asked["rows"][3]["__evidence__"]) == evidence
    assert json.loads(asked["rows"][3]["__raw__"]) == rows[3]


def test_a_column_that_is_not_text_rejects_the_record(setting: Setting, commit: str) -> None:
    read = setting.read("own/two-configs", config="zh", wanted={"text": ["score"]})["ok"]
    assert [row["__reason__"] for row in read["rows"]] == ["not_text"] * 4
    assert json.loads(read["rows"][1]["__raw__"]) == questions("zh", 4)[1]


def test_a_folder_with_the_data_sets_name_is_not_read(setting: Setting) -> None:
    setting.hub.add("own/shadowed", {"train.jsonl": jsonl({"question": "the hub's"})})
    shadow = setting.folder / "own" / "shadowed"
    shadow.mkdir(parents=True)
    (shadow / "train.jsonl").write_bytes(jsonl({"question": "the folder's"}))
    read = setting.read("own/shadowed")["ok"]
    assert [row["question"] for row in read["rows"]] == ["the hub's"]


@pytest.mark.parametrize("streaming", [True, False])
@pytest.mark.parametrize(
    ("name", "files", "error"),
    [
        ("missing", None, "the Hub has no data set `own/missing`, or it is private"),
        (
            "script",
            {"script.py": b""},
            "`own/script` is made by a loading script, which is not run",
        ),
        ("bare", {"notes.bin": b""}, "`own/bare` has no data files that `datasets` knows"),
        ("empty", {}, "`own/empty` has no data files that `datasets` knows"),
        ("broken", {"train.jsonl": b'{"question": \n'}, "`own/broken` cannot be read: "),
    ],
)
def test_a_data_set_that_cannot_be_read_says_why(
    setting: Setting, name: str, files: dict[str, bytes] | None, error: str, streaming: bool
) -> None:
    if files is not None:
        setting.hub.add(f"own/{name}", files)
    found = setting.read(f"own/{name}", streaming=streaming)
    assert found["error"].startswith(error)
    assert found["fix"]


@pytest.mark.parametrize("streaming", [True, False])
def test_columns_that_differ_between_files_stop_the_read(setting: Setting, streaming: bool) -> None:
    files = {"train/a.jsonl": jsonl({"question": "a"}), "train/b.jsonl": jsonl({"b": 1})}
    setting.hub.add("own/differing", files)
    found = setting.read("own/differing", streaming=streaming)
    assert found["error"].startswith("`own/differing` cannot be read: ")


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (429, "`own/busy`: the Hub refuses more requests for now (HTTP 429)"),
        (503, "`own/busy`: the Hugging Face Hub cannot be reached (HTTP 503)"),
        (403, "`own/busy`: the Hub refuses the access token (HTTP 403)"),
    ],
)
def test_a_hub_that_refuses_says_why(setting: Setting, status: int, error: str) -> None:
    setting.hub.add("own/busy", {"train.jsonl": jsonl({"question": "q"})})
    setting.hub.failures["own/busy"] = status
    assert setting.ask("resolve", "own/busy")["error"] == error


@pytest.mark.parametrize("streaming", [True, False])
def test_gated_and_private_data_sets_need_a_token(
    setting: Setting, tmp_path: Path, streaming: bool
) -> None:
    files = {"README.md": b"", "train.jsonl": jsonl({"question": "q"})}
    setting.hub.add("own/gated", files, gated=True)
    setting.hub.add("own/private", files, private=True)
    gated = setting.read("own/gated", streaming=streaming)
    assert gated["error"].startswith("`own/gated` is gated")
    assert "HF_TOKEN" in gated["fix"]
    private = setting.read("own/private", streaming=streaming)
    assert private["error"] == "the Hub has no data set `own/private`, or it is private"
    assert "HF_TOKEN" in private["fix"]
    with client(setting.hub.url, tmp_path, HF_TOKEN=setting.hub.token) as process:
        known = Setting(setting.hub, process, tmp_path)
        for name in ("gated", "private"):
            assert known.read(f"own/{name}", streaming=streaming)["ok"]["records"] == 1


def test_a_wrong_token_is_named_but_never_shown(setting: Setting, tmp_path: Path) -> None:
    setting.hub.add("own/plain", {"train.jsonl": jsonl({"question": "q"})})
    token = "hf_wrongTokenWrongToken"
    with client(setting.hub.url, tmp_path, HF_TOKEN=token) as process:
        found = Setting(setting.hub, process, tmp_path).ask("resolve", "own/plain")
    assert found["error"] == "`own/plain`: the Hub refuses the access token (HTTP 401)"
    assert token not in json.dumps(found) + (tmp_path / "stderr.txt").read_text()


def test_a_hub_that_does_not_answer_names_the_ways_out(tmp_path: Path) -> None:
    with client("http://127.0.0.1:9", tmp_path) as process:
        found = process.ask("resolve", reader={"dataset_id": "own/any"})
    assert found["error"].startswith("`own/any`: the Hugging Face Hub cannot be reached (")
    assert "--source NAME=PATH" in found["fix"]
    assert "--sample" in found["fix"]


def test_offline_reads_the_pinned_commit_from_the_cache_and_no_other(tmp_path: Path) -> None:
    with serving() as hub, client(hub.url, tmp_path) as process:
        online = Setting(hub, process, tmp_path)
        pinned = hub.add("own/cached", two_configs())
        newer = hub.add("own/cached", {"train.jsonl": jsonl({"question": "newer"})})
        whole = online.read("own/cached", revision=pinned, config="en")["ok"]
        online.read("own/cached", revision=newer)
    with client(hub.url, tmp_path, HF_HUB_OFFLINE="1") as process:
        offline = Setting(hub, process, tmp_path)
        for streaming in (None, True, False):
            settings: dict[str, Any] = {"revision": pinned, "streaming": streaming}
            assert offline.read("own/cached", config="en", **settings)["ok"] == whole
            assert offline.ask("resolve", "own/cached", **settings)["ok"]["config"] == "en"
        part = offline.read("own/cached", 3, 5, revision=pinned)["ok"]
        assert part == {"records": 11, "rows": whole["rows"][3:5]}
        not_there = offline.read("own/cached", revision=pinned, config="zh")
        assert not_there["error"] == "`own/cached in the cache` has no config `zh`"
        unknown = offline.read("own/cached", revision="0" * 40)
        assert "is not in the cache" in unknown["error"]
        unpinned = offline.read("own/cached")
        assert unpinned["error"].endswith("offline, the newest commit cannot be asked for")
        assert "revision" in unpinned["fix"]


def test_a_hub_that_refuses_is_no_reason_to_read_another_commit(
    setting: Setting,
) -> None:
    pinned = setting.hub.add("own/lost", {"train.jsonl": jsonl({"question": "pinned"})})
    newer = setting.hub.add("own/lost", {"train.jsonl": jsonl({"question": "newer"})})
    setting.read("own/lost", revision=newer)
    setting.hub.failures["own/lost"] = 403
    refused = setting.read("own/lost", revision=pinned)
    assert refused["error"] == "`own/lost`: the Hub refuses the access token (HTTP 403)"
    assert setting.read("own/lost", revision=newer)["ok"]["records"] == 1


def test_a_connection_that_fails_halfway_reads_no_other_commit(setting: Setting) -> None:
    card = {"README.md": b"", "train.jsonl": jsonl({"question": "pinned"})}
    pinned = setting.hub.add("own/half", card)
    newer = setting.hub.add("own/half", {"train.jsonl": jsonl({"question": "newer"})})
    setting.read("own/half", revision=newer)
    setting.hub.failures["own/half@README.md"] = 403
    refused = setting.read("own/half", revision=pinned)
    assert f"revision {pinned} is not in the cache" in refused["error"]


def test_nothing_is_written_to_stderr(setting: Setting, commit: str) -> None:
    setting.read("own/two-configs", config="en", streaming=False)
    setting.read("own/two-configs", config="en", streaming=True)
    assert (setting.folder / "stderr.txt").read_text() == ""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cotdata.engine.arrow_files import read_arrow, write_arrow
from cotdata.engine.local import LocalEngine

PATIENCE = 20


@dataclass
class Upper:
    """A kernel that writes its shard in upper case, and remembers what it made."""

    makes_folders: bool = False
    fails_on: str | None = None
    made: list[str] = field(default_factory=list)

    def __call__(self, shard: Path, shared: Path | None, out: Path) -> None:
        self.made.append(shard.name)
        text = shard.read_text().upper() + (shared.read_text() if shared else "")
        if self.makes_folders:
            out.mkdir()
            out = out / "text"
        out.write_text(text)
        if shard.name == self.fails_on:
            message = f"no {shard.name}"
            raise RuntimeError(message)


def shards(folder: Path, count: int = 5) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    # Names in an order that sorting would not give.
    paths = [folder / f"shard-{(number * 7) % 31}" for number in range(count)]
    for path in paths:
        path.write_text(path.name)
    return paths


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


@pytest.mark.parametrize("workers", [1, 2, 3, 16])
def test_results_come_in_the_order_of_the_shards(tmp_path: Path, workers: int) -> None:
    given_shards = shards(tmp_path / "in", 25)
    made = list(LocalEngine(workers).map_shards(Upper(), given_shards, tmp_path / "out"))
    assert [path.name for path in made] == [path.name for path in given_shards]
    assert [path.read_text() for path in made] == [path.name.upper() for path in given_shards]


def test_order_holds_where_later_shards_are_done_first(tmp_path: Path) -> None:
    given_shards = shards(tmp_path / "in", 4)
    others_done = threading.Barrier(2)

    def kernel(shard: Path, _: Path | None, out: Path) -> None:
        out.write_text(shard.name)
        if shard in given_shards[:2]:  # the first waits for the second
            others_done.wait(PATIENCE)

    made = list(LocalEngine(2).map_shards(kernel, given_shards, tmp_path / "out"))
    assert [path.read_text() for path in made] == [path.name for path in given_shards]


def test_every_kernel_sees_the_shared_file(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.write_text("!")
    made = LocalEngine(2).map_shards(Upper(), shards(tmp_path / "in", 3), tmp_path / "out", shared)
    assert all(path.read_text().endswith("!") for path in made)


@pytest.mark.parametrize("makes_folders", [False, True])
def test_what_stands_is_not_made_again(tmp_path: Path, makes_folders: bool) -> None:
    given_shards = shards(tmp_path / "in")
    first = Upper(makes_folders)
    list(LocalEngine(2).map_shards(first, given_shards[:3], tmp_path / "out"))
    again = Upper(makes_folders)
    made = list(LocalEngine(2).map_shards(again, given_shards, tmp_path / "out"))
    assert sorted(again.made) == sorted(path.name for path in given_shards[3:])
    assert [path.name for path in made] == [path.name for path in given_shards]


@pytest.mark.parametrize("makes_folders", [False, True])
def test_a_kernel_that_fails_leaves_nothing_half_made(
    tmp_path: Path,
    makes_folders: bool,
) -> None:
    given_shards = shards(tmp_path / "in")
    bad = given_shards[2].name
    kernel = Upper(makes_folders, fails_on=bad)
    with pytest.raises(RuntimeError, match=f"no {bad}"):
        list(LocalEngine(2).map_shards(kernel, given_shards, tmp_path / "out"))
    assert bad not in names(tmp_path / "out")
    assert not [name for name in names(tmp_path / "out") if name.startswith(".")]


def test_after_a_failure_only_what_is_missing_is_made(tmp_path: Path) -> None:
    given_shards = shards(tmp_path / "in")
    with pytest.raises(RuntimeError):
        list(
            LocalEngine(1).map_shards(
                Upper(fails_on=given_shards[3].name), given_shards, tmp_path / "out"
            )
        )
    again = Upper()
    list(LocalEngine(1).map_shards(again, given_shards, tmp_path / "out"))
    assert given_shards[3].name in again.made
    assert not {path.name for path in given_shards[:3]} & set(again.made)
    assert names(tmp_path / "out") == {path.name for path in given_shards}


def test_what_a_killed_process_left_does_no_harm(tmp_path: Path) -> None:
    given_shards = shards(tmp_path / "in", 3)
    half = tmp_path / "out" / ".making-killed" / given_shards[0].name
    half.mkdir(parents=True)
    (half / "text").write_text("HAL")
    made = list(
        LocalEngine(2).map_shards(Upper(makes_folders=True), given_shards, tmp_path / "out")
    )
    assert (made[0] / "text").read_text() == given_shards[0].name.upper()


def test_an_interrupted_reader_starts_no_further_shards(tmp_path: Path) -> None:
    kernel = Upper()
    given_shards = shards(tmp_path / "in", 30)

    def read() -> None:
        for _ in LocalEngine(1).map_shards(kernel, given_shards, tmp_path / "out"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        read()
    started = len(kernel.made)
    assert started < 30
    assert names(tmp_path / "out") == set(kernel.made)
    list(LocalEngine(1).map_shards(kernel, given_shards, tmp_path / "out"))
    assert sorted(kernel.made) == sorted(path.name for path in given_shards)


def test_no_more_shards_are_begun_than_the_reader_can_take(tmp_path: Path) -> None:
    kernel = Upper()
    results = LocalEngine(2).map_shards(kernel, shards(tmp_path / "in", 20), tmp_path / "out")
    next(results)
    assert len(kernel.made) <= 2 * 2 + 1
    results.close()  # type: ignore[attr-defined]
    assert len(kernel.made) <= 2 * 2 + 1


@pytest.mark.parametrize("makes_folders", [False, True])
def test_two_engines_in_one_folder_both_succeed(
    tmp_path: Path,
    makes_folders: bool,
) -> None:
    given_shards = shards(tmp_path / "in", 4)
    both_are_at_it = threading.Barrier(2)

    def kernel(shard: Path, shared: Path | None, out: Path) -> None:
        Upper(makes_folders)(shard, shared, out)
        both_are_at_it.wait(PATIENCE)

    results: dict[int, list[Path]] = {}

    def build(number: int) -> None:
        engine = LocalEngine(1)
        results[number] = list(engine.map_shards(kernel, given_shards, tmp_path / "out"))

    threads = [threading.Thread(target=build, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert results[0] == results[1] == [tmp_path / "out" / path.name for path in given_shards]
    assert names(tmp_path / "out") == {path.name for path in given_shards}


def test_a_result_that_cannot_be_put_in_its_place_is_an_error(tmp_path: Path) -> None:
    def no_result(_: Path, __: Path | None, ___: Path) -> None:
        return

    with pytest.raises(FileNotFoundError):
        list(LocalEngine(1).map_shards(no_result, shards(tmp_path / "in", 1), tmp_path / "out"))
    assert names(tmp_path / "out") == set()


KEYS = st.lists(
    st.lists(st.sampled_from([0, 1, 2, 3, 2**63, 2**64 - 1]), max_size=6), min_size=1, max_size=4
)


def key_files(folder: Path, tables: list[list[int]]) -> list[Path]:
    """Write tables of numbered keys, one after the other."""
    folder.mkdir(parents=True, exist_ok=True)
    start, paths = 0, []
    for at, table in enumerate(tables):
        frame = pl.DataFrame(
            {"number": range(start, start + len(table)), "key": table},
            schema={"number": pl.UInt64, "key": pl.UInt64},
        )
        write_arrow(frame, folder / f"{at}.arrow")
        paths.append(folder / f"{at}.arrow")
        start += len(table)
    return paths


def twins(keys: pl.DataFrame) -> pl.DataFrame:
    """Name the first row with the same key, in an order that is not the numbers' own."""
    named = keys.select("number", first=pl.col("number").first().over("key"))
    return named.filter(pl.col("number") != pl.col("first")).sort("number", descending=True)


@settings(deadline=None, max_examples=40, derandomize=True)
@given(KEYS, st.integers(1, 4))
def test_an_exchange_does_not_depend_on_partitions(
    tmp_path_factory: pytest.TempPathFactory, tables: list[list[int]], per_partition: int
) -> None:
    folder = tmp_path_factory.mktemp("exchange")
    paths = key_files(folder / "keys", tables)
    whole = LocalEngine(1).exchange(paths, None, twins, folder / "whole")
    parts = LocalEngine(2, per_partition).exchange(paths, "key", twins, folder / "parts")
    assert read_arrow(parts).equals(read_arrow(whole))
    assert read_arrow(whole)["number"].is_sorted()


def test_a_partition_holds_all_keys_of_a_value_in_the_order_of_the_files(tmp_path: Path) -> None:
    seen: list[pl.DataFrame] = []

    def look(keys: pl.DataFrame) -> pl.DataFrame:
        seen.append(keys)
        return keys

    paths = key_files(tmp_path / "keys", [[5, 6, 5], [7, 5], [], [6]])
    LocalEngine(1, 1).exchange(paths, "key", look, tmp_path / "out")
    assert len(seen) > 1
    where = {key: at for at, keys in enumerate(seen) for key in keys["key"]}
    assert all(where[key] == at for at, keys in enumerate(seen) for key in keys["key"])
    assert all(keys["number"].is_sorted() for keys in seen)
    assert sum(keys.height for keys in seen) == 6


def test_an_exchange_that_stands_is_not_made_again(tmp_path: Path) -> None:
    def refuse(_: pl.DataFrame) -> pl.DataFrame:
        raise AssertionError

    paths = key_files(tmp_path / "keys", [[1, 1]])
    first = LocalEngine(1).exchange(paths, "key", twins, tmp_path / "out")
    before = first.read_bytes()
    again = LocalEngine(1).exchange(paths, "key", refuse, tmp_path / "out")
    assert (again, again.read_bytes()) == (first, before)


@pytest.mark.parametrize("broken", ["kernel", "writing"])
def test_an_exchange_that_fails_leaves_nothing(
    tmp_path: Path, broken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> pl.DataFrame:
        message = "disk full"
        raise OSError(message)

    kernel: Callable[[pl.DataFrame], pl.DataFrame] = fail if broken == "kernel" else twins
    paths = key_files(tmp_path / "keys", [[1, 1]])
    if broken == "writing":
        monkeypatch.setattr("cotdata.engine.local.write_arrow", fail)
    with pytest.raises(OSError, match="disk full"):
        LocalEngine(1).exchange(paths, "key", kernel, tmp_path / "out")
    assert names(tmp_path / "out") == set()


def test_an_arrow_file_reads_as_it_was_written(tmp_path: Path) -> None:
    frame = pl.DataFrame(
        {
            "text": ["é", None, ""],
            "raw": [b"\xff", None, b""],
            "turns": [[{"role": "user", "content": None}], [], None],
            "number": pl.Series([2**64 - 1, 0, None], dtype=pl.UInt64),
        }
    )
    for part in (frame, frame.clear(), frame[1:2]):
        write_arrow(part, tmp_path / "rows.arrow")
        assert read_arrow(tmp_path / "rows.arrow").equals(part)
        assert read_arrow(tmp_path / "rows.arrow").schema == frame.schema

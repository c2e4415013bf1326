import os
from collections.abc import Iterator
from pathlib import Path

import fsspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cotdata.errors import SourceError
from cotdata.sources import remote_files
from cotdata.sources.files import SourceFile, find_files
from cotdata.sources.source_file import format_of, readable


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in (
        "r/data/b.jsonl",
        "r/data/a.jsonl",
        "r/data/B.jsonl",
        "r/data/a/x.parquet",
        "r/data/a/deep/y.csv.gz",
        "r/data/.hidden.jsonl",
        "r/data/.git/z.jsonl",
        "r/data/notes.txt",
        "out.jsonl",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"{}")
    return tmp_path / "r"


def labels(pattern: str, base: Path, **settings: str) -> list[str]:
    return [file.label for file in find_files(pattern, base, **settings)]


def test_a_relative_path_is_labelled_as_written(tree: Path) -> None:
    (file,) = find_files("data/a.jsonl", tree)
    assert file == SourceFile(str(tree / "data/a.jsonl"), "data/a.jsonl", 2)
    assert labels("../out.jsonl", tree) == ["../out.jsonl"]
    assert labels("./data/notes.txt", tree) == ["data/notes.txt"]


def test_an_absolute_path_never_shows(tree: Path) -> None:
    assert labels(f"{tree}/data/a.jsonl", Path()) == ["a.jsonl"]
    assert labels(f"{tree}/data/*/x.parquet", Path()) == ["a/x.parquet"]
    assert labels(f"{tree}/data", Path())[2:4] == ["a/deep/y.csv.gz", "a/x.parquet"]
    assert labels(f"file://{tree}/data/a.jsonl", Path()) == ["a.jsonl"]


def test_a_home_path_never_shows(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tree))
    assert labels("~/data/a.jsonl", Path()) == ["a.jsonl"]


def test_a_folder_gives_its_data_files_in_byte_order(tree: Path) -> None:
    expected = ["B.jsonl", "a.jsonl", "a/deep/y.csv.gz", "a/x.parquet", "b.jsonl"]
    assert labels("data", tree) == [f"data/{name}" for name in expected]
    assert labels("data/", tree) == labels("data", tree)
    assert "data/notes.txt" in labels("data", tree, format="jsonl")
    assert labels(".", tree) == labels("data", tree)


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("data/*.jsonl", ["data/B.jsonl", "data/a.jsonl", "data/b.jsonl"]),
        ("data/[ab].jsonl", ["data/a.jsonl", "data/b.jsonl"]),
        ("data/?.jsonl", ["data/B.jsonl", "data/a.jsonl", "data/b.jsonl"]),
        ("data/**/*.parquet", ["data/a/x.parquet"]),
        ("**/x.*", ["data/a/x.parquet"]),
        ("data/**/*.jsonl", ["data/B.jsonl", "data/a.jsonl", "data/b.jsonl"]),
        ("data/*/**/y.csv.gz", ["data/a/deep/y.csv.gz"]),
        ("**/a/**/*.gz", ["data/a/deep/y.csv.gz"]),
        ("data/.h*.jsonl", ["data/.hidden.jsonl"]),
        ("../*.jsonl", ["../out.jsonl"]),
    ],
)
def test_a_glob_gives_what_matches(tree: Path, pattern: str, expected: list[str]) -> None:
    assert labels(pattern, tree) == expected


def test_a_double_star_at_the_end_gives_all_files(tree: Path) -> None:
    assert set(labels("data/**", tree)) == {*labels("data", tree), "data/notes.txt"}


def test_a_name_with_brackets_is_a_name_first(tree: Path) -> None:
    (tree / "a[1].jsonl").write_bytes(b"{}")
    assert labels("a[1].jsonl", tree) == ["a[1].jsonl"]


def test_order_is_that_of_bytes_not_of_code_points_or_locale(tmp_path: Path) -> None:
    names = [b"a\xff.csv", "a\U00010000.csv".encode(), "a\uffff.csv".encode(), b"a.csv", b"a/b.csv"]
    for name in names:
        path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name))
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"a\n")
    found = [
        os.fsencode(Path(file.path).relative_to(tmp_path)) for file in find_files(".", tmp_path)
    ]
    assert found == sorted(names)


@pytest.mark.parametrize(
    ("name", "label"),
    [
        (b"a\nb.csv", r"a\nb.csv"),
        (b"\x1b[31m.csv", r"\x1b[31m.csv"),
        (b"caf\xe9.csv", r"caf\xe9.csv"),
        ("\u202egpj.csv".encode(), r"\u202egpj.csv"),
        (b"a\\nb.csv", r"a\\nb.csv"),
        ("汉 é.csv".encode(), "汉 é.csv"),
    ],
)
def test_hostile_names_are_read_and_escaped(tmp_path: Path, name: bytes, label: str) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name))
    path.write_bytes(b"a\n1\n")
    (file,) = find_files(".", tmp_path)
    assert file.label == label
    with file.open() as stored:
        assert stored.read() == b"a\n1\n"
    assert labels(os.fsdecode(name), tmp_path) == [label]
    with pytest.raises(SourceError) as caught:
        find_files(os.fsdecode(name) + "x", tmp_path)
    assert str(caught.value).isprintable() or "\n  fix: " in str(caught.value)
    str(caught.value).encode()


@given(st.text(max_size=6), st.text(max_size=6))
def test_no_two_names_look_the_same(one: str, other: str) -> None:
    assert (readable(one) == readable(other)) == (one == other)
    assert readable(one).isprintable()


def test_a_missing_file_comes_with_near_misses(tree: Path) -> None:
    with pytest.raises(SourceError, match=r"there is no `a\.json`\n  fix: did you mean `a\.jsonl`"):
        find_files("data/a.json", tree)
    with pytest.raises(SourceError, match=r"there is no `dta`\n  fix: did you mean `data`"):
        find_files("dta/a.jsonl", tree)
    with pytest.raises(SourceError, match="relative to the recipe; there: `data`"):
        find_files("zzz", tree)


@pytest.mark.parametrize(
    ("pattern", "what"),
    [
        ("data/*.xyz", "no file matches"),
        ("nowhere/*.csv", "no such folder"),
        ("", "empty"),
        ("a\0b", "NUL"),
        ("data/a.jsonl/x", "there is no `x`"),
        ("x" * 5000, "name too long"),
    ],
)
def test_what_names_no_file_is_an_error_with_a_fix(tree: Path, pattern: str, what: str) -> None:
    with pytest.raises(SourceError, match=f"(?i){what}"):
        find_files(pattern, tree)


def test_a_folder_without_data_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_text("x")
    with pytest.raises(SourceError, match=r"no data file\n  fix: .*\.jsonl"):
        find_files(".", tmp_path)


def test_a_folder_with_a_files_name_must_be_meant(tmp_path: Path) -> None:
    (tmp_path / "x.parquet").mkdir()
    (tmp_path / "x.parquet" / "part.parquet").write_bytes(b"")
    with pytest.raises(SourceError, match=r"is a folder.*\n  fix: write x\.parquet/"):
        find_files("x.parquet", tmp_path)
    assert labels("x.parquet/", tmp_path) == ["x.parquet/part.parquet"]


def test_links_in_circles_end(tree: Path) -> None:
    (tree / "data" / "loop").symlink_to(tree / "data")
    (tree / "data" / "self.jsonl").symlink_to("self.jsonl")
    (tree / "data" / "0").symlink_to("a")
    expected = ["B.jsonl", "a.jsonl", "a/deep/y.csv.gz", "a/x.parquet", "b.jsonl"]
    found = [name for name in expected if "/" in name]
    assert [name for name in labels("data/**/*.*", tree) if name.count("/") > 1] == [
        f"data/{name}" for name in found
    ]
    assert labels("data/*/x.parquet", tree) == ["data/0/x.parquet", "data/a/x.parquet"]
    with pytest.raises(SourceError, match=r"(?i)symbolic links"):
        find_files("data/self.jsonl", tree)


def test_a_linked_file_is_read_under_its_own_name(tree: Path) -> None:
    (tree / "link.jsonl").symlink_to("data/a.jsonl")
    assert labels("link.jsonl", tree) == ["link.jsonl"]


def test_a_pipe_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "x.jsonl")
    with pytest.raises(SourceError, match="not a regular file"):
        find_files("x.jsonl", tmp_path)
    with pytest.raises(SourceError, match="not a regular file"):
        find_files(".", tmp_path)


@pytest.mark.parametrize("pattern", ["data/shut", "data/shut/x.jsonl", "data", "data/shut/*.jsonl"])
def test_what_may_not_be_read_is_an_error(
    tree: Path, monkeypatch: pytest.MonkeyPatch, pattern: str
) -> None:
    (tree / "data" / "shut").mkdir()
    _forbid(tree / "data" / "shut", monkeypatch)
    with pytest.raises(SourceError, match="permission denied"):
        find_files(pattern, tree)


def test_a_file_that_may_not_be_opened_is_an_error(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (file,) = find_files("data/a.jsonl", tree)
    _forbid(tree / "data" / "a.jsonl", monkeypatch)
    with pytest.raises(SourceError, match=r"data/a\.jsonl: .*permission denied"):
        file.open()


def _forbid(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Say no as the system would: permissions don't bind root, who may run the tests."""
    scandir, stat, opened = os.scandir, Path.stat, Path.open

    def check(path: object, *, is_inside: bool = False) -> None:
        at = Path(str(path))
        if place in at.parents or (at == place and not is_inside):
            raise PermissionError(13, "Permission denied", str(path))

    def checked_scandir(path: Path) -> object:
        check(path)
        return scandir(path)

    def checked_stat(self: Path, **settings: bool) -> os.stat_result:
        check(self, is_inside=True)
        return stat(self, **settings)

    def checked_open(self: Path, mode: str) -> object:
        check(self)
        return opened(self, mode)

    monkeypatch.setattr(os, "scandir", checked_scandir)
    monkeypatch.setattr(Path, "stat", checked_stat)
    monkeypatch.setattr(Path, "open", checked_open)


def test_the_companions_of_a_saved_data_set_are_no_data(tmp_path: Path) -> None:
    for name in ("data-00000-of-00001.arrow", "dataset_info.json", "state.json"):
        (tmp_path / name).write_bytes(b"{}")
    assert labels(".", tmp_path) == ["data-00000-of-00001.arrow"]
    (tmp_path / "data-00000-of-00001.arrow").unlink()
    assert labels(".", tmp_path) == ["dataset_info.json", "state.json"]


@pytest.mark.parametrize(
    ("name", "format_name"),
    [
        ("x.jsonl", "jsonl"),
        ("x.NDJSON.gz", "jsonl"),
        ("x.json.zst", "json"),
        ("x.tsv", "tsv"),
        ("x.feather", "arrow"),
        ("x.gz", None),
        ("x", None),
        ("jsonl", None),
    ],
)
def test_a_name_says_its_format(name: str, format_name: str | None) -> None:
    assert format_of(name) == format_name


@pytest.fixture
def bucket() -> Iterator[str]:
    system = fsspec.filesystem("memory")
    for name in ("b.jsonl", "a.jsonl", "B.jsonl", "sub/c.csv", "sub/.hid.csv", "n.txt"):
        system.pipe(f"/bucket/{name}", b'{"a":1}')
    yield "memory://bucket"
    system.rm("/bucket", recursive=True)


def test_a_url_names_a_file_a_glob_or_a_folder(bucket: str) -> None:
    assert labels(f"{bucket}/a.jsonl", Path()) == ["a.jsonl"]
    assert labels(f"{bucket}/*.jsonl", Path()) == ["B.jsonl", "a.jsonl", "b.jsonl"]
    assert labels(f"{bucket}/**/*.csv", Path())[-1] == "sub/c.csv"
    assert labels(bucket, Path()) == ["B.jsonl", "a.jsonl", "b.jsonl", "sub/c.csv"]
    (file,) = find_files(f"{bucket}/a.jsonl", Path())
    assert (file.open().read(), file.size) == (b'{"a":1}', 7)


def test_a_url_that_names_nothing_is_an_error(bucket: str) -> None:
    with pytest.raises(SourceError, match=r"memory://bucket/q\*: no data file is there"):
        find_files(f"{bucket}/q*", Path())
    with pytest.raises(SourceError):
        find_files("memory://nowhere/x.jsonl", Path())


def test_an_unknown_kind_of_url_lists_the_known_ones() -> None:
    with pytest.raises(SourceError, match=r"`xyz://` is no known kind.*\n  fix: known are .*s3"):
        find_files("xyz://bucket/x.jsonl", Path())


@pytest.mark.parametrize(
    ("scheme", "extra"), [("s3", r"cotdata\[s3\]"), ("gs", r"cotdata\[gcs\]"), ("sftp", "paramiko")]
)
def test_a_missing_package_is_named(
    scheme: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(url: str) -> None:
        message = f"Install paramiko to read {url}"
        raise ImportError(message)

    monkeypatch.setattr(remote_files, "url_to_fs", missing)
    with pytest.raises(SourceError, match=f"not installed\n  fix: .*{extra}"):
        find_files(f"{scheme}://bucket/x.jsonl", Path())


@pytest.mark.parametrize("name", ["a[1]", "a*", "a?", "[!x]"])
def test_a_folder_above_the_pattern_is_no_pattern(tmp_path: Path, name: str) -> None:
    base = tmp_path / name
    (base / "data").mkdir(parents=True)
    (tmp_path / "ab" / "data").mkdir(parents=True)
    for folder in (base, tmp_path / "ab"):
        (folder / "data" / "x.jsonl").write_bytes(b"{}")
    (file,) = find_files("data/*.jsonl", base)
    assert (file.path, file.label) == (str(base / "data/x.jsonl"), "data/x.jsonl")
    assert labels("../ab/*/x.jsonl", base) == ["../ab/data/x.jsonl"]


def test_an_escaped_name_is_that_name_alone(tmp_path: Path) -> None:
    for name in ("[a]", "a"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x.jsonl").write_bytes(b"{}")
    for pattern in ("[[]a]/x.jsonl", "[[]a]/*.jsonl"):
        assert labels(pattern, tmp_path) == ["[a]/x.jsonl"]
        assert labels(f"{tmp_path}/{pattern}", Path()) == ["x.jsonl"]
    with pytest.raises(SourceError, match=r"there is no `y\.jsonl`"):
        find_files("[[]a]/y.jsonl", tmp_path)


@pytest.mark.parametrize("pattern", ["~nouser-of-this-machine/x", "~nouser-of-this-machine/*.csv"])
def test_the_home_of_nobody_is_an_error_with_a_fix(tmp_path: Path, pattern: str) -> None:
    with pytest.raises(SourceError, match=r"home of no user.*\n  fix: .*\./~nouser"):
        find_files(pattern, tmp_path)


def test_a_link_to_itself_is_an_error_with_a_fix(tmp_path: Path) -> None:
    (tmp_path / "nested").mkdir()
    (tmp_path / "nested" / "loop.jsonl").symlink_to("loop.jsonl")
    with pytest.raises(SourceError, match=r"nested/loop\.jsonl: .*\n  fix: the link leads back"):
        find_files("nested/loop.jsonl", tmp_path)
    with pytest.raises(SourceError, match=r"nested/loop\.jsonl: is a link.*\n  fix: remove it"):
        find_files("nested", tmp_path)


def test_an_error_of_a_url_shows_no_password(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(url: str) -> None:
        message = f"cannot connect to {url}"
        raise OSError(message)

    monkeypatch.setattr(remote_files, "url_to_fs", unreachable)
    with pytest.raises(SourceError, match=r"http://host/x\.jsonl: cannot be reached: ") as caught:
        find_files("http://user:SECRET@host/x.jsonl?token=SECRET", Path())
    assert "SECRET" not in str(caught.value)


def test_a_label_of_a_url_holds_no_password(monkeypatch: pytest.MonkeyPatch) -> None:
    class Web:
        def isfile(self, path: str) -> bool:
            return path.endswith(".jsonl?sig=SECRET/1")

        def info(self, path: str) -> dict[str, int]:
            return {"size": len(path)}

        def unstrip_protocol(self, path: str) -> str:
            return path

    monkeypatch.setattr(remote_files, "url_to_fs", lambda url: (Web(), url))
    url = "https://user:SECRET@host/data/x.jsonl?sig=SECRET/1"
    assert find_files(url, Path()) == [SourceFile(url, "x.jsonl", len(url))]

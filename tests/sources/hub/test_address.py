import pytest

from cotdata.errors import SourceError
from cotdata.sources.hub.address import (
    HubAddress,
    ResolvedDataset,
    check_choice,
    check_dataset_id,
    parse_hub_address,
)


@pytest.mark.parametrize(
    ("address", "revision", "expected"),
    [
        ("hf://owner/name", None, HubAddress("owner/name", None)),
        ("hf://owner/name", "v1", HubAddress("owner/name", "v1")),
        ("hf://owner/na.me-2_x@main", None, HubAddress("owner/na.me-2_x", "main")),
        (
            "hf://owner/name@refs/convert/parquet",
            None,
            HubAddress("owner/name", "refs/convert/parquet"),
        ),
        ("modelscope://owner/name@v1", "v1", HubAddress("owner/name", "v1")),
    ],
)
def test_an_address_names_a_data_set_and_perhaps_a_revision(
    address: str, revision: str | None, expected: HubAddress
) -> None:
    assert parse_hub_address(address, revision) == expected


@pytest.mark.parametrize(
    ("address", "what"),
    [
        ("hf://name", "`hf://name` does not name a data set: its owner is missing"),
        ("hf://", "`hf://` does not name a data set: its owner is missing"),
        ("hf:///name", "`hf:///name` does not name a data set"),
        ("hf://owner/", "`hf://owner/` does not name a data set"),
        (
            "hf://datasets/owner/name",
            "`hf://datasets/owner/name` does not name a data set: leave out `datasets/` "
            "(`owner/name`)",
        ),
        (
            "hf://owner/name/train.jsonl",
            "`hf://owner/name/train.jsonl` does not name a data set: it has more than an owner "
            "and a name",
        ),
        ("hf://owner/na me", "`hf://owner/na me` does not name a data set"),
        ("hf://owner/..", "`hf://owner/..` does not name a data set"),
        ("hf://../name", "`hf://../name` does not name a data set"),
        ("hf://owner/name.git", "`hf://owner/name.git` does not name a data set"),
        ("hf://owner/name@", "`hf://owner/name@` ends in `@` without a revision"),
    ],
)
def test_a_malformed_address_is_refused(address: str, what: str) -> None:
    with pytest.raises(SourceError) as caught:
        parse_hub_address(address)
    assert caught.value.what == what
    assert caught.value.fix == "write hf://OWNER/NAME, or hf://OWNER/NAME@REVISION"


def test_two_revisions_contradict_each_other() -> None:
    with pytest.raises(SourceError, match="name two revisions"):
        parse_hub_address("hf://owner/name@v1", "v2")


def test_a_name_without_an_owner_is_no_data_set_id() -> None:
    check_dataset_id("owner/name")
    with pytest.raises(SourceError, match="its owner is missing"):
        check_dataset_id("name")


def test_what_is_not_chosen_is_an_error_only_among_several() -> None:
    check_choice("config", None, ["default"], "owner/name")
    with pytest.raises(SourceError, match="has several configs") as caught:
        check_choice("config", None, ["zh", "en"], "owner/name")
    assert caught.value.fix == "set `config`: choose one of en, zh"


def test_the_nearest_choice_is_suggested() -> None:
    with pytest.raises(SourceError, match="`owner/name` has no split `trian`") as caught:
        check_choice("split", "trian", ["train", "test"], "owner/name")
    assert caught.value.fix == "did you mean `train`? choose one of test, train"


def test_content_changes_with_everything_that_decides_the_records() -> None:
    resolved = [
        ResolvedDataset("o/a", "1", "c", "train"),
        ResolvedDataset("o/b", "1", "c", "train"),
        ResolvedDataset("o/a", "2", "c", "train"),
        ResolvedDataset("o/a", "1", "d", "train"),
        ResolvedDataset("o/a", "1", "c", "test"),
    ]
    assert len({dataset.content for dataset in resolved}) == len(resolved)
    assert resolved[0].label == "o/a@1"

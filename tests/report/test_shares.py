"""Shares before and after, and of the splits."""

from cotdata.report.shares import language_groups, source_groups, split_shares
from tests.report.factory import Made, manifest, medical


def test_sources_keep_the_recipes_order_even_when_all_their_rows_are_gone() -> None:
    run = manifest([(Made("b"), 3), (Made("a", {"bad_json": 2}), 2)])
    groups = source_groups(run)
    assert [(group.name, group.before.rows, group.after.rows) for group in groups] == [
        ("b", 3, 3),
        ("a", 0, 0),
    ]
    assert groups[0].after.text == "100%"


def test_shares_are_of_the_rows_on_that_side() -> None:
    zh, en = source_groups(medical())
    assert (zh.before.text, en.before.text) == ("64.5%", "35.5%")
    assert (zh.after.rows, en.after.rows) == (1_316, 818)
    assert zh.after.percent == "61.67%"


def test_scripts_are_named_as_scripts_and_languages_by_their_code() -> None:
    assert [group.name for group in language_groups(medical())] == ["zh", "en"]
    assert [group.name for group in language_groups(manifest([(Made("a"), 1)]))] == ["Latin script"]


def test_split_shares_add_up() -> None:
    for split in split_shares(medical()):
        assert sum(part.rows for _, part in split.sources) == split.share.rows

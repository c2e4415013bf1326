"""What of a URL is shown and recorded."""

import pytest

from cotdata.sources.urls import without_local_folders, without_secrets


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("http://user:SECRET@host/x.jsonl", "http://host/x.jsonl"),
        ("HTTPS://SECRET@host:80/x", "HTTPS://host:80/x"),
        ("sftp://u:p@ss@host/x@y", "sftp://host/x@y"),
        ("https://host/x?X-Amz-Signature=SECRET#SECRET", "https://host/x"),
        ("https://host/x?a=SECRET/b", "https://host/x"),
        ("simplecache::http://u:SECRET@h/x", "simplecache::http://h/x"),
        ("zip://in.json::https://u:p@h/a.zip?sig=SECRET", "zip://in.json::https://h/a.zip"),
        ("az://c/x.jsonl?sv=1&sig=SECRET", "az://c/x.jsonl"),
        ("Cannot connect to 'http://u:p@h/x?k=v' today", "Cannot connect to 'http://h/x' today"),
    ],
)
def test_secrets_are_left_out(text: str, shown: str) -> None:
    assert without_secrets(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        *("s3://bucket/part-?.jsonl", "s3://bucket/a@b.jsonl", "s3://b/x?versionId=1", "a@b?c=d"),
        *("abfs://container@account/x", "hf://owner/name@main", "data/*.jsonl"),
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert without_secrets(text) == text


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("file:///home/me/x.jsonl", "x.jsonl"),
        ("FILE:///home/me/", "me"),
        ("local:///home/me/*.jsonl", "*.jsonl"),
        ("simplecache::file:///home/me/x.jsonl", "x.jsonl"),
        ("zip://in.json::file:///home/me/a.zip", "zip://in.json::a.zip"),
        ("zip://in.json::/home/me/a.zip", "zip://in.json::a.zip"),
        ("s3://bucket/data/x.jsonl", "s3://bucket/data/x.jsonl"),
        ("simplecache::s3://bucket/x.jsonl", "simplecache::s3://bucket/x.jsonl"),
    ],
)
def test_of_a_local_file_only_the_name_is_left(url: str, shown: str) -> None:
    assert without_local_folders(url) == shown

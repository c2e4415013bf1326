"""Errors become lines on stderr and exit codes, and say nothing that they should not."""

import errno

import pytest

from cotdata.cli.failures import guarded
from cotdata.errors import Location, Problem, RecipeError, SourceError, VerifyError


def raising(error: BaseException) -> int:
    def command() -> None:
        raise error

    return guarded(command, goes_on=True)


def test_a_known_error_is_the_users_to_change(capsys: pytest.CaptureFixture[str]) -> None:
    assert raising(SourceError("is empty", Location("a.jsonl", row=3), "fill it")) == 2
    assert capsys.readouterr().err == "error: a.jsonl:3: is empty\n  fix: fill it\n"


def test_every_problem_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    problems = [
        Problem("one", Location("r.yaml", line=1, column=2, field="a"), "x"),
        Problem("two"),
    ]
    assert raising(RecipeError("both", problems=problems)) == 2
    assert capsys.readouterr().err == "error: r.yaml:1:2 (a): one\n  fix: x\nerror: two\n"


def test_one_fix_for_all_problems_is_printed_last(capsys: pytest.CaptureFixture[str]) -> None:
    assert raising(VerifyError("v", fix="again", problems=[Problem("one"), Problem("two")])) == 2
    assert capsys.readouterr().err == "error: one\nerror: two\n  fix: again\n"


def test_an_unexpected_error_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert raising(ZeroDivisionError("by\nzero")) == 1
    said = capsys.readouterr().err
    assert said.startswith("error: unexpected error: ZeroDivisionError: by zero\n")
    assert "please report it" in said
    assert "Traceback" not in said


def test_the_traceback_is_there_for_who_asks(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COTDATA_DEBUG", "1")
    assert raising(ZeroDivisionError("x")) == 1
    assert "in raising" in capsys.readouterr().err.replace("in command", "in raising")


def test_secrets_of_the_environment_are_not_printed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_averysecretvalue")
    monkeypatch.setenv("COTDATA_DEBUG", "1")
    assert raising(ValueError("401 for hf_averysecretvalue")) == 1
    said = capsys.readouterr().err
    assert "hf_averysecretvalue" not in said
    assert "401 for $HF_TOKEN" in said


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EACCES, errno.EROFS])
def test_what_the_system_refuses_is_the_users_to_change(
    capsys: pytest.CaptureFixture[str], number: int
) -> None:
    assert raising(OSError(number, "is refused", "some/file")) == 2
    said = capsys.readouterr().err
    assert said.startswith("error: is refused: some/file\n  fix: ")
    assert "report it" not in said


def test_other_errors_of_the_system_stay_unexpected(capsys: pytest.CaptureFixture[str]) -> None:
    assert raising(FileNotFoundError(errno.ENOENT, "is missing", "some/file")) == 1
    assert "please report it" in capsys.readouterr().err


def test_an_interruption_says_that_the_work_is_kept(capsys: pytest.CaptureFixture[str]) -> None:
    assert raising(KeyboardInterrupt()) == 130
    said = capsys.readouterr().err
    assert "kept in the cache" in said
    assert "the same command goes on" in said


def test_escape_codes_in_errors_do_not_reach_the_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    hostile = "\x1b[2J\x1b]0;owned\x07a\x9b31mb\x07\u202ec\x1b(d\r\ne[red]f\udcff"
    assert raising(SourceError(hostile, Location(hostile), hostile)) == 2
    said = capsys.readouterr().err
    assert set(said) <= set("eror: abcdfix()\n[]\ufffd ")
    assert said.count("\n") == 2
    assert "[red]" in said

"""How the verdict on a model's chat template is shown."""

from collections.abc import Sequence
from typing import Any, Final

import orjson

from cotdata.cli.tables import print_table
from cotdata.cli.terminal import write_line, write_text
from cotdata.render.encodings import Encoding, Shape, settings_text
from cotdata.render.opening import Opened
from cotdata.render.probe import Finding
from cotdata.render.template_process import Chat
from cotdata.report.text import visible

_FORM: Final = "reasoning as "
_FORMS: Final = {
    Encoding.INLINE: "as a tag in the message's content",
    Encoding.PARTS: "as a typed part of the message's content",
    Encoding.BLOCKS: "as a block of the message's content",
    Encoding.COMPOSED: "no form of message keeps it: the completion is composed after the prompt",
}


def print_verdict(opened: Opened, *, as_json: bool) -> None:
    """Print what was found out about a model's template, and what shows it."""
    if as_json:
        write_text(orjson.dumps(_content(opened), option=orjson.OPT_INDENT_2))
        return
    for line in _head(opened):
        write_line(line)
    write_line("")
    print_table(["", "how rows are written"], [[name, text] for name, text in _forms(opened)])
    write_line("")
    findings = [
        [question, visible(f"{answer}: {evidence}" if evidence else answer)]
        for question, answer, evidence in _grouped(opened.verdict.findings)
    ]
    print_table(["asked of the template", "found"], findings)


def _grouped(findings: Sequence[Finding]) -> list[tuple[str, str, str]]:
    """Put forms of reasoning that met the same fate on one line."""
    grouped: dict[tuple[str, str], list[str]] = {}
    lines: list[tuple[str, str, str]] = []
    for found in findings:
        if not found.question.startswith(_FORM):
            lines.append((found.question, found.answer, found.evidence))
            continue
        form = found.question.removeprefix(_FORM)
        grouped.setdefault((found.answer, found.evidence), []).append(form)
    fates = [
        (f"forms that are {answer}", ", ".join(forms), evidence)
        for (answer, evidence), forms in grouped.items()
    ]
    return [*lines[:-4], *fates, *lines[-4:]]


def _head(opened: Opened) -> list[str]:
    tokenizer = opened.tokenizer
    if tokenizer is None:
        return [
            f"{opened.model.name}: a template without a tokenizer; tokens are guessed by their "
            "look, and nothing is proven on ids"
        ]
    said = f"{opened.model.name}: {tokenizer.vocab_size:,} tokens"
    if opened.model.revision:
        said += f", revision {opened.model.revision}"
    if tokenizer.normalizes:
        said += f"; the tokenizer puts text into {tokenizer.normalizes}"
    return [said]


def _forms(opened: Opened) -> list[tuple[str, str]]:
    verdict = opened.verdict
    form = _FORMS.get(verdict.encoding, f"in the message's field {verdict.encoding.value}")
    if verdict.frame:
        form += f" ({verdict.frame})"
    rows = [
        ("reasoning", form),
        ("prompt", visible(_lined(_prompt(opened)))),
        ("completion", visible(_lined(verdict.completion("{Complex_CoT}", "{Response}")))),
        ("stop token", visible(verdict.stop)),
        ("trimmed", f"reasoning: {verdict.reasoning}; answer: {verdict.answer}"),
    ]
    if verdict.settings:
        said = f"{settings_text(verdict.settings)}: the server must be called so, too"
        rows.append(("switches", said))
    plain = verdict.empty_block
    called = f" with {settings_text(plain.settings)}" if plain.settings else ""
    shown = _lined(f"{plain.block}{plain.before}{{Response}}")
    rows.append(("no reasoning", f"{visible(shown)} after the prompt{called}"))
    return rows


def _prompt(opened: Opened) -> str:
    chat = Chat(Shape().messages({"Question": "{Question}"}), opened.verdict.settings)
    return opened.process.render([chat])[0].text or ""


def _lined(text: str) -> str:
    """Write newlines so that they are seen on one line."""
    return text.replace("\n", "⏎")


def _content(opened: Opened) -> dict[str, Any]:
    verdict = opened.verdict
    return {
        "model": opened.model.name,
        "revision": opened.model.revision,
        "encoding": verdict.encoding.value,
        "frame": verdict.frame,
        "settings": dict(verdict.settings),
        "prompt": _prompt(opened),
        "completion": verdict.completion("{Complex_CoT}", "{Response}"),
        "stop": verdict.stop,
        "default_system": verdict.default_system,
        "history": verdict.history,
        "findings": [found._asdict() for found in verdict.findings],
    }

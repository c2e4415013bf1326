"""Opens a model for rendering: its files, its tokenizer, its template and the verdict on that."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cotdata.errors import Location, RenderError
from cotdata.render.compose import Composer
from cotdata.render.encodings import INLINE_CLOSE, INLINE_OPEN, Shape
from cotdata.render.frames import FRAMES, ThinkFrame, chat_template, find_frame, frame_from_text
from cotdata.render.model_files import ModelFiles, open_model, sample_model
from cotdata.render.probe import Prober, Tags
from cotdata.render.prompts import Prompts
from cotdata.render.prover import Prover
from cotdata.render.renderer import Renderer
from cotdata.render.settings import AUTO, Frame, Render
from cotdata.render.stopping import MARKER, Stops
from cotdata.render.template_process import TemplateProcess
from cotdata.render.template_text import TemplateText, read_template
from cotdata.render.token_text import TokenText
from cotdata.render.tokenizer import Tokenizer
from cotdata.render.verdict import Verdict, judge

#: What stands for the special tokens of a template that has no tokenizer beside it.
STAND_INS: Final[Mapping[str, str]] = {"bos_token": "<|bos|>", "eos_token": "<|eos|>"}
#: Ends of file names of bare templates, which can be explained but render nothing.
_TEMPLATE_SUFFIXES: Final = (".jinja", ".jinja2", ".j2")


@dataclass(frozen=True)
class Opened:
    """A model with the verdict on its template."""

    model: ModelFiles
    tokenizer: Tokenizer | None
    source: str
    text: TemplateText
    process: TemplateProcess
    verdict: Verdict
    #: The think frame that the recipe names or writes out; None for the model's own template.
    frame: ThinkFrame | None


def open_renderer(settings: Render, base: Path, *, sample: bool = False) -> Renderer:
    """Return a renderer for a recipe's `render:` section.

    Args:
        settings: The section.
        base: What a model's folder is relative to.
        sample: Take the package's own small model.

    Raises:
        RenderError: If the model cannot be had, or its template cannot be rendered safely.
    """
    opened = open_template(settings, base, sample=sample)
    tokenizer, verdict = opened.tokenizer, opened.verdict
    stop_id = tokenizer.token_id(verdict.stop) if tokenizer is not None else None
    if tokenizer is not None and stop_id is None:
        raise RenderError(
            f"the stop token {verdict.stop!r} is not one token of this tokenizer",
            fix="name one that is with `render.stop`, or another frame with `render.frame`",
        )
    composer = Composer(
        settings,
        verdict,
        Prompts(opened.process),
        opened.text,
        control_texts(opened),
        tokenizer.special.get("bos_token") if tokenizer is not None else None,
    )
    prover = Prover(
        settings,
        verdict,
        opened.process,
        tokenizer,
        TokenText.of(tokenizer) if tokenizer is not None else None,
        -1 if stop_id is None else stop_id,
        compares_all=opened.text.measures,
    )
    if composer.bos:
        _check_bos(composer, composer.bos)
    return Renderer(settings, opened.model, opened.source, composer, prover)


def _check_bos(composer: Composer, bos: str) -> None:
    """Refuse a template that begins with the beginning-of-sequence token twice."""
    shape, settings = Shape(), composer.verdict.settings
    ((prompt, _),) = composer.prompts.render(shape, settings, [{"Question": "?"}])
    if prompt is not None and prompt.startswith(bos + bos):
        raise RenderError(
            f"the chat template writes {bos} twice: a model has seen it once",
            fix="take one of them out of the chat template",
        )


def reopen_renderer(settings: Render, folder: Path) -> Renderer:
    """Return the renderer of a finished run, from the files that the run holds.

    The run's template is the one that was exported with it, whichever frame wrote it.

    Args:
        settings: What the run's manifest says.
        folder: The run's `tokenizer/`.

    Raises:
        RenderError: If the files cannot be read, or are not what they were.
    """
    own = {"model": str(folder), "revision": None, "frame": AUTO}
    return open_renderer(settings.model_copy(update=own), folder)


def open_template(settings: Render, base: Path, *, sample: bool = False) -> Opened:
    """Return a model with the verdict on its template; see `open_renderer`."""
    model = _model(settings, base, sample=sample)
    is_bare = not model.digests.keys() - {"chat_template.jinja"}
    tokenizer = Tokenizer(model) if settings.tokens and not is_bare else None
    frame = _frame(settings)
    source = chat_template(frame) if frame is not None else model.template
    if source is None:
        raise RenderError(
            f"`{model.name}` has no chat template",
            fix="name a think frame with `render.frame`: it is the template then (and its stop "
            "token with `render.stop`, where the tokenizer names none)",
        )
    if frame is not None and tokenizer is not None and settings.stop is None:
        _check_stop(frame, tokenizer)
    special = dict(tokenizer.special) if tokenizer is not None else _special(model)
    text = read_template(source)
    process = TemplateProcess(source, special, settings.date)
    prober = Prober(process, text, settings.template_kwargs, known_tags())
    try:
        verdict = judge(prober, _stops(settings, model, tokenizer, frame), FRAMES)
    except RenderError:
        process.close()
        raise
    return Opened(model, tokenizer, source, text, process, verdict, frame)


def _check_stop(frame: ThinkFrame, tokenizer: Tokenizer) -> None:
    """Refuse a think frame whose stop token this tokenizer does not have."""
    stop = frame.stop.replace("{eos}", tokenizer.special.get("eos_token", ""))
    if not stop or tokenizer.token_id(stop) is None:
        raise RenderError(
            f"the think frame `{frame.name}` ends an answer with {stop or 'the eos_token'}, which "
            "is no token of this tokenizer",
            fix="name a token that ends it with `render.stop`, or a frame that fits the model",
        )


def known_tags() -> list[Tags]:
    """Return the think tags of the known families, without blanks."""
    found = [Tags(INLINE_OPEN.strip(), INLINE_CLOSE.strip())]
    for frame in FRAMES:
        opened, closed = (frame.opened or frame.open).strip(), frame.close.strip()
        if opened and closed:
            found.append(Tags(opened, closed))
    return list(dict.fromkeys(found))


def control_texts(opened: Opened) -> tuple[str, ...]:
    """Return the texts that must not come from a row: they would be read as more than text.

    Those are the tokenizer's special tokens, the added tokens that the template itself writes, and
    the think tags of the model.
    """
    verdict, tokenizer = opened.verdict, opened.tokenizer
    literals = [verdict.before, verdict.between, verdict.end, verdict.prompt_end]
    texts = set(tokenizer.control) if tokenizer is not None else set()
    if tokenizer is not None:
        written = "".join([*literals, opened.text.literals])
        texts |= {token for token in tokenizer.added if token in written and token.strip()}
    texts |= set(MARKER.findall(verdict.between))  # what closes reasoning, in families unknown too
    for tags in known_tags():
        if any(tags.close in part for part in literals):
            texts |= {tags.open, tags.close}
    return tuple(sorted(texts))


def _model(settings: Render, base: Path, *, sample: bool) -> ModelFiles:
    if sample:
        return open_model(str(sample_model()), base)
    path = base / Path(settings.model).expanduser()
    if path.suffix in _TEMPLATE_SUFFIXES and path.is_file():
        return _bare_template(path)
    return open_model(settings.model, base, settings.revision)


def _bare_template(path: Path) -> ModelFiles:
    try:
        source = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RenderError(f"cannot be read: {error}", Location(str(path))) from error
    return ModelFiles(name=path.name, revision=None, folder=path.parent, template=source)


def _special(model: ModelFiles) -> dict[str, str]:
    """Return the special tokens that a tokenizer's config names, or stand-ins for them."""
    found = {}
    for name, value in {**STAND_INS, **model.config}.items():
        content = value.get("content") if isinstance(value, Mapping) else value
        if name.endswith("_token") and isinstance(content, str):
            found[name] = content
    return found


def _frame(settings: Render) -> ThinkFrame | None:
    match settings.frame:
        case Frame() as written:
            return frame_from_text(written)
        case name if name == AUTO:
            return None
        case name:
            return find_frame(name)


def _stops(
    settings: Render, model: ModelFiles, tokenizer: Tokenizer | None, frame: ThinkFrame | None
) -> Stops:
    """Return what may end an answer; a frame's own stop is exported with it, so it is served."""
    if tokenizer is None:
        eos = _special(model).get("eos_token")
        return Stops(chosen=settings.stop, eos=eos)
    served = [tokenizer.decode([number]) for number in tokenizer.eos_ids]
    if frame is not None:
        served = []
    return Stops(
        tokens=tuple(token for token in tokenizer.added if token.strip()),
        served=tuple(served),
        chosen=settings.stop,
        eos=tokenizer.special.get("eos_token"),
    )

"""Opens templates written in a test, without any tokenizer."""

from pathlib import Path
from typing import Any

from cotdata.render.encodings import Shape
from cotdata.render.opening import Opened, open_template
from cotdata.render.settings import Render

#: A family that nobody knows: its own tags, its own switch, its own turn ends.
TURNS = (
    "{% for m in messages %}{% if m.role == 'user' %}<|u|>{{ m.content }}<|e|>"
    "{% elif m.role == 'system' %}<|s|>{{ m.content }}<|e|>"
    "{% else %}<|a|>ASSISTANT<|e|>{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<|a|>PROMPT{% endif %}"
)


def template(assistant: str, prompt: str = "") -> str:
    """Return a template whose assistant turns and generation prompt are these."""
    return TURNS.replace("ASSISTANT", assistant).replace("PROMPT", prompt)


def opened(source: str, folder: Path, **settings: Any) -> Opened:
    """Open a template as `--explain FILE.jinja` does."""
    path = folder / "template.jinja"
    path.write_text(source, encoding="utf-8")
    return open_template(Render(model=str(path), **settings), folder)


def completion(found: Opened) -> str:
    """Return what the model writes, with slots."""
    return found.verdict.completion("{C}", "{A}")


def prompt(found: Opened, question: str = "Q") -> str:
    """Return the prompt of a question."""
    chat = Shape().messages({"Question": question})
    from cotdata.render.template_process import Chat

    return found.process.render([Chat(chat, found.verdict.settings)])[0].text or ""

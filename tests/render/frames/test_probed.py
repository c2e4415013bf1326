"""An exported frame, probed like any model's template, is found to be what its data says."""

from pathlib import Path

import pytest

from cotdata.render.encodings import Encoding
from cotdata.render.frames import FRAMES, FrameText, ThinkFrame, chat_template
from cotdata.render.opening import STAND_INS, open_template
from cotdata.render.settings import Render


@pytest.mark.parametrize("frame", FRAMES, ids=lambda frame: frame.name)
def test_the_prober_reads_the_frame_back(frame: ThinkFrame, tmp_path: Path) -> None:
    template = tmp_path / "chat_template.jinja"
    template.write_text(chat_template(frame), encoding="utf-8")
    opened = open_template(Render(model=str(template), tokens=False), tmp_path)
    opened.process.close()
    verdict, text = opened.verdict, FrameText(frame, STAND_INS)
    prompt = text.prompt([{"role": "user", "content": "Kw7q"}])
    assert verdict.encoding is Encoding.REASONING_CONTENT
    assert verdict.prompt_end == prompt.partition("Kw7q")[2]
    assert verdict.completion("Because.", "So.") == text.completion("Because.", "So.")
    assert verdict.default_system == frame.turns.default_system

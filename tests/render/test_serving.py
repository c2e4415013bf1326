"""Servers' files write the prompts that the rows were trained with."""

import json
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cotdata.errors import RenderError
from cotdata.render.frames import FRAMES, FrameText, ThinkFrame, find_frame, frame_from_text
from cotdata.render.serving import (
    ServingForm,
    generation_config,
    llama_cpp_command,
    modelfile,
    ollama_template,
    serving_form,
    vllm_command,
)
from cotdata.render.settings import Frame
from tests.render.go_template import go_render, ollama_render, read_modelfile

SPECIAL = {"eos_token": "</s>"}
DATE = "2026-03-09"
OWN = frame_from_text(
    Frame(
        prompt='{bos}{{x}} """ {\u3000\u200b"} "\\n":\n{system}\t{Question}\r\n{% y %}<think>\n',
        completion="{Complex_CoT}\n</think>\n{Response}\n{eos}",
        system="Be {{brief}}.",
    )
)
#: SmolLM3's date cannot be written in Ollama's language.
OLLAMA_FRAMES = [frame for frame in [*FRAMES, OWN] if frame.name != "smollm3"]
TEXTS = st.text(alphabet=st.sampled_from("ab{}\"'\\\n \u3000急😀<>|")).map(lambda text: f"x{text}x")


@st.composite
def conversations(draw: st.DrawFn, frame: ThinkFrame) -> list[dict[str, Any]]:
    messages = []
    if frame.turns.system is not None and draw(st.booleans()):
        messages.append({"role": "system", "content": draw(TEXTS)})
    for _ in range(0 if frame.is_single_turn else draw(st.integers(0, 2))):
        messages.append({"role": "user", "content": draw(TEXTS)})
        answer = {"role": "assistant", "content": draw(TEXTS)}
        if frame.tags is not None and draw(st.booleans()):
            answer["reasoning_content"] = draw(TEXTS)
        messages.append(answer)
    return [*messages, {"role": "user", "content": draw(TEXTS)}]


def expected(frame: ThinkFrame, messages: list[dict[str, Any]], think: bool | None) -> str:
    text = FrameText(frame, SPECIAL, DATE, is_thinking=think is not False)
    return text.prompt(messages)


@pytest.mark.parametrize("frame", OLLAMA_FRAMES, ids=lambda frame: frame.name)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_the_modelfile_writes_the_frame_s_prompt(frame: ThinkFrame, data: st.DataObject) -> None:
    commands = dict(read_modelfile(modelfile(serving_form(frame, SPECIAL), "./model.gguf")))
    messages = data.draw(conversations(frame))
    if frame.tags is None:  # its earlier answers come back as the model wrote them, whole
        messages = messages[-1:]
    think = data.draw(st.sampled_from([None, True, False]))
    rendered = ollama_render(commands["TEMPLATE"], messages, think)
    assert rendered == expected(frame, messages, think)


def test_the_modelfile_names_model_and_stop() -> None:
    commands = read_modelfile(modelfile(serving_form(find_frame("glm"), SPECIAL), "a b.gguf"))
    assert commands[0] == ("FROM", "a b.gguf")
    assert commands[-1] == ("PARAMETER stop", "<|user|>")


def test_the_tokenizer_s_own_eos_is_named_where_a_frame_has_no_stop_of_its_own() -> None:
    form = serving_form(find_frame("plain"), SPECIAL)
    assert ("PARAMETER stop", "</s>") in read_modelfile(modelfile(form, "m"))
    assert "PARAMETER" not in modelfile(serving_form(find_frame("plain"), {}), "m")


def test_ollama_reads_the_think_tags_from_the_template() -> None:
    template = ollama_template(serving_form(find_frame("qwen3"), SPECIAL))
    assert (
        "{{ if and $last .Thinking }}<think>\n{{ .Thinking }}\n</think>\n\n{{ else }}" in template
    )


def test_a_date_that_ollama_cannot_write_is_refused() -> None:
    with pytest.raises(RenderError, match="%d %B %Y"):
        ollama_template(serving_form(find_frame("smollm3"), SPECIAL))


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        (find_frame("diagnosis-zh"), "no place for a system prompt"),
        (find_frame("qwen3.5"), "send them trimmed"),
        (find_frame("qwen3"), "`think: false`"),
        (OWN, "send no earlier turns"),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_the_modelfile_says_what_ollama_cannot_do(frame: ThinkFrame, said: str) -> None:
    assert said in modelfile(serving_form(frame, SPECIAL), "m")


def test_a_probed_form_needs_no_frame() -> None:
    form = ServingForm("<u>", "</u>", "<a>", "<think>\n", "", "\n</think>\n", "</a>", "<b>", "<s>")
    messages = [{"role": "system", "content": "S"}, {"role": "user", "content": "Q"}]
    rendered = ollama_render(ollama_template(form), messages)
    assert rendered == "<b><s>S<u>Q</u><a><think>\n"


def test_vllm_is_given_template_parser_and_stop() -> None:
    form = serving_form(find_frame("gemma-4"), SPECIAL)
    command = vllm_command("my model", form, has_tag_tokens=True, generation_config=".")
    assert shlex.split(command) == [
        "vllm", "serve", "my model", "--chat-template", "chat_template.jinja",
        "--reasoning-parser", "gemma4", "--generation-config", ".",
        "--default-chat-template-kwargs", '{"enable_thinking": true}',
    ]  # fmt: skip


def test_vllm_gets_no_parser_whose_tags_are_no_tokens() -> None:
    form = serving_form(find_frame("qwen2.5"), SPECIAL)
    assert "parser" not in vllm_command("m", form, has_tag_tokens=False)


def test_llama_cpp_is_given_the_template_and_its_switches() -> None:
    small = serving_form(find_frame("qwen3.5-small"), SPECIAL)
    assert shlex.split(llama_cpp_command("m.gguf", small)) == [
        "llama-server", "-m", "m.gguf", "--jinja", "--chat-template-file", "chat_template.jinja",
        "--chat-template-kwargs", '{"enable_thinking": true}',
    ]  # fmt: skip
    assert "kwargs" not in llama_cpp_command("m", serving_form(find_frame("qwen3"), SPECIAL))


def test_the_stop_token_comes_first_and_the_model_s_own_stay() -> None:
    config = json.loads(generation_config([7], {"eos_token_id": [1, 7], "temperature": 0.6}))
    assert config == {"eos_token_id": [7, 1], "temperature": 0.6}
    assert json.loads(generation_config([7], {"eos_token_id": 2})) == {"eos_token_id": [7, 2]}
    assert json.loads(generation_config([7])) == {"eos_token_id": [7]}


GO_PROGRAM = """
package main

import ("encoding/json"; "os"; "strings"; "text/template")

func main() {
	var cases []struct { Source string; Data struct {
		System string; Messages []struct { Role, Content, Thinking string }
		Think, IsThinkSet bool } }
	json.NewDecoder(os.Stdin).Decode(&cases)
	funcs := template.FuncMap{"currentDate": func() string { return "2026-03-09" }}
	out := []string{}
	for _, each := range cases {
		var b strings.Builder
		parsed, err := template.New("").Option("missingkey=zero").Funcs(funcs).Parse(each.Source)
		if err == nil { err = parsed.Execute(&b, each.Data) }
		if err != nil { b.Reset(); b.WriteString(err.Error()) }
		out = append(out, b.String())
	}
	json.NewEncoder(os.Stdout).Encode(out)
}
"""


def go_cases() -> list[dict[str, Any]]:
    system = {"Role": "system", "Content": "S \u3000"}
    asked = [{"Role": "user", "Content": 'Q {{ "1" }}'}]
    turns = [
        *asked,
        {"Role": "assistant", "Content": "A", "Thinking": "T"},
        {"Role": "user", "Content": "R"},
        {"Role": "assistant", "Content": "B", "Thinking": ""},
    ]
    cases = []
    for frame in OLLAMA_FRAMES:
        source = ollama_template(serving_form(frame, SPECIAL))
        for messages in (asked, [system, *asked], [*turns, *asked], [system, *turns], turns[:2]):
            for think in (None, True, False):
                data = {
                    "System": "".join(each["Content"] for each in messages if each is system),
                    "Messages": [{"Thinking": "", **each} for each in messages],
                    "Think": bool(think),
                    "IsThinkSet": think is not None,
                }
                cases.append({"Source": source, "Data": data})
    return cases


@pytest.mark.slow
@pytest.mark.skipif(
    shutil.which("go") is None, reason="Go, which runs Ollama's templates, is absent"
)
def test_go_itself_renders_what_our_small_interpreter_renders(tmp_path: Path) -> None:
    program = tmp_path / "main.go"
    program.write_text(GO_PROGRAM, encoding="utf-8")
    cases = go_cases()
    done = subprocess.run(
        ["go", "run", str(program)],
        input=json.dumps(cases),
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
    )
    rendered = json.loads(done.stdout)
    assert rendered == [go_render(case["Source"], case["Data"]) for case in cases]

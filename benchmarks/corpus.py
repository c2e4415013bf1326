"""The corpus that the benchmarks read: seeded Markov text with planted twins and defects."""

import argparse
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final, NamedTuple, TypeAlias

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from benchmarks.settings import (
    COLUMNS,
    CORPUS_VERSION,
    MIN_CHARS,
    SEED,
    CorpusFiles,
    CorpusSummary,
)
from benchmarks.vocabulary import SUCCESSORS, Vocabulary, load_vocabulary

EXACT_SHARE: Final = 0.03
NEAR_SHARE: Final = 0.05
DEFECT_SHARE: Final = 0.01
EDITED_SHARES: Final = (0.01, 0.10)
LANGUAGE_SHARES: Final = (0.5, 0.3, 0.2)

_CHUNK_ROWS: Final = 40_000
_WALK_STEPS: Final = 1_024
# Words in Question, Complex_CoT and Response: log-normal, as lengths of published sets look.
_MEDIAN_WORDS: Final = (26.0, 99.0, 42.0)
_SPREAD: Final = (0.5, 0.55, 0.5)
_LEAST_WORDS: Final = (6, 60, 6)
_MOST_WORDS: Final = (200, 900, 400)
# No language needs fewer than 1.9 characters a word, so this passes MAX_CHARS in each of them.
_TOO_LONG_WORDS: Final = 6_000

_ORIGINAL, _EXACT, _NEAR, _DEFECT = range(4)
_DEFECTS: Final = (
    *(f"{problem}:{column}" for problem in ("empty", "null", "blank") for column in COLUMNS),
    "too_short:Complex_CoT",
    "too_long:Complex_CoT",
)
# Too long is the dearest to write, too short the commonest in practice.
_DEFECT_WEIGHTS: Final = np.array([*[8.0] * 9, 26.0, 2.0])

Ids: TypeAlias = NDArray[np.int32]
Longs: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True)
class Plan:
    """What every row of the corpus will be, decided before any text is written."""

    kind: NDArray[np.int8]
    twin_of: Longs
    defect: NDArray[np.int8]
    edited_share: NDArray[np.float64]


class TokenRow(NamedTuple):
    """One row as word ids: its three texts one after the other, and their lengths."""

    ids: Ids
    lengths: Longs
    language: int


class Texts(NamedTuple):
    """Rows as word ids: `ids` holds all texts, `lengths` (rows x 3) cuts it."""

    ids: Ids
    lengths: Longs


@dataclass
class Writer:
    """What is carried from chunk to chunk: the rows to be repeated later, and what was edited."""

    vocabulary: Vocabulary
    plan: Plan
    seed: int
    sources: frozenset[int]
    kept: dict[int, TokenRow] = field(default_factory=dict)
    edited: dict[int, float] = field(default_factory=dict)


def make_corpus(files: CorpusFiles, rows: int, seed: int) -> CorpusSummary:
    """Write the corpus, its truth and its summary, unless they stand there already.

    The truth is a parquet file with a row for each planted one: `index` (0-based), `planted`
    (exact, near or defect), `twin_of` (index, null for defects), `edited_share` (of the twin's
    words, null unless near), `defect` (`problem:column`, null for twins).
    """
    if files.summary.exists():
        return CorpusSummary(**json.loads(files.summary.read_text()))
    files.rows.parent.mkdir(parents=True, exist_ok=True)
    plan = make_plan(rows, np.random.default_rng([seed, rows]))
    sources = frozenset(plan.twin_of[plan.twin_of >= 0].tolist())
    writer = Writer(load_vocabulary(), plan, seed, sources)
    partial = files.rows.with_suffix(".partial")
    with partial.open("wb") as sink:
        for start in range(0, rows, _CHUNK_ROWS):
            _make_chunk(writer, start, min(start + _CHUNK_ROWS, rows)).write_ndjson(sink)
    partial.rename(files.rows)
    _truth(writer).write_parquet(files.truth)
    summary = _summarise(plan, seed, files.rows.stat().st_size)
    files.summary.write_text(json.dumps(asdict(summary), indent=2))
    return summary


def make_plan(rows: int, rng: np.random.Generator) -> Plan:
    """Decide which rows are twins, of which earlier original, and which have which defect."""
    kind = np.zeros(rows, np.int8)
    counts = [round(rows * share) for share in (EXACT_SHARE, NEAR_SHARE, DEFECT_SHARE)]
    # Row 0 stays an original, so that every twin has something before it to repeat.
    spots = rng.permutation(np.arange(1, rows))[: sum(counts)]
    for number, part in enumerate(np.split(spots, np.cumsum(counts)[:-1]), start=1):
        kind[part] = number
    originals = np.flatnonzero(kind == _ORIGINAL)
    earlier = np.cumsum(kind == _ORIGINAL)
    is_twin = (kind == _EXACT) | (kind == _NEAR)
    chosen = originals[(rng.random(rows) * earlier).astype(np.int64)]
    odds = _DEFECT_WEIGHTS / _DEFECT_WEIGHTS.sum()
    drawn = rng.choice(len(_DEFECTS), size=rows, p=odds)
    return Plan(
        kind=kind,
        twin_of=np.where(is_twin, chosen, -1),
        defect=np.where(kind == _DEFECT, drawn, -1).astype(np.int8),
        edited_share=rng.uniform(*EDITED_SHARES, size=rows),
    )


def _make_chunk(writer: Writer, start: int, stop: int) -> pl.DataFrame:
    """Write rows `start` to `stop`: originals walk, twins repeat, defects are put in last."""
    rng = np.random.default_rng([writer.seed, start, stop])
    kind = writer.plan.kind[start:stop]
    is_twin = (kind == _EXACT) | (kind == _NEAR)
    fresh = start + np.flatnonzero(~is_twin)
    languages = np.sort(rng.choice(len(LANGUAGE_SHARES), size=len(fresh), p=LANGUAGE_SHARES))
    # The walk wants its rows by language, the file wants them mixed.
    fresh = rng.permutation(fresh)
    texts = _walk_texts(writer, fresh, languages, rng)
    _keep_sources(writer, texts, fresh, languages)
    twins = start + np.flatnonzero(is_twin)
    repeated = [_repeat(writer, int(index), rng) for index in twins]
    ids = np.concatenate([texts.ids, *(row.ids for row in repeated)])
    lengths = np.concatenate([texts.lengths, *(row.lengths[None, :] for row in repeated)])
    place = np.argsort(np.concatenate([fresh, twins]))
    frame = _spell(writer.vocabulary, Texts(ids, lengths), place)
    return _put_defects(frame, writer.plan.defect[start:stop])


def _walk_texts(
    writer: Writer, indices: Longs, languages: Longs, rng: np.random.Generator
) -> Texts:
    """Walk the texts of rows whose languages are in ascending order."""
    vocabulary = writer.vocabulary
    lengths = _draw_lengths(len(indices), rng)
    too_long = writer.plan.defect[indices] == _DEFECTS.index("too_long:Complex_CoT")
    lengths[too_long, 1] = _TOO_LONG_WORDS
    walks = []
    for language in range(len(LANGUAGE_SHARES)):
        total = int(lengths[languages == language].sum())
        walks.append(_walk(vocabulary, language, total, rng))
    ids = np.concatenate(walks)
    stops = np.cumsum(lengths.ravel())
    text_language = np.repeat(languages, len(COLUMNS))
    for language in range(len(LANGUAGE_SHARES)):
        ends = stops[text_language == language] - 1
        begins = ends + 1 - lengths[languages == language].ravel()
        ids[begins] = rng.choice(vocabulary.firsts[language], size=len(begins))
        ids[ends] = vocabulary.stops[language]
    return Texts(ids, lengths)


def _draw_lengths(rows: int, rng: np.random.Generator) -> Longs:
    drawn = rng.lognormal(np.log(_MEDIAN_WORDS), _SPREAD, size=(rows, len(COLUMNS)))
    return np.clip(drawn, _LEAST_WORDS, _MOST_WORDS).astype(np.int64)


def _walk(vocabulary: Vocabulary, language: int, words: int, rng: np.random.Generator) -> Ids:
    """Walk many chains side by side, `_WALK_STEPS` words each, and lay them end to end."""
    chains = -(-words // _WALK_STEPS)
    state = rng.choice(vocabulary.content[language], size=chains)
    path = np.empty((_WALK_STEPS, chains), np.int32)
    for step in range(_WALK_STEPS):
        path[step] = state
        choice = rng.integers(SUCCESSORS, size=chains, dtype=np.uint8)
        state = vocabulary.successors[state, choice]
    return path.T.ravel()[:words]


def _keep_sources(writer: Writer, texts: Texts, indices: Longs, languages: Longs) -> None:
    stops = np.cumsum(texts.lengths.sum(axis=1))
    for spot, index in enumerate(indices.tolist()):
        if index in writer.sources:
            lengths = texts.lengths[spot]
            ids = texts.ids[stops[spot] - lengths.sum() : stops[spot]].copy()
            writer.kept[index] = TokenRow(ids, lengths.copy(), int(languages[spot]))


def _repeat(writer: Writer, index: int, rng: np.random.Generator) -> TokenRow:
    """Return the twin at `index`: its original as it was, or with some words put in its place."""
    source = writer.kept[int(writer.plan.twin_of[index])]
    if writer.plan.kind[index] == _EXACT:
        return source
    ids = source.ids.copy()
    edits = max(1, round(len(ids) * writer.plan.edited_share[index]))
    spots = rng.choice(len(ids), size=edits, replace=False)
    content = writer.vocabulary.content[source.language]
    words = rng.choice(content, size=edits)
    # A word put in its own place would be no edit: take its neighbour in the list.
    same = words == ids[spots]
    words[same] = np.where(words[same] == content[0], content[1], content[0])
    ids[spots] = words
    writer.edited[index] = edits / len(ids)
    return source._replace(ids=ids)


def _spell(vocabulary: Vocabulary, texts: Texts, place: Longs) -> pl.DataFrame:
    """Join the words of each text, and put row `place[i]` at place i."""
    offsets = np.concatenate([[0], np.cumsum(texts.lengths.ravel())]).astype(np.int32)
    words = pa.array(vocabulary.words).take(pa.array(texts.ids))
    joined = pc.binary_join(pa.ListArray.from_arrays(pa.array(offsets), words), "")
    width = len(COLUMNS)
    return pl.DataFrame(
        {
            column: pl.Series(column, joined.take(pa.array(place * width + number)))
            for number, column in enumerate(COLUMNS)
        }
    )


def _put_defects(frame: pl.DataFrame, defect: NDArray[np.int8]) -> pl.DataFrame:
    """Overwrite the fields that `defect` names; too long texts were walked that way already."""
    names = np.array([*_DEFECTS, "none"])[defect]
    frame = frame.with_columns(defect=pl.Series(names.tolist()))
    for column in COLUMNS:
        is_defect = [pl.col("defect") == f"{name}:{column}" for name in ("empty", "null", "blank")]
        frame = frame.with_columns(
            pl.when(is_defect[0])
            .then(pl.lit(""))
            .when(is_defect[1])
            .then(pl.lit(None, pl.String))
            .when(is_defect[2])
            .then(pl.lit("  \n"))
            .when(pl.col("defect") == f"too_short:{column}")
            .then(pl.col(column).str.head(MIN_CHARS // 2))
            .otherwise(pl.col(column))
            .alias(column)
        )
    return frame.drop("defect")


def _truth(writer: Writer) -> pl.DataFrame:
    plan = writer.plan
    spots = np.flatnonzero(plan.kind != _ORIGINAL)
    kinds = np.array(["original", "exact", "near", "defect"])
    defects = np.array([*_DEFECTS, "none"])
    twin_of = plan.twin_of[spots]
    return pl.DataFrame(
        {
            "index": pl.Series(spots, dtype=pl.UInt32),
            "planted": kinds[plan.kind[spots]].tolist(),
            "twin_of": pl.Series(
                [n if n >= 0 else None for n in twin_of.tolist()], dtype=pl.UInt32
            ),
            "edited_share": pl.Series(
                [writer.edited.get(n) for n in spots.tolist()], dtype=pl.Float64
            ),
            "defect": pl.Series(defects[plan.defect[spots]].tolist()).replace({"none": None}),
        }
    )


def _summarise(plan: Plan, seed: int, size: int) -> CorpusSummary:
    counts = np.bincount(plan.kind, minlength=4).tolist()
    return CorpusSummary(
        version=CORPUS_VERSION,
        rows=len(plan.kind),
        seed=seed,
        size_bytes=size,
        exact_twins=counts[_EXACT],
        near_twins=counts[_NEAR],
        defects=counts[_DEFECT],
    )


def main() -> None:
    """Write one corpus and print its summary as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--rows", type=int, required=True)
    parser.add_argument("--seed", type=int, default=SEED)
    options = parser.parse_args()
    files = CorpusFiles.named(options.folder, options.rows, options.seed)
    print(json.dumps(asdict(make_corpus(files, options.rows, options.seed))))


if __name__ == "__main__":
    main()

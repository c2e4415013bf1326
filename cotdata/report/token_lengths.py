"""Says what would be kept at other lengths, and how full packed sequences are."""

from dataclasses import dataclass

from cotdata.manifest import Manifest, PackingRecord
from cotdata.report.proof import render_stage
from cotdata.report.shares import Share


@dataclass(frozen=True)
class Candidate:
    """One `max_tokens`, and what fits it."""

    max_tokens: int
    rows: Share
    trained: Share
    #: Whether it is the recipe's own.
    is_chosen: bool


@dataclass(frozen=True)
class Packed:
    """What packing made of the rows."""

    record: PackingRecord
    #: The tokens' part of all sequences' room.
    filled: Share
    #: The same tokens' part of the room if each row had a sequence of its own.
    alone: Share


@dataclass(frozen=True)
class TokenLengths:
    """How many tokens the rows have."""

    tokens: int
    trained: Share
    candidates: tuple[Candidate, ...]
    #: Rows that are longer than the longest candidate, and so are in none.
    beyond: int
    packed: Packed | None


def token_lengths(manifest: Manifest) -> TokenLengths | None:
    """Return what there is to say of the tokens; None where there are none."""
    record = manifest.render
    if record is None or record.tokens is None:
        return None
    longest = max((length.rows for length in record.lengths.values()), default=0)
    rows = max(_rows(manifest), longest)
    kept = record.trained or 0
    trained = max([kept, *(found.trained_tokens for found in record.lengths.values())])
    chosen = record.settings.get("max_tokens")
    candidates = tuple(
        Candidate(
            int(limit),
            Share(found.rows, rows),
            Share(found.trained_tokens, trained),
            is_chosen=int(limit) == chosen,
        )
        for limit, found in sorted(record.lengths.items(), key=lambda item: int(item[0]))
    )
    return TokenLengths(
        tokens=record.tokens,
        trained=Share(kept, record.tokens),
        candidates=candidates,
        beyond=rows - longest if candidates else 0,
        packed=_packed(manifest),
    )


def _rows(manifest: Manifest) -> int:
    """Return the rows that were measured: those kept, and those that were only too long."""
    stage = render_stage(manifest)
    return stage.kept + stage.reasons.get("too_long", 0) if stage else manifest.after.rows


def _packed(manifest: Manifest) -> Packed | None:
    packing = manifest.render.packing if manifest.render else None
    if packing is None:
        return None
    tokens, sequences = sum(packing.tokens.values()), sum(packing.sequences.values())
    return Packed(
        packing,
        Share(tokens, sequences * packing.max_tokens),
        Share(tokens, sum(packing.rows.values()) * packing.max_tokens),
    )

"""Opens a text file as blocks of UTF-8: unpacked, without byte order mark, in any encoding."""

import codecs
import gzip
import zlib
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import BinaryIO, Final, NoReturn, cast

import pyarrow as pa

from cotdata.errors import Location, SourceError
from cotdata.sources.encodings import codec_name, suggested_encoding
from cotdata.sources.formats.chunk import Rejection
from cotdata.sources.source_file import COMPRESSED_EXTENSIONS, SourceFile, readable, reason_of

_PACKED: Final = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}
# The longer marks first: that of UTF-16-LE begins that of UTF-32-LE.
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_UTF8: Final = "utf-8"
_HINT: Final = "set the source's `encoding:`, for example latin-1 or gb18030"


class TextBlocks:
    """A text file as consecutive blocks of UTF-8, and what was done to get them.

    Bytes that are not valid in the file's encoding come through as bytes that are not valid UTF-8,
    so that only the record that holds them is rejected; `original` gives the file's own bytes.
    """

    def __init__(self, file: SourceFile, encoding: str | None, block_bytes: int) -> None:
        self.file = file
        self.block_bytes = block_bytes
        self.notes: dict[str, int] = {}
        self.location = Location(file.label)
        self._declared = self._checked(encoding) if encoding else _UTF8
        #: What the file turned out to be written in; known from the first block on.
        self.encoding = self._declared

    def __iter__(self) -> Iterator[bytes]:
        """Give the blocks; every iteration opens the file anew.

        Raises:
            SourceError: The file is empty, or its compression is broken.
        """
        with self.file.open() as stored:
            blocks = self._unpacked(stored)
            head = b"".join(_until(blocks, 4))
            if not head:
                fix = "remove it from the source, or write it again"
                raise SourceError("the file is empty (0 bytes)", self.location, fix)
            head = self._without_mark(head)
            if self.encoding == _UTF8:
                yield head
                yield from blocks
            else:
                yield from self._decoded(head, blocks)

    def original(self, data: bytes) -> bytes:
        """Return the file's own bytes for some of the text that the blocks gave."""
        if self.encoding == _UTF8:
            return data
        try:
            return data.decode(_UTF8, "surrogatepass").encode(self.encoding, self._on_error)
        except UnicodeError:  # the file ended inside a character
            return data

    def not_utf8(self, data: bytes) -> Rejection:
        """Return the rejection of a record whose text is not valid in the file's encoding."""
        evidence: dict[str, object] = {"byte": 0, "encoding": self.encoding, "hint": _HINT}
        try:
            self.original(data).decode(self.encoding)
        except UnicodeDecodeError as error:
            evidence["byte"] = error.start
        return Rejection("not_utf8", evidence)

    def _checked(self, encoding: str) -> str:
        name = codec_name(encoding)
        if name is None:
            what = f"`{readable(encoding)}` is no known text encoding"
            raise SourceError(what, self.location, suggested_encoding(encoding))
        return _UTF8 if name in {"utf-8", "utf-8-sig", "ascii"} else name

    @property
    def _on_error(self) -> str:
        return "surrogatepass" if self.encoding.startswith("utf-") else "surrogateescape"

    def _without_mark(self, head: bytes) -> bytes:
        self.encoding = self._declared
        if self._declared not in {_UTF8, "utf-16", "utf-32"}:
            return head
        for mark, encoding in _MARKS:
            if head.startswith(mark):
                self.encoding = encoding
                if encoding != _UTF8:
                    self.notes[f"{encoding[:6].replace('-', '')}_decoded"] = 1
                return head[len(mark) :]
        if self._declared != _UTF8:
            self.encoding = f"{self._declared}-le"
        return head

    def _decoded(self, head: bytes, blocks: Iterator[bytes]) -> Iterator[bytes]:
        if not any(name.endswith("_decoded") for name in self.notes):
            self.notes[f"{self.encoding.replace('-', '_')}_decoded"] = 1
        decoder = codecs.getincrementaldecoder(self.encoding)(self._on_error)
        done = 0
        try:
            yield decoder.decode(head).encode(_UTF8, "surrogatepass")
            done += len(head)
            for block in blocks:
                yield decoder.decode(block).encode(_UTF8, "surrogatepass")
                done += len(block)
        except UnicodeError as error:
            what = f"is not {self.encoding} after byte {done}: {reason_of(error)}"
            fix = "set the source's `encoding:` to the one that the file was written in"
            raise SourceError(what, self.location, fix) from error
        try:
            rest = decoder.decode(b"", final=True).encode(_UTF8, "surrogatepass")
        except UnicodeError:
            # A byte that begins a character: the last record is then found to be cut off.
            rest = b"\xc3"
        if rest:
            yield rest

    def _unpacked(self, stored: BinaryIO) -> Iterator[bytes]:
        magic = stored.read(4)
        stored.seek(0)
        packing = next((kind for mark, kind in _PACKED.items() if magic.startswith(mark)), None)
        suffix = PurePosixPath(self.file.name.lower()).suffix
        if packing is None and magic and suffix in COMPRESSED_EXTENSIONS:
            what = f"is named `{suffix}`, but its content is not {COMPRESSED_EXTENSIONS[suffix]}"
            fix = "rename it if it is unpacked already; else fetch it again"
            raise SourceError(what, self.location, fix)
        done = 0
        try:
            stream = _unpacking(stored, packing)
            while block := stream.read(self.block_bytes):
                done += len(block)
                yield block
        except (OSError, EOFError, zlib.error, pa.ArrowException) as error:
            self._fail(error, packing, done)

    def _fail(self, error: Exception, packing: str | None, done: int) -> NoReturn:
        if packing is None:
            what = f"cannot be read after byte {done}: {reason_of(error)}"
            raise SourceError(what, self.location) from error
        what = f"the {packing} data is broken or cut off: {reason_of(error)}"
        how_far = f"{done} bytes of text could be unpacked; fetch or pack the file again"
        raise SourceError(what, self.location, how_far) from error


def _unpacking(stored: BinaryIO, packing: str | None) -> BinaryIO:
    if packing == "gzip":
        return cast("BinaryIO", gzip.GzipFile(fileobj=stored))
    if packing == "zstd":
        return cast("BinaryIO", pa.CompressedInputStream(pa.PythonFile(stored, "r"), "zstd"))
    return stored


def _until(blocks: Iterator[bytes], size: int) -> Iterator[bytes]:
    """Take blocks until they hold `size` bytes."""
    done = 0
    while done < size and (block := next(blocks, b"")):
        done += len(block)
        yield block

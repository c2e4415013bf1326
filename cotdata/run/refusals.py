"""Says in the library's own words what a system refuses while a run is made."""

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pyarrow as pa

from cotdata.errors import CotdataError, WriteError
from cotdata.run.checkpoints import cache_folder

# What a full or protected file system answers; anything else is a fault of ours.
_UNWRITABLE: Final = frozenset(
    {
        errno.ENOSPC,
        errno.EDQUOT,
        errno.EROFS,
        errno.EACCES,
        errno.EPERM,
        errno.EFBIG,
        errno.EIO,
        errno.ENAMETOOLONG,
        errno.EBUSY,
        errno.EXDEV,
    }
)


@contextmanager
def refusals(output: Path) -> Iterator[None]:
    """Turn what the block meets in the output's folder and in the cache into errors of ours.

    Raises:
        WriteError: If one of them cannot be written, or the cache was damaged meanwhile.
    """
    try:
        yield
    except OSError as error:
        if error.errno in _UNWRITABLE:
            raise _write_error(error, output) from error
        # Arrow names the file in its message only.
        if str(cache_folder()) in str(error):
            raise _cache_error(error) from error
        raise
    except pa.ArrowInvalid as error:
        raise _cache_error(error) from error


def _cache_error(error: Exception) -> CotdataError:
    return WriteError(
        f"the cache was damaged or cleared while the build used it: {error}",
        fix="run the same command again; if it fails again, with --fresh",
    )


def _write_error(error: OSError, output: Path) -> CotdataError:
    what = os.strerror(error.errno) if error.errno else str(error)
    place = f": {error.filename}" if error.filename else ""
    folders = {"the output": output.absolute().parent, "the cache": cache_folder()}
    free = ", ".join(
        f"{name} ({folder}) has {shutil.disk_usage(folder).free / 1e6:,.0f} MB free"
        for name, folder in folders.items()
        if folder.is_dir()
    )
    return WriteError(
        f"{what}{place}; {free}",
        fix="make room or choose other folders (--output, COTDATA_CACHE_DIR), then run the same "
        "command again: it goes on where it stopped",
    )

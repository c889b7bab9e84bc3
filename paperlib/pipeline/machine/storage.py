"""What to say when a disk is full or may not be written: the folder and the cure."""

import errno
import os
import shutil
from pathlib import Path

FULL = {errno.ENOSPC, errno.EDQUOT}
FORBIDDEN = {errno.EROFS, errno.EACCES, errno.EPERM}
TOO_LONG = {errno.EFBIG}
AGAIN = "then give the same command again: what is unfinished is never taken for finished."
# torch and safetensors write with code of their own and say it in words of their own.
OTHER_WORDS = {
    "PytorchStreamWriter failed": errno.ENOSPC,
    "inline_container.cc": errno.ENOSPC,
    "os error 28": errno.ENOSPC,
    "os error 122": errno.EDQUOT,
    "os error 27": errno.EFBIG,
    "os error 30": errno.EROFS,
    "os error 13": errno.EACCES,
}
NEARLY_FULL_BYTES = 1_000_000


def explain(error: Exception, folder: Path) -> str | None:
    """Return what a person can do about an error of the disk; None for any other error.

    Args:
        error: What was raised.
        folder: Where the command writes, for errors that do not name a file.
    """
    number = _number(error)
    file = getattr(error, "filename", None)
    named = Path(os.fsdecode(file)) if file else None
    place = _existing(named if named is not None else folder)
    if number in FULL:
        return f"The disk of {place} is full ({_free_mb(place)} MB free). Make room, {AGAIN}"
    if number in TOO_LONG:
        return (
            f"A file in {place} would be longer than is allowed (`ulimit -f` in this shell). "
            f"Raise the limit, {AGAIN}"
        )
    if number in FORBIDDEN and (named is None or not named.exists() or os.access(named, os.R_OK)):
        return (
            f"{place} may not be written ({os.strerror(number)}). Make it writable for you, or "
            f"copy the repository to a folder of yours; {AGAIN}"
        )
    return None


def note_full(folder: Path) -> str | None:
    """Return a hint if the disk of a folder is full: a program may have failed without saying."""
    place = _existing(folder)
    if shutil.disk_usage(place).free >= NEARLY_FULL_BYTES:
        return None
    return f"The disk of {place} is full ({_free_mb(place)} MB free). Make room, {AGAIN}"


def refuse_unwritable(folder: Path) -> None:
    """Raise before hours of work what the first file to be written would raise.

    Raises:
        OSError: If nothing can be written in the folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    probe = folder / f".writable-{os.getpid()}"
    try:
        probe.write_bytes(bytes(4096))
    finally:
        probe.unlink(missing_ok=True)


def _number(error: Exception) -> int | None:
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno
    said = str(error)
    return next((number for words, number in OTHER_WORDS.items() if words in said), None)


def _existing(place: Path) -> Path:
    """Return the nearest folder that is there."""
    while not place.is_dir() and place != place.parent:
        place = place.parent
    return place


def _free_mb(folder: Path) -> int:
    return shutil.disk_usage(folder).free // 1_000_000

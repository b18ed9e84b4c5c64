"""Makes pkg/ctok/data/*.ranks from .tiktoken files. Run it when one of them changes:

python tools/pack_ranks.py ../shared/data/tiktoken/{r50k,p50k,cl100k,o200k}_base.tiktoken
"""

from __future__ import annotations

import argparse
import hashlib
from pathlib import Path

from ctok import load, ranks

DATA = Path(__file__).resolve().parent.parent / "pkg" / "ctok" / "data"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="+", type=Path, help=".tiktoken files")
    parser.add_argument("--into", type=Path, default=DATA, help="where to write (%(default)s)")
    arguments = parser.parse_args()
    arguments.into.mkdir(exist_ok=True)
    for path in arguments.files:
        text = path.read_bytes()
        packed = ranks.pack(load.parse_tiktoken_bpe(text, str(path)), text=text)
        if ranks.to_tiktoken(ranks.read(packed)) != text:
            raise SystemExit(f"{path}: does not come back as it was; is it sorted by rank?")
        target = arguments.into / f"{path.stem}.ranks"
        target.write_bytes(packed)
        digest = hashlib.sha256(text).hexdigest()
        print(f"{target.name}  {len(packed):>9,} bytes  from {digest}")


if __name__ == "__main__":
    main()

"""A notebook that is opened before there is a run says which command makes it."""

import runpy
import traceback
from pathlib import Path

import pytest

from paperlib import artifacts

ROOT = Path(__file__).resolve().parents[1]
SOURCES = sorted((ROOT / "notebooks").glob("*.py"))
OUR_FRAMES = 3  # below the cell: what it asks for, the check, the error


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.stem)
def test_without_a_run_the_first_cells_name_the_command_that_makes_it(
    source, tmp_path, monkeypatch
):
    monkeypatch.setattr(artifacts, "ROOT", tmp_path)
    expected = r"^runs/phantom-smoke/\w+ is missing or incomplete; run `make book PROFILE=smoke`\.$"
    with pytest.raises(FileNotFoundError, match=expected) as raised:
        runpy.run_path(str(source))
    frames = [frame.filename for frame in traceback.extract_tb(raised.value.__traceback__)]
    ours = [name for name in frames if "paperlib" in Path(name).parts]
    assert 0 < len(ours) <= OUR_FRAMES
    assert list(tmp_path.iterdir()) == []  # nothing was written

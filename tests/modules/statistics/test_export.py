import csv
import io

from modules.statistics.domain import Figures
from modules.statistics.export import lines


async def _export(*groups: str) -> list[list[str]]:
    figures = [Figures(group, 1, 0, 0, -7, 60) for group in groups]
    text = b"".join([piece async for piece in lines("id_token", figures)]).decode()
    return list(csv.reader(io.StringIO(text, newline="")))


async def test_nothing_in_a_cell_is_a_formula() -> None:
    hostile = ["=cmd()", "+1", "-1", "@sum", "\tx", "\rx", "\0x", "\nx", "  =1", "\uff1d1"]
    harmless = ['a"b', "a,b", "a\nb", "plain", "a=1"]
    _, *rows = await _export(*hostile, *harmless)

    assert [row[0] for row in rows] == [f"'{text}" for text in hostile] + harmless
    assert rows[0][1:] == ["1", "0", "0", "-7", "60"]


async def test_all_text_is_quoted() -> None:
    """RFC 4180 §2: what separates cells in one program's locale separates them in none."""
    figures = [Figures("a;=1", 1, 0, 0, 7, 60)]
    text = b"".join([piece async for piece in lines("id_token", figures)])
    assert text.splitlines()[1] == b'"a;=1",1,0,0,7,60'


async def test_a_large_export_has_one_head_line_and_every_group() -> None:
    head, *rows = await _export(*map(str, range(1203)))

    assert head == ["id_token", "sessions", "failed", "suspect", "energy_wh", "duration_s"]
    assert [row[0] for row in rows] == [str(number) for number in range(1203)]

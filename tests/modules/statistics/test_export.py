import csv
import io

from modules.statistics.domain import Figures
from modules.statistics.export import lines


async def _export(*groups: str) -> list[list[str]]:
    figures = [Figures(group, 1, 0, 0, -7, 60) for group in groups]
    text = b"".join([piece async for piece in lines("id_token", figures)]).decode()
    return list(csv.reader(io.StringIO(text, newline="")))


async def test_nothing_in_a_cell_is_a_formula() -> None:
    hostile = ["=cmd()", "+1", "-1", "@sum", "\tx", "\rx", "\0x", 'a"b', "a,b", "a\nb", "plain"]
    _, *rows = await _export(*hostile)

    assert [row[0] for row in rows] == [f"'{text}" for text in hostile[:7]] + hostile[7:]
    assert rows[0][1:] == ["1", "0", "0", "-7", "60"]


async def test_a_large_export_has_one_head_line_and_every_group() -> None:
    head, *rows = await _export(*map(str, range(1203)))

    assert head == ["id_token", "sessions", "failed", "suspect", "energy_wh", "duration_s"]
    assert [row[0] for row in rows] == [str(number) for number in range(1203)]

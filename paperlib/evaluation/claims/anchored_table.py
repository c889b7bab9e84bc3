"""Tables of texts whose rows and groups have anchors, so that other pages can link to them."""

from collections.abc import Sequence
from typing import NamedTuple

from jinja2 import Environment
from markupsafe import Markup

from paperlib.evaluation.claims.sentence import Link
from paperlib.evaluation.present import Shown

_PAGE = Environment(autoescape=True).from_string(
    """{% set left = "text-align: left; padding: 0.2em 0.5em; vertical-align:" -%}
<table class="claims" style="font-size: 0.85em">
<caption style="caption-side: top; text-align: left; padding-bottom: 0.5em">{{ caption }}</caption>
<thead><tr>
{%- for name in heads %}<th style="{{ left }} bottom">{{ name }}</th>{% endfor %}</tr>
</thead>
{% for group in groups %}<tbody{% if group.anchor %} id="{{ group.anchor }}"{% endif %}>
{% if group.title %}<tr><th colspan="{{ heads|length }}" style="{{ left }} bottom">
{{- group.title }}</th></tr>
{% endif %}{% for row in group.rows %}<tr{% if row.anchor %} id="{{ row.anchor }}"{% endif %}>
{%- for cell in row.cells %}<td
{%- if loop.last and loop.length < heads|length %} colspan="{{ heads|length - loop.length + 1 }}"
{%- endif %} style="{{ left }} top">{{ cell }}</td>{% endfor %}</tr>
{% endfor %}</tbody>
{% endfor %}</table>
"""
)


class Line(NamedTuple):
    """A row of a table: its cells, plain or marked up, and its anchor.

    Of a row with fewer cells than the table has columns, the last one takes the rest.
    """

    cells: Sequence[str]
    anchor: str = ""


class Group(NamedTuple):
    """Rows under one title."""

    title: str
    rows: Sequence[Line]
    anchor: str = ""


def render(groups: Sequence[Group], *, heads: Sequence[str], caption: str) -> Shown:
    """Return a table with an anchor for each group and row.

    Args:
        groups: In their order.
        heads: Of the columns.
        caption: What the numbers are: data, patients, rule.
    """
    html = _PAGE.render(groups=groups, heads=heads, caption=caption)
    lines = [caption, " | ".join(heads)]
    for group in groups:
        lines += [group.title, *(" | ".join(map(_plain, row.cells)) for row in group.rows)]
    return Shown(html, "\n".join(lines))


def linked(link: Link) -> Markup:
    """Return a link to where evidence is shown."""
    return Markup('<a href="{}.html#{}">{}</a>').format(link.page, link.anchor, link.name)


def _plain(cell: str) -> str:
    return Markup(cell).striptags() if isinstance(cell, Markup) else cell

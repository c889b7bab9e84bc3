"""The directive {slice-viewer}: the viewer's controls, and a still picture without JavaScript.

What is inside the directive is shown below the viewer. In a book about real patients one sentence
takes the place of it all.
"""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from docutils import nodes
from jinja2 import Environment
from matplotlib.colors import to_hex
from sphinx.util.docutils import SphinxDirective

from paperlib import artifacts
from paperlib.evaluation.figures import sheets, slices, style
from paperlib.evaluation.slices.slice_facts import RULE_NAMES, SHOWN_REGIONS
from paperlib.evaluation.slices.slice_scores import GATED_SCORES
from paperlib.labels import FLAIR, REGION_NAMES, T1CE
from paperlib.publish.book import slice_viewer

# From bottom to top: name, opacity in percent, whether it is switched on.
LAYERS: Mapping[str, tuple[str, int, bool]] = MappingProxyType(
    {
        FLAIR: ("FLAIR", 100, True),
        T1CE: ("T1CE", 100, False),
        "residual_flair": ("residual of FLAIR", 100, False),
        "residual_t1ce": ("residual of T1CE", 100, False),
        "prediction": ("prediction, filled", 50, True),
        "truth": ("truth, outlined", 100, True),
    }
)
NO_PATIENTS = (
    "This book was made with real patients, and the viewer shows simulated ones only: a book is "
    "copied around, pictures of patients must not be. make book without DATA builds it with them."
)
STILL = (
    "One slice of the first patient in all six layers, the one with the most tumour. With "
    "JavaScript the viewer takes the place of this picture."
)
ALTERNATIVE = "FLAIR, T1CE, their residuals, true and predicted tissues of one slice, side by side."


class SliceViewer(SphinxDirective):
    """{slice-viewer}, with text inside."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        """Return viewer, still picture and text; or the sentence that there are no patients."""
        path = Path(self.env.srcdir) / slice_viewer.INDEX
        self.env.note_dependency(str(path))
        try:
            index = artifacts.read_json(path)
        except FileNotFoundError as error:
            raise self.error(f"{path.name} is missing; `make book` writes it.") from error
        if not index["cases"]:
            return [nodes.note("", nodes.paragraph("", NO_PATIENTS))]
        home = "../" * self.env.docname.count("/") + "_static/"
        raw = nodes.raw("", render_controls(index, home), format="html")
        origin = nodes.paragraph("", f"{index['note']}.", classes=["provenance"])
        return [raw, self._still(), origin, *self.parse_content_to_nodes()]

    def _still(self) -> nodes.figure:
        image = nodes.image("", uri=f"/{slice_viewer.PICTURE}", alt=ALTERNATIVE)
        return nodes.figure("", image, nodes.caption("", STILL), classes=["viewer-still"])


def render_controls(index: Mapping[str, Any], home: str) -> str:
    """Return the viewer as HTML, hidden until its script runs.

    Args:
        index: From `slice_viewer.write_index`.
        home: From the page to the static files, with a slash at the end.
    """
    shades = sheets.residual_palette()[1 :: (sheets.LEVELS - 1) // 8]
    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(_PAGE).render(
        **index,
        home=home,
        layers=LAYERS,
        rules=RULE_NAMES,
        scores=GATED_SCORES,
        regions={region: REGION_NAMES[region] for region in SHOWN_REGIONS},
        tissues={REGION_NAMES[name]: of for name, of in style.TISSUE_COLOURS.items()},
        shades=", ".join(to_hex(shade[:3] / 255) for shade in shades),
        limit=f"{slices.RESIDUAL_LIMIT:g}",
        tumour=style.TUMOUR_COLOUR,
        open=style.HEALTHY_COLOUR,
    )


_PAGE = """\
<link rel="stylesheet" href="{{ home }}viewer.css">
<div class="slice-viewer" hidden data-tumour="{{ tumour }}" data-open="{{ open }}">
<p class="viewer-row"><label for="viewer-case">Patient</label>
<select id="viewer-case">
{% for case in cases %}
<option value="{{ case.file }}">{{ case.title }}</option>
{% endfor %}
</select></p>
<div class="viewer-picture">
<div class="viewer-frame">
<canvas class="viewer-canvas" role="img" aria-label="One slice with the layers chosen"></canvas>
<span aria-hidden="true">A</span><span aria-hidden="true">P</span>
<span aria-hidden="true">R</span><span aria-hidden="true">L</span>
</div>
<p><label for="viewer-z">Slice <output class="viewer-where" for="viewer-z"></output></label></p>
<div class="viewer-slide">
<button type="button" data-step="-1" aria-label="one slice down">−</button>
<span><input id="viewer-z" type="range" step="1">
<canvas class="viewer-strip" height="2" aria-hidden="true"></canvas></span>
<button type="button" data-step="1" aria-label="one slice up">+</button></div>
<p class="viewer-small"><span><i style="background: {{ tumour }}"></i>true tumour</span>
<span><i style="background: {{ open }}"></i>let through by the gate</span>
<span><i class="viewer-unseen"></i>not examined</span></p>
</div>
<div class="viewer-facts">
<p class="viewer-row"><label for="viewer-score">Gate on</label>
<select id="viewer-score">
{% for key, name in scores.items() %}
<option value="{{ key }}">{{ name }}</option>
{% endfor %}
</select></p>
<p class="viewer-row"><label for="viewer-rule">threshold</label>
<select id="viewer-rule">
{% for key, name in rules.items() %}
<option value="{{ key }}">{{ name }}</option>
{% endfor %}
</select></p>
<p class="viewer-said" role="status"></p>
<table>
<thead><tr><th scope="col">pixels and Dice</th><th scope="col">true</th>
<th scope="col">predicted</th><th scope="col">Dice</th>
<th scope="col">after the gate</th></tr></thead>
<tbody>
{% for key, name in regions.items() %}
<tr data-region="{{ key }}"><th scope="row">{{ name }}</th><td></td><td></td><td></td><td></td></tr>
{% endfor %}
</tbody>
</table>
</div>
<div class="viewer-layers">
<fieldset><legend>Layers, and how opaque</legend>
{% for key, (name, opacity, on) in layers.items() | reverse %}
<div class="viewer-layer"><label><input type="checkbox" name="{{ key }}"
{%- if on %} checked{% endif %}> {{ name }}</label>
<input type="range" min="0" max="100" step="5" value="{{ opacity }}" data-opacity="{{ key }}"
 aria-label="opacity of {{ name }}"></div>
{% endfor %}
</fieldset>
<p class="viewer-small">{% for name, colour in tissues.items() %}
<span><i style="background: {{ colour }}"></i>{{ name }}</span>
{% endfor %}
<span>residual −{{ limit }} <i class="viewer-scale"
 style="background: linear-gradient(to right, {{ shades }})"></i> {{ limit }} z units</span></p>
</div>
<p class="viewer-small viewer-note">–: nothing there and nothing predicted. Slices are numbered from
the feet up, 0 to {{ depth - 1 }}, 1 mm each; those below {{ examined[0] }} and above
{{ examined[1] }} were not prepared, no network has seen them.</p>
</div>
<noscript><p>The viewer needs JavaScript, which is switched off; here is one slice.</p></noscript>
<script src="{{ home }}viewer.js"></script>
"""

"""Why something is made again, in words that name what changed."""

import pytest

from paperlib import reasons

MADE = {"settings": {"seed": 0, "mixture": {"start": "quantile", "readings": ["both", "weights"]}},
        "upstream": {"prepare": "aa", "split": "bb"},
        "code": {"paperlib.scores": "11", "paperlib.labels": "22"}}  # fmt: skip


def _now(**changed):
    return {kind: {**MADE[kind], **changed.get(kind, {})} for kind in MADE}


def test_what_is_not_there_was_never_finished():
    assert reasons.explain(None, MADE) == "it was never finished"


def test_nothing_is_said_of_what_did_not_change():
    assert reasons.explain(MADE, _now()) == ""
    tuples = _now(settings={"mixture": {"start": "quantile", "readings": ("both", "weights")}})
    assert reasons.explain(MADE, tuples) == ""


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"settings": {"seed": 3}}, "settings changed: seed (0 -> 3)"),
        (
            {"settings": {"mixture": {"start": "random", "readings": ["both", "weights"]}}},
            'settings changed: mixture.start ("quantile" -> "random")',
        ),
        ({"settings": {"folds": 2}}, "settings changed: folds (new)"),
        ({"upstream": {"split": "cc"}}, "input changed: split"),
        ({"code": {"paperlib.scores": "12"}}, "code changed: paperlib.scores"),
        (
            {"settings": {"seed": 3}, "upstream": {"split": "cc"}, "code": {"paperlib.labels": ""}},
            "settings changed: seed (0 -> 3); input changed: split; code changed: paperlib.labels",
        ),
    ],
)
def test_each_change_is_named(changed, said):
    assert reasons.explain(MADE, _now(**changed)) == said


def test_what_is_gone_is_named_and_many_are_counted():
    many = {"settings": {}, "upstream": {str(n): "a" for n in range(9)}, "code": {}}
    none = {"settings": {}, "upstream": {}, "code": {}}
    assert reasons.explain(many, none) == ("input changed: 0 (gone), 1 (gone), 2 (gone) and 6 more")


def test_a_long_value_is_not_shown():
    old = {"settings": {"files": {"a.nii": "x" * 80}}, "upstream": {}, "code": {}}
    new = {"settings": {"files": {"a.nii": "y"}}, "upstream": {}, "code": {}}
    assert reasons.explain(old, new) == "settings changed: files.a.nii"


def test_a_record_without_its_code_can_only_say_that_it_changed():
    old = {"settings": MADE["settings"], "upstream": MADE["upstream"]}
    assert reasons.explain(old, MADE) == "code changed (which module was not written down then)"

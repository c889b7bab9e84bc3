"""Checks of the exercises at the end of each page, one module a page.

A check gets the student's answer and what the page has loaded, computes the right answer from that
and compares: nothing is stored, so it is right for every run. It prints one line when the answer is
right, and raises otherwise (`answers`).

To add an exercise to a page:

1. In notebooks/NN_noun.py, a cell `{exercise-start} Predict: some title` with a label, the
   question, `{exercise-end}` and `{solution-start} LABEL`; then a code cell tagged `solution`, a
   code cell tagged `check`, and a cell with `{solution-end}`. The title begins with Predict,
   Change, Explain or Open. An Open one has no check, but a rubric (before the solution) and a
   worked answer (in it). A Change prints a table after its check. What the student must see before
   he answers stands in cells between start and end.
2. In the solution cell, each `name = value` below a comment `# hint: ...` becomes `name = ...` in
   the copy for students; the comment stays, every other line goes, and so does all other text and
   code between `{solution-start}` and `{solution-end}`. See `publish.blanks`.
3. Here, `check_something(answer, what the page loaded)` in the module of the page. What a typical
   wrong answer is told says what is wrong with it, never what is right.
4. In tests/exercises/wrong_answers.py, two typical wrong answers.

A solution has to be right for every run: where the answer depends on the run, it computes.
"""

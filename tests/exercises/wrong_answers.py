"""Two typical wrong answers to each exercise with a check.

Each is code that runs after the solution and puts something else in place of an answer. The check
has to refuse both, with two messages, none of which gives the answer away.
"""

WRONG_ANSWERS = {
    # 01_data
    "exercise-gain": ("zscores_then = 'doubled'", "zscores_then = 'shifted'"),
    "exercise-turned": (
        "turned = tables['this run'].loc['slice height', 'AUROC']",
        "turned = -tables['this run'].loc['slice height', 'AUROC']",
    ),
    "exercise-zscore": ("method = 'mean_sd'", "shift = whole.centre - rest.centre"),
}

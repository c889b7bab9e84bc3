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
    # 02_architectures
    "exercise-flat": ("correlation = 0", "correlation = -1.0"),
    "exercise-dilation": ("dilation = 3", "dilation = 4"),
    # 03_training
    "exercise-epochs": (
        "epochs = network['slice_steps'] / network['training_slices']",
        "epochs = network['slice_steps'] / run.networks()[0].batch_size",
    ),
    "exercise-length": ("measure = 'pixel_ap'", "helped = (follow(measure) > 0).mean()"),
    # 03b_training_length
    "exercise-tau": ("tau = 1 - 1 / (n * (n - 1) / 2)", "tau = 1 - 2 / n"),
    "exercise-length-order": ("other = 'dice'", "direction = 1"),
    # 04_anomaly_scores
    "exercise-sign": (
        "sign = 'positive' if in_tumour.mean() < 0 else 'negative'",
        "sign = 'zero'",
    ),
    "exercise-pairs": (
        "by_hand = (with_one > without).mean()",
        "by_hand = (with_one < without).mean() + (with_one == without).mean() / 2",
    ),
    "exercise-gate": ("quantile = 0.9", "promised = quantile"),
    # 05_postprocessing
    "exercise-prior": ("twice = 'weights'", "posterior = share"),
    "exercise-cluster": ("tail = 'both'", "lost = 1 - lost"),
    # 06_results
    "exercise-ceiling": ("ceiling = 1.0", "ceiling = (every['WT_truth'] == 0).mean()"),
    "exercise-policies": (
        "counts_zero = each.mean()",
        "counts_zero, counts_one = counts_one, counts_zero",
    ),
    "exercise-baseline": (
        "other = method",
        "best = (beside[method] - whole_tumour(other)).idxmin()",
    ),
}

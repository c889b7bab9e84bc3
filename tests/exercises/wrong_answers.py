"""Two typical wrong answers to each exercise with a check.

Each is code that runs after the solution and puts something else in place of an answer. The check
has to refuse both, with two messages, none of which gives the answer away.
"""

WRONG_ANSWERS = {
    # 01_data
    "exercise-gain": ("zscores_then = 'doubled'", "zscores_then = 'shifted'"),
    "exercise-turned": (
        "turned = position['this run'].loc['slice height', 'AUROC']",
        "turned = -position['this run'].loc['slice height', 'AUROC']",
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
    # 07_limits
    "exercise-one-pixel": ("cost = 0.0", "cost = 0.5"),
    "exercise-empty-pair": ("empty = 0", "nothing_dice = (parts[2] > 0).mean()"),
    "exercise-limits": ("gain = -gain", "gain = dice"),
    # 08_error_sources
    "exercise-half-image": ("precision = 'lower'", "precision = 'higher'"),
    "exercise-variant": ("changes = ('threshold',)", "excess = both - known['ours']"),
    "exercise-oracle-knew": (
        "own_labels = dice['threshold']",
        "own_labels = dice['threshold'] - dice['ours']",
    ),
    # 09_baselines
    "exercise-constant": ("mask_of_constant = 'smaller'", "mask_of_constant = 'larger'"),
    "exercise-components": ("number = 16", "above_image = precision"),
    "exercise-honest-threshold": (
        "fair = curves.mean()",
        "fair = sum(others.values()) / len(others)",
    ),
    # 10_ablations
    "exercise-by-chance": ("chance = 0.05", "chance = 0.05 * len(wanted)"),
    "exercise-outline-step": (
        "morphology = True",
        "raw_dice = (outline_of(False) & truth).sum() / (outline_of(False) | truth).sum()",
    ),
    "exercise-unpaired": ("seed = 0", "width = width / 2"),
    # 11_claims
    "exercise-outside-margin": ("verdict = 'differs'", "verdict = 'agrees'"),
    "exercise-enough-patients": ("enough = 100", "enough = 30"),
    "exercise-smallest-p": ("fewest = 6", "fewest = fewest - 1"),
    "exercise-claims": ("other = reading", "changed = len(seven)"),
    # 12_deviations
    "exercise-tumour-slices": (
        "tumour_dice = every_slice * share",
        "tumour_dice = every_slice + 1 - share",
    ),
    "exercise-way": ("aggregation = 'volume'", "lift = dice_counted(aggregation)"),
    "exercise-silence": (
        "silent_way = 'all pixels pooled'",
        "silent_way = 'volume, empty = 1'",
    ),
    # 13_beyond
    "exercise-widest-ball": ("rule = 'all'", "rule = 'largest_3d'"),
    "exercise-shifted-level": (
        "fall_of_threshold = -fall_of_threshold",
        "fall_of_contrast = dice_of['clearest'][1] + 0.1",
    ),
    # 14_doubt
    "exercise-twin": ("twin = 'low, always'", "twin = 'as with two networks'"),
    "exercise-miss-nobody": (
        "radius_of_all = max(radii.values())",
        "radius_of_all = np.mean(list(radii.values()))",
    ),
}

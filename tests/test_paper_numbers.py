"""The paper's numbers, typed from its tables a second time; written as the page prints them."""

from paperlib.evaluation import paper

TABLE_2 = """
VAE     .377 .409 .232 .253
dVAE    .379 .410 .234 .260
VAE1px  .371 .350 .221 .201
VAE-CE  .383 .408 .236 .260
AAE     .377 .370 .231 .216
BiAAE   .383 .407 .235 .248
"""


def _typed():
    outline, semantic = {}, {}
    for line in TABLE_2.split("\n")[1:-1]:
        model, *numbers = line.split()
        outline_mse, outline_ssim, semantic_mse, semantic_ssim = map(float, numbers)
        outline |= {(model, "MSE"): outline_mse, (model, "SSIM"): outline_ssim}
        semantic |= {(model, "MSE"): semantic_mse, (model, "SSIM"): semantic_ssim}
    return outline, semantic


def test_table_2_is_the_papers():
    outline, semantic = _typed()
    assert dict(paper.OUTLINE) == outline
    assert dict(paper.SEMANTIC) == semantic
    assert len(outline) == len(semantic) == 12
    assert {model for model, _ in outline} == set(paper.MODELS)
    assert len(paper.MODELS) == 6


def test_the_best_of_each_column_is_the_one_printed_in_bold():
    outline, semantic = _typed()
    best = {("outline", "MSE"): {"VAE-CE", "BiAAE"}, ("outline", "SSIM"): {"dVAE"},
            ("semantic", "MSE"): {"VAE-CE"}, ("semantic", "SSIM"): {"dVAE", "VAE-CE"}}  # fmt: skip
    for (target, loss), models in best.items():
        printed = outline if target == "outline" else semantic
        column = {model: value for (model, of), value in printed.items() if of == loss}
        assert {m for m, value in column.items() if value == max(column.values())} == models


def test_table_3_and_section_5_3_are_the_papers():
    assert dict(paper.AUROC) == {"mean_residual": 0.835, "latent_distance": 0.471}
    assert dict(paper.GATED) == {"WT": 0.64, "TC": 0.61, "ET": 0.62}
    assert paper.TEST_PATIENTS == 20 + 10

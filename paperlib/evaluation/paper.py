"""The numbers that the paper prints, as data (Tables 2 and 3, section 5.3).

Everything that is compared with the paper takes its number from here and nowhere else.
"""

from collections.abc import Mapping
from types import MappingProxyType

MODELS = ("VAE", "dVAE", "VAE1px", "VAE-CE", "AAE", "BiAAE")
PAPERS_CHOICE = ("dVAE", "SSIM")  # section 5.1: shown in all further results

# Table 2: Dice before the anomaly score, a slice without tumour counts 0.
OUTLINE: Mapping[tuple[str, str], float] = MappingProxyType(
    {
        ("VAE", "MSE"): 0.377,
        ("VAE", "SSIM"): 0.409,
        ("dVAE", "MSE"): 0.379,
        ("dVAE", "SSIM"): 0.410,
        ("VAE1px", "MSE"): 0.371,
        ("VAE1px", "SSIM"): 0.350,
        ("VAE-CE", "MSE"): 0.383,
        ("VAE-CE", "SSIM"): 0.408,
        ("AAE", "MSE"): 0.377,
        ("AAE", "SSIM"): 0.370,
        ("BiAAE", "MSE"): 0.383,
        ("BiAAE", "SSIM"): 0.407,
    }
)
SEMANTIC: Mapping[tuple[str, str], float] = MappingProxyType(
    {
        ("VAE", "MSE"): 0.232,
        ("VAE", "SSIM"): 0.253,
        ("dVAE", "MSE"): 0.234,
        ("dVAE", "SSIM"): 0.260,
        ("VAE1px", "MSE"): 0.221,
        ("VAE1px", "SSIM"): 0.201,
        ("VAE-CE", "MSE"): 0.236,
        ("VAE-CE", "SSIM"): 0.260,
        ("AAE", "MSE"): 0.231,
        ("AAE", "SSIM"): 0.216,
        ("BiAAE", "MSE"): 0.235,
        ("BiAAE", "SSIM"): 0.248,
    }
)
# Table 3: area under the ROC curve of "this slice holds tumour".
AUROC: Mapping[str, float] = MappingProxyType({"mean_residual": 0.835, "latent_distance": 0.471})
# Section 5.3: dVAE, SSIM, gated by the mean residual; the convention is not stated.
GATED: Mapping[str, float] = MappingProxyType({"WT": 0.64, "TC": 0.61, "ET": 0.62})
# Section 5.3: range of the best supervised methods of BraTS 2018, on other patients.
SUPERVISED = (0.75, 0.90)
TEST_PATIENTS = 30

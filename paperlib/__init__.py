"""Reproducible companion to a 2019 paper on unsupervised brain tumour segmentation in MRI."""

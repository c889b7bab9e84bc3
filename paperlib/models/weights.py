"""Trained weights from a file to a network that is ready to reconstruct."""

from pathlib import Path

from safetensors.torch import load_file

from paperlib.models import architectures, inference


def load_network(file: Path, architecture: str) -> architectures.Autoencoder:
    """Return a trained network in evaluation mode, on the device of this machine.

    Args:
        file: Weights as safetensors, of this architecture.
        architecture: What `architectures.build` knows it by.

    Raises:
        ValueError: If there is no such architecture.
    """
    weights = load_file(file)
    image_channels = weights["encoder.0.0.weight"].shape[1]
    network = architectures.build(architecture, image_channels)
    network.load_state_dict(weights)
    return network.to(inference.select_device()).eval()

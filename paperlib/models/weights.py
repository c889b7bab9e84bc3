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
    network = architectures.build(architecture)
    network.load_state_dict(load_file(file))
    return network.to(inference.select_device()).eval()

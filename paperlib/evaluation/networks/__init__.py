"""Networks: Table 1, how long they were trained, at what cost, and their latent space."""

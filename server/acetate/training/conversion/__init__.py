"""Making anybody's latent diffusion model transparent."""

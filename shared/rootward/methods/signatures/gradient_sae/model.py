"""Sparse autoencoders that keep what matters downstream. Tensors in, tensors out.

After Olmo, Wilson, Forsey, Hepner, Howe, Wingate 2025, Features that Make a Difference: Leveraging
Gradients for Improved Dictionary Learning, Findings of NAACL, arXiv 2411.10397. A latent is kept
for its activation times one plus beta times its effect on a downstream quantity, to first order;
what is kept are the activations themselves. The weight beta could not be read off the paper and
is ours.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from rootward.numerics.autoencoder import (
    Fitted,
    Selection,
    Shape,
    SilentLatents,
    Step,
    fit,
)
from rootward.numerics.downstream import of_mean_norm_one
from rootward.numerics.pace import GoOn, always
from rootward.numerics.sparsity import top_per_row

BETA = 2.0
"""Weight of the downstream effect, for gradients of mean norm one."""


@dataclass(frozen=True)
class GradientChoice(Selection):
    """Each token keeps the k latents with the largest z (1 + beta |decode g|); beta 0 is TopK."""

    active: int
    beta: float

    def chosen(self, step: Step) -> Bool[Tensor, "tokens latents"]:
        return self.inferred(step.z, step.gradient, step.decode)

    def settle(self, z: Float[Tensor, "tokens latents"]) -> None:
        """Nothing: a token is judged by itself."""

    def inferred(
        self,
        z: Float[Tensor, "tokens latents"],
        gradient: Float[Tensor, "tokens d"] | None,
        decode: Float[Tensor, "latents d"],
    ) -> Bool[Tensor, "tokens latents"]:
        if gradient is None or self.beta == 0:
            return top_per_row(z, self.active)
        return top_per_row(z * (1 + self.beta * (gradient @ decode.T).abs()), self.active)


def gradient_sae(
    tokens: Float[Tensor, "tokens d"],
    slopes: Float[Tensor, "tokens d"],
    shape: Shape,
    seed: int,
    *,
    beta: float = BETA,
    go_on: GoOn = always,
) -> Fitted:
    """Train for reconstruction alone; the slopes of the downstream quantity serve the choice."""
    return fit(
        tokens,
        shape,
        GradientChoice(shape.active, beta),
        seed,
        revival=SilentLatents(),
        gradients=of_mean_norm_one(slopes),
        go_on=go_on,
    )


def impacts(
    fitted: Fitted, f: Float[Tensor, "tokens latents"], slopes: Float[Tensor, "tokens d"]
) -> Float[Tensor, "tokens latents"]:
    """First-order effect of each latent on the downstream quantity, in its unit.

    `f_j (decode_j . g)`, with `slopes` g by the tokens as they are.
    """
    return f * (slopes @ fitted.model.decode.T) / fitted.model.scale


def set_to(
    fitted: Fitted,
    tokens: Float[Tensor, "tokens d"],
    f: Float[Tensor, "tokens latents"],
    latent: int,
    level: float | Float[Tensor, " tokens"],
) -> Float[Tensor, "tokens d"]:
    """The tokens with one latent at another level; what the autoencoder misses stays as it was."""
    change = (torch.as_tensor(level) - f[:, latent])[..., None]
    return tokens + change * fitted.model.decode[latent] / fitted.model.scale

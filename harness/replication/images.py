"""Claims on MNIST and CIFAR-10 whose files are not here: PEPITA (Dellaferrera & Kreiman 2022)
and local losses (Nøkland & Eidnes 2019).
"""

from __future__ import annotations

from harness.replication.claim import FOUND, RECALLED, Claim, nothing
from harness.replication.figure import Elsewhere

PEPITA = "Dellaferrera & Kreiman 2022"
NOKLAND = "Nøkland & Eidnes 2019, arXiv:1901.06656"
MNIST = "all of MNIST is not shipped, and training on it takes hours"
CIFAR = "no task here has the images of CIFAR-10"
CLAIMS = (
    Claim("dellaferrera2022/mnist", "4", "PEPITA on MNIST, beside backprop and feedback alignment", PEPITA,
          RECALLED, Elsewhere("98.01 % right; backprop 98.63, feedback alignment 98.42 %", MNIST), nothing),
    Claim("dellaferrera2022/cifar", "4", "PEPITA on CIFAR-10, beside backprop and feedback alignment", PEPITA,
          RECALLED, Elsewhere("52.57 % right; backprop 55.27, feedback alignment 53.82 %", CIFAR), nothing),
    *(Claim(f"nokland2019/{loss}", "14", f"a multilayer perceptron by local losses on CIFAR-10: {loss}",
            NOKLAND, FOUND, Elsewhere(f"{wrong} % wrong; by the global loss 33.56 %", CIFAR), nothing)
      for loss, wrong in (("pred", "32.33"), ("sim", "33.48"), ("predsim", "30.93"))),
)  # fmt: skip

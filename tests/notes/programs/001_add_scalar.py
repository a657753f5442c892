"""Curves for TensorBoard.

Section: 07, add_scalar
Needs: SummaryWriter.add_scalar, add_scalars, flush, close
"""

from torch.utils.tensorboard import SummaryWriter

writer = SummaryWriter("logs")

for i in range(100):
    writer.add_scalar("y = x", i, i)
for i in range(100):
    writer.add_scalar("y = 2x", 2 * i, i)
writer.flush()
for i in range(5):
    writer.add_scalars("powers", {"square": i**2, "cube": i**3}, i)

writer.close()
print("written")

"""Averages over as many windows as are asked for.

Section: AdaptiveAvgPool2d
Needs: nn.AdaptiveAvgPool2d of a pair, of a number, with None; F.adaptive_avg_pool2d
"""

import torch
import torch.nn as nn
import torch.nn.functional as F

x = torch.arange(2 * 3 * 10 * 9, dtype=torch.float32).reshape(2, 3, 10, 9)
avgp = nn.AdaptiveAvgPool2d((5, 1))
output = avgp(x)
print(avgp, output.shape)
print(output[0, 0])
print(nn.AdaptiveAvgPool2d(1)(x).flatten())
print(nn.AdaptiveAvgPool2d((None, 4))(x)[1, 2, 0])
print(torch.equal(F.adaptive_avg_pool2d(x, (5, 1)), output))

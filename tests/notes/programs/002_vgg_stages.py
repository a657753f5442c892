"""Parts of a network that exists: the stages of VGG16 with batch normalization.

Section: Sequential, using a part of a network
Needs: models.vgg16_bn, features.children, Sequential of a slice
"""

import torch
import torch.nn as nn
import torchvision

vgg = torchvision.models.vgg16_bn(weights=None, init_weights=False)
features = list(vgg.features.children())
print(len(features))


class Backbone(nn.Module):
    def __init__(self, features):
        super().__init__()
        self.features1 = nn.Sequential(*features[0:6])
        self.features2 = nn.Sequential(*features[6:13])
        self.features3 = nn.Sequential(*features[13:23])
        self.features4 = nn.Sequential(*features[23:33])
        self.features5 = nn.Sequential(*features[33:43])

    def forward(self, x):
        stages = []
        for stage in (self.features1, self.features2, self.features3, self.features4, self.features5):
            x = stage(x)
            stages.append(x)
        return stages


backbone = Backbone(features)
print(backbone)
backbone.eval()
with torch.no_grad():
    stages = backbone(torch.rand(1, 3, 64, 64))
for stage in stages:
    print(stage.shape, stage.mean())
del vgg, features, backbone

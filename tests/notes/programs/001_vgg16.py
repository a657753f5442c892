"""VGG16 as it is, with a layer added, with one replaced; saved and loaded in both ways.

Section: 21 and 22, existing models, saving and loading them
Needs: models.vgg16, add_module, classifier[6] = ..., torch.save and torch.load of a model and of a state
    dict by path, Resize, no_grad
"""

import os

import torch
import torchvision
from torch import nn

vgg16 = torchvision.models.vgg16(weights=None)
print(vgg16)

data = torchvision.datasets.CIFAR10(
    root=os.environ.get("NOTES_DATA", "./dataset"),
    train=False,
    transform=torchvision.transforms.Compose(
        [torchvision.transforms.Resize(224), torchvision.transforms.ToTensor()]
    ),
)
img, target = data[0]
img = torch.reshape(img, (1, 3, 224, 224))
vgg16.eval()
with torch.no_grad():
    output = vgg16(img)
print(output.shape, output[0, :5])

vgg16.classifier.add_module("add_linear", nn.Linear(1000, 10))
print(vgg16.classifier)
del vgg16.classifier.add_linear
vgg16.classifier[6] = nn.Linear(4096, 10)
print(vgg16.classifier)

torch.save(vgg16, "vgg16_method1.pth")
torch.save(vgg16.state_dict(), "vgg16_method2.pth")
expected = vgg16.classifier[6].weight.clone()
del vgg16

model = torch.load("vgg16_method1.pth", weights_only=False)
print(model)
print(torch.equal(model.classifier[6].weight, expected))

state = torch.load("vgg16_method2.pth")
print(type(state).__name__, len(state), list(state)[:2], state["features.0.bias"][:3])
nn.init.zeros_(model.classifier[6].weight)
print(model.load_state_dict(state))
print(torch.equal(model.classifier[6].weight, expected))

print([os.path.getsize(name) > 5e8 for name in ("vgg16_method1.pth", "vgg16_method2.pth")])
os.remove("vgg16_method1.pth")
os.remove("vgg16_method2.pth")
del model, state

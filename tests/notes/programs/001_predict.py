"""A picture of one's own, classified by a model that was saved.

Section: 25, using a trained model
Needs: PIL, convert("RGB"), Resize of a pair, Compose, torch.load with map_location, eval, argmax
"""

import numpy as np
import torch
import torchvision
from PIL import Image
from torch import nn


class Quick(nn.Module):
    def __init__(self):
        super().__init__()
        self.model = nn.Sequential(
            nn.Conv2d(3, 32, 5, 1, 2),
            nn.MaxPool2d(2),
            nn.Conv2d(32, 32, 5, 1, 2),
            nn.MaxPool2d(2),
            nn.Conv2d(32, 64, 5, 1, 2),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(64 * 4 * 4, 64),
            nn.Linear(64, 10),
        )

    def forward(self, x):
        x = self.model(x)
        return x


torch.save(Quick(), "quick_9.pth")
rows, columns = np.mgrid[0:120, 0:180]
drawn = np.stack([rows * 2, columns, rows + columns, np.full_like(rows, 255)], axis=2)
Image.fromarray(drawn.astype(np.uint8)).save("dog.png")

image = Image.open("dog.png")
print(image.size, image.mode)
image = image.convert("RGB")
transform = torchvision.transforms.Compose(
    [torchvision.transforms.Resize((32, 32)), torchvision.transforms.ToTensor()]
)
image = transform(image)
print(image.shape)

model = torch.load("quick_9.pth", map_location=torch.device("cpu"), weights_only=False)
print(model)
image = torch.reshape(image, (1, 3, 32, 32))
image = image.to(torch.device("cpu"))
model.eval()
with torch.no_grad():
    output = model(image)
print(output)
print(output.argmax(1))

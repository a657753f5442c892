"""A data set over a folder of pictures, the folder's name as the label; two of them added up.

Section: 06, a Dataset of one's own
Needs: Dataset, Dataset.__add__, PIL
"""

import os

import numpy as np
from PIL import Image
from torch.utils.data import Dataset

for label, shade in (("ants", 40), ("bees", 200)):
    os.makedirs(os.path.join("dataset/train", label))
    for i in range(3):
        pixels = np.full((12 + i, 10, 3), shade + i, dtype=np.uint8)
        Image.fromarray(pixels).save(os.path.join("dataset/train", label, "{:04d}.png".format(i)))


class MyData(Dataset):
    def __init__(self, root_dir, label_dir):
        self.root_dir = root_dir
        self.label_dir = label_dir
        self.path = os.path.join(root_dir, label_dir)
        self.img_path = sorted(os.listdir(self.path))

    def __getitem__(self, idx):
        name = self.img_path[idx]
        img = Image.open(os.path.join(self.root_dir, self.label_dir, name))
        return img, self.label_dir

    def __len__(self):
        return len(self.img_path)


ants_dataset = MyData("dataset/train", "ants")
bees_dataset = MyData("dataset/train", "bees")
train_dataset = ants_dataset + bees_dataset

print(len(ants_dataset), len(bees_dataset), len(train_dataset))
print(type(train_dataset).__name__, train_dataset.cumulative_sizes)
for i in range(len(train_dataset)):
    img, label = train_dataset[i]
    print(i, img.size, img.mode, img.getpixel((0, 0)), label)
print(train_dataset[-1][1])

"""Labels in text files beside the pictures, one file per picture.

Section: 06, pictures and labels in folders of their own
Needs: Dataset, DataLoader, transforms.ToTensor
"""

import os

import numpy as np
from PIL import Image
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

root_dir = "dataset/train"
for target_dir in ("ants_image", "bees_image"):
    os.makedirs(os.path.join(root_dir, target_dir))
    for i in range(2):
        pixels = np.arange(8 * 8 * 3, dtype=np.uint8).reshape(8, 8, 3) + i
        Image.fromarray(pixels).save(os.path.join(root_dir, target_dir, "{}.png".format(i)))

    label = target_dir.split("_")[0]
    out_dir = label + "_label"
    os.makedirs(os.path.join(root_dir, out_dir))
    for name in os.listdir(os.path.join(root_dir, target_dir)):
        file_name = name.split(".png")[0]
        with open(os.path.join(root_dir, out_dir, "{}.txt".format(file_name)), "w") as f:
            f.write(label)


class LabelledData(Dataset):
    def __init__(self, root_dir, image_dir, label_dir, transform):
        self.images = os.path.join(root_dir, image_dir)
        self.labels = os.path.join(root_dir, label_dir)
        self.names = sorted(os.listdir(self.images))
        self.transform = transform

    def __getitem__(self, idx):
        name = self.names[idx]
        img = Image.open(os.path.join(self.images, name))
        with open(os.path.join(self.labels, name.replace(".png", ".txt"))) as f:
            label = f.readline()
        return self.transform(img), label

    def __len__(self):
        return len(self.names)


to_tensor = transforms.ToTensor()
data = LabelledData(root_dir, "ants_image", "ants_label", to_tensor)
data = data + LabelledData(root_dir, "bees_image", "bees_label", to_tensor)
for imgs, labels in DataLoader(data, batch_size=3):
    print(imgs.shape, imgs.mean(), labels)

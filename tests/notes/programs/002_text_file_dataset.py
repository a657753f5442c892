"""A data set from a text file of paths and labels, with a loader for its pictures.

Section: Dataset
Needs: Dataset, DataLoader, ToTensor, PIL
"""

import os

import numpy as np
from PIL import Image
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

os.makedirs("mnist_test")
with open("mnist_test.txt", "w") as listing:
    for i in range(7):
        digit = np.full((28, 28), 30 * i, dtype=np.uint8)
        Image.fromarray(digit).save("./mnist_test/{}.png".format(i))
        listing.write("./mnist_test/{}.png {}\n".format(i, i % 3))


def default_loader(path):
    return Image.open(path).convert("RGB")


class MyDataset(Dataset):
    def __init__(self, txt, transform=None, loader=default_loader):
        imgs = []
        with open(txt) as fh:
            for line in fh:
                words = line.strip("\n").rstrip().split()
                imgs.append((words[0], int(words[1])))
        self.imgs = imgs
        self.transform = transform
        self.loader = loader

    def __getitem__(self, index):
        fn, label = self.imgs[index]
        img = self.loader(fn)
        if self.transform is not None:
            img = self.transform(img)
        return img, label

    def __len__(self):
        return len(self.imgs)


dataset = MyDataset("mnist_test.txt", transform=transforms.ToTensor())
print(len(dataset), dataset[3][0].shape, dataset[3][1])
print(MyDataset("mnist_test.txt")[1][0].size)
for images, labels in DataLoader(dataset, batch_size=3, shuffle=True):
    print(images.shape, images[:, 0, 0, 0], labels)

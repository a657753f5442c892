"""Batches of a data set, shuffled anew in each epoch, with and without the incomplete last one.

Section: 11, DataLoader
Needs: DataLoader(shuffle, num_workers, drop_last), SummaryWriter.add_images
"""

import os

import torchvision
from torch.utils.data import DataLoader
from torch.utils.tensorboard import SummaryWriter

test_data = torchvision.datasets.CIFAR10(
    root=os.environ.get("NOTES_DATA", "./dataset"),
    train=False,
    transform=torchvision.transforms.ToTensor(),
    download=True,
)
img, target = test_data[0]
print(img.shape, target)

for drop_last in (False, True):
    test_loader = DataLoader(
        dataset=test_data, batch_size=64, shuffle=True, num_workers=0, drop_last=drop_last
    )
    writer = SummaryWriter("dataloader_{}".format(drop_last))
    for epoch in range(2):
        step = 0
        for data in test_loader:
            imgs, targets = data
            writer.add_images("Epoch: {}".format(epoch), imgs, step)
            step += 1
        print(epoch, step, imgs.shape, targets[:8])
    writer.close()

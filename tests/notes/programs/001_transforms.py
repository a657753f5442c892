"""The usual transforms one after the other, their results for TensorBoard.

Section: 08 and 09, transforms
Needs: ToTensor, Normalize, Resize of a number and of a pair, Compose, RandomCrop, SummaryWriter.add_image
"""

import numpy as np
from PIL import Image
from torch.utils.tensorboard import SummaryWriter
from torchvision import transforms

rows, columns = np.mgrid[0:60, 0:90]
pixels = np.stack([rows * 4, columns * 2, (rows * columns) % 256], axis=2).astype(np.uint8)
img = Image.fromarray(pixels)
writer = SummaryWriter("logs")

trans_totensor = transforms.ToTensor()
img_tensor = trans_totensor(img)
print(type(img_tensor).__name__, img_tensor.shape, img_tensor.dtype)
writer.add_image("ToTensor", img_tensor)

print(img_tensor[0][0][1])
trans_norm = transforms.Normalize([0.5, 0.5, 0.5], [0.5, 0.5, 0.5])
img_norm = trans_norm(img_tensor)
print(img_norm[0][0][1], img_norm.min(), img_norm.max())
writer.add_image("Normalize", img_norm, 1)
writer.add_image("Normalize", transforms.Normalize([6, 3, 2], [9, 3, 5])(img_tensor), 2)

print(img.size)
trans_resize = transforms.Resize((512, 512))
img_resize = trans_resize(img)
print(img_resize.size)
writer.add_image("Resize", trans_totensor(img_resize), 0)

trans_resize_2 = transforms.Resize(128)
trans_compose = transforms.Compose([trans_resize_2, trans_totensor])
print(trans_compose)
img_resize_2 = trans_compose(img)
print(img_resize_2.shape)
writer.add_image("Resize", img_resize_2, 1)

trans_random = transforms.RandomCrop(32)
trans_compose_2 = transforms.Compose([trans_random, trans_totensor])
for i in range(10):
    img_crop = trans_compose_2(img)
    writer.add_image("RandomCrop", img_crop, i)
print(transforms.RandomCrop((20, 40))(img).size)

writer.close()

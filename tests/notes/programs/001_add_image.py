"""A picture as a NumPy array, height first and channels last, for TensorBoard.

Section: 07, add_image
Needs: SummaryWriter.add_image with dataformats, PIL
"""

import numpy as np
from PIL import Image
from torch.utils.tensorboard import SummaryWriter

rows, columns = np.mgrid[0:48, 0:64]
Image.fromarray(np.stack([rows * 5, columns * 3, rows + columns], axis=2).astype(np.uint8)).save("bee.png")

writer = SummaryWriter("logs")
img_PIL = Image.open("bee.png")
img_array = np.array(img_PIL)
print(type(img_PIL).__name__, type(img_array), img_array.shape)

writer.add_image("test", img_array, 1, dataformats="HWC")
writer.add_image("test", img_array[::-1], 2, dataformats="HWC")
writer.add_image("grey", img_array[:, :, 0], 1, dataformats="HW")
writer.close()

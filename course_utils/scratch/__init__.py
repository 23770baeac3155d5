"""A neural network in NumPy, short enough to be read whole, exact enough to be compared with Keras digit for digit.

Read it in this order: ``base``, ``activations``, ``layers``, ``losses``, ``network``; then ``optimizers``,
``initializers``, ``regularizers``, ``gradients``; for images, ``conv`` and ``pooling``.
"""

# ruff: noqa: F401 (every name of the room is gathered here, to be written scratch.Dense)
from course_utils.scratch.activations import ELU, Activation, LeakyReLU, Linear, ReLU, Sigmoid, Softmax, Tanh
from course_utils.scratch.base import Layer
from course_utils.scratch.conv import (
    Conv1D,
    Conv1DTranspose,
    Conv2D,
    Conv2DTranspose,
    conv1d,
    conv2d,
    output_size,
    receptive_field,
)
from course_utils.scratch.gradients import numerical_gradient, relative_error
from course_utils.scratch.initializers import (
    GlorotNormal,
    GlorotUniform,
    HeNormal,
    HeUniform,
    Initializer,
    Orthogonal,
    RandomNormal,
    Zeros,
)
from course_utils.scratch.layers import BatchNormalization, Dense, Dropout, Flatten
from course_utils.scratch.losses import (
    BinaryCrossEntropy,
    CategoricalCrossEntropy,
    Loss,
    MeanSquaredError,
    SoftmaxCrossEntropy,
)
from course_utils.scratch.network import Sequential
from course_utils.scratch.optimizers import SGD, Adam, Optimizer, RMSprop
from course_utils.scratch.pooling import (
    AveragePooling1D,
    AveragePooling2D,
    GlobalAveragePooling1D,
    GlobalAveragePooling2D,
    GlobalMaxPooling1D,
    GlobalMaxPooling2D,
    MaxPooling1D,
    MaxPooling2D,
    SumPooling1D,
    SumPooling2D,
)
from course_utils.scratch.regularizers import L1, L1L2, L2, Regularizer

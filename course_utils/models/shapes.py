"""What a network can be built for: one refusal, in plain French, for all families."""

from __future__ import annotations

from typing import Any


def check_input(
    network: str, input_shape: tuple[Any, ...], classes: int, *, minimum: int, any_size: bool = False
) -> None:
    """Refuse, in plain French, the input shapes and numbers of classes that a network cannot take.

    Parameters
    ----------
    network : str
        Name shown in the message.
    input_shape : tuple
        ``(height, width, channels)``, without the batch.
    classes : int
        Number of outputs.
    minimum : int
        Smallest height and width, in pixels, that leave at least one value in the last feature map.
    any_size : bool
        Whether height and width may be None: true of networks that end with a global pooling.

    Raises
    ------
    ValueError
        If the shape has not three sizes, if a side is missing or too small, if there is no channel or no class.
    """
    given = f"{network} a reçu input_shape={input_shape!r}"
    if not isinstance(input_shape, (tuple, list)) or len(input_shape) != 3:
        raise ValueError(
            f"{given} : on attend (hauteur, largeur, canaux), sans la taille du lot, par exemple "
            f"({max(minimum, 32)}, {max(minimum, 32)}, 3)."
        )
    *sides, channels = input_shape
    if not isinstance(channels, int) or channels < 1:
        raise ValueError(f"{given} : le nombre de canaux, en dernier, doit être un entier positif (1 ou 3).")
    for side in sides:
        if side is None and not any_size:
            raise ValueError(f"{given} : hauteur et largeur doivent être fixées pour ce réseau.")
        if side is not None and (not isinstance(side, int) or side < minimum):
            raise ValueError(
                f"{given} : image trop petite pour ce réseau, dont les réductions successives ne laisseraient rien ; "
                f"il faut au moins {minimum} × {minimum} pixels. Agrandissez les images (keras.layers.Resizing) "
                "ou choisissez un réseau moins profond."
            )
    if not isinstance(classes, int) or classes < 1:
        raise ValueError(f"{network} a reçu classes={classes!r} : on attend un entier positif, le nombre de classes.")

"""Checks of lesson 2-4, train fast and generalise better."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from course_utils.exercises.declare import exercise
from course_utils.exercises.expect import expect_cases, expect_choice, expect_function, expect_that, like
from course_utils.plots.style import number

WHOLE_BATCHES = (
    "Seuls les lots sont mélangés : chacun contient encore des images voisines. `shuffle` vient avant `batch`."
)


def _mix(images: Any, labels: Any, lam: Any, order: Any) -> tuple[Any, Any]:
    pictures = np.stack([w * images[i] + (1 - w) * images[j] for i, (w, j) in enumerate(zip(lam, order, strict=True))])
    targets = np.stack([w * labels[i] + (1 - w) * labels[j] for i, (w, j) in enumerate(zip(lam, order, strict=True))])
    return pictures, targets


@exercise(
    "2-4-a",
    hints=(
        "Combien de places la fenêtre occupe-t-elle ? Et combien de multiplications à chacune, pour chaque filtre ?",
        "Côté de la sortie, arrondi vers le haut : `-(-side // stride)`.",
        "`places * places * kernel**2 * channels_in * channels_out`",
    ),
    success="La deuxième couche du cours demande 225 792 multiplications ; sur l'image entière, avec le même pas de 2,"
    " elle en demanderait quatre fois plus.",
)
def multiply_adds(multiply_adds: Any) -> None:
    """Multiplications of a convolution with « same » padding."""
    expect_function(multiply_adds, parameters=5)
    expect_cases(
        multiply_adds,
        [(28, 3, 1, 8, 1), (28, 5, 1, 16, 2), (14, 3, 16, 32, 2), (7, 3, 4, 6, 2), (9, 1, 3, 2, 4)],
        reference=lambda n, k, a, b, s: math.ceil(n / s) ** 2 * k**2 * a * b,
        mistakes={
            like(lambda n, k, a, b, s: n**2 * k**2 * a * b): "Le pas `stride` réduit la sortie : la fenêtre y a moins"
            " de places.",
            like(lambda n, k, a, b, s: math.ceil(n / s) ** 2 * k * a * b): "Un noyau de côté `kernel` a `kernel ** 2`"
            " poids par canal.",
            like(lambda n, k, a, b, s: (n // s) ** 2 * k**2 * a * b): "Avec `padding='same'`, le côté s'arrondit vers"
            " le haut : 7 pixels au pas de 2 donnent 4 places.",
            like(lambda n, k, a, b, s: math.ceil(n / s) * k**2 * a * b): "La fenêtre glisse dans les deux sens : le"
            " nombre de places est un carré.",
            like(lambda n, k, a, b, s: ((n - k) // s + 1) ** 2 * k**2 * a * b): "C'est la taille sans marge (`valid`) ;"
            " ici, `padding='same'`.",
            like(lambda n, k, a, b, s: k**2 * a * b): "C'est le nombre de poids : chacun sert à toutes les places de la"
            " sortie.",
        },
    )


@exercise(
    "2-4-b",
    hints=(
        "Quatre appels qui s'enchaînent : mélanger, mettre en lots, transformer, préparer d'avance.",
        "`tf.data.Dataset.from_tensor_slices((images, labels))` rend les couples un par un ; `.shuffle(len(images))`"
        " les mélange tous, et autrement à chaque passage.",
        "`….shuffle(len(images)).batch(batch_size).map(prepare).prefetch(2)`, où `prepare` est celle du cours.",
    ),
    success="Mélange, lots, conversion, avance : c'est l'ordre de `training.batches`.",
)
def pipeline(pipeline: Any) -> None:
    """Pairs shuffled, put in batches, then converted, as a `tf.data` pipeline."""
    expect_function(pipeline, parameters=3)
    labels = np.arange(12)
    images = np.broadcast_to(20 * labels[:, None, None, None], (12, 2, 3, 1)).astype(np.uint8)
    result = pipeline(images, labels, 5)
    expect_that(
        hasattr(result, "element_spec"),
        f"La fonction renvoie un objet de type `{type(result).__name__}`, on attend un `tf.data.Dataset`.",
    )
    passes = _passes(result)
    _expect_batches(passes[0])
    _expect_values(passes[0])
    _expect_shuffled([[y for _, y in batches] for batches in passes])


def _passes(dataset: Any) -> list[list[tuple[Any, ...]]]:
    passes = []
    for _ in range(4):
        batches = [tuple(np.asarray(part) for part in batch) for batch in dataset.take(20)]
        expect_that(
            batches and all(len(batch) == 2 for batch in batches),
            "Chaque élément doit être un couple (images, labels).",
        )
        expect_that(
            len(batches) < 20,
            "Le jeu ne se termine pas : `repeat` n'a pas sa place ici, un passage doit rendre chaque image une fois.",
        )
        passes.append(batches)
    return passes


def _expect_batches(batches: list[tuple[Any, ...]]) -> None:
    expect_that(batches[0][0].ndim == 4, "Les images sortent une par une : il manque `batch(batch_size)`.")
    sizes = [len(y) for _, y in batches]
    expect_that(
        sizes != [5, 5],
        "Les deux dernières images sont perdues : le dernier lot peut être plus petit, sans `drop_remainder`.",
    )
    expect_that(sorted(sizes) != [2, 5, 5] or sizes[-1] == 2, WHOLE_BATCHES)
    expect_that(sizes == [5, 5, 2], f"Douze images en lots de 5 font des lots de 5, 5 et 2 ; les vôtres : {sizes}.")


def _expect_values(batches: list[tuple[Any, ...]]) -> None:
    pictures, answers = (np.concatenate(parts) for parts in zip(*batches, strict=True))
    expect_that(
        pictures.dtype == np.float32,
        f"Les images sortent en `{pictures.dtype}`, on attend `float32` : convertissez avec `tf.cast`.",
    )
    expect_that(
        pictures.max() <= 1,
        f"Les pixels vont jusqu'à {pictures.max():g}, on les attend entre 0 et 1 : divisez par 255.",
    )
    expect_that(
        pictures.max() > 0.5,
        f"Le pixel le plus clair vaut {pictures.max():.2g} au lieu de 0,86 : une seule division par 255 suffit.",
    )
    expect_that(
        sorted(answers) == list(range(12)),
        "Un passage doit rendre chaque image une fois et une seule, avec son étiquette.",
    )
    expect_that(
        np.array_equal(np.rint(255 * pictures[:, 0, 0, 0]), 20 * answers),
        "Les images et les étiquettes ne vont plus ensemble : mélangez les couples, pas les deux tableaux à part.",
    )


def _expect_shuffled(passes: list[list[Any]]) -> None:
    # All the passes are looked at: whole batches, shuffled, keep the order of the array one time in six.
    orders = [np.concatenate(answers) for answers in passes]
    expect_that(
        not all(np.array_equal(order, np.arange(12)) for order in orders),
        "Les images sortent dans l'ordre du tableau : il manque `shuffle`.",
    )
    expect_that(any(np.any(np.diff(y) != 1) for answers in passes for y in answers), WHOLE_BATCHES)
    expect_that(
        not all(np.array_equal(order, orders[0]) for order in orders),
        "Tous les passages rendent le même ordre : laissez `reshuffle_each_iteration` à sa valeur, et pas de `cache`"
        " après le mélange.",
    )


@exercise(
    "2-4-c",
    hints=(
        "Demandez-vous : une personne qui ne verrait que l'image transformée donnerait-elle la même réponse ?",
        "Un 6 en demi-tour se lit 9 ; un feu qui change de teinte change de couleur ; et si la taille est la réponse…",
    ),
    success="La même couche est permise ici, interdite là : c'est la tâche qui décide.",
)
def lies(digits_lie: Any, plates_lie: Any, lights_lie: Any, age_lie: Any) -> None:
    """Which augmentation changes the label."""
    expect_choice(
        digits_lie,
        "b",
        choices="ab",
        feedback={"a": "Un chiffre décalé de 2 pixels se lit pareil ; un 6 retourné, non."},
    )
    expect_choice(
        plates_lie,
        "a",
        choices="ab",
        feedback={"b": "Une plaque à l'ombre se lit encore ; au miroir, ses lettres sont fausses."},
    )
    expect_choice(
        lights_lie,
        "b",
        choices="ab",
        feedback={"a": "Au miroir, un feu rouge reste rouge ; la teinte, elle, est la réponse."},
    )
    expect_choice(
        age_lie,
        "a",
        choices="ab",
        feedback={"b": "Au miroir, un tronc garde son diamètre ; un zoom le change, et l'âge avec."},
    )


@exercise(
    "2-4-d",
    hints=(
        "`images[order]` range les images dans l'ordre des partenaires.",
        "`lam` doit se diffuser sur la hauteur, la largeur et les canaux : `lam[:, None, None, None]`.",
        "Images : `w * images + (1 - w) * images[order]`, avec `w = lam[:, None, None, None]`. Étiquettes : de même,"
        " avec `lam[:, None]`.",
    ),
    success="`keras.layers.MixUp` fait ce calcul, avec λ tiré d'une loi bêta.",
)
def mixup(mixup: Any) -> None:
    """Images and labels mixed in the same proportion."""
    expect_function(mixup, parameters=4, pure=True)
    rng = np.random.default_rng(0)
    images, labels = rng.random((3, 2, 4, 1)), np.eye(3)
    lam, order = np.array([0.75, 0.5, 0.2]), np.array([1, 2, 0])

    def wide(a: Any, w: Any) -> Any:
        return w.reshape(-1, *[1] * (a.ndim - 1))

    def blend(a: Any, w: Any, o: Any) -> Any:
        return wide(a, w) * a + (1 - wide(a, w)) * a[o]

    expect_cases(
        mixup,
        [(images, labels, lam, order), (images, labels, np.ones(3), order)],
        reference=_mix,
        mistakes={
            like(lambda x, y, w, o: (blend(x, w, o), y)): "Les étiquettes se mêlent aussi, dans la même proportion.",
            like(lambda x, y, w, o: (blend(x, 1 - w, o), blend(y, 1 - w, o))): "`lam` est la part de l'image `i` :"
            " vous l'avez donnée à sa partenaire.",
            like(
                lambda x, y, w, o: (blend(x, w, o), y[o])
            ): "L'étiquette est celle de la seule partenaire : mêlez les deux.",
            like(lambda x, y, w, o: (wide(x, w) * x + x[o], wide(y, w) * y + y[o])): "Les deux parts doivent faire 1 :"
            " multipliez la partenaire par `1 - lam`.",
        },
    )


@exercise(
    "2-4-e",
    hints=(
        "Relisez l'ablation : quel remède sortait nettement des barres d'erreur ?",
        "`train_sprites(seed=5, augment=geometry, epochs=…)` : avec des images toujours nouvelles, quelques"
        " époques de plus sont utiles.",
        "`my_model, _ = train_sprites(seed=5, augment=geometry, epochs=20)`",
    ),
)
def beat_the_plain_network(my_model: Any, images: Any, labels: Any) -> str:
    """Score of the participant's network on the exam."""
    expect_that(
        not isinstance(my_model, tuple),
        "`train_sprites` renvoie deux objets, le modèle et son exactitude : écrivez `my_model, _ = train_sprites(…)`.",
    )
    expect_that(hasattr(my_model, "predict"), "On attend un modèle entraîné, qui a une méthode `predict`.")
    outputs = np.asarray(my_model.predict(images, verbose=0))
    expect_that(
        outputs.shape == (len(images), 10),
        f"Les sorties ont la forme {outputs.shape} : il faut dix scores par image, comme en donne `train_sprites`.",
    )
    score = float((outputs.argmax(axis=1) == labels).mean())
    found = f"{number(100 * score, 1)} %"
    expect_that(
        score > 0.2, f"Votre modèle obtient {found}, à peu près le hasard : a-t-il été entraîné sur les vignettes ?"
    )
    expect_that(
        score >= 0.72,
        f"Votre modèle obtient {found} : il en faut 72. Quelle variante l'ablation plaçait-elle en tête ?",
    )
    return f"{found} sur des images nouvelles, avec les mêmes mille vignettes."

"""Checks of lesson 1-3: standardisation, leaks, rare classes, wrong labels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from course_utils.exercises.declare import exercise
from course_utils.exercises.expect import (
    expect_array,
    expect_cases,
    expect_equal,
    expect_function,
    expect_that,
    like,
)

Array = NDArray[Any]

# --- 1-3-a : standardisation ---------------------------------------------------------------------------------------


def _by_columns(X_train: Array, X_test: Array) -> tuple[Array, Array]:
    """Standardise column by column, with loops."""
    X_train, X_test = np.asarray(X_train, float), np.asarray(X_test, float)
    new_train, new_test = np.empty_like(X_train), np.empty_like(X_test)
    for j in range(X_train.shape[1]):
        column = X_train[:, j].tolist()
        mean = sum(column) / len(column)
        spread = (sum((value - mean) ** 2 for value in column) / len(column)) ** 0.5 or 1.0
        new_train[:, j] = (X_train[:, j] - mean) / spread
        new_test[:, j] = (X_test[:, j] - mean) / spread
    return new_train, new_test


def _rescaled(
    ddof: int = 0,
    *,
    fit: Callable[[Array, Array], tuple[Array, Array]] = lambda train, test: (train, train),
    axis: int | None = 0,
    center: bool = True,
    scale: Callable[[Array], Array] = lambda spread: np.where(spread == 0, 1, spread),
) -> Callable[[Array, Array], tuple[Array, Array]]:
    """Return a standardisation with one mistake: what it is fitted on, its axis, its divisor."""

    def standardize(X_train: Array, X_test: Array) -> tuple[Array, Array]:
        X_train, X_test = np.asarray(X_train, float), np.asarray(X_test, float)
        results = []
        for values, source in zip((X_train, X_test), fit(X_train, X_test), strict=True):
            with np.errstate(all="ignore"):
                mean = source.mean(axis) if center else 0.0
                results.append((values - mean) / scale(source.std(axis, ddof=ddof)))
        return results[0], results[1]

    return standardize


def _standardize_cases() -> list[tuple[Array, Array]]:
    """Return two columns of very different scales, then a table with a constant column that varies in the test."""
    first = np.array([[1.0, 100.0], [3.0, 300.0], [5.0, 800.0]]), np.array([[2.0, 900.0], [9.0, 0.0]])
    rng = np.random.default_rng(5)
    train, test = rng.normal(10, 4, (6, 3)), rng.normal(12, 2, (4, 3))
    train[:, 1] = 7.0
    return [first, (train, test)]


_CONSTANT = "La deuxième colonne est constante à l'entraînement : son écart-type est nul, divisez-la par 1."
_STANDARDIZE_MISTAKES = [
    (_rescaled(fit=lambda a, b: (a, b)), "Le test est standardisé avec sa propre moyenne : prenez celle de X_train."),
    (
        _rescaled(fit=lambda a, b: (np.vstack([a, b]),) * 2),
        "La moyenne et l'écart-type sont calculés sur les deux tableaux réunis : le test a fui dans l'entraînement.",
    ),
    (
        _rescaled(ddof=1),
        "Vous divisez par n − 1 (ddof=1) ; l'écart-type demandé, celui de StandardScaler, divise par n.",
    ),
    (_rescaled(axis=None), "Une seule moyenne pour tout le tableau : il en faut une par colonne (axis=0)."),
    (_rescaled(center=False), "Il manque la soustraction de la moyenne."),
    (_rescaled(scale=lambda spread: np.where(spread == 0, 1, spread**2)), "C'est la variance ; prenez-en la racine."),
]


@exercise(
    "1-3-a",
    hints=(
        "Quatre lignes : la moyenne de l'entraînement, son écart-type, puis deux divisions.",
        "`X_train.mean(axis=0)` donne une moyenne par colonne ; le test reçoit les mêmes nombres que l'entraînement.",
        "`sigma = X_train.std(axis=0)`, puis `sigma = np.where(sigma == 0, 1, sigma)`, "
        "et renvoyez `(X_train - mu) / sigma, (X_test - mu) / sigma`.",
    ),
    success="C'est StandardScaler : `fit` sur l'entraînement, `transform` sur les deux. "
    "Le test n'a ni moyenne nulle ni écart-type 1, et c'est normal.",
)
def standardize(standardize):
    """Does the function learn the mean and the deviation on the training set only?"""
    expect_function(standardize, parameters=2, pure=True)
    for X_train, X_test in _standardize_cases():
        answer = standardize(X_train.copy(), X_test.copy())
        expect_that(answer is not None and answer is not ..., "La fonction ne renvoie rien : terminez par `return`.")
        expect_that(
            isinstance(answer, tuple | list) and len(answer) == 2,
            "On attend deux tableaux : `return new_train, new_test`.",
        )
        expected = _by_columns(X_train, X_test)
        for given, right, which in zip(answer, expected, (0, 1), strict=True):
            if (X_train[:, 1] == 7).all() and np.shape(given) == right.shape:
                expect_that(bool(np.isfinite(np.asarray(given, float)).all()), _CONSTANT)
            name = f"le tableau {('d’entraînement', 'de test')[which]}"
            expect_array(given, right, name=name, mistakes=_values_of(_STANDARDIZE_MISTAKES, X_train, X_test, which))


def _values_of(mistakes: list[Any], X_train: Array, X_test: Array, which: int) -> list[tuple[Array, str]]:
    return [(wrong(X_train, X_test)[which], message) for wrong, message in mistakes]


# --- 1-3-b : three leaks -------------------------------------------------------------------------------------------


def _score(scale: str = "fold", select: str = "fold", folds: str = "groups") -> Callable[[Array, Array, Array], float]:
    """Return the cross-validated score of one neighbour; each argument may hold a leak."""

    def score(X: Array, y: Array, groups: Array) -> float:
        from sklearn.feature_selection import SelectKBest, f_classif
        from sklearn.model_selection import GroupKFold, KFold, StratifiedGroupKFold, StratifiedKFold
        from sklearn.neighbors import KNeighborsClassifier
        from sklearn.preprocessing import StandardScaler

        splitter = {
            "groups": GroupKFold(5),
            "stratified groups": StratifiedGroupKFold(5),
            "shuffled": StratifiedKFold(5, shuffle=True, random_state=0),
            "stratified": StratifiedKFold(5),
            "plain": KFold(5),
        }[folds]
        if scale == "all":
            X = StandardScaler().fit_transform(X)
        if select == "all":
            X = SelectKBest(f_classif, k=10).fit_transform(X, y)
        scores = []
        for train, test in splitter.split(X, y, groups):
            A, B = X[train], X[test]
            if scale == "fold":
                scaler = StandardScaler().fit(A)
                A, B = scaler.transform(A), scaler.transform(B)
            if select == "fold":
                selector = SelectKBest(f_classif, k=10).fit(A, y[train])
                A, B = selector.transform(A), selector.transform(B)
            scores.append(KNeighborsClassifier(1).fit(A, y[train]).score(B, y[test]))
        return float(np.mean(scores))

    return score


def _patients(seed: int) -> tuple[Array, Array, Array]:
    """Return noise: 20 patients with three pictures each, in disorder, a diagnosis drawn by lot, scales that differ."""
    rng = np.random.default_rng(seed)
    groups = rng.permutation(np.repeat(np.arange(20), 3))
    X = rng.standard_normal((20, 150))[groups] + rng.standard_normal((60, 150))
    return X * rng.uniform(0.1, 10, 150), rng.permutation(np.repeat([0, 1], 10))[groups], groups


_FOLDS = "Des images d'un même patient se trouvent des deux côtés : passez `groups=groups` et `cv=GroupKFold(5)`."
_SELECT = "Les dix variables sont encore choisies sur toutes les images : mettez `SelectKBest` dans la chaîne."
_SCALE = "La standardisation est encore apprise sur toutes les images : mettez `StandardScaler` dans la chaîne."
_LEAKS = [
    (like(_score("all", "all", "shuffled")), "Les trois fuites sont encore là."),
    (like(_score("fold", "fold", "shuffled")), _FOLDS),
    (like(_score("fold", "fold", "stratified")), _FOLDS),
    (like(_score("fold", "fold", "plain")), _FOLDS),
    (like(_score("all", "all", "groups")), _SELECT + " `StandardScaler` aussi."),
    (like(_score("fold", "all", "groups")), _SELECT),
    (like(_score("all", "fold", "groups")), _SCALE),
    (like(_score("all", "fold", "shuffled")), _FOLDS),
    (like(_score("none", "fold", "groups")), "Il manque `StandardScaler` dans la chaîne."),
    (like(_score("fold", "none", "groups")), "Il manque `SelectKBest(f_classif, k=10)` dans la chaîne."),
    (
        like(_score("fold", "fold", "stratified groups")),
        "`StratifiedGroupKFold` est un bon choix aussi ; pour comparer nos nombres, prenez `GroupKFold(5)`.",
    ),
]


@exercise(
    "1-3-b",
    hints=(
        "Cherchez ce qui apprend avant la séparation (deux lignes), puis ce que la séparation oublie (une ligne).",
        "`make_pipeline(StandardScaler(), SelectKBest(f_classif, k=10), KNeighborsClassifier(1))` "
        "réapprend tout dans chaque pli.",
        "Il reste `cross_val_score(chain, X, y, groups=groups, cv=GroupKFold(5)).mean()`.",
    ),
    success="Sur du bruit, le score honnête tourne autour de 50 % : c'est une bonne nouvelle, "
    "celle que la fuite vous cachait.",
)
def honest_score(honest_score):
    """Are scaling, selection and patients kept inside the folds?"""
    expect_function(honest_score, parameters=3, pure=True)
    expect_cases(honest_score, [_patients(seed) for seed in (0, 1)], _score(), atol=1e-9, rtol=0, mistakes=_LEAKS)


# --- 1-3-c : rare classes ------------------------------------------------------------------------------------------


def _scorecard(
    choose: Callable[..., tuple[float, ...]] = lambda p, r, s, a: (p, r, (r + s) / 2),
    alert: Callable[[float, float], bool] = lambda score, threshold: score >= threshold,
    silence: float = 0.0,
) -> Callable[[Array, Array, float], tuple[float, ...]]:
    """Return a score card counted one picture at a time; `choose` gets precision, recall, specificity, accuracy."""

    def scorecard(y_true: Array, scores: Array, threshold: float) -> tuple[float, ...]:
        counts = {(truth, found): 0 for truth in (0, 1) for found in (False, True)}
        for truth, score in zip(y_true, scores, strict=True):
            counts[int(truth), bool(alert(score, threshold))] += 1
        tp, fp, fn, tn = counts[1, True], counts[0, True], counts[1, False], counts[0, False]
        precision = tp / (tp + fp) if tp + fp else silence
        return choose(precision, tp / (tp + fn), tn / (tn + fp), (tp + tn) / len(y_true))

    return scorecard


_TEN = np.array([0, 0, 0, 0, 0, 0, 0, 1, 1, 1]), np.array([0.1, 0.2, 0.3, 0.3, 0.4, 0.5, 0.8, 0.35, 0.6, 0.9])
_SCORECARD_MISTAKES = [
    (like(_scorecard(lambda p, r, s, a: (r, p, (r + s) / 2))), "Précision et rappel sont échangés."),
    (like(_scorecard(lambda p, r, s, a: (p, r, a))), "Le troisième nombre est l'exactitude ordinaire."),
    (
        like(_scorecard(lambda p, r, s, a: (p, r, (p + r) / 2))),
        "L'exactitude équilibrée est la moyenne des rappels des deux classes, pas de la précision et du rappel.",
    ),
    (
        like(_scorecard(lambda p, r, s, a: (p, r, 2 * p * r / (p + r) if p + r else 0))),
        "Le troisième nombre est le F1.",
    ),
    (
        like(_scorecard(alert=lambda score, threshold: score > threshold)),
        "L'alerte inclut le seuil : `scores >= threshold`.",
    ),
    (like(_scorecard(silence=1.0)), "Sans aucune alerte, la précision vaut 0 par convention."),
    (like(_scorecard(silence=float("nan"))), "Sans aucune alerte, c'est 0/0 : renvoyez 0 pour la précision."),
]


@exercise(
    "1-3-c",
    hints=(
        "Commencez par les alertes : `alert = scores >= threshold`, puis comptez les quatre cas.",
        "`tp = np.sum(alert & (y_true == 1))`, `fp = np.sum(alert & (y_true == 0))`. "
        "Précision : tp parmi les alertes ; rappel : tp parmi les vrais 1.",
        "L'exactitude équilibrée est la moyenne du rappel des 1 et du rappel des 0, "
        "`np.mean(~alert[y_true == 0])`. Si `alert.sum()` vaut 0, la précision est 0.",
    ),
    success="Le rappel ne regarde que les vrais 1, la précision que les alertes : "
    "l'un peut être parfait quand l'autre est déplorable.",
)
def scorecard(scorecard):
    """Precision, recall and balanced accuracy at a threshold."""
    expect_function(scorecard, parameters=3, pure=True)
    cases = [(*_TEN, 0.45), (*_TEN, 0.3), (*_TEN, 0.95)]
    expect_cases(scorecard, cases, _scorecard(), mistakes=_SCORECARD_MISTAKES)


# --- 1-3-d : wrong labels ------------------------------------------------------------------------------------------

WANTED = 25


@exercise(
    "1-3-d",
    hints=(
        "Reprenez la méthode de « Démasquer les menteurs » : `cross_val_predict` sur `X_new`, "
        "`y_new`, avec le modèle de votre choix.",
        "Pour chaque image, comparez la probabilité de l'étiquette donnée, `P[np.arange(len(P)), y_new]`, "
        "à celle de la meilleure classe, `P.max(axis=1)`.",
        "`margin = P[np.arange(len(P)), y_new] - P.max(axis=1)`, puis les 40 plus petites : `np.argsort(margin)[:40]`. "
        "Essayez une forêt de 100 arbres, ou 15 voisins.",
    ),
)
def suspects(suspects, labels, truth):
    """Are enough wrong labels among the forty suspects?"""
    positions = np.asarray(suspects)
    expect_that(
        positions.dtype != bool,
        "C'est un masque de vrais et de faux ; donnez les positions, par exemple avec `np.flatnonzero`.",
    )
    expect_that(
        positions.ndim == 1 and np.issubdtype(positions.dtype, np.integer),
        "On attend une liste de positions entières.",
    )
    n = len(truth)
    expect_that(bool(((positions >= 0) & (positions < n)).all()), f"Les positions vont de 0 à {n - 1}.")
    expect_that(len(np.unique(positions)) == len(positions), "Une même position figure plusieurs fois.")
    expect_equal(len(positions), 40, name="le nombre de suspects")
    wrong = np.asarray(labels) != np.asarray(truth)
    found = int(wrong[positions].sum())
    expect_that(
        found > 1,
        f"{found} étiquette fausse sur 40 : pire que le hasard. Avez-vous pris les images les plus sûres "
        "au lieu des moins sûres ?",
    )
    expect_that(
        found > 10,
        f"{found} étiquettes fausses sur 40, guère mieux qu'au hasard. Le modèle a-t-il jugé des images qu'il avait "
        "apprises ? Prenez `cross_val_predict(..., method='predict_proba')`.",
    )
    expect_that(
        found >= WANTED,
        f"{found} étiquettes fausses sur 40 ; il en faut {WANTED}. Vous êtes sur la voie : essayez un autre modèle, ou "
        "classez selon l'écart entre la classe préférée et l'étiquette donnée.",
    )
    return f"{found} des {int(wrong.sum())} étiquettes fausses retrouvées en relisant 40 images sur {n}."

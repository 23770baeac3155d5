"""Checks of notebook 1-9: HOG and SVM, forests, boosting, and the match against networks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from course_utils.exercises.answer import fresh
from course_utils.exercises.declare import exercise
from course_utils.exercises.expect import expect_cases, expect_function, expect_that, expect_type, like

IMAGE_METHODS = ("logistique", "forêt", "XGBoost", "HOG + SVM", "dense", "convolutif")
NEIGHBOURHOOD = {"HOG + SVM", "convolutif"}
TARGET_AUC = 0.74
MOST_TREES = 400
SETTINGS = {
    "n_estimators",
    "learning_rate",
    "max_depth",
    "max_leaves",
    "subsample",
    "colsample_bytree",
    "min_child_weight",
    "reg_lambda",
    "reg_alpha",
    "gamma",
}


def _histogram(gx, gy, bins, *, span=180.0, weighted=True, mean=True, swapped=False, degrees=True):
    """Vote pixel by pixel; the options are the usual mistakes."""
    votes = np.zeros(bins)
    for dx, dy in zip(np.ravel(gx), np.ravel(gy), strict=True):
        angle = np.arctan2(dx, dy) if swapped else np.arctan2(dy, dx)
        angle = (np.rad2deg(angle) if degrees else angle) % span
        votes[min(int(angle // (span / bins)), bins - 1)] += np.hypot(dx, dy) if weighted else 1.0
    return votes / np.size(gx) if mean else votes


def _centred(gx, gy, bins):
    """Bins whose centres, not edges, are the multiples of 180° / bins."""
    angle = np.rad2deg(np.arctan2(gy, gx)) % 180
    index = np.round(angle / (180 / bins)).astype(int) % bins
    return np.bincount(np.ravel(index), np.ravel(np.hypot(gx, gy)), bins) / np.size(gx)


@exercise(
    "1-9-a",
    hints=(
        "Deux tableaux d'abord, de la forme de la cellule : `np.hypot(gx, gy)` pour les longueurs, et "
        "`np.rad2deg(np.arctan2(gy, gx)) % 180` pour les angles.",
        "Une case couvre `180 / bins` degrés : le numéro de case est le quotient entier, `angle // (180 / bins)`.",
        "`np.bincount(index.ravel(), magnitude.ravel(), minlength=bins) / gx.size`, avec `index` converti en entiers.",
    ),
    success="Neuf nombres résument la cellule : bougez un bord d'un pixel à l'intérieur, ils ne changent presque pas. "
    "Voilà d'où vient la robustesse de HOG.",
)
def orientation_histogram(orientation_histogram):
    """Histogram of the orientations of one cell, weighted by magnitude."""
    expect_function(orientation_histogram, parameters=3)
    rng = np.random.default_rng(9)
    gx, gy = rng.normal(size=(2, 5, 5))
    cases = [
        (np.array([[3.0, 0.0]]), np.array([[4.0, 2.0]]), 9),
        (np.array([[1.0, -1.0], [0.0, 2.0]]), np.array([[0.5, 0.5], [0.0, -2.0]]), 6),
        (gx, gy, 9),
    ]
    expect_cases(
        orientation_histogram,
        cases,
        reference=_histogram,
        rtol=1e-6,
        atol=1e-9,
        mistakes={
            like(lambda gx, gy, bins: _histogram(gx, gy, bins, mean=False)): (
                "C'est la somme des votes : divisez par le nombre de pixels de la cellule."
            ),
            like(lambda gx, gy, bins: _histogram(gx, gy, bins, weighted=False)): (
                "Chaque pixel y vote pour 1 : un vote pèse la longueur du gradient, `np.hypot(gx, gy)`."
            ),
            like(lambda gx, gy, bins: _histogram(gx, gy, bins, span=360.0)): (
                "Vos cases partagent 360° : HOG oublie le sens, l'angle se prend modulo 180."
            ),
            like(lambda gx, gy, bins: _histogram(gx, gy, bins, swapped=True)): (
                "`np.arctan2` prend d'abord la composante verticale : `np.arctan2(gy, gx)`."
            ),
            like(lambda gx, gy, bins: _histogram(gx, gy, bins, degrees=False)): (
                "`np.arctan2` rend des radians : convertissez avec `np.rad2deg` avant le modulo."
            ),
            like(_centred): (
                "Vos cases sont centrées sur 0°, 20°… : ici la première va de 0° à 20°, prenez le quotient entier."
            ),
        },
    )


def _leaf(y, p, lam=1.0):
    total, curvature = 0.0, lam
    for truth, said in zip(y, p, strict=True):
        total += truth - said
        curvature += said * (1 - said)
    return total / curvature


@exercise(
    "1-9-b",
    hints=(
        "Au numérateur, le résidu de chaque personne, vérité moins prédiction, puis la somme.",
        "Au dénominateur, `p * (1 - p)` pour chaque personne, puis la somme, puis λ une seule fois.",
        "`(y - p).sum() / ((p * (1 - p)).sum() + lam)`",
    ),
    success="Une feuille presque vide a une somme de courbures minuscule : sans λ, trois personnes suffiraient à "
    "lui faire dire n'importe quoi.",
)
def leaf_value(leaf_value):
    """Newton step of one leaf for the binary cross-entropy."""
    expect_function(leaf_value, parameters=3)
    cases = [
        (np.array([1.0, 1.0, 0.0]), np.array([0.5, 0.5, 0.5]), 1.0),
        (np.array([1.0, 0.0, 0.0, 0.0]), np.array([0.9, 0.2, 0.4, 0.7]), 1.0),
        (np.array([1.0, 1.0, 1.0]), np.array([0.2, 0.6, 0.3]), 0.0),
    ]
    expect_cases(
        leaf_value,
        cases,
        reference=_leaf,
        rtol=1e-6,
        mistakes={
            like(lambda y, p, lam: -_leaf(y, p, lam)): (
                "Le signe est inversé : le résidu est `y - p`, vérité moins prédiction."
            ),
            like(lambda y, p, lam: np.mean(y - p)): (
                "C'est le résidu moyen, la feuille de la régression : "
                "ici le dénominateur est la somme des courbures plus λ."
            ),
            like(lambda y, p, lam: np.sum(y - p) / (len(y) + lam)): (
                "Vous divisez par l'effectif : la courbure d'une personne est `p * (1 - p)`, pas 1."
            ),
            like(lambda y, p, lam: np.sum(y - p) / (np.sum(p * (1 - p)) + lam * len(y))): (
                "λ s'ajoute une fois par feuille, après la somme, pas une fois par personne."
            ),
            like(lambda y, p, lam: np.sum(y - p) / np.sum(p * (1 - p))): "Il manque le frein `lam` au dénominateur.",
            like(lambda y, p, lam: np.sum(y - p) / np.sum(p * (1 - p)) + lam): (
                "Des parenthèses manquent : λ s'ajoute au dénominateur, avant la division."
            ),
        },
    )


@exercise(
    "1-9-c",
    hints=(
        "Pour chaque méthode, une question : son calcul change-t-il si l'on renumérote les colonnes du tableau ?",
        "Une somme pondérée de tous les pixels, ou une question sur un pixel, se moque du rang de ce pixel. "
        "Un gradient, lui, soustrait deux voisins.",
        "Deux méthodes seulement regardent des voisinages ; les quatre autres vont dans `unchanged`.",
    ),
    success="Mélanger les pixels, c'est renuméroter des colonnes. "
    "Qui ne regarde pas les voisinages ne s'en aperçoit pas.",
)
def unchanged(unchanged):
    """Which methods ignore the order of the pixels."""
    expect_type(unchanged, (set, frozenset, list, tuple), 'un ensemble de noms, par exemple {"forêt"}')
    chosen = set(unchanged)
    strangers = sorted(str(name) for name in chosen - set(IMAGE_METHODS))
    names = ", ".join(f'`"{name}"`' for name in IMAGE_METHODS)
    expect_that(not strangers, f"« {', '.join(strangers)} » n'est pas au programme du match. Les noms sont {names}.")
    expect_that(
        "HOG + SVM" not in chosen,
        "`HOG + SVM` s'effondre : le gradient soustrait deux pixels voisins, et les cellules comptent les bords "
        "d'un lieu. Sans voisins, plus de bords.",
    )
    expect_that(
        "convolutif" not in chosen,
        "le réseau `convolutif` perd beaucoup : ses filtres lisent de petites fenêtres, "
        "où le mélange a mis des pixels sans rapport.",
    )
    reasons = {
        "logistique": "la logistique additionne poids × pixel : renumérotez les pixels, les poids suivent",
        "dense": "le réseau `dense` relie chaque neurone à tous les pixels : leurs rangs n'entrent pas dans la somme",
        "forêt": "les arbres de la forêt interrogent un pixel à la fois : peu leur importe le numéro qu'il porte",
        "XGBoost": "XGBoost interroge un pixel à la fois : peu lui importe le numéro qu'il porte",
    }
    for name, reason in reasons.items():
        expect_that(name in chosen, f"il manque quelqu'un : {reason}.")


def split_families(groups: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows of 70 % and 30 % of the groups, as the notebook does."""
    from sklearn.model_selection import GroupShuffleSplit

    return next(GroupShuffleSplit(1, test_size=0.3, random_state=seed).split(groups, groups=groups))


def _validation(params: Mapping[str, Any], X: np.ndarray, y: np.ndarray, families: np.ndarray) -> np.ndarray:
    """Return the mean AUC on the rows learnt from and on the validation rows, over three splits."""
    from sklearn.metrics import roc_auc_score
    from xgboost import XGBClassifier

    scores = []
    for seed in range(3):
        train = split_families(families, seed)[0]
        learn, valid = (train[rows] for rows in split_families(families[train], seed + 100))
        model = XGBClassifier(**{**params, "n_jobs": 1, "random_state": seed}).fit(X[learn], y[learn])
        scores.append([roc_auc_score(y[rows], model.predict_proba(X[rows])[:, 1]) for rows in (learn, valid)])
    return np.mean(scores, axis=0)


@exercise(
    "1-9-d",
    hints=(
        "Les réglages d'usine obtiennent 1 en apprentissage : des arbres profonds et un grand pas retiennent "
        "chaque personne. Lequel de vos réglages les freine ?",
        "Des arbres de profondeur 2 à 4, un `learning_rate` de 0.05 à 0.1, une ou deux centaines d'arbres.",
        '`{"n_estimators": 100, "learning_rate": 0.1, "max_depth": 3, "subsample": 0.8}`',
    ),
)
def tune(params, X, y, families):
    """Settings of XGBoost that reach the target on validation families."""
    expect_type(params, dict, 'un dictionnaire de réglages, par exemple {"max_depth": 3}')
    strangers = sorted(str(name) for name in set(params) - SETTINGS - {"n_jobs", "random_state"})
    expect_that(
        not strangers,
        f"XGBoost recevrait un réglage que cet exercice ne connaît pas : `{', '.join(strangers)}`. "
        "Restez parmi ceux de l'énoncé, à la lettre près.",
    )
    trees = params.get("n_estimators", 100)
    expect_that(trees <= MOST_TREES, f"{trees} arbres : le budget est de {MOST_TREES}.")
    learnt, validated = _validation(fresh(params), X, y, families)
    figures = f"en moyenne de trois découpes, AUC de {learnt:.3f} en apprentissage et de {validated:.3f} en validation"
    expect_that(
        validated >= TARGET_AUC or learnt < 0.88,
        f"{figures} : l'écart trahit le surapprentissage. "
        "Des arbres moins profonds, un pas plus petit, moins d'arbres ?",
    )
    expect_that(
        validated >= TARGET_AUC or learnt >= 0.77,
        f"{figures} : les deux sont faibles, le modèle n'a pas assez appris. Plus d'arbres, ou un pas moins timide ?",
    )
    expect_that(validated >= TARGET_AUC, f"{figures}, et il faut {TARGET_AUC} en validation. Vous y êtes presque.")
    return (
        f"AUC de {validated:.3f} en validation contre {learnt:.3f} en apprentissage ; "
        "les réglages d'usine plafonnent vers 0.705."
    )

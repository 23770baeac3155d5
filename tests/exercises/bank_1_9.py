from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from statsmodels.datasets import randhie

from course_utils.exercises.testing import Answers, Case


def orientation_histogram(gx, gy, bins=9):
    magnitude, angle = np.hypot(gx, gy), np.rad2deg(np.arctan2(gy, gx)) % 180
    index = (angle // (180 / bins)).astype(int)
    return np.bincount(index.ravel(), magnitude.ravel(), minlength=bins) / gx.size


def orientation_histogram_stub(gx, gy, bins=9): ...


def votes_with(gx, gy, bins, angle, weights, mean=True):
    counts = np.histogram(angle, bins=bins, range=(0, 180), weights=weights)[0]
    return counts / gx.size if mean else counts


def degrees(gx, gy):
    return np.rad2deg(np.arctan2(gy, gx))


def full_turn(gx, gy, bins):
    index = (degrees(gx, gy) % 360 // (360 / bins)).astype(int)
    return np.bincount(index.ravel(), np.hypot(gx, gy).ravel(), minlength=bins) / gx.size


def centred(gx, gy, bins):
    index = np.round(degrees(gx, gy) % 180 * bins / 180).astype(int) % bins
    return np.bincount(index.ravel(), np.hypot(gx, gy).ravel(), minlength=bins) / gx.size


def leaf_value(y, p, lam=1.0):
    return (y - p).sum() / ((p * (1 - p)).sum() + lam)


def leaf_value_stub(y, p, lam=1.0): ...


def health_table():
    """The table of the lesson: columns, visits in the first year, families."""
    columns = ["xage", "female", "income", "educdec", "num", "coins", "mdeoff", "pioff", "idp", "tookphys"]
    columns += ["mhi", "disea", "physlm", "xghindx", "hlthg", "hlthf", "hlthp", "site"]
    path = Path(randhie.__file__).parent / "src" / "randhie.csv"
    people = pd.read_csv(path, usecols=[*columns, "year", "mdvis", "plan"])
    people = people[people["year"] == 1].dropna(subset=columns)
    families = people.groupby(["income", "site", "plan", "num"]).ngroup().to_numpy()
    table = pd.get_dummies(people[columns], columns=["site"])
    return table.to_numpy(float), (people["mdvis"] > 0).to_numpy(int), families


TABLE = health_table()
GENTLE = {"n_estimators": 100, "learning_rate": 0.1, "max_depth": 2}

CASES = {
    "1-9-a": Case(
        solution=orientation_histogram,
        stub=orientation_histogram_stub,
        wrong=[
            (lambda gx, gy, bins: orientation_histogram(gx, gy, bins) * gx.size, "divisez par le nombre de pixels"),
            (lambda gx, gy, bins: votes_with(gx, gy, bins, degrees(gx, gy) % 180, None), "vote pour 1"),
            (full_turn, "modulo 180"),
            (lambda gx, gy, bins: orientation_histogram(gy, gx, bins), "d'abord la composante verticale"),
            (
                lambda gx, gy, bins: votes_with(gx, gy, bins, np.arctan2(gy, gx) % 180, np.hypot(gx, gy)),
                "rend des radians",
            ),
            (centred, "quotient entier"),
            (lambda gx, gy: gx, "ne peut être appelée avec 3 arguments"),
        ],
        also_right=[lambda gx, gy, bins: votes_with(gx, gy, bins, degrees(gx, gy) % 180, np.hypot(gx, gy)).tolist()],
    ),
    "1-9-b": Case(
        solution=leaf_value,
        stub=leaf_value_stub,
        wrong=[
            (lambda y, p, lam: -leaf_value(y, p, lam), "Le signe est inversé"),
            (lambda y, p, lam: (y - p).mean(), "résidu moyen"),
            (lambda y, p, lam: (y - p).sum() / (len(y) + lam), "par l'effectif"),
            (lambda y, p, lam: (y - p).sum() / (p * (1 - p) + lam).sum(), "une fois par feuille"),
            (lambda y, p, lam: leaf_value(y, p, 0.0), "Il manque le frein"),
            (lambda y, p, lam: (y - p).sum() / (p * (1 - p)).sum() + lam, "Des parenthèses manquent"),
            (0.5, "on attend une fonction"),
        ],
        also_right=[lambda y, p, lam=1.0: np.float32(leaf_value(y, p, lam))],
    ),
    "1-9-c": Case(
        solution={"logistique", "forêt", "XGBoost", "dense"},
        wrong=[
            ({"logistique", "forêt", "XGBoost", "dense", "HOG + SVM"}, "deux pixels voisins"),
            ({"logistique", "forêt", "XGBoost", "dense", "convolutif"}, "petites fenêtres"),
            ({"forêt", "XGBoost", "dense"}, "les poids suivent"),
            ({"logistique", "forêt", "XGBoost"}, "relie chaque neurone à tous les pixels"),
            ({"logistique", "dense", "XGBoost"}, "les arbres de la forêt"),
            ({"SVM"}, "n'est pas au programme du match"),
            ("forêt", "un ensemble de noms"),
        ],
        also_right=[["XGBoost", "dense", "logistique", "forêt"]],
    ),
    "1-9-d": Case(
        solution=Answers(GENTLE, *TABLE),
        stub=Answers(..., *TABLE),
        wrong=[
            (Answers({}, *TABLE), "surapprentissage"),
            (Answers({"n_estimators": 300, "learning_rate": 0.2}, *TABLE), "trahit le surapprentissage"),
            (Answers({"n_estimators": 5, "learning_rate": 0.01, "max_depth": 1}, *TABLE), "pas assez appris"),
            (Answers({"n_estimators": 2000, "learning_rate": 0.01}, *TABLE), "le budget est de 400"),
            (Answers({"n_trees": 100}, *TABLE), "ne connaît pas"),
            (Answers([100, 3], *TABLE), "un dictionnaire de réglages"),
        ],
        also_right=[Answers({"n_estimators": 150, "learning_rate": 0.05, "max_depth": 4, "subsample": 0.8}, *TABLE)],
    ),
}

"""Answers to the exercises of lesson 1-3."""

from __future__ import annotations

import numpy as np
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_selection import SelectKBest, f_classif
from sklearn.model_selection import (
    GroupKFold,
    StratifiedGroupKFold,
    StratifiedKFold,
    cross_val_predict,
    cross_val_score,
)
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from course_utils.exercises.testing import Answers, Case


# --- 1-3-a
def standardize(X_train, X_test):
    mu, sigma = X_train.mean(axis=0), X_train.std(axis=0)
    sigma = np.where(sigma == 0, 1, sigma)
    return (X_train - mu) / sigma, (X_test - mu) / sigma


def standardize_stub(X_train, X_test): ...


def with_library(X_train, X_test):
    scaler = StandardScaler().fit(X_train)
    return [scaler.transform(X_train), scaler.transform(X_test)]


def each_its_own(X_train, X_test):
    return standardize(X_train, X_train)[0], standardize(X_test, X_test)[0]


def fitted_on_all(X_train, X_test):
    both = np.vstack([X_train, X_test])
    return standardize(both, X_train)[1], standardize(both, X_test)[1]


def sample_deviation(X_train, X_test):
    mu, sigma = X_train.mean(axis=0), X_train.std(axis=0, ddof=1)
    return (X_train - mu) / sigma, (X_test - mu) / sigma


def divides_by_zero(X_train, X_test):
    mu, sigma = X_train.mean(axis=0), X_train.std(axis=0)
    return (X_train - mu) / sigma, (X_test - mu) / sigma


def one_mean(X_train, X_test):
    return (X_train - X_train.mean()) / X_train.std(), (X_test - X_train.mean()) / X_train.std()


def in_place(X_train, X_test):
    mu, sigma = X_train.mean(axis=0), X_train.std(axis=0)
    X_train -= mu
    X_train /= sigma
    return X_train, (X_test - mu) / sigma


# --- 1-3-b
STEPS = StandardScaler(), SelectKBest(f_classif, k=10), KNeighborsClassifier(1)


def honest_score(X, y, groups):
    chain = make_pipeline(StandardScaler(), SelectKBest(f_classif, k=10), KNeighborsClassifier(1))
    return cross_val_score(chain, X, y, groups=groups, cv=GroupKFold(5)).mean()


def honest_stub(X, y, groups): ...


def leaky_score(X, y, groups):
    X = StandardScaler().fit_transform(X)
    X = SelectKBest(f_classif, k=10).fit_transform(X, y)
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    return cross_val_score(KNeighborsClassifier(1), X, y, cv=folds).mean()


def forgets_groups(X, y, groups):
    return cross_val_score(make_pipeline(*STEPS), X, y, cv=StratifiedKFold(5, shuffle=True, random_state=0)).mean()


def default_folds(X, y, groups):
    return cross_val_score(make_pipeline(*STEPS), X, y, cv=5).mean()


def selects_before(X, y, groups):
    kept = SelectKBest(f_classif, k=10).fit_transform(X, y)
    chain = make_pipeline(StandardScaler(), KNeighborsClassifier(1))
    return cross_val_score(chain, kept, y, groups=groups, cv=GroupKFold(5)).mean()


def prepares_before(X, y, groups):
    kept = SelectKBest(f_classif, k=10).fit_transform(StandardScaler().fit_transform(X), y)
    return cross_val_score(KNeighborsClassifier(1), kept, y, groups=groups, cv=GroupKFold(5)).mean()


def scales_before(X, y, groups):
    chain = make_pipeline(SelectKBest(f_classif, k=10), KNeighborsClassifier(1))
    return cross_val_score(chain, StandardScaler().fit_transform(X), y, groups=groups, cv=GroupKFold(5)).mean()


def stratified_groups(X, y, groups):
    return cross_val_score(make_pipeline(*STEPS), X, y, groups=groups, cv=StratifiedGroupKFold(5)).mean()


def all_folds(X, y, groups):
    return cross_val_score(make_pipeline(*STEPS), X, y, groups=groups, cv=GroupKFold(5))


def named_steps(X, y, groups):
    chain = Pipeline([("scale", StandardScaler()), ("select", SelectKBest(f_classif, k=10)), ("knn", STEPS[2])])
    return float(np.mean(cross_val_score(chain, X, y, cv=GroupKFold(5).split(X, y, groups))))


# --- 1-3-c
def counts(y_true, scores, threshold):
    alert = np.asarray(scores) >= threshold
    tp, fp = np.sum(alert & (y_true == 1)), np.sum(alert & (y_true == 0))
    fn, tn = np.sum(~alert & (y_true == 1)), np.sum(~alert & (y_true == 0))
    return tp, fp, fn, tn


def scorecard(y_true, scores, threshold):
    tp, fp, fn, tn = counts(y_true, scores, threshold)
    precision = tp / (tp + fp) if tp + fp else 0.0
    recall = tp / (tp + fn)
    return precision, recall, (recall + tn / (tn + fp)) / 2


def scorecard_stub(y_true, scores, threshold): ...


def swapped(y_true, scores, threshold):
    precision, recall, balanced = scorecard(y_true, scores, threshold)
    return recall, precision, balanced


def plain_accuracy(y_true, scores, threshold):
    precision, recall, _ = scorecard(y_true, scores, threshold)
    return precision, recall, np.mean((scores >= threshold) == y_true)


def f_score(y_true, scores, threshold):
    precision, recall, _ = scorecard(y_true, scores, threshold)
    return precision, recall, 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def mean_of_two(y_true, scores, threshold):
    precision, recall, _ = scorecard(y_true, scores, threshold)
    return precision, recall, (precision + recall) / 2


def strict(y_true, scores, threshold):
    return scorecard(y_true, scores, np.nextafter(threshold, 2))


def zero_by_zero(y_true, scores, threshold):
    tp, fp, fn, tn = counts(y_true, scores, threshold)
    return tp / (tp + fp), tp / (tp + fn), (tp / (tp + fn) + tn / (tn + fp)) / 2


# --- 1-3-d: digits with look-alike labels, as in the lesson but drawn otherwise
X, truth = load_digits(return_X_y=True)
X, truth = X[:360] / 16, truth[:360]
bad = np.random.default_rng(4).choice(360, 36, replace=False)
labels = truth.copy()
labels[bad] = np.array([7, 7, 3, 8, 9, 6, 5, 1, 3, 4])[truth[bad]]
P = cross_val_predict(RandomForestClassifier(100, random_state=0), X, labels, cv=5, method="predict_proba")
margin = P[np.arange(360), labels] - P.max(axis=1)
learnt = KNeighborsClassifier(1).fit(X, labels).predict_proba(X)[np.arange(360), labels]


def forty(positions):
    return Answers(positions, labels=labels, truth=truth)


good = np.setdiff1d(np.arange(360), bad)

CASES = {
    "1-3-a": Case(
        solution=standardize,
        stub=standardize_stub,
        wrong=[
            (each_its_own, "sa propre moyenne"),
            (fitted_on_all, "les deux tableaux réunis"),
            (sample_deviation, "ddof=1"),
            (divides_by_zero, "son écart-type est nul"),
            (one_mean, "une par colonne"),
            (in_place, "modifie"),
            (lambda X_train, X_test: standardize(X_train, X_test)[0], "On attend deux tableaux"),
            (standardize(X, X), "on attend une fonction"),
        ],
        also_right=[with_library],
    ),
    "1-3-b": Case(
        solution=honest_score,
        stub=honest_stub,
        wrong=[
            (leaky_score, "Les trois fuites sont encore là"),
            (forgets_groups, "Des images d'un même patient"),
            (default_folds, "Des images d'un même patient"),
            (selects_before, "choisies sur toutes les images"),
            (prepares_before, "`StandardScaler` aussi"),
            (stratified_groups, "est un bon choix aussi"),
            (all_folds, "forme"),
        ],
        also_right=[named_steps],
    ),
    "1-3-c": Case(
        solution=scorecard,
        stub=scorecard_stub,
        wrong=[
            (swapped, "Précision et rappel sont échangés"),
            (plain_accuracy, "l'exactitude ordinaire"),
            (f_score, "est le F1"),
            (mean_of_two, "la moyenne des rappels des deux classes"),
            (strict, "L'alerte inclut le seuil"),
            (zero_by_zero, "renvoyez 0 pour la précision"),
        ],
        also_right=[lambda y_true, scores, threshold: list(scorecard(y_true, scores, threshold))],
    ),
    "1-3-d": Case(
        solution=forty(np.argsort(margin, kind="stable")[:40]),
        stub=forty(...),
        wrong=[
            (forty(good[:40]), "pire que le hasard"),
            (forty(np.argsort(learnt, kind="stable")[:40]), "guère mieux qu'au hasard"),
            (forty(np.r_[bad[:20], good[:20]]), "il en faut 25"),
            (forty(margin < 0), "C'est un masque"),
            (forty(np.r_[bad, bad[:4]]), "plusieurs fois"),
            (forty(bad), "le nombre de suspects"),
            (forty(np.r_[bad[:35], 360, good[:4]]), "de 0 à 359"),
            (forty(X[:40, :2]), "positions entières"),
        ],
        also_right=[forty([int(i) for i in bad] + [int(i) for i in good[:4]])],
    ),
}
